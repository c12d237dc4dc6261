"""Attacks on the signature: made for something else, by another key, with less than it claims, or not at all."""

from __future__ import annotations

import base64
import subprocess
from typing import Any

from attack import Attack
from passkeys_made import PRESENT, VERIFIED, Passkey
from programs import promote
from worlds import World

from poc import layout
from poc.rules.signoff import NAMESPACE, Reason, canonical
from poc.rules.signoff.sshsig import armoured, string, to_be_signed
from poc.tools import ssh

TO_PRODUCTION = promote("production")
DEMO = "demo-0123456789abcdef@prod-first-poc"


def _for_the_namespace(world: World, namespace: str) -> None:
    world.sign(namespace=namespace)


def _with_the_key_of(world: World, person: str) -> None:
    world.sign(key=person)


def _signed_by(world: World, signature: Any) -> None:
    """Lay down the last decision once more, with what becomes of its signature."""
    content = canonical(world.statement())
    world.append(content, signature(ssh.sign(content, key=world.key("rae"), namespace=NAMESPACE)))


def _of_the_statement(world: World, reason: str) -> None:
    """Lay down the last decision once more, with the signature of one that gives a reason."""
    world.append(canonical(world.statement()), ssh.sign(canonical(world.statement(reason=reason)), key=world.key("rae"), namespace=NAMESPACE))


def _whole(signature: bytes) -> bytes:
    return signature


def _claiming(world: World, assurance: str) -> None:
    world.sign(assurance=assurance)


def _answering(world: World, answers: dict[str, Any]) -> None:
    """List a passkey of the signer's, and have it sign: a real one, but for how it answers."""
    passkey = Passkey(origin="http://localhost:8123").but(**answers)
    signers = world.trust / layout.ALLOWED_SIGNERS
    signers.write_text(signers.read_text(encoding="utf-8") + f'rae@example.com namespaces="{NAMESPACE}" {passkey.line}\n', encoding="utf-8")
    content = canonical(world.statement(assurance="passkey"))
    world.append(content, passkey.sign(content, NAMESPACE))


def _at_home(world: World, homes: list[str]) -> None:
    """Let a passkey of this machine sign, and say in the trust files which sites passkeys are for."""
    world.change_roles(passkeys=homes)
    _answering(world, {})


def _over_a_digest(world: World, algorithm: str) -> None:
    """List an RSA key of the signer's, and let it sign as some algorithm has it."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA1, SHA512
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    key, signers = world.key("rsa"), world.trust / layout.ALLOWED_SIGNERS
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(key)], check=True)
    signers.write_text(signers.read_text(encoding="utf-8") + world.line("rsa", name="rae@example.com"), encoding="utf-8")
    content, secret = canonical(world.statement()), load_ssh_private_key(key.read_bytes(), None)
    signed = secret.sign(to_be_signed(content, NAMESPACE), PKCS1v15(), SHA1() if algorithm == "ssh-rsa" else SHA512())  # type: ignore[union-attr,call-arg]
    world.append(content, armoured(base64.b64decode(world.public("rsa").split()[1]), NAMESPACE, string(algorithm.encode()) + string(signed)))


ATTACKS = (
    Attack(name="signature of a git commit's namespace", lay=_for_the_namespace, control=NAMESPACE, attack="git",
           through=TO_PRODUCTION, reason=Reason.OTHER_NAMESPACE, guard="namespace_is_ours"),
    Attack(name="signature for a demo against real trust", lay=_for_the_namespace, control=NAMESPACE, attack=DEMO,
           through=TO_PRODUCTION, reason=Reason.OTHER_NAMESPACE, guard="namespace_is_ours"),
    Attack(name="a key that no line lists", lay=_with_the_key_of, control="rae", attack="eve",
           through=TO_PRODUCTION, reason=Reason.KEY_NOT_TRUSTED, guard="key_is_of_the_signer"),
    Attack(name="one signer's key under another's name", lay=_with_the_key_of, control="rae", attack="sam",
           through=TO_PRODUCTION, reason=Reason.KEY_NOT_TRUSTED, guard="key_is_of_the_signer"),
    Attack(name="no signature", lay=_signed_by, control=_whole, attack=lambda signature: signature[:0],
           through=TO_PRODUCTION, reason=Reason.SIGNATURE_MISSING, guard="signature_is_there"),
    Attack(name="something else in place of a signature", lay=_signed_by, control=_whole, attack=lambda signature: signature.replace(b"SSH", b"PGP"),
           through=TO_PRODUCTION, reason=Reason.SIGNATURE_MALFORMED, guard="signature_is_read"),
    Attack(name="signature of another statement", lay=_of_the_statement, control="", attack="on condition that it is reviewed",
           through=TO_PRODUCTION, reason=Reason.SIGNATURE_INVALID, guard="ssh_agrees"),
    Attack(name="signature over SHA-1", lay=_over_a_digest, control="rsa-sha2-512", attack="ssh-rsa",
           through=TO_PRODUCTION, reason=Reason.SIGNATURE_INVALID, guard="algorithm_is_sound"),
    Attack(name="key in a file that claims to be a passkey", lay=_claiming, control="key", attack="passkey",
           through=TO_PRODUCTION, reason=Reason.ASSURANCE_OVERSTATED, guard="assurance_is_true"),
    Attack(name="presence-only passkey", lay=_answering, control={"flags": PRESENT | VERIFIED}, attack={"flags": PRESENT},
           through=TO_PRODUCTION, reason=Reason.PRESENCE_ONLY, guard="person_was_verified"),
    Attack(name="passkey used on another site", lay=_answering, control={"origin": "http://localhost:8123"}, attack={"origin": "https://evil.example"},
           through=TO_PRODUCTION, reason=Reason.PASSKEY_ELSEWHERE, guard="passkey_is_at_home"),
    Attack(name="passkey of a site that the trust files do not name", lay=_at_home, control=["localhost"], attack=["mlflow.example.com"],
           through=TO_PRODUCTION, reason=Reason.PASSKEY_ELSEWHERE, guard="passkey_is_at_home"),
)  # fmt: skip
