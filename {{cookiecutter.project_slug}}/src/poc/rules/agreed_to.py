"""What the brief says of who agreed to the charter, and of what the charter asks to be excused from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from poc.rules.brief import Judged
from poc.rules.signoff.statement import moment
from poc.rules.words import clipped, listed, sentence

#: Letters of somebody's own words that one page has room for.
SHORT = 140
SIGNED_TOO_LATE = "whoever signs then knows the result. For production, sign a new version and look at fresh rows."


def agreed_to(judged: Judged) -> str:
    """Say who agreed to the charter before the look, or what the verdict is where nobody did."""
    charter, signoff = f"The charter (version {judged.charter.version})", judged.signoff
    if not signoff.is_signed:
        return f"{charter} is unsigned: nobody agreed to these costs and limits before the look, so this verdict is advice."
    by = f"signed by {clipped(listed(list(signoff.by)), SHORT)}"
    if signoff.is_demo:
        return f"{charter} is {by}, with keys for trying things out: outside of this demo nobody agreed to anything."
    if not _before_the_look(judged):
        return f"{charter} is {by}, but only after these rows were first looked at: {SIGNED_TOO_LATE}"
    return f"{charter} was {by}, before the look: costs and limits are theirs."


def _before_the_look(judged: Judged) -> bool:
    """Say whether everybody had agreed before anybody first looked at the sealed rows."""
    try:
        return moment(judged.signoff.signed_at) <= datetime.fromisoformat(judged.verdict.first_look_at)
    except (ValueError, TypeError):
        return False


def claims(judged: Judged) -> Iterator[str]:
    """List what the charter asks to be excused from: no row shows it, and whether somebody signed for it is said."""
    data, reason = judged.charter.data, "signed for this reason" if judged.signoff.mark == "" else "nobody has signed the reason"
    if data.why_rows_may_repeat:
        yield f"Rows may repeat across the splits; {reason}: {sentence(clipped(data.why_rows_may_repeat, SHORT))}"
    for feature in judged.charter.features:
        if feature.why_it_may_decide_alone:
            yield f"{feature.name} may decide alone; {reason}: {sentence(clipped(feature.why_it_may_decide_alone, SHORT))}"
        if feature.why_it_is_known_in_time:
            yield f"{feature.name} is said to be known in time; {reason}: {sentence(clipped(feature.why_it_is_known_in_time, SHORT))}"
