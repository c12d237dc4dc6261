"""Where artifacts may lie, and which of them may be written: what is put elsewhere passes the guard by, or comes to lie among what is signed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.statement import GATED

#: The scheme of what goes through MLflow's server.
THROUGH_THE_SERVER = "mlflow-artifacts"
#: Folders of a signed run that stay open: copies of decisions to look at, and what is found out later.
OPEN_FOLDERS = ("signoffs", "afterwards")
_ID = re.compile(r"m-[0-9a-f]{32}|[0-9a-f]{32}")

Stages = frozenset[str]


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


def names_in(path: str) -> list[str]:
    """Take a path apart as whoever writes files might: every code undone, small letters, either slash, no empty names, no blanks around one."""
    for _ in range(10):  # as often as MLflow does
        path = unquote(path)
    names = [name.strip(" ") for name in path.replace("\\", "/").casefold().split("/")]
    return [name for name in names if name not in ("", ".")]


def ids_in(path: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    """Find runs and logged models in a path to an artifact, each with the names below it."""
    return [(name, path[i + 1 :]) for i, name in enumerate(path) if _ID.fullmatch(name)]


@check
def path_leads_down(path: Sequence[str]) -> list[Finding]:
    """Refuse a path to an artifact that climbs, stays hidden behind one code after another, or holds what MLflow takes out as it reads an address.

    That is a scheme in front, and tabs and ends of lines anywhere: what is written to is then another path than was looked at.
    """
    reread = any(unquote(name) != name or not name.isprintable() for name in path) or ":" in "".join(path[:1])
    if ".." not in path and not reread:
        return []
    return [Finding(reason=Reason.STRANGE_FILE, what=f"the path {'/'.join(path)[:80]!a} is not plain", where="MLflow")]


@check
def artifact_is_free(below: Sequence[str], stages: Stages, *, removes: bool) -> list[Finding]:
    """Refuse to write among a signed run's artifacts, but to folders that stay open and those of stages yet to be decided; and to remove any.

    `below` are the names below the run in the store, `artifacts` the first.
    """
    folders = tuple(below[1:3])
    is_open = len(below) > 2 and (folders[0] in OPEN_FOLDERS or (len(below) > 3 and folders[0] == "stages" and folders[1] in set(GATED) - stages))
    if not stages or (below[:1] == ["artifacts"] and is_open and not removes):
        return []
    what = f"{'/'.join(below[1:]) or 'the whole run'} belongs to what was decided about for {', '.join(sorted(stages))}"
    return [Finding(reason=Reason.SIGNED_IS_FIXED, what=what, where="MLflow")]


@check
def removal_names_a_run(path: Sequence[str], *, removes: bool) -> list[Finding]:
    """Refuse to remove a folder that could hold many runs."""
    if not removes or ids_in(path):
        return []
    return [
        Finding(
            reason=Reason.SIGNED_IS_FIXED, what=f"{'/'.join(path)[:80] or 'everything'!a} may hold what was decided about", where="MLflow", fix="name one run"
        )
    ]


@check
def upload_can_be_seen(path: Sequence[str]) -> list[Finding]:
    """Refuse to hand out addresses that write past this server: it could not see what, or when."""
    if not {"presigned-upload-url", "mpu"} & set(path):
        return []
    return [
        Finding(
            reason=Reason.SIGNED_IS_FIXED, what="uploads that pass this server by are closed here", where="MLflow", fix="log through the server, in one piece"
        )
    ]
