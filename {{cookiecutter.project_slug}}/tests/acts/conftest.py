"""What tests of acts share: trust files, and a version that holds a stage by them."""

from __future__ import annotations

from pathlib import Path

import pytest
from signed_versions import a_signed_version

from poc.acts.promote import promote
from signoffs import a_trust_folder


@pytest.fixture
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name trust files that lie outside of any repository."""
    folder = a_trust_folder(tmp_path / "trust")
    monkeypatch.setenv("POC_TRUST", str(folder))
    return folder


@pytest.fixture
def root(repository: Path, trust: Path) -> Path:
    """Stand in a repository whose version 1 is signed for shadow, and holds it."""
    a_signed_version(repository, until="shadow")
    promote(repository, "shadow", "1")
    return repository
