"""Say what is left of the money where features that do not come with the request fall silent."""

from __future__ import annotations

from collections.abc import Sequence

from poc.rules.charter import Charter
from poc.rules.evidence import Rehearsal, Silence
from poc.rules.words import amount, listed

#: As many features as a sentence names.
NAMED = 3


def without_late_features(found: Rehearsal, unit: str) -> str:
    """Say in half a sentence what the model is worth on dev without all late features; nothing where all come with the request."""
    if not found.silences:
        return ""
    last = found.silences[-1]
    if last.money is None or found.money is None:
        return f"without {named(last)}: not known what it is worth"
    return f"without {named(last)}: {amount(last.money.middle, signed=True)} {unit} on dev instead of {amount(found.money.middle, signed=True)}"


def if_they_fell_silent(found: Rehearsal, unit: str) -> str:
    """Say for the brief what the model would still be worth without the late features, and which alone would cost most."""
    if not found.silences:
        return ""
    last = found.silences[-1]
    condition = f"If {named(last)} fell silent"
    if last.money is None or found.money is None:
        return f"{condition}, it is not known what the model would be worth: {last.why_not_known or 'it does not answer every row as it is'}."
    low, middle, high, all_there = (amount(end, signed=True) for end in (last.money.low, last.money.middle, last.money.high, found.money.middle))
    refused = " Its input contract refuses such rows: until it is changed, today's process would decide them." if last.is_refused else ""
    return f"{condition}: {middle} {unit} ({low} to {high}) instead of {all_there}, on the dev rows{_worse_alone(found.silences)}.{refused}"


def _worse_alone(silences: Sequence[Silence]) -> str:
    """Say where one feature alone costs more than all of them together: what stands in for it then misleads."""
    *alone, last = silences
    worst = min((each for each in alone if each.money), key=lambda each: each.money.middle if each.money else 0.0, default=None)
    if not (worst and worst.money and last.money and worst.money.middle < last.money.middle):
        return ""
    return f"; if {named(worst)} alone did, {amount(worst.money.middle, signed=True)}"


def on_their_owners_word(found: Rehearsal, charter: Charter) -> str:
    """Name the features of which only their owner's word tells what was there when a row was decided; those with a reason of their own say it elsewhere."""
    with_a_reason = {feature.name for feature in charter.features if feature.why_it_is_known_in_time}
    names = [each.name for each in found.live if each.known == "on its owner's word" and each.name not in with_a_reason]
    return listed(names) if len(names) <= NAMED else f"{len(names)} features"


def named(silence: Silence) -> str:
    """Name the features that are left out; where they are many, say how many."""
    names = silence.features
    return listed(names) if len(names) <= NAMED else f"the {len(names)} features that do not come with the request"
