"""What MLflow's server lets nobody do, rule by rule."""

from __future__ import annotations

import pytest

from poc.rules.signoff import Entry, Finding, Reason, artifact_places, guarded
from poc.rules.signoff.guarded import entry_is_whole, in_a_dialog, is_undecided, stages_decided
from poc.rules.signoff.moves import Demoted, Held
from signoffs import a_ledger, believed, followed, signed

SHADOW = frozenset({"shadow"})
NONE: frozenset[str] = frozenset()
RUN = "0123456789abcdef" * 2


def codes(found: list[Finding]) -> list[str]:
    return [each.reason for each in found]


def tags(entries: list[Entry]) -> dict[str, str]:
    return dict(each.tag for each in entries)


def test_a_stage_was_decided_about_for_the_version_that_its_entries_name_be_it_yes_or_no() -> None:
    entries = a_ledger(until="pilot", but={("pilot", "risk"): {"decision": "reject"}})
    assert (stages_decided(tags(entries), "7"), stages_decided(tags(entries), "8")) == ({"shadow", "pilot"}, NONE)


@pytest.mark.parametrize("value", ["", "{", "[]", '{"predicate":{}}'])
def test_an_entry_that_cannot_be_read_may_be_about_any_version(value: str) -> None:
    assert stages_decided({"poc.ledger.0001": value, "team": "ours"}, "8") == {"shadow", "pilot", "production"}


@pytest.mark.parametrize("alias", ["production", "champion", "production-eu", "candidate"])
def test_plain_aliases_pass(alias: str) -> None:
    assert guarded.alias_is_written_plainly(alias) == []


@pytest.mark.parametrize("alias", ["Production", "SHADOW", "pi1ot", "p-i-l-o-t", "pr0duct10n", "p\u0456lot", "\uff53hadow", "\u00fcber"])
def test_aliases_that_pass_for_a_stage_or_could_do_not(alias: str) -> None:
    assert codes(guarded.alias_is_written_plainly(alias)) == [Reason.ALIAS_VARIANT]


def test_only_a_stages_alias_asks_the_verifier() -> None:
    no = [Finding(reason=Reason.NOT_SIGNED, what="nobody has signed")]
    assert guarded.alias_is_vouched_for("champion", lambda _: no) == []
    assert guarded.alias_is_vouched_for("production", lambda stage: no if stage == "production" else []) == no


@pytest.mark.parametrize(("version", "reason", "passes"), [("7", "it drifted", True), ("6", "it drifted", False), ("7", " ", False), ("7", "a" * 401, False)])
def test_a_stage_is_left_with_a_note_that_names_its_holder_and_a_reason(version: str, reason: str, passes: bool) -> None:
    note = Demoted(version=version, by="ann@example.com", reason=reason, at="now")
    assert (guarded.demotion_is_noted("pilot", "7", "", note) == []) is passes


def test_a_note_that_is_older_than_the_promotion_lets_nobody_leave() -> None:
    note, held = Demoted(version="7", by="ann@example.com", reason="it drifted", at="2026-01-31T12:00:00Z"), Held(by="bo", at="2026-01-31T12:00:01Z", signed=[])
    assert codes(guarded.demotion_is_noted("pilot", "7", held.text(), note)) == [Reason.ALIAS_REMOVED_WITHOUT_A_NOTE]


def test_without_a_note_an_alias_that_is_no_stage_is_left_and_so_is_one_that_nobody_holds() -> None:
    assert guarded.demotion_is_noted("champion", "7", "", None) == guarded.demotion_is_noted("pilot", None, "", None) == []
    assert codes(guarded.demotion_is_noted("pilot", "7", "", None)) == [Reason.ALIAS_REMOVED_WITHOUT_A_NOTE]


def test_nothing_new_brings_an_entry_or_a_stages_tag_along() -> None:
    found = guarded.nothing_is_claimed(["verdict", "poc.draft", "poc.ledger.0001", "POC.Stage.production"])
    assert codes(found) == [Reason.TAG_FORGED] * 2


@pytest.mark.parametrize(
    ("tag", "held", "code"),
    [
        ("poc.ledger.0002", None, []),
        ("poc.ledger.0002", "another", [Reason.LEDGER_FORKED]),
        ("poc.ledger.2", None, [Reason.TAG_FORGED]),
        ("poc.ledger.x", None, [Reason.TAG_FORGED]),
        ("POC.ledger.0002", None, [Reason.TAG_FORGED]),
    ],
)
def test_an_entry_has_one_name_and_writes_over_none(tag: str, held: str | None, code: list[str]) -> None:
    assert codes(guarded.entry_is_next(tag, held, list)) == code


def test_an_entry_is_whole_that_is_the_last_of_the_row_and_about_this_project() -> None:
    entries = a_ledger(until="shadow")
    entry = entries[-1]
    assert entry_is_whole(entry, entry.tag[1], "stop-bad-parts", believed(entries)) == []
    assert codes(entry_is_whole(entry, entry.tag[1], "another", believed(entries))) == [Reason.OTHER_PROJECT]
    assert codes(entry_is_whole(entry, entry.tag[1], "stop-bad-parts", believed(entries[:-1]))) == [Reason.TAG_FORGED]
    assert codes(entry_is_whole(None, "", "stop-bad-parts", believed(entries))) == [Reason.TAG_FORGED]


@pytest.mark.parametrize("change", [b"%b\n", b" %b", b"%b=", b"-%b"])
def test_a_signature_with_a_letter_more_would_part_the_two_copies_for_ever(change: bytes) -> None:
    before = a_ledger(until="charter")
    last = followed(before, stage="shadow", role="owner")[-1]
    entry = Entry(number=last.number, statement=last.statement, signature=change % last.signature)
    assert codes(entry_is_whole(entry, entry.tag[1], "stop-bad-parts", believed([*before, entry]))) == [Reason.TAG_FORGED]


def test_an_approval_by_branch_has_no_signature_and_is_whole() -> None:
    entry = signed(a_ledger(until="charter")[0].statement, "", number=1)
    assert entry_is_whole(entry, entry.tag[1], "stop-bad-parts", believed([entry])) == []


def test_an_entry_is_not_taken_out_and_other_tags_are() -> None:
    assert (codes(guarded.ledger_only_grows("poc.ledger.0001")), guarded.ledger_only_grows("team")) == ([Reason.LEDGER_TRUNCATED], [])


def test_a_stages_tag_follows_its_alias() -> None:
    holders = {"pilot": "7"}
    assert guarded.only_a_holder_says_so("poc.stage.pilot", "7", holders) == guarded.a_holder_keeps_saying_so("poc.stage.pilot", "8", holders) == []
    assert codes(guarded.only_a_holder_says_so("poc.stage.pilot", "8", holders)) == [Reason.TAG_FORGED]
    assert codes(guarded.a_holder_keeps_saying_so("poc.stage.pilot", "7", holders)) == [Reason.TAG_FORGED]
    assert guarded.only_a_holder_says_so("team", "8", holders) == guarded.a_holder_keeps_saying_so("team", "7", holders) == []


def test_what_was_decided_about_stays() -> None:
    assert (codes(is_undecided("run 1", SHADOW)), is_undecided("run 1", NONE)) == ([Reason.SIGNED_IS_FIXED], [])


@pytest.mark.parametrize(("tag", "is_free"), [("verdict", False), ("poc.draft", False), ("POC.draft", False), ("poc.stage.pilot", True), ("team", True)])
def test_a_signed_version_keeps_what_it_says_of_itself(tag: str, is_free: bool) -> None:
    assert guarded.tag_is_free(tag, NONE) == []
    assert (guarded.tag_is_free(tag, SHADOW) == []) is is_free


def test_a_signed_model_is_not_made_a_prompt() -> None:
    assert guarded.stays_a_model("mlflow.prompt.is_prompt", NONE) == guarded.stays_a_model("team", SHADOW) == []
    assert codes(guarded.stays_a_model("MLFLOW.prompt.is_prompt", SHADOW)) == [Reason.SIGNED_IS_FIXED]


def test_only_figures_that_are_found_out_later_join_a_signed_run() -> None:
    assert guarded.metrics_came_afterwards(["missed_share"], NONE) == guarded.metrics_came_afterwards(["load.served_p99_ms"], SHADOW) == []
    assert codes(guarded.metrics_came_afterwards(["load.served_p99_ms", "missed_share"], SHADOW)) == [Reason.SIGNED_IS_FIXED]


@pytest.mark.parametrize(
    ("path", "is_free"),
    [
        ("artifacts/signoffs/0001.json", True),
        ("artifacts/afterwards/load/load.json", True),
        ("artifacts/stages/pilot/seen.csv", True),
        ("artifacts/stages/shadow/seen.csv", False),
        ("artifacts/stages/pilot", False),
        ("artifacts/signoffs", False),
        ("artifacts/evidence/gate/verdict.json", False),
        ("artifacts/model/model.onnx.data", False),
        ("artifacts/new.txt", False),
        ("artifacts", False),
        ("signoffs/evidence/x", False),
        ("", False),
    ],
)
def test_of_a_signed_run_only_what_nobody_signed_is_open(path: str, is_free: bool) -> None:
    below = [name for name in path.split("/") if name]
    assert artifact_places.artifact_is_free(below, NONE, removes=True) == []
    assert (artifact_places.artifact_is_free(below, SHADOW, removes=False) == []) is is_free
    assert codes(artifact_places.artifact_is_free(below, SHADOW, removes=True)) == [Reason.SIGNED_IS_FIXED]


@pytest.mark.parametrize("given", ["1", 1, "01", "+1", " 1", "1 ", "\uff11"])
def test_a_number_is_the_same_however_it_is_written(given: object) -> None:
    assert guarded.number_of(given) == "1"


@pytest.mark.parametrize("path", ["a/b", "/a//b/", "a/./b", "A/B", "%61/b", "a%2fb", "a%252Fb", "a\\b", "%20a /b"])
def test_a_path_is_the_same_however_it_is_written(path: str) -> None:
    assert artifact_places.names_in(path) == ["a", "b"]


@pytest.mark.parametrize("path", ["1/../a", "1/%" + "25" * 12 + "2e", "file:1/a", "1/0123%09456/a", "1/a%0d", "1/a%0a/b", "1/%00"])
def test_a_path_that_climbs_or_hides_is_refused(path: str) -> None:
    assert codes(artifact_places.path_leads_down(artifact_places.names_in(path))) == [Reason.STRANGE_FILE]


@pytest.mark.parametrize("path", [f"1/{RUN}/artifacts/a.txt", "1/100%.csv", "1/a b", "1/caf\u00e9", "1/12:30.csv", ""])
def test_a_plain_path_is_not(path: str) -> None:
    assert artifact_places.path_leads_down(artifact_places.names_in(path)) == []


def test_what_is_removed_names_the_run_that_it_belongs_to() -> None:
    assert artifact_places.removal_names_a_run(["1"], removes=False) == artifact_places.removal_names_a_run(["1", RUN, "artifacts", "a"], removes=True) == []
    assert (
        codes(artifact_places.removal_names_a_run(["1"], removes=True) + artifact_places.removal_names_a_run([], removes=True)) == [Reason.SIGNED_IS_FIXED] * 2
    )


def test_uploads_that_the_server_would_not_see_are_closed() -> None:
    assert artifact_places.upload_can_be_seen(["api", "2.0", "mlflow-artifacts", "artifacts", "1", RUN]) == []
    assert codes(artifact_places.upload_can_be_seen(["api", "2.0", "mlflow-artifacts", "mpu", "create", "1"])) == [Reason.SIGNED_IS_FIXED]
    assert codes(artifact_places.upload_can_be_seen(["ajax-api", "2.0", "mlflow", "artifacts", "presigned-upload-url"])) == [Reason.SIGNED_IS_FIXED]


def test_mlflows_old_stages_are_refused() -> None:
    assert codes(guarded.stages_are_aliases()) == [Reason.ALIAS_VARIANT]


def test_a_refusal_fits_into_a_dialog() -> None:
    one = Finding(reason=Reason.NOT_SIGNED, what="production: nobody has signed as sponsor", fix="have it signed")
    assert in_a_dialog([one]) == "Refused: production: nobody has signed as sponsor [not_signed]. To mend it: have it signed."
    assert in_a_dialog([one, one, one]).endswith(" And 2 more: poc promote lists them all.")
