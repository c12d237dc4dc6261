"""Where artifacts may lie: what is put elsewhere passes the guard by, or comes to lie among what is signed."""

from __future__ import annotations

from urllib.parse import urlsplit

from poc.rules.signoff.reasons import Finding, Reason, check

#: The scheme of what goes through MLflow's server.
THROUGH_THE_SERVER = "mlflow-artifacts"


@check
def artifacts_go_through_the_server(location: str | None) -> list[Finding]:
    """Refuse an experiment with a place of its own: a folder of the server's machine, or another store; without one MLflow chooses."""
    try:
        parts = urlsplit(location or f"{THROUGH_THE_SERVER}:/")
        is_here = parts.scheme == THROUGH_THE_SERVER and not parts.netloc
    except ValueError:
        is_here = False
    if is_here:
        return []
    what = f"an experiment's artifacts would lie at {(location or '')[:80]!a}, where the guard cannot see what is written over"
    return [Finding(reason=Reason.SIGNED_IS_FIXED, what=what, where="MLflow", fix="leave the artifact location out: this server has one")]
