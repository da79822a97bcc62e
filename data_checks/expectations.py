"""The expectations that Great Expectations does not have, and how suites write theirs.

This module and the suites import Great Expectations at their top; the gate imports them when it runs.
"""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import math
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import pandas as pd
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, ColumnMapExpectation, Expectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from data_checks.gate import Level
from schemas.settings import Band

_SEVERITY = {"fail": FailureSeverity.CRITICAL, "warn": FailureSeverity.WARNING}


def expect(
    kind: type[Expectation], name: str, level: Level = "fail", /, *, shows: str | None = None, **options: Any
) -> Any:
    """One expectation of a suite.

    Args:
        kind: class of the expectation.
        name: what the gate calls it; unique within the suite.
        level: `fail` stops the run, `warn` is reported.
        shows: for aggregates, the column whose value is shown beside the ids of example rows.
        options: what the expectation takes.
    """
    if kind.__module__ == __name__:
        # Data Docs knows no sentence for a class of our own.
        options["description"] = name.replace("_", " ")
    return kind(severity=_SEVERITY[level], meta={"name": name, "shows": shows}, **options)


def expect_band(kind: type[Expectation], name: str, band: Band, **options: Any) -> list[Any]:
    """The expectations of a band: one for `fail`, one for `warn`, none where a side sets no limit."""
    levels: tuple[tuple[Level, tuple[float | None, float | None]], ...] = (("fail", band.fail), ("warn", band.warn))
    return [
        expect(kind, name if level == "fail" else f"{name}_usual", level, min_value=low, max_value=high, **options)
        for level, (low, high) in levels
        if low is not None or high is not None
    ]


class ColumnValuesFreeOfProblems(ColumnMapMetricProvider):
    """True where a rule left nothing in its column; see data_checks/frames.py."""

    condition_metric_name = "column_values.free_of_problems"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: "pd.Series[Any]", **_: Any) -> "pd.Series[bool]":  # noqa: N805 - the decorator makes it a class method
        return column.isna()


class ExpectRowsToObeyRule(ColumnMapExpectation):
    """Expects that a rule of data_checks/frames.py found no problem in any row; the values are the problems."""

    map_metric: ClassVar[str | None] = "column_values.free_of_problems"
    library_metadata: ClassVar[dict[str, Any]] = {"maturity": "production", "tags": ["row rule"]}


class TableRatioOfSums(TableMetricProvider):
    """Sum of one column divided by the sum of another; none where that is zero."""

    metric_name = "table.ratio_of_sums"
    value_keys = ("numerator", "denominator")

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> float | None:
        frame = _read_domain(execution_engine, metric_domain_kwargs)
        below = frame[metric_value_kwargs["denominator"]].sum()
        return float(frame[metric_value_kwargs["numerator"]].sum() / below) if below else None


class ExpectRatioOfSumsToBeBetween(BatchExpectation):
    """Expects sum(numerator) / sum(denominator) inside limits; a zero denominator has nothing to say."""

    numerator: str
    denominator: str
    min_value: float | None = None
    max_value: float | None = None
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.ratio_of_sums",)
    success_keys: ClassVar[tuple[str, ...]] = ("numerator", "denominator", "min_value", "max_value")
    library_metadata: ClassVar[dict[str, Any]] = {"maturity": "production", "tags": ["statistics"]}

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        found = cast("float | None", metrics["table.ratio_of_sums"])
        low = -math.inf if self.min_value is None else self.min_value
        high = math.inf if self.max_value is None else self.max_value
        inside = found is None or low <= found <= high
        return {"success": inside, "result": {"observed_value": found}}


class TableGroupMeans(TableMetricProvider):
    """Rows and mean of a column in each group of another."""

    metric_name = "table.group_means"
    value_keys = ("value", "group")

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> dict[str, tuple[int, float]]:
        frame = _read_domain(execution_engine, metric_domain_kwargs)
        groups = frame.groupby(metric_value_kwargs["group"])[metric_value_kwargs["value"]]
        summary = groups.agg(["size", "mean"])
        return {str(name): (int(row["size"]), float(row["mean"])) for name, row in summary.iterrows()}


class ExpectGroupMeansToBeAtLeast(BatchExpectation):
    """Expects the mean of `value` in each group of at least `group_size` rows to reach `min_value`."""

    value: str
    group: str
    min_value: float
    group_size: int
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.group_means",)
    success_keys: ClassVar[tuple[str, ...]] = ("value", "group", "min_value", "group_size")
    library_metadata: ClassVar[dict[str, Any]] = {"maturity": "production", "tags": ["statistics"]}

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        means = cast("Mapping[str, tuple[int, float]]", metrics["table.group_means"])
        low = {
            name: round(mean, 4)
            for name, (rows, mean) in sorted(means.items())
            if rows >= self.group_size and mean < self.min_value
        }
        return {
            "success": not low,
            "result": {
                "observed_value": low or {name: round(mean, 4) for name, (_, mean) in sorted(means.items())},
                "details": {"groups": sorted(low)},
            },
        }


class TableValueShares(TableMetricProvider):
    """Rows of a table, and how many have each value of a column."""

    metric_name = "table.value_shares"
    value_keys = ("column",)

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> dict[str, int]:
        frame = _read_domain(execution_engine, metric_domain_kwargs)
        counts = frame[metric_value_kwargs["column"]].value_counts()
        return {str(value): int(count) for value, count in counts.items()}


class ExpectSharesToBeNear(BatchExpectation):
    """Expects the share of each value to be within a tolerance of its target.

    A share that is drawn scatters by sqrt(p (1 - p) / n): two of these are added to the tolerance, so that a run of
    five dialogues is not told off for chance.
    """

    column: str
    targets: dict[str, float]
    tolerance: float
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.value_shares",)
    success_keys: ClassVar[tuple[str, ...]] = ("column", "targets", "tolerance")
    library_metadata: ClassVar[dict[str, Any]] = {"maturity": "production", "tags": ["statistics"]}

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        counts = cast("Mapping[str, int]", metrics["table.value_shares"])
        rows = sum(counts.values())
        far: dict[str, float] = {}
        for value in sorted({*counts, *self.targets}):
            target, share = self.targets.get(value, 0.0), counts.get(value, 0) / max(1, rows)
            allowed = self.tolerance + 2 * math.sqrt(target * (1 - target) / max(1, rows))
            if abs(share - target) > allowed:
                far[value] = round(share, 4)
        shares = {value: round(count / max(1, rows), 4) for value, count in sorted(counts.items())}
        return {"success": not far, "result": {"observed_value": far or shares, "details": {"groups": sorted(far)}}}


def _read_domain(engine: PandasExecutionEngine, domain: dict[str, Any]) -> Any:
    return engine.get_compute_domain(domain, domain_type=MetricDomainTypes.TABLE)[0]
