"""Runs the suite of a table and reads what came of it."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from data_checks import (
    dataflow_edges,
    dataset,
    dialogue_tasks,
    dialogues,
    ledger,
    questions,
    repaired_dialogues,
    seeds,
    tool_specs,
    toolsets,
    verdicts,
)
from data_checks.expectations import expect
from data_checks.frames import compare_columns
from data_checks.gate import CheckResult, GateFailure, Level
from data_checks.parents import Parents
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef

SUITES: dict[str, Callable[[TableRef, Parents, RunConfig], Suite]] = {
    "seeds": seeds.build_suite,
    "questions": questions.build_suite,
    "tool_specs": tool_specs.build_suite,
    "dataflow_edges": dataflow_edges.build_suite,
    "toolsets": toolsets.build_suite,
    "dialogue_tasks": dialogue_tasks.build_suite,
    "dialogues": dialogues.build_suite,
    "verdicts": verdicts.build_suite,
    "repaired_dialogues": repaired_dialogues.build_dialogue_suite,
    "repaired_verdicts": repaired_dialogues.build_verdict_suite,
    "dataset": dataset.build_suite,
    "ledger": ledger.build_suite,
}
_EXAMPLES = 5


@dataclass(frozen=True)
class Page:
    """What Data Docs is to show of one frame."""

    name: str
    result: ExpectationSuiteValidationResult


@dataclass
class Validated:
    """What came of one table."""

    results: list[CheckResult] = field(default_factory=list[CheckResult])
    problems: list[GateFailure] = field(default_factory=list[GateFailure])
    not_checked: list[str] = field(default_factory=list[str])
    pages: list[Page] = field(default_factory=list[Page])


def validate_table(table: str, tables: Mapping[str, TableRef], config: RunConfig) -> Validated:
    """Holds one table against the suite in the module of its name.

    A table with wrong columns is held against nothing else: its rows could not be read by name.

    Raises:
        OSError: the table cannot be read.
    """
    validated = Validated()
    columns = _suite_of_columns(table, Path(tables[table].path))
    if not _hold(table, columns, validated):
        return validated
    # A page that says that the columns are as they must be would only be in the way.
    validated.pages.clear()
    suite = SUITES[table](tables[table], Parents(tables), config)
    for frame in suite.frames:
        _hold(table, frame, validated)
    validated.not_checked.extend(f"{table}.{line}" for line in suite.not_checked)
    return validated


@cache
def _context() -> EphemeralDataContext:
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    # Without this it makes a temporary folder for pages that nobody writes, and leaves it behind.
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    context = gx.get_context(mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=stores))
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _suite_of_columns(table: str, path: Path) -> SuiteFrame:
    return SuiteFrame(
        name=f"{table}.columns",
        frame=compare_columns(path, table),
        expectations=[
            expect(
                gxe.ExpectColumnPairValuesToBeEqual, "columns_match_the_schema", column_A="expected", column_B="found"
            )
        ],
    )


def _hold(table: str, suite: SuiteFrame, validated: Validated) -> bool:
    """Validates one frame, adds what came of it, and says whether nothing of level `fail` failed."""
    found = _validate(suite)
    order = {expectation.meta["name"]: position for position, expectation in enumerate(suite.expectations)}
    results = sorted(found.results, key=lambda result: order[_meta(result)["name"]])
    healthy = True
    for result in results:
        check = _read_result(table, result)
        validated.results.append(check)
        if not check.passed:
            examples = _list_examples(result, suite.frame)
            validated.problems.append(GateFailure(**check.model_dump(), examples=examples))
            healthy = healthy and check.level == "warn"
    validated.pages.append(Page(name=suite.name, result=found))
    return healthy


def _validate(suite: SuiteFrame) -> ExpectationSuiteValidationResult:
    context = _context()
    source = context.data_sources.add_or_update_pandas(suite.name)
    asset: Any = source.add_dataframe_asset(suite.name)
    definition: Any = asset.add_batch_definition_whole_dataframe(suite.name)
    batch = definition.get_batch({"dataframe": suite.frame})
    try:
        return batch.validate(
            gx.ExpectationSuite(name=suite.name, expectations=suite.expectations),
            result_format={
                "result_format": "SUMMARY",
                "unexpected_index_column_names": ["id"],
                "partial_unexpected_count": _EXAMPLES,
            },
        )
    finally:
        # The context would hold on to the frame for as long as the process lives.
        context.data_sources.delete(suite.name)


def _meta(result: ExpectationValidationResult) -> dict[str, Any]:
    configuration = result.expectation_config
    assert configuration is not None, "a result of a suite has the expectation that it is of"
    return cast("dict[str, Any]", configuration.meta)


def _read_result(table: str, result: ExpectationValidationResult) -> CheckResult:
    configuration = result.expectation_config
    assert configuration is not None, "a result of a suite has the expectation that it is of"
    options = cast("dict[str, Any]", configuration.kwargs)
    level: Level = "warn" if str(configuration.severity).lower().endswith("warning") else "fail"
    return CheckResult(
        table=table,
        expectation=_meta(result)["name"],
        kind=configuration.type,
        column=options.get("column") or options.get("value"),
        level=level,
        passed=bool(result.success),
        figure=_read_figure(result),
        limit=_read_limit(configuration.type, options),
    )


def _read_figure(result: ExpectationValidationResult) -> str:
    if error := _read_error(result):
        return f"could not be evaluated: {error}"
    content = cast("dict[str, Any]", result.result)
    if "unexpected_count" in content:
        return f"{content['unexpected_count']} of {content['element_count']} rows"
    found = content.get("observed_value")
    if isinstance(found, dict) and "quantiles" in found:
        found = dict(zip(cast("list[Any]", found["quantiles"]), cast("list[Any]", found["values"]), strict=True))
    if isinstance(found, dict):
        return ", ".join(f"{name}: {_format(value)}" for name, value in cast("dict[Any, Any]", found).items())
    return _format(found)


def _read_error(result: ExpectationValidationResult) -> str:
    # One entry, or one for each metric that could not be computed.
    information = cast("dict[str, Any]", result.exception_info or {})
    entries: list[Any] = [information, *information.values()]
    return next((str(entry["exception_message"]) for entry in entries if _has_message(entry)), "")


def _has_message(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(cast("dict[str, Any]", entry).get("exception_message"))


def _read_limit(kind: str, options: Mapping[str, Any]) -> str:
    low, high = options.get("min_value"), options.get("max_value")
    if "quantile_ranges" in options:
        ranges = options["quantile_ranges"]
        pairs = zip(ranges["quantiles"], ranges["value_ranges"], strict=True)
        return ", ".join(f"{quantile}: {_read_range(*limits)}" for quantile, limits in pairs)
    if low is not None or high is not None:
        in_groups = f" in each {options['group']} of {options['group_size']} rows or more" if "group" in options else ""
        return _read_range(low, high) + in_groups
    if "targets" in options:
        targets = ", ".join(f"{name}: {share:g}" for name, share in options["targets"].items())
        return f"within {options['tolerance']:g} (and two standard errors) of {targets}"
    if "value_set" in options:
        return f"one of {', '.join(map(str, options['value_set']))}"
    if "regex" in options:
        return f"matches {options['regex']}"
    return {"expect_column_values_to_be_unique": "each value once"}.get(kind, "no such row")


def _read_range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {_format(high)}"
    return f"at least {_format(low)}" if high is None else f"{_format(low)} to {_format(high)}"


def _format(value: Any) -> str:
    if value is None or value is pd.NA:
        return "nothing"
    return f"{float(value):.4g}" if isinstance(value, float) else str(value)


def _list_examples(result: ExpectationValidationResult, frame: pd.DataFrame) -> list[str]:
    """Some rows behind a failed expectation, as `row id: value or problem`."""
    content = cast("dict[str, Any]", result.result)
    if "partial_unexpected_list" in content:
        rows = cast("list[dict[str, Any]]", content.get("partial_unexpected_index_list") or [])
        values = cast("list[Any]", content["partial_unexpected_list"])
        return [f"{row.get('id')}: {_show(value)}" for row, value in zip(rows, values, strict=False)]
    configuration = result.expectation_config
    assert configuration is not None, "a result of a suite has the expectation that it is of"
    shows = _meta(result).get("shows")
    options = cast("dict[str, Any]", configuration.kwargs)
    column = options.get("value") or options.get("column") or options.get("numerator")
    if column is None or column not in frame.columns:
        return []
    columns = list(dict.fromkeys(name for name in ("id", column, shows, options.get("group")) if name in frame.columns))
    rows = cast("list[dict[str, Any]]", frame[columns].to_dict("records"))
    if groups := cast("dict[str, Any]", content.get("details") or {}).get("groups"):
        rows = [row for row in rows if str(row[options.get("group") or column]) in groups]
    rows = [row for row in rows if not pd.isna(row[column]) and not (shows and pd.isna(row[shows]))]
    low, found = options.get("min_value"), content.get("observed_value")
    too_low = low is not None and not (isinstance(found, int | float) and found >= low)
    rows.sort(key=lambda row: str(row["id"]))
    if not isinstance(found, dict) or too_low:
        rows.sort(key=lambda row: row[column], reverse=not too_low)
    return [f"{row['id']}: {_show(row[shows or column])}" for row in rows[:_EXAMPLES]]


def _show(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple | list):
        items = list(cast("list[Any]", value))
        return " is not ".join(map(str, items)) if len(items) == 2 else str(items)
    try:
        return json.dumps(value)
    except TypeError:
        return str(value)
