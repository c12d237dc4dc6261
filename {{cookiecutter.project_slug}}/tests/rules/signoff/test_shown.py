"""The numbers that are signed: what a sponsor reads before signing, in few bytes, and the same whenever it is worked out again."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pytest
from briefs import CARD, TOO_MANY, a_judged
from builders import PLAIN, a_charter, a_multiclass_charter, a_plain_multiclass_charter, an_amount_charter, sure

from poc.rules.charter import Charter, MulticlassCharter
from poc.rules.signoff import Shown, canonical, shown_of_charter, shown_of_verdict, statement_bytes
from poc.rules.signoff.deciding import Wish, statement_of
from poc.rules.signoff.shown import MOST_BYTES, ROOMS
from poc.rules.signoff.statement import MOST_BYTES as MOST_OF_A_STATEMENT
from signoffs import a_trust, facts

LONG = "Die Übergrößenträger-Prüfstelle (東京, “Halle 7”) " * 12
CLASSES = [f"Class {number:02}, {'with a name of its own that goes on and on ' * 2}"[:80] for number in range(12)]


def of_verdict(**changes: Any) -> dict[str, str]:
    judged = a_judged(**changes)
    return dict(shown_of_verdict(judged.charter, judged.verdict, judged.data_card or ""))


def of_twelve_classes(**changes: Any) -> MulticlassCharter:
    """A charter of twelve classes with long names, of which each has a limit, every two a cost, and every feature an excuse."""
    share = {name: sure("0.083") for name in CLASSES}
    row = dict.fromkeys(CLASSES, "0.08")
    feature = PLAIN["features"][0]
    return MulticlassCharter.model_validate(
        a_plain_multiclass_charter()
        | {
            "decision": dict.fromkeys(("question", "decider", "on_alert", "fallback"), LONG[:590]),
            "baseline": a_plain_multiclass_charter()["baseline"] | {"decided_shares": dict.fromkeys(CLASSES, row)},
            "value": a_plain_multiclass_charter()["value"]
            | {"class_shares": share, "costs": {name: dict.fromkeys(CLASSES, sure(12345678)) for name in CLASSES}},
            "limits": a_plain_multiclass_charter()["limits"] | {"missed_share": dict.fromkeys(CLASSES, "0.123456789")},
            "data": a_plain_multiclass_charter()["data"] | {"classes": CLASSES, "why_rows_may_repeat": LONG[:590]},
            "features": [{**feature, "name": f"{LONG[:60]} {number}", "why_it_may_decide_alone": LONG[:590]} for number in range(20)],
        }
        | changes
    )


def bytes_of(shown: Shown) -> int:
    return len(canonical(shown))


@pytest.mark.parametrize("charter", [a_charter(), a_multiclass_charter(), an_amount_charter(), of_twelve_classes()])
def test_whoever_signs_a_charter_reads_what_is_decided_what_errors_cost_and_when_it_ends(charter: Charter) -> None:
    shown = shown_of_charter(charter)
    said = dict(shown)
    assert {"question", "who decides", "decisions", "run cost", "p99 latency", "least value", "budget", "ends on", "looks allowed"} <= set(said)
    assert any(" costs" in name for name in said) and any("share" in name and figure.startswith("at most") for name, figure in shown)
    assert bytes_of(shown) <= MOST_BYTES and all(text.isascii() and text.isprintable() for pair in shown for text in pair)


def test_what_a_signature_excuses_is_shown_with_its_reason() -> None:
    features = [{**PLAIN["features"][0], "why_it_may_decide_alone": "The torque is the failure itself"}, *PLAIN["features"][1:]]
    said = dict(shown_of_charter(a_charter(features=features, data={"why_rows_may_repeat": "Parts of one batch look alike"})))
    assert said["excused: Torque [Nm] may decide alone"] == "The torque is the failure itself"
    assert said["excused: rows may repeat"] == "Parts of one batch look alike"


def test_what_there_is_no_room_for_is_counted() -> None:
    said = dict(shown_of_charter(of_twelve_classes()))
    counted = {name.partition(" more ")[2]: int(name.split()[0]) for name in said if " more " in name}
    assert set(counted) == {"mistakes", "limits", "excuses"}
    for what, all_of_them in (("mistakes", 12 * 11), ("limits", 12), ("excuses", 21)):
        assert 0 < counted[what] < all_of_them


def test_the_dearest_mistakes_and_the_tightest_limits_come_first() -> None:
    said = [name for name, _ in shown_of_charter(a_multiclass_charter())]
    assert said.index("scrap taken for good costs") < said.index("rework taken for good costs")
    assert said.index("missed share of 'scrap'") < said.index("missed share of 'rework'")


def test_a_statement_about_a_charter_that_says_much_still_fits_with_a_reason() -> None:
    of = facts(charter=of_twelve_classes(stages=a_charter().model_dump(mode="json")["stages"]))
    wish = Wish(stage="charter", decision="approve", reason="because " * 49, signer="sam@example.com", role="sponsor", assurance="key")
    statement, found = statement_of(wish, of, a_trust(), [], datetime.fromisoformat("2026-01-10T12:00:00+00:00"))
    assert found == [] and statement and len(statement_bytes(statement)) <= MOST_OF_A_STATEMENT


def test_whoever_signs_a_version_reads_verdict_money_with_its_bounds_and_each_limit_with_its_own() -> None:
    said = of_verdict()
    assert (said["verdict"], said["look"]) == ("GO", "1 of 2")
    assert said["money"].startswith("+81,000 EUR a month (90 % interval: +46,300 to +")
    assert said["missed share"] == "GO: 2 % (1 to 3.6 %), at most 12 %"
    assert said["latency p99"] == "GO: 0.3 ms (0.2 to 0.5 ms), at most 5 ms"
    assert said["on x86_64, 2 cores, 4,096 MB"] == "speed, memory and cost are judged on it"


def test_what_was_measured_on_another_machine_is_said_to_be_not_proven() -> None:
    said = of_verdict(differences=("the processor has no AVX",))
    assert said["on x86_64, 2 cores, 4,096 MB"].startswith("NOT PROVEN: measured 0.3 ms")
    assert "the processor has no AVX" in said["on x86_64, 2 cores, 4,096 MB"]


def test_what_broke_the_charter_stands_first_and_what_was_not_shown_before_what_was() -> None:
    said = list(of_verdict(confusion=TOO_MANY, differences=("the processor has no AVX",)))
    assert said[0] == "verdict" and said.index("missed share") < said.index("latency p99") < said.index("false alarm share")


@pytest.mark.parametrize(
    ("card", "rows"), [(CARD, "Synthetic data. Nobody measured it."), (None, "No data card says what the rows are and where they come from.")]
)
def test_that_rows_are_made_up_is_signed_too(card: str | None, rows: str) -> None:
    assert of_verdict(data_card=card)["rows"] == rows


def test_a_repeated_look_is_no_new_one() -> None:
    assert of_verdict(look=2, repeated=True)["look"] == "2 of 2 (counts of an earlier look)"


def test_a_figure_that_is_none_is_called_unknown() -> None:
    judged = a_judged()
    broken = judged.verdict.limits[0].model_copy(update={"measured": math.nan, "low": math.nan, "high": math.nan, "verdict": "NOT PROVEN"})
    verdict = judged.verdict.model_copy(update={"limits": [broken, *judged.verdict.limits[1:]]})
    assert dict(shown_of_verdict(judged.charter, verdict))["missed share"] == "NOT PROVEN: unknown, at most 12 %"


def test_letters_that_look_like_others_are_told_apart_and_accents_are_dropped() -> None:
    said = dict(shown_of_charter(a_charter(decision={"question": "Größe prüfen, für “Müller” \N{EN DASH} oder \u0430uch nicht?"})))
    assert said["question"] == 'Grosse prufen, fur "Muller" - oder \\u0430uch nicht?'


def test_the_last_room_holds_whatever_a_charter_says() -> None:
    machines = [{**PLAIN["limits"]["hardware"], "name": f"{'m' * 20}{number}", "instruction_sets": ["avx512f"] * 30} for number in range(12)]
    charter = of_twelve_classes(limits=of_twelve_classes().limits.model_dump(mode="json") | {"hardware": machines})
    assert bytes_of(shown_of_charter(charter)) <= MOST_BYTES
    assert [room.letters for room in ROOMS] == sorted((room.letters for room in ROOMS), reverse=True)
