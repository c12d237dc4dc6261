"""What is revoked: a list of public keys, or OpenSSH's own binary list (KRL)."""

from __future__ import annotations

import base64
import binascii
import struct

from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.sshsig import key_facts

#: How a KRL begins: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.krl
KRL = b"SSHKRL\n\0"


@check
def revocations_are_read(content: bytes, where: str) -> list[Finding]:
    """Refuse a line that is no public key, such as a fingerprint: `ssh-keygen` would verify nothing any more, and not say why."""
    return [
        Finding(
            reason=Reason.TRUST_UNREADABLE,
            what=f"{line.strip()[:40]!r} is no public key",
            where=f"{where} line {number}",
            fix="write the key itself, as its .pub file has it, or begin the line with #",
        )
        for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1)
        if line.strip() and not line.lstrip().startswith("#") and not _is_key(line)
    ]


@check
def krl_is_read(complaint: str, where: str) -> list[Finding]:
    """Refuse a KRL that `ssh-keygen` cannot read: it would take every key for revoked."""
    if not complaint:
        return []
    fix = "make it anew: ssh-keygen -k -f revoked KEY.pub"
    return [Finding(reason=Reason.TRUST_UNREADABLE, what=f"the list of revocations cannot be read: {complaint}", where=where, fix=fix)]


def _is_key(line: str) -> bool:
    kind, _, rest = line.strip().partition(" ")
    try:
        return key_facts(base64.b64decode((rest.split() or [""])[0], validate=True))[0] == kind
    except (ValueError, binascii.Error, struct.error):
        return False
