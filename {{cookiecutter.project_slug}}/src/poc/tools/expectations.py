"""Great Expectations: check a table against a suite, and draft a suite from a sample."""

from __future__ import annotations

import json
import logging
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from poc.errors import InputRefused

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 20
#: How far beyond the middle 99.8 % of a sample a number may lie, as a share of their span.
MARGIN = 0.25
#: How far beyond all of a sample any number may lie, as a share of its span: further off is another unit, or a code for a missing value.
BEYOND = 1.0
#: Share of a column's values that must keep to its range or its categories; a few odd ones are no reason to stop.
MOSTLY = 0.99
#: How much smaller than in the sample the share of values that are there may be.
MISSING_MARGIN = 0.02
#: Kullback-Leibler divergence from the sample, in nats, that is worth a warning, and that breaks the contract.
DIVERGENCES = (("warning", 0.1), ("critical", 0.5))
#: Weight kept back for values that the sample did not hold, else one of them would make the divergence infinite.
HOLDOUT = 0.001

#: Digits of a column's span that a drafted edge is written with.
SIGNIFICANT = 6

Expectation = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a suite found: broken critical expectations are failures, others warnings."""

    declared: int
    evaluated: int
    failures: list[str]
    warnings: list[str]


def columns_of(suite_json: str | bytes) -> list[str]:
    """Name the columns that a suite speaks of, each once.

    Raises:
        InputRefused: the text is no suite.
    """
    return list(dict.fromkeys(str(column) for each in _read(suite_json)["expectations"] for column in _columns(each)))


def of_suite(suite_json: str | bytes) -> list[Expectation]:
    """Return a suite's expectations: type, arguments, severity.

    Raises:
        InputRefused: the text is no suite.
    """
    return list(_read(suite_json)["expectations"])


def check(
    table: pd.DataFrame, suite_json: str | bytes, *, without: Sequence[str] = (), undeclared: Sequence[str] = (), whole: pd.DataFrame | None = None
) -> Checked:
    """Evaluate a suite on a table; expectations on the columns in `without` are left out, those on the number of rows look at `whole`.

    Those on `undeclared` columns count as declared and are not evaluated: the caller says so once for each column.
    In Great Expectations an empty suite succeeds, and an expectation that it does not know is dropped: the caller compares `evaluated`
    with `declared`. An expectation that could not be evaluated, because its column is not there or holds text for numbers, is not counted
    and is a failure, whatever its severity.

    Raises:
        InputRefused: the text is no suite.
    """
    suite = _read(suite_json)
    chosen = [_left_out(each, without) for each in suite["expectations"] if not _speaks_of(each, without)]
    of_rows = [each for each in chosen if each["type"].startswith("expect_table_row_count")]
    others = [each for each in chosen if each not in of_rows and not _speaks_of(each, undeclared)]
    results = [*_validate(table if whole is None else whole, of_rows), *_validate(table, others)]
    raised = [each for each in results if _exception(each)]
    broken = [each for each in results if not each.success and not _exception(each)]
    return Checked(
        declared=len(chosen),
        evaluated=len(results) - len(raised),
        failures=[_in_words(each) for each in [*raised, *broken] if each in raised or _severity(each) == "critical"],
        warnings=[_in_words(each) for each in broken if _severity(each) != "critical"],
    )


def draft(table: pd.DataFrame, name: str, *, target: str) -> str:
    """Draft a suite from a sample, as JSON for a person to read: columns, missing values, ranges, categories, distributions.

    A column of text is taken for a category, and so is the target, unless it is an amount, which comes in float64.
    """
    expectations = [
        _expect("expect_table_row_count_to_be_between", "critical", min_value=max(1, len(table) // 10)),
        *(_expect("expect_column_to_exist", "critical", column=column) for column in table.columns),
    ]
    for column in table.columns:
        values = table[column]
        expectations.append(_expect("expect_column_values_to_not_be_null", "critical", column=column, mostly=_mostly_there(values)))
        if column == target and values.dtype.kind != "f":
            expectations.append(_in_set(column, values, mostly=1.0))
        elif values.notna().any():
            expectations += _numeric(column, values) if _is_numeric(values) else _categorical(column, values)
    return json.dumps({"name": name, "expectations": expectations, "meta": {"drafted_from_rows": len(table)}}, indent=1) + "\n"


def _mostly_there(values: pd.Series) -> float:
    """Allow as many missing values as the sample holds and a few more, but never all of them."""
    there = float(values.notna().mean())
    return 1.0 if there == 1.0 else max(0.01, round(there - MISSING_MARGIN, 3))


def _is_numeric(values: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(values)) and not pd.api.types.is_bool_dtype(values)


def _categorical(column: str, values: pd.Series) -> Iterator[Expectation]:
    """Expect the sample's categories and their shares; of very many categories nothing."""
    if values.nunique() > MOST_CATEGORIES:
        return
    yield _in_set(column, values, mostly=MOSTLY)
    shares = values.value_counts(normalize=True).sort_index()
    partition = {"values": shares.index.tolist(), "weights": _weights(shares.tolist())}
    yield from _distribution(column, partition, {"tail_weight_holdout": HOLDOUT})


def _numeric(column: str, values: pd.Series) -> Iterator[Expectation]:
    """Expect the sample's range, with a margin, of nearly all values, what is possible at all of every one, and the distribution over tenths."""
    import numpy as np

    low, high = (float(value) for value in values.quantile([0.001, 0.999]))
    span = (high - low) or 1.0
    low, high = _rounded(low - MARGIN * span, span), _rounded(high + MARGIN * span, span)
    yield _expect("expect_column_values_to_be_between", "critical", column=column, min_value=low, max_value=high, mostly=MOSTLY)
    known = values.dropna().to_numpy(dtype=float)
    least, most = float(known.min()), float(known.max())
    whole = (most - least) or 1.0
    possible = {"min_value": _rounded(least - BEYOND * whole, whole), "max_value": _rounded(most + BEYOND * whole, whole)}
    yield _expect("expect_column_values_to_be_between", "critical", column=column, **possible)
    first, *inner, last = (float(edge) for edge in np.quantile(known, np.linspace(0, 1, 11)))
    # The outer edges stay exact: rounded inwards, one that many rows share would leave them out.
    edges = np.unique([first, *(_rounded(edge, last - first) for edge in inner if first < edge < last), last])
    if len(edges) < 4:
        return
    counts, _ = np.histogram(known, edges)
    partition = {"bins": edges.tolist(), "weights": _weights((counts / counts.sum()).tolist())}
    yield from _distribution(column, partition, {"tail_weight_holdout": HOLDOUT, "internal_weight_holdout": HOLDOUT})


def _rounded(value: float, span: float) -> float:
    """Round to what counts in a column that spans so much, however small or far from 0 it is."""
    return round(value, SIGNIFICANT - 1 - math.floor(math.log10(span)))


def _in_set(column: str, values: pd.Series, *, mostly: float) -> Expectation:
    return _expect("expect_column_values_to_be_in_set", "critical", column=column, value_set=sorted(values.dropna().unique().tolist()), mostly=mostly)


def _distribution(column: str, partition: Mapping[str, Any], holdouts: Mapping[str, float]) -> Iterator[Expectation]:
    """Expect the distribution of the sample: a small divergence is a warning, a large one breaks the contract."""
    for severity, limit in DIVERGENCES:
        yield _expect("expect_column_kl_divergence_to_be_less_than", severity, column=column, partition_object=partition, threshold=limit, **holdouts)


def _weights(shares: Sequence[float]) -> list[float]:
    """Round shares so that they still sum to 1."""
    rounded = [round(share, 6) for share in shares]
    return [*rounded[:-1], round(1.0 - sum(rounded[:-1]), 6)]


def _expect(kind: str, severity: str, **kwargs: Any) -> Expectation:
    return {"type": kind, "kwargs": kwargs, "severity": severity, "meta": {}}


def _read(suite_json: str | bytes) -> dict[str, Any]:
    try:
        suite = json.loads(suite_json)
        well_formed = all(isinstance(each["type"], str) and isinstance(each["kwargs"], dict) for each in suite["expectations"])
    except (ValueError, KeyError, TypeError):
        well_formed = False
    if not well_formed:
        raise InputRefused("this is no Great Expectations suite", where="expectations/suite.json", fix="draft it again: poc draft-expectations --force")
    return dict(suite)


def _columns(expectation: Expectation) -> list[Any]:
    """List the columns whose values an expectation looks at: one, two, or several together."""
    kwargs = expectation["kwargs"]
    return [*(kwargs[name] for name in ("column", "column_A", "column_B") if name in kwargs), *(kwargs.get("column_list") or [])]


def _speaks_of(expectation: Expectation, columns: Sequence[str]) -> bool:
    return any(column in columns for column in _columns(expectation))


def _left_out(expectation: Expectation, without: Sequence[str]) -> Expectation:
    """Drop left-out columns from an expectation on the table's columns."""
    columns = expectation["kwargs"].get("column_set")
    if columns is None:
        return expectation
    return {**expectation, "kwargs": {**expectation["kwargs"], "column_set": [column for column in columns if column not in without]}}


def _validate(table: pd.DataFrame, expectations: Sequence[Expectation]) -> list[Any]:
    if not expectations:
        return []
    gx = _quiet_gx()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    whole = context.data_sources.add_pandas("rows").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    suite = gx.ExpectationSuite(name="data contract", expectations=list(expectations))
    return list(whole.get_batch({"dataframe": table}).validate(suite, result_format="BASIC").results)


def _severity(result: Any) -> str:
    return str(getattr(result.expectation_config.severity, "value", result.expectation_config.severity))


def _exception(result: Any) -> str:
    """Return why an expectation could not be evaluated; Great Expectations nests this when several of its metrics failed."""
    info = result.exception_info or {}
    nested = [info, *(each for each in info.values() if isinstance(each, dict))]
    return next((str(each.get("exception_message") or "it raised") for each in nested if each.get("raised_exception")), "")


def _in_words(result: Any) -> str:
    """Say which expectation is broken and how; shares and aggregates only, no row's values beyond the column's own."""
    config = result.expectation_config
    column = config.kwargs.get("column", "the table")
    wanted = ", ".join(f"{key} {value}" for key, value in sorted(config.kwargs.items()) if key not in ("batch_id", "column", "partition_object", *_HOLDOUTS))
    name = config.type.removeprefix("expect_").replace("_", " ") + (f" ({wanted})" if wanted else "")
    return f"{column}: {name}: {_exception(result).splitlines()[0] if _exception(result) else _observed(result.result or {})}"


_HOLDOUTS = ("tail_weight_holdout", "internal_weight_holdout")


def _observed(found: Mapping[str, Any]) -> str:
    if found.get("unexpected_percent") is not None:
        return f"{found['unexpected_percent']:.2f} % of values do not"
    seen = found.get("observed_value")
    return "not so" if seen is None else f"observed {seen:.4g}" if isinstance(seen, float) else f"observed {seen}"


def _quiet_gx() -> Any:
    """Import Great Expectations without its telemetry, progress bars and notices."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    warnings.filterwarnings("ignore", module="great_expectations")
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # it logs a traceback for what it drops
    import great_expectations

    return great_expectations
