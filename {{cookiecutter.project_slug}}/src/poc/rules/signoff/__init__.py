"""The signature: statements, the ledger they stand in, whom to believe, and whether a stage may hold a version."""

from poc.rules.signoff.admission import findings_for
from poc.rules.signoff.canonical import canonical, tree_digest
from poc.rules.signoff.facts import Facts, Ledger, Verified, newest
from poc.rules.signoff.ledger import Decision, Entry, copies_agree, entry_of_tag, next_link, nothing_is_missing, read_entries
from poc.rules.signoff.reasons import CHECKS, Finding, Reason, check, refuse_with, stop_at
from poc.rules.signoff.shown import Shown, shown_of_charter, shown_of_verdict
from poc.rules.signoff.signer_lines import read_signers
from poc.rules.signoff.statement import GATED, Assurance, Predicate, StageName, Statement, moment, stamp, statement_bytes, subjects
from poc.rules.signoff.trust import NAMESPACE, Roles, SignerLine, Trust

__all__ = [
    "CHECKS",
    "GATED",
    "NAMESPACE",
    "Assurance",
    "Decision",
    "Entry",
    "Facts",
    "Finding",
    "Ledger",
    "Predicate",
    "Reason",
    "Roles",
    "Shown",
    "SignerLine",
    "StageName",
    "Statement",
    "Trust",
    "Verified",
    "canonical",
    "check",
    "copies_agree",
    "entry_of_tag",
    "findings_for",
    "moment",
    "newest",
    "next_link",
    "nothing_is_missing",
    "read_entries",
    "read_signers",
    "refuse_with",
    "shown_of_charter",
    "shown_of_verdict",
    "stamp",
    "statement_bytes",
    "stop_at",
    "subjects",
    "tree_digest",
]
