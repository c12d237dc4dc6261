"""What MLflow's server lets nobody do, be it by Python, REST or in its pages: gated aliases, the ledger's copy, and whatever somebody has decided about."""

from __future__ import annotations

import base64
import binascii
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence

from poc.rules.signoff.artifact_places import Stages
from poc.rules.signoff.facts import Ledger
from poc.rules.signoff.ledger import TAG, Entry, entry_of_tag
from poc.rules.signoff.moves import STAGE_TAG, Demoted, note_of_now, stage_of_alias, what_comes_is_signed
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.sshsig import BEGIN, END
from poc.rules.signoff.statement import GATED, StageName, is_a_reason

#: What is found out about a signed run later is named like this; it is not what was signed.
AFTERWARDS_METRICS = ("load.",)
#: What makes a prompt of a registered model, or of a version: MLflow lists those apart.
PROMPT_TAG = "mlflow.prompt.is_prompt"


def stages_decided(tags: Mapping[str, str], version: str | None) -> Stages:
    """Say for which stages the ledger's copy holds a decision about a version, or about anything; an entry that cannot be read may be about any."""
    found: set[str] = set()
    for name, value in tags.items():
        if (entry := entry_of_tag(name, value)) is None:
            continue
        try:
            said = json.loads(entry.statement)["predicate"]
            found |= {str(said["stage"])} if version in (None, said["model_version"]) else set()
        except (ValueError, KeyError, TypeError):
            found |= set(GATED)
    return frozenset(found)


def in_a_dialog(found: Sequence[Finding]) -> str:
    """Say a refusal in the few sentences that MLflow's dialogs have room for: what, why by its code, and what to do."""
    problem = found[0].problem
    more = f" And {len(found) - 1} more: poc promote lists them all." if len(found) > 1 else ""
    return f"Refused: {problem.what}. To mend it: {problem.fix}.{more}"


@check
def alias_is_written_plainly(alias: str) -> list[Finding]:
    """Refuse an alias that only looks like a stage's, and any in letters that could."""
    stage = stage_of_alias(alias)
    if alias.isascii() and (stage is None or alias == stage):
        return []
    what = f"{alias!a} passes for {stage}" if stage else f"{alias!a} has letters that could pass for others"
    return [Finding(reason=Reason.ALIAS_VARIANT, what=what, where="MLflow", fix="write aliases in plain small letters")]


@check
def alias_is_vouched_for(alias: str, ask: Callable[[StageName], list[Finding]]) -> list[Finding]:
    """Refuse a stage's alias for a version that the ledger does not vouch for."""
    stage = stage_of_alias(alias)
    return ask(stage) if stage else []


@check
def demotion_is_noted(alias: str, holder: str | None, held: str, note: Demoted | None) -> list[Finding]:
    """Refuse to take a stage's alias from its holder unless a note says who did, and why; `held` is what the holder says of its promotion."""
    said = note_of_now(note, holder or "", held)
    if alias not in GATED or holder is None or (said and is_a_reason(said.reason)):
        return []
    what = f"version {holder} would lose {alias} without a word of who took it, and why"
    return [Finding(reason=Reason.ALIAS_REMOVED_WITHOUT_A_NOTE, what=what, where="MLflow", fix=f"poc demote {alias} --reason WHY")]


@check
def nothing_is_claimed(tags: Sequence[str]) -> list[Finding]:
    """Refuse tags that something brings along as it is made, where the ledger's copy or a stage's tag would come in unseen."""
    forged = [tag for tag in tags if tag.casefold().startswith((TAG, STAGE_TAG))]
    return [
        Finding(reason=Reason.TAG_FORGED, what=f"nothing new may bring the tag {tag!a} along", where="MLflow", fix="poc promote writes it") for tag in forged
    ]


@check
def entry_is_next(tag: str, held: str | None, ask: Callable[[], list[Finding]]) -> list[Finding]:
    """Refuse an entry of the ledger's copy that changes another, or is not the next one that verifies."""
    if entry_of_tag(tag, "") is None or tag != f"{TAG}{int(tag.removeprefix(TAG)):04}":
        return [Finding(reason=Reason.TAG_FORGED, what=f"{tag!a} is no entry's name", where="MLflow")]
    if held is not None:
        return [Finding(reason=Reason.LEDGER_FORKED, what=f"{tag} holds another decision, which stays", where="MLflow")]
    return ask()


@check
def ledger_only_grows(tag: str) -> list[Finding]:
    """Refuse to take an entry out of the ledger's copy."""
    if not tag.casefold().startswith(TAG):
        return []
    return [Finding(reason=Reason.LEDGER_TRUNCATED, what=f"{tag} is a decision; none is taken back by forgetting it", where="MLflow", fix="poc sign --reject")]


@check
def only_a_holder_says_so(tag: str, version: str, holders: Mapping[str, str]) -> list[Finding]:
    """Refuse a stage's tag on a version that does not hold its alias."""
    if not tag.casefold().startswith(STAGE_TAG) or holders.get(tag.removeprefix(STAGE_TAG)) == version:
        return []
    return [
        Finding(reason=Reason.TAG_FORGED, what=f"version {version} says {tag!a}, and does not hold that stage", where="MLflow", fix="poc promote writes it")
    ]


@check
def a_holder_keeps_saying_so(tag: str, version: str, holders: Mapping[str, str]) -> list[Finding]:
    """Refuse to take a stage's tag from the version that holds its alias."""
    if not tag.startswith(STAGE_TAG) or holders.get(tag.removeprefix(STAGE_TAG)) != version:
        return []
    return [
        Finding(reason=Reason.TAG_FORGED, what=f"version {version} holds that stage, and {tag} says since when", where="MLflow", fix="poc demote takes it off")
    ]


@check
def is_undecided(what: str, stages: Stages) -> list[Finding]:
    """Refuse to change or delete what somebody has signed, or a stage holds."""
    if not stages:
        return []
    return [Finding(reason=Reason.SIGNED_IS_FIXED, what=f"{what} was decided about for {', '.join(sorted(stages))}, and stays as it is", where="MLflow")]


@check
def tag_is_free(tag: str, stages: Stages) -> list[Finding]:
    """Refuse to change what a signed version says of itself: its verdict and digests."""
    if not stages or tag.casefold().startswith(STAGE_TAG) or not (tag == "verdict" or tag.casefold().startswith("poc.")):
        return []
    return [Finding(reason=Reason.SIGNED_IS_FIXED, what=f"the tag {tag!a} belongs to a version that was decided about", where="MLflow")]


@check
def stays_a_model(tag: str, stages: Stages) -> list[Finding]:
    """Refuse to call a model that was decided about a prompt: MLflow would show it to nobody any more."""
    if not stages or tag.casefold() != PROMPT_TAG:
        return []
    return [Finding(reason=Reason.SIGNED_IS_FIXED, what="a model that was decided about is no prompt", where="MLflow")]


@check
def metrics_came_afterwards(names: Sequence[str], stages: Stages) -> list[Finding]:
    """Refuse figures of a signed run, but those that are found out later and are named so."""
    signed = [name for name in names if not name.startswith(AFTERWARDS_METRICS)]
    return [Finding(reason=Reason.SIGNED_IS_FIXED, what=f"the run's {signed[0]} was decided on", where="MLflow")] if signed and stages else []


@check
def stages_are_aliases() -> list[Finding]:
    """Refuse MLflow's old field for stages: it knows no signature."""
    what = "MLflow's own stages are deprecated, and nobody signs for them; a stage is an alias here"
    return [Finding(reason=Reason.ALIAS_VARIANT, what=what, where="MLflow", fix="poc promote")]


def number_of(given: object) -> str:
    """Write a number as MLflow reads it, be it of a version or of an experiment: 01, +1 and a blank behind it name the same."""
    try:
        return str(int(str(given)))
    except ValueError:
        return str(given)


@check
def entry_is_whole(entry: Entry | None, value: str, project: str, ledger: Ledger) -> list[Finding]:
    """Refuse an entry that is about another project, is not written as entries are, or whose signature does not hold."""
    newest = ledger.decisions[-1] if ledger.decisions else None
    if entry is None or newest is None or newest.decision.entry != entry or entry.tag[1] != value or not _has_one_form(entry.signature):
        return [Finding(reason=Reason.TAG_FORGED, what="the tag holds no decision as decisions are written", where="MLflow")]
    said = newest.decision.statement.predicate.project
    if said != project:
        return [Finding(reason=Reason.OTHER_PROJECT, what=f"it is about {said}; this is {project}", where=entry.where)]
    return what_comes_is_signed([newest])


def _has_one_form(signature: bytes) -> bool:
    """Say whether a signature is written as ssh-keygen writes it: with a blank more, git and MLflow would hold different entries for ever."""
    if not signature:
        return True
    text = signature.decode("ascii", "replace")
    lines = text.split("\n")
    try:
        inner = base64.b64encode(base64.b64decode("".join(lines[1:-2]), validate=True)).decode()
    except binascii.Error:
        return False
    return text == "\n".join([BEGIN, *textwrap.wrap(inner, 70), END, ""])
