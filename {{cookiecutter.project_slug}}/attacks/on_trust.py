"""Attacks on the trust files: lines that `ssh-keygen` would take and nobody should, and files in a place where a change can reach them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from attack import Attack
from programs import promote, verify
from worlds import World

from poc import layout
from poc.rules.signoff import NAMESPACE, Reason, canonical
from poc.tools import ssh

TO_PRODUCTION = promote("production")
FOR_DEMOS = "demo-0123456789abcdef@prod-first-poc"
OURS = f'namespaces="{NAMESPACE}"'
#: Names under which others have let people skip a check.
SKIPPING = dict.fromkeys(("POC_SKIP_SIGNOFF", "POC_NO_VERIFY", "POC_FORCE", "SKIP", "CI", "POC_DEMO", "POC_REPORTS_ARE_LOGGED_BY_LAUNCHER"), "1")


def _line_of_the_signer(world: World, line: Callable[[World], str]) -> None:
    """Write the signer's line in the trust files in another way."""
    others = [world.line(person) for person in ("sam", "sid", "olga", "bo")]
    (world.trust / layout.ALLOWED_SIGNERS).write_text("".join([*others, line(world)]), encoding="utf-8")


def _with_options(world: World, options: str) -> None:
    _line_of_the_signer(world, lambda at: at.line("rae", options))


def _under_the_name(world: World, name: str) -> None:
    _line_of_the_signer(world, lambda at: at.line("rae", name=name))


def _in_words(world: World, change: Callable[[str], str]) -> None:
    _line_of_the_signer(world, lambda at: change(at.line("rae")))


def _plain(line: str) -> str:
    return line


def _listed_besides(world: World, person: str) -> None:
    """List somebody's key for one person more."""
    signers = world.trust / layout.ALLOWED_SIGNERS
    signers.write_text(signers.read_text(encoding="utf-8") + world.line(person, name="una@example.com"), encoding="utf-8")


def _revoking(world: World, person: str) -> None:
    (world.trust / layout.REVOKED).write_text(f"{world.public(person)}\n", encoding="utf-8")


def _with_revocations(world: World, content: bytes | None) -> None:
    path = world.trust / layout.REVOKED
    path.unlink()
    if content is not None:
        path.write_bytes(content)


def _whole(content: bytes) -> bytes:
    return content


def _with_a_krl(world: World, change: Callable[[bytes], bytes]) -> None:
    """Revoke a key of nobody who signs, in OpenSSH's own form."""
    path = world.trust / layout.REVOKED
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", str(path), str(world.key("uma").with_suffix(".pub"))], check=True)
    path.write_bytes(change(path.read_bytes()))


def _with_roles(world: World, change: Callable[[str], str]) -> None:
    path = world.trust / layout.ROLES
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def _place(world: World, place: str) -> None:
    """Name the place of the trust files; a copy lies in the repository, another behind a link."""
    shutil.copytree(world.trust, world.root / "trust")
    shutil.copytree(world.trust, world.root / layout.DEMO_TRUST)
    (world.folder / "linked").symlink_to(world.root / "trust")
    world.settings["POC_TRUST"] = place.replace("WORLD", str(world.folder))


def _git(world: World, *command: str, at: Path | None = None) -> None:
    who = ("-c", "user.name=Bo Builder", "-c", "user.email=bo@example.com")
    subprocess.run(["git", *who, *command], cwd=at or world.root, check=True, capture_output=True)


def _committed_trust(world: World) -> None:
    """Commit the trust files, on the branch and on a protected ref."""
    shutil.copytree(world.trust, world.root / "trust")
    _git(world, "add", "trust")
    _git(world, "commit", "-q", "-m", "Trust")
    _git(world, "update-ref", "refs/remotes/origin/main", "HEAD")


def _at_the_ref(world: World, ref: str) -> None:
    _committed_trust(world)
    world.settings["POC_TRUST"] = f"git:{ref}:trust"


def _changed_with_it(world: World, key: str) -> None:
    """Let the change under review list another key for the signer, and sign with a key; whom to believe is read from the protected ref."""
    _committed_trust(world)
    signers = world.root / "trust" / layout.ALLOWED_SIGNERS
    signers.write_text(signers.read_text(encoding="utf-8").replace(world.line("rae"), world.line("eve", name="rae@example.com")), encoding="utf-8")
    _git(world, "commit", "-q", "-a", "-m", "A new key for Rae")
    world.settings["POC_TRUST"] = "git:origin/main:trust"
    world.sign(key=key)


def _git_sent_elsewhere(world: World, key: str) -> None:
    """Point git's variables at another repository, whose protected ref lists another key for the signer, and sign with a key."""
    _committed_trust(world)
    elsewhere = world.folder / "elsewhere"
    shutil.copytree(world.root, elsewhere)
    signers = elsewhere / "trust" / layout.ALLOWED_SIGNERS
    signers.write_text(signers.read_text(encoding="utf-8").replace(world.line("rae"), world.line("eve", name="rae@example.com")), encoding="utf-8")
    _git(world, "commit", "-q", "-a", "-m", "A new key for Rae", at=elsewhere)
    _git(world, "update-ref", "refs/remotes/origin/main", "HEAD", at=elsewhere)
    world.settings |= {"POC_TRUST": "git:origin/main:trust", "GIT_DIR": str(elsewhere / ".git"), "GIT_WORK_TREE": str(elsewhere)}
    world.sign(key=key)


def _skipping(world: World, *, is_signed: bool) -> None:
    """Set everything that could mean to skip the check, and have the last signature or not."""
    world.settings |= SKIPPING
    world.forget(0 if is_signed else 1)


def _a_key_committed(world: World, name: str) -> None:
    """Commit one half of a key."""
    shutil.copy(world.folder / "keys" / name, world.root / "signing_key")
    _git(world, "add", "signing_key")
    _git(world, "commit", "-q", "-m", "Keep the key at hand")


def _for_demos(world: World, place: str) -> None:
    """Let trust files and signatures be for trying things out; the files lie in the folder for demos, outside of the repository, and at a protected ref."""
    world.change_roles(namespace=FOR_DEMOS)
    signers = world.trust / layout.ALLOWED_SIGNERS
    signers.write_text(signers.read_text(encoding="utf-8").replace(NAMESPACE, FOR_DEMOS), encoding="utf-8")
    for entry in world.entries():
        person = json.loads(entry.statement)["predicate"]["signer"].partition("@")[0]
        (world.root / entry.where).with_suffix(".sig").write_bytes(ssh.sign(entry.statement, key=world.key(person), namespace=FOR_DEMOS))
    shutil.copytree(world.trust, world.root / layout.DEMO_TRUST)
    _committed_trust(world)
    world.settings["POC_TRUST"] = place.replace("WORLD", str(world.folder))


def _approved_on(world: World, ref: str) -> None:
    """Approve by a merge on a branch: the statement lies there, without a signature, and the trust files say that a merge on main counts."""
    allowed = {"ref": "origin/main", "stages": ["production"], "people": ["rae@example.com"]}
    world.change_roles(approvals_on_branch=allowed)
    world.append(canonical(world.statement(assurance="branch")), b"")
    _git(world, "add", ".")
    _git(world, "commit", "-q", "-m", "Approve")
    _git(world, "update-ref", "refs/remotes/origin/main", "HEAD~1")
    _git(world, "update-ref", f"refs/remotes/{ref}", "HEAD")
    _git(world, "checkout", "-q", "-b", "work")


ATTACKS = (
    Attack(name="wildcard in place of a signer", lay=_under_the_name, control="rae@example.com", attack="*@example.com",
           through=TO_PRODUCTION, reason=Reason.WILDCARD_SIGNER, guard="line_names_one_person"),
    Attack(name="a list in place of a signer", lay=_under_the_name, control="rae@example.com", attack="rae@example.com,uma@example.com",
           through=TO_PRODUCTION, reason=Reason.WILDCARD_SIGNER, guard="line_names_one_person"),
    Attack(name="signer's line without a namespace", lay=_with_options, control=OURS, attack="",
           through=TO_PRODUCTION, reason=Reason.NAMESPACE_MISSING, guard="line_is_for_us"),
    Attack(name="signer's line with a pattern for a namespace", lay=_with_options, control=OURS, attack='namespaces="*"',
           through=TO_PRODUCTION, reason=Reason.NAMESPACE_MISSING, guard="line_is_for_us"),
    Attack(name="certificate authority as signer", lay=_with_options, control=OURS, attack=f"cert-authority,{OURS}",
           through=TO_PRODUCTION, reason=Reason.CERTIFICATE_AUTHORITY, guard="line_is_no_authority"),
    Attack(name="signer's line with an option that nobody knows", lay=_with_options, control=OURS, attack=f"no-touch-required,{OURS}",
           through=TO_PRODUCTION, reason=Reason.SIGNER_LINE_MALFORMED, guard="line_is_read"),
    Attack(name="signer's line whose key is of another kind than it says", lay=_in_words, control=_plain,
           attack=lambda line: line.replace("ssh-ed25519", "ssh-rsa"),
           through=TO_PRODUCTION, reason=Reason.SIGNER_LINE_MALFORMED, guard="key_is_readable"),
    Attack(name="key that had retired when it signed", lay=_with_options, control=f'{OURS},valid-before="20990101"', attack=f'{OURS},valid-before="20200101"',
           through=TO_PRODUCTION, reason=Reason.SIGNATURE_INVALID, guard="ssh_agrees"),
    Attack(name="signer's line with a letter beyond ASCII", lay=_in_words, control=_plain, attack=lambda line: f"{line.strip()} r\u0430e\n",
           through=TO_PRODUCTION, reason=Reason.SIGNER_LINE_MALFORMED, guard="line_is_plain"),
    Attack(name="two people with one key", lay=_listed_besides, control="eve", attack="rae",
           through=TO_PRODUCTION, reason=Reason.ONE_KEY_TWO_PEOPLE, guard="keys_have_one_owner"),
    Attack(name="revoked key", lay=_revoking, control="uma", attack="rae",
           through=TO_PRODUCTION, reason=Reason.KEY_REVOKED, guard="ssh_agrees"),
    Attack(name="revocation list missing", lay=_with_revocations, control=b"", attack=None,
           through=TO_PRODUCTION, reason=Reason.REVOCATION_LIST_MISSING, guard="files_are_there"),
    Attack(name="revocation list that says nothing to ssh-keygen", lay=_with_revocations,
           control=b"# nothing is revoked\n", attack=b"rae@example.com\n",
           through=TO_PRODUCTION, reason=Reason.TRUST_UNREADABLE, guard="revocations_are_read"),
    Attack(name="revocation list in binary that is cut off", lay=_with_a_krl, control=_whole, attack=lambda content: content[:40],
           through=TO_PRODUCTION, reason=Reason.TRUST_UNREADABLE, guard="krl_is_read"),
    Attack(name="roles with a field that nobody knows", lay=_with_roles, control=_plain,
           attack=lambda text: text.replace('"passkeys"', '"everybody_signs": true, "passkeys"'),
           through=TO_PRODUCTION, reason=Reason.TRUST_UNREADABLE, guard="strict_yaml"),
    Attack(name="roles that say one thing twice", lay=_with_roles, control=_plain, attack=lambda text: text.replace('"people"', '"people": {}, "people"'),
           through=TO_PRODUCTION, reason=Reason.TRUST_UNREADABLE, guard="strict_yaml"),
    Attack(name="trust files nowhere", lay=_place, control="WORLD/trust", attack="",
           through=TO_PRODUCTION, reason=Reason.TRUST_NOT_CONFIGURED, guard="place_is_configured"),
    Attack(name="trust files in the repository that they judge", lay=_place, control="WORLD/trust", attack="WORLD/repository/trust",
           through=TO_PRODUCTION, reason=Reason.TRUST_IN_THE_CHANGE, guard="folder_is_outside"),
    Attack(name="trust files in the repository, behind a link", lay=_place, control="WORLD/trust", attack="WORLD/linked",
           through=TO_PRODUCTION, reason=Reason.TRUST_IN_THE_CHANGE, guard="folder_is_outside"),
    Attack(name="trust for real sign-offs in the folder for demos", lay=_place, control="WORLD/trust", attack=f"WORLD/repository/{layout.DEMO_TRUST}",
           through=TO_PRODUCTION, reason=Reason.TRUST_IN_THE_CHANGE, guard="demo_is_no_trust"),
    Attack(name="trust files on the branch that is checked out", lay=_at_the_ref, control="origin/main", attack="refs/heads/main",
           through=TO_PRODUCTION, reason=Reason.TRUST_IN_THE_CHANGE, guard="ref_is_not_the_change"),
    Attack(name="trust file changed in the same change", lay=_changed_with_it, control="rae", attack="eve",
           through=TO_PRODUCTION, reason=Reason.KEY_NOT_TRUSTED, guard="key_is_of_the_signer"),
    Attack(name="git sent to another repository by the environment", lay=_git_sent_elsewhere, control="rae", attack="eve",
           through=TO_PRODUCTION, reason=Reason.KEY_NOT_TRUSTED, guard="key_is_of_the_signer"),
    Attack(name="skip flags in the environment", lay=lambda world, signed: _skipping(world, is_signed=signed), control=True, attack=False,
           through=TO_PRODUCTION, reason=Reason.NOT_SIGNED, guard="is_decided"),
    Attack(name="private key committed", lay=_a_key_committed, control="uma.pub", attack="uma",
           through=verify("--ledger"), reason=Reason.PRIVATE_KEY_COMMITTED, guard="no_private_key_is_committed"),
    Attack(name="approval by branch that is not on the branch", lay=_approved_on, control="origin/main", attack="origin/work",
           through=TO_PRODUCTION, reason=Reason.BRANCH_NOT_APPROVED, guard="branch_approved"),
    Attack(name="trust files for demos, copied to where real ones lie", lay=_for_demos, control=str(layout.DEMO_TRUST), attack="WORLD/trust",
           through=verify("--ledger"), reason=Reason.DEMO_TRUST_ELSEWHERE, guard="demo_stays_at_home"),
    Attack(name="trust files for demos, at a protected ref", lay=_for_demos, control=str(layout.DEMO_TRUST), attack="git:origin/main:trust",
           through=verify("--ledger"), reason=Reason.DEMO_TRUST_ELSEWHERE, guard="demo_stays_at_home"),
)  # fmt: skip
