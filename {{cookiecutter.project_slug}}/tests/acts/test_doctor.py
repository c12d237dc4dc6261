"""What the doctor says of signing: OpenSSH that can, and whom to believe."""

from __future__ import annotations

from pathlib import Path

import pytest

from poc.acts.doctor import Finding, examine
from signoffs import a_trust_folder, signer_line


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("POC_TRUST", raising=False)
    (tmp_path / "a project").mkdir()
    return tmp_path / "a project"


def found(root: Path, name: str) -> Finding:
    return next(finding for finding in examine(root) if finding.name == name)


def test_trust_that_is_not_configured_is_noted_and_stops_no_run(root: Path) -> None:
    noted = found(root, "trust files")
    assert (noted.is_ok, noted.is_needed) == (False, False)
    assert "poc demo-trust" in noted.fix


def test_trust_files_are_named_with_what_is_wrong_in_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POC_TRUST", str(a_trust_folder(root.parent / "trust")))
    assert (found(root, "trust files").is_ok, found(root, "trust files").found) == (True, str(root.parent / "trust"))
    a_trust_folder(root.parent / "trust", signers=signer_line("olga").replace("olga@example.com", "*"))
    assert found(root, "trust files").found.endswith("[wildcard_signer]")


def test_an_openssh_that_is_too_old_is_noted(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(root, "ssh-keygen").is_ok
    (tmp_path / "ssh-keygen").write_text("#!/bin/sh\necho ssh-keygen: unknown option -- Y >&2; exit 1\n")
    (tmp_path / "ssh-keygen").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "too old" in found(root, "ssh-keygen").found
