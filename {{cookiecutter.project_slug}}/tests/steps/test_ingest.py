"""From the source to three splits: what gets in, and what nobody can look at by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from artifacts import LIMIT_NM, Run, ingested
from builders import a_plain_charter
from samples import ONLY_TORQUE

from poc import layout
from poc.errors import InputRefused, Refused
from poc.rules.evidence import Models, Splits, Variants
from poc.tools import files

Change = Callable[[pd.DataFrame], pd.DataFrame]


def declare(project: Path, **data: str | None) -> None:
    """Change the charter's section on data."""
    (project / "charter.yaml").write_text(json.dumps(a_plain_charter(data={"source": "data/parts.csv", **data}), indent=1))


def split(run: Run, name: str) -> pd.DataFrame:
    return pd.read_parquet(run.folder("data") / layout.SPLIT_FILES[name])


def test_every_row_of_the_source_stands_in_exactly_one_split(project: Path) -> None:
    run = ingested(project)
    keys = pd.concat([split(run, name)["UDI"] for name in layout.SPLIT_FILES])
    assert sorted(keys) == sorted(pd.read_csv(project / "data/parts.csv")["UDI"])


def test_a_column_that_is_not_declared_stands_in_no_split_and_is_named(project: Path) -> None:
    run = ingested(project, lambda parts: parts.assign(**{"Failure Type": parts["Target"]}))
    assert ["Failure Type" in split(run, name) for name in layout.SPLIT_FILES] == [False, False, False]
    assert run.read("data", layout.SPLITS_JSON, Splits).ignored_columns == ["Failure Type"]


def test_a_claim_that_the_sealed_rows_cannot_carry_is_named_before_anyone_trains(project: Path) -> None:
    # of 100 bad parts 40 are sealed, and 5 % takes 59 without a miss; the limit on false alarms has rows enough
    (project / "charter.yaml").write_text(json.dumps(a_plain_charter(data={"source": "data/parts.csv"}, limits={"missed_share": "0.05"})))
    report = ingested(project).report("ingest")
    assert report.headline.endswith("40 sealed positives cannot show 0.05 missed_share: 59 are needed, so missed_share cannot be GO")
    assert [(number.name, number.value) for number in report.numbers if number.name.startswith("lacking")] == [("lacking_for_missed_share", 19)]


def test_where_rows_are_enough_nothing_is_foretold(project: Path) -> None:
    assert "NOT PROVEN" not in ingested(project).report("ingest").headline


def test_the_sealed_rows_hold_no_target_and_their_labels_lie_apart_in_the_same_order(project: Path) -> None:
    run = ingested(project)
    sealed, labels = split(run, "sealed"), pd.read_parquet(run.folder("sealed_labels") / layout.SEALED_LABELS)
    assert ("Target" in sealed, list(labels)) == (False, ["Target"])
    assert (labels["Target"] == (sealed["Torque [Nm]"] > LIMIT_NM)).all()


def test_the_same_source_is_split_the_same_way_again(project: Path) -> None:
    first = files.sha256_of_files(ingested(project).folder("data"), without=frozenset({layout.REPORT}))
    assert files.sha256_of_files(ingested(project).folder("data"), without=frozenset({layout.REPORT})) == first


@pytest.mark.parametrize("key", ["UDI", None])
def test_a_source_in_another_order_gives_the_same_bytes(project: Path, key: str | None) -> None:
    declare(project, key=key)
    made = []
    for seed in (None, 1, 2):
        run = ingested(project, lambda parts, seed=seed: parts if seed is None else parts.sample(frac=1.0, random_state=seed))
        made.append([files.sha256_of_files(run.folder(artifact), without=frozenset({layout.REPORT})) for artifact in ("data", "sealed_labels")])
    assert made[0] == made[1] == made[2]


def test_a_few_new_rows_move_few_of_the_old_ones(project: Path) -> None:
    before = {key: name for name in layout.SPLIT_FILES for key in split(ingested(project), name)["UDI"]}
    run = ingested(project, lambda parts: pd.concat([parts.head(4).assign(UDI=[901, 902, 903, 904], **{"Tool wear [min]": 1.25}), parts]))
    after = {key: name for name in layout.SPLIT_FILES for key in split(run, name)["UDI"]}
    assert sum(after[key] == name for key, name in before.items()) > 0.98 * len(before)


@pytest.mark.parametrize(("declared", "how"), [({}, "stratified by the target, drawn by lottery"), ({"time": "UDI"}, "by time: the latest rows are sealed")])
def test_the_headline_says_how_rows_were_split_after_how_many(declared: dict[str, str], how: str, project: Path) -> None:
    declare(project, **declared)
    counts, said = ingested(project).report("ingest").headline.split(" rows, ")
    assert counts.endswith(" sealed") and said == f"{how}; not declared, so not used: nothing"


def test_rows_of_one_group_stay_together(project: Path) -> None:
    declare(project, group="order")
    run = ingested(project, lambda parts: parts.assign(order="order " + (parts["UDI"] // 4).astype(str)))
    orders = [set(split(run, name)["order"]) for name in layout.SPLIT_FILES]
    assert sum(map(len, orders)) == len(set.union(*orders)) == 100


def test_few_groups_are_foretold_to_count_as_few_however_many_rows_they_hold(project: Path) -> None:
    declare(project, group="order")
    run = ingested(project, lambda parts: parts.assign(order=parts["UDI"] // 34))
    sealed = run.read("data", layout.SPLITS_JSON, Splits).sealed
    positives = sealed.in_groups["positives"]
    assert positives.count_as <= positives.groups <= 6 and sealed.counts["positives"] > 24
    foretold = (
        f"{sealed.counts['positives']} sealed positives in {positives.groups} groups count as {positives.count_as}; 24 are needed to show 0.12 missed_share"
    )
    assert foretold in run.report("ingest").headline


@pytest.mark.slow
def test_what_few_groups_cannot_show_is_predicted_to_be_never_go_and_the_run_goes_on(project: Path) -> None:
    charter = json.loads((project / "charter.yaml").read_text())
    (project / "charter.yaml").write_text(json.dumps({**charter, "data": {**charter["data"], "group": "order"}}))
    files.write_atomically(project / "expectations/suite.json", ONLY_TORQUE.encode())
    run = ingested(project, lambda parts: parts.assign(order=parts["UDI"] // 34))
    for step in ("validate", "train", "export", "compress"):
        run.perform(step)
    models, variants = run.read("models", layout.MODELS_JSON, Models).models, run.read("variants", layout.VARIANTS_JSON, Variants).variants
    assert [each.predicted_chance_of_go for each in (*models, *variants)] == [0.0] * (len(models) + len(variants))


def test_a_split_that_no_group_falls_into_is_refused_by_the_number_of_groups(project: Path) -> None:
    declare(project, group="order")
    with pytest.raises(Refused, match=r"dev split has 0 rows .* the source has 4 groups, and no group is parted") as caught:
        ingested(project, lambda parts: parts.assign(order=parts["UDI"] // 100))
    assert "bring more groups" in str(caught.value)


def test_codes_stay_text_and_numbers_numbers_in_every_split(project: Path) -> None:
    run = ingested(project, lambda parts: parts.assign(Type=["007", None] * 200))
    for name in layout.SPLIT_FILES:
        rows = split(run, name)
        assert set(rows["Type"].dropna()) == {"007"} and rows["Type"].isna().any()
        assert rows["Torque [Nm]"].dtype == float and rows["UDI"].dtype == int


def test_an_outcome_of_true_and_false_is_named_as_it_is_written(project: Path) -> None:
    declare(project, positive="true")
    run = ingested(project, lambda parts: parts.assign(Target=parts["Target"].map({1: "true", 0: "false"})))
    assert run.read("data", layout.SPLITS_JSON, Splits).train.counts["positives"] > 0


def test_a_wrong_target_is_refused_with_the_values_that_are_there(project: Path) -> None:
    declare(project, positive="Yes")
    with pytest.raises(InputRefused, match="the target 'Target' is never 'Yes'; its values are 'no', 'yes'"):
        ingested(project, lambda parts: parts.assign(Target=parts["Target"].map({1: "yes", 0: "no"})))


def test_an_empty_text_is_no_key_no_group_and_no_outcome(project: Path) -> None:
    declare(project, source="data/parts.parquet", group="order")
    parts = pd.read_csv(project / "data/parts.csv", dtype={"UDI": str, "Target": str}).assign(order="one")
    parts.loc[0, ["UDI", "Target", "order"]] = ""
    parts.to_parquet(project / "data/parts.parquet")
    (project / "data" / layout.DATA_CARD).write_text("# parts.parquet\n")
    with pytest.raises(InputRefused) as caught:
        ingested(project)
    assert [problem.what.split(":")[0] for problem in caught.value.problems] == [
        "1 rows have no 'UDI'",
        "1 rows have no 'order'",
        "1 rows have no 'Target'",
    ]


def test_of_many_values_of_a_target_five_are_named(project: Path) -> None:
    with pytest.raises(InputRefused, match=r"has 400 values \('0', '1', '10', '100', '101', \.\.\.\), not two"):
        ingested(project, lambda parts: parts.assign(Target=parts["UDI"]))


def test_each_fault_of_a_target_is_a_problem_of_its_own(project: Path) -> None:
    declare(project, positive="Yes")
    with pytest.raises(InputRefused) as caught:
        ingested(project, lambda parts: parts.assign(Target=[None, "a", "b", "c"] * 100))
    assert [(problem.where, problem.what) for problem in caught.value.problems] == [
        ("charter.yaml, data.target", "100 rows have no 'Target': it is not known how they ended"),
        ("charter.yaml, data.target", "the target 'Target' has 3 values ('a', 'b', 'c'), not two"),
        ("charter.yaml, data.positive", "the target 'Target' is never 'Yes'; its values are 'a', 'b', 'c'"),
    ]


def test_duplicate_keys_are_refused_and_no_row_is_written(project: Path) -> None:
    with pytest.raises(Refused) as caught:
        ingested(project, lambda parts: pd.concat([parts, parts.head(1)]))
    run = Run(root=project / "run")
    assert caught.value.code == run.report("ingest").refusal_code == "keys_are_unique"
    assert [path.name for artifact in ("data", "sealed_labels") for path in run.folder(artifact).iterdir()] == [layout.REPORT]


UNUSABLE: dict[str, tuple[Change, int]] = {
    "no rows": (lambda parts: parts.head(0), 1),
    "two declared columns missing": (lambda parts: parts.drop(columns=["Type", "Torque [Nm]"]), 2),
    "a row without an outcome": (lambda parts: parts.assign(Target=parts["Target"].astype("Int64").where(parts["UDI"] > 0)), 1),
    "an outcome of three values": (lambda parts: parts.assign(Target=parts["UDI"] % 3), 1),
    "two rows without a key": (lambda parts: parts.assign(UDI=parts["UDI"].where(parts["UDI"] > 1)), 1),
    "two columns of one name": (lambda parts: parts.rename(columns={"Tool wear [min]": "Type"}), 2),
    "no key, no outcome, no number": (lambda parts: parts.assign(UDI=None, Target=None, **{"Torque [Nm]": "1,5"}), 3),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_source_that_cannot_be_used_is_refused_with_all_that_is_wrong(project: Path, name: str) -> None:
    change, problems = UNUSABLE[name]
    with pytest.raises(InputRefused) as caught:
        ingested(project, change)
    assert len(caught.value.problems) == problems
