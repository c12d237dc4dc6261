"""What the guard is told from outside: who decides about a stage, and how a refusal reaches MLflow's callers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from poc.rules.signoff import Finding
from poc.rules.signoff.guarded import in_a_dialog


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The verifier, as the guard needs it; an empty list lets it pass.

    `findings` takes project, stage and version. `next_entry_findings` takes project, and name and value of the tag that is to become the ledger's next entry.
    """

    findings: Callable[[str, str, str], list[Finding]]
    next_entry_findings: Callable[[str, str, str], list[Finding]]


def refuse(found: Sequence[Finding]) -> None:
    """Refuse, where anything was found.

    Raises:
        MlflowException: PERMISSION_DENIED, whose message MLflow's dialogs show as it is.
    """
    if not found:
        return
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

    raise MlflowException(in_a_dialog(found), error_code=PERMISSION_DENIED)
