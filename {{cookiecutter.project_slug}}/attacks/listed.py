"""The whole list of attacks."""

from __future__ import annotations

import on_bytes
import on_evidence
import on_ledger
import on_page
import on_people
import on_server
import on_signatures
import on_signing
import on_stages
import on_statements
import on_trust
from attack import Attack

LISTS = (on_bytes, on_statements, on_signatures, on_people, on_trust, on_ledger, on_stages, on_signing, on_server, on_page, on_evidence)
ATTACKS: tuple[Attack, ...] = tuple(attack for each in LISTS for attack in each.ATTACKS)
