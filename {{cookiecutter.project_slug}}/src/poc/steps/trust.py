"""Trust: whom to believe, read from the place that `POC_TRUST` names, never from the change under review."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from poc import layout
from poc.errors import InputRefused, NotSignedOff
from poc.rules.signoff import Finding, Reason, Roles, Trust, check, read_signers, stop_at
from poc.rules.signoff.revoked import KRL, krl_is_read, revocations_are_read
from poc.tools import git, ssh, strict_yaml, trust_files

SETTING = "POC_TRUST"
#: What a place at a ref begins with: `git:origin/main:trust`.
AT_A_REF = "git:"


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Trust files as they were read: where, their bytes by name, whether they are those for trying things out, and whether one could change them from here."""

    where: str
    files: Mapping[str, bytes]
    is_for_demos: bool = False
    is_protected: bool = False


def load_trust(root: Path, place: str | None = None) -> Trust:
    """Read the trust files; `place` is what `POC_TRUST` says unless it is given.

    Raises:
        NotSignedOff: no place is configured, it lies in the change under review, or a file is missing or cannot be read.
        EnvironmentRefused: it is a ref, and git does not answer.
    """
    place = os.environ.get(SETTING, "").strip() if place is None else place
    stop_at(place_is_configured(place))
    source = _at_ref(root, place) if place.startswith(AT_A_REF) else _in_folder(root, root / Path(place).expanduser())
    stop_at(files_are_there(source.where, source.files))
    roles = _roles(source)
    stop_at(demo_is_no_trust(source.where, is_for_demos=source.is_for_demos, is_demo=roles.is_demo))
    stop_at(demo_stays_at_home(source.where, is_for_demos=source.is_for_demos, is_demo=roles.is_demo))
    signers, revoked = source.files[layout.ALLOWED_SIGNERS], source.files[layout.REVOKED]
    lines, found = read_signers(signers, roles.namespace, f"{source.where}/{layout.ALLOWED_SIGNERS}")
    return Trust(
        where=source.where,
        roles=roles,
        lines=tuple(lines),
        signers=signers,
        revoked=revoked,
        is_protected=source.is_protected,
        found=(*found, *_of_revocations(revoked, f"{source.where}/{layout.REVOKED}"), *no_private_key_is_committed(_private_keys(root))),
        on_branch=_on_branch(root, roles),
    )


def _in_folder(root: Path, folder: Path) -> _Source:
    demo = root / layout.DEMO_TRUST
    is_for_demos = demo.is_dir() and folder.exists() and folder.samefile(demo) and not demo.is_symlink()
    inside = [place for place in trust_files.places_of(folder) if any(trust_files.is_inside(place, judged) for judged in _judged(root))]
    stop_at(folder_is_outside(str(folder), [] if is_for_demos else inside))
    return _Source(
        where=str(layout.DEMO_TRUST if is_for_demos else folder),
        files=trust_files.read_folder(folder),
        is_for_demos=is_for_demos,
        is_protected=not trust_files.can_be_changed(folder),
    )


def _judged(root: Path) -> list[Path]:
    """List the folders that trust files judge: the project, and the repository around it. Where there is no charter, as on a server, there is no project."""
    repository = _repository(root)
    return [*([root] if (root / layout.CHARTER).is_file() else []), *([repository] if repository else [])]


def _repository(root: Path) -> Path | None:
    """Find the top folder of the repository that a project lies in."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)


def _at_ref(root: Path, place: str) -> _Source:
    ref, _, folder = place.removeprefix(AT_A_REF).partition(":")
    stop_at(ref_is_not_the_change(place, resolves=git.resolves(root, ref) is not None, is_checked_out=git.is_checked_out(root, ref)))
    paths = {name: "/".join([*([folder.strip("/")] if folder.strip("/") else []), name]) for name in trust_files.NAMES}
    read = {name: git.read_at(root, ref, path) for name, path in paths.items()}
    # A clone is its owner's: who can run git here can move its refs. What the ref is worth, the forge's own copy says.
    return _Source(where=place, files={name: content for name, content in read.items() if content is not None})


def _roles(source: _Source) -> Roles:
    try:
        return strict_yaml.load_roles(source.files[layout.ROLES], where=f"{source.where}/{layout.ROLES}")
    except InputRefused as error:
        raise NotSignedOff(error.problems, code=Reason.TRUST_UNREADABLE) from error


def _of_revocations(content: bytes, where: str) -> list[Finding]:
    return krl_is_read(ssh.krl_complaint(content), where) if content.startswith(KRL) else revocations_are_read(content, where)


def _private_keys(root: Path) -> list[str]:
    return git.private_keys_committed(root) if _repository(root) else []


def _on_branch(root: Path, roles: Roles) -> dict[str, bytes]:
    """Read the ledger as it lies on the protected branch where merges count as approvals; nothing counts where git does not know it, or it is the change."""
    allowed, repository = roles.approvals_on_branch, _repository(root)
    if allowed is None or repository is None or git.is_checked_out(root, allowed.ref):
        return {}
    project = root.resolve().relative_to(repository.resolve()).as_posix()
    above = "" if project == "." else f"{project}/"
    return {path.removeprefix(above): content for path, content in git.list_at(root, allowed.ref, f"{above}{layout.SIGNOFFS}").items()}


@check
def place_is_configured(place: str) -> list[Finding]:
    """Refuse to guess whom to believe."""
    if place:
        return []
    return [Finding(reason=Reason.TRUST_NOT_CONFIGURED, what="nothing says whom to believe", where=f"environment, {SETTING}")]


@check
def folder_is_outside(folder: str, inside: Sequence[Path]) -> list[Finding]:
    """Refuse trust files that lie in the repository, by themselves or behind a link: a change could name its own judges."""
    if not inside:
        return []
    return [Finding(reason=Reason.TRUST_IN_THE_CHANGE, what=f"the trust files lie in the repository that they judge: {inside[0]}", where=f"{SETTING}={folder}")]


@check
def ref_is_not_the_change(place: str, *, resolves: bool, is_checked_out: bool) -> list[Finding]:
    """Refuse the branch that is checked out, which is the change under review, and a ref that is none."""
    where = f"{SETTING}={place}"
    if is_checked_out:
        return [Finding(reason=Reason.TRUST_IN_THE_CHANGE, what="the trust files lie on the branch that is checked out", where=where)]
    if resolves:
        return []
    fix = "write git:origin/main:trust (a remote's branch, a folder), or refs/... in full; in CI, fetch that branch first"
    return [Finding(reason=Reason.TRUST_UNREADABLE, what="there is no such ref here", where=where, fix=fix)]


@check
def files_are_there(where: str, files: Mapping[str, bytes]) -> list[Finding]:
    """Refuse trust without one of its files: an empty list of revocations says something, a missing one does not."""
    about = {layout.REVOKED: Reason.REVOCATION_LIST_MISSING}
    return [
        Finding(
            reason=about.get(name, Reason.TRUST_UNREADABLE),
            what=f"{name} is missing or cannot be read",
            where=where,
            fix="" if name in about else f"put {name} there: docs/platform.md, Trust files",
        )
        for name in trust_files.NAMES
        if name not in files
    ]


@check
def demo_is_no_trust(where: str, *, is_for_demos: bool, is_demo: bool) -> list[Finding]:
    """Refuse trust files in the folder for demos that would verify what is signed in earnest: anybody writes there."""
    if is_demo or not is_for_demos:
        return []
    return [
        Finding(
            reason=Reason.TRUST_IN_THE_CHANGE,
            what="the folder for demos holds trust files for real sign-offs",
            where=where,
            fix="poc demo-trust --force makes its own; real trust files lie outside of this repository",
        )
    ]


@check
def demo_stays_at_home(where: str, *, is_for_demos: bool, is_demo: bool) -> list[Finding]:
    """Refuse trust files for trying things out that were carried elsewhere, be it as a copy or to a ref: everybody has their keys."""
    if not is_demo or is_for_demos:
        return []
    what = f"these trust files are for trying things out, and count in {layout.DEMO_TRUST} alone"
    return [Finding(reason=Reason.DEMO_TRUST_ELSEWHERE, what=what, where=where)]


@check
def no_private_key_is_committed(names: Sequence[str]) -> list[Finding]:
    """Refuse a repository with a private key in it: whoever can read it signs with that key."""
    return [Finding(reason=Reason.PRIVATE_KEY_COMMITTED, what="a private key is committed", where=name) for name in names]
