"""What is expected of the ledger: every planned unit is accounted for, and the accounts are those of the tables."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from collections import Counter
from pathlib import Path
from typing import Any

import great_expectations.expectations as gxe
import pandas as pd

from data_checks.expectations import expect
from data_checks.frames import Record, RowChecks, read_frame
from data_checks.parents import Parents
from data_checks.shape import check_rows, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef
from schemas.vocabulary import STAGES

TABLE = "ledger"

_UNIT_TABLES = {
    "seed": "seeds",
    "tool": "tool_specs",
    "toolset": "toolsets",
    "dialogue_task": "dialogue_tasks",
    "dialogue": "dialogues",
    "verdict": "verdicts",
    "example": "dataset",
}
"""Units whose outcome is a row of a table."""

_PLANNED_BY = {"dialogue": "dialogue_tasks", "verdict": "dialogues"}
"""Units of which one is planned for each row of another table."""


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """Each unit once, with a reason where it was not accepted; sums by stage and unit equal plans and tables."""
    checks = check_rows(TABLE, {}, parents, RowChecks(rules={"loss_is_explained": _find_unexplained}))
    frame = read_frame(Path(reference.path), TABLE, checks)
    expectations = [
        *list_shape_expectations(TABLE, checks),
        expect(gxe.ExpectCompoundColumnsToBeUnique, "unit_is_unique", column_list=["stage", "unit", "unit_id"]),
    ]
    balance = [
        expect(
            gxe.ExpectColumnPairValuesToBeEqual,
            "accounts_for_all_planned",
            column_A="accounted",
            column_B="planned",
            ignore_row_if="either_value_is_missing",
        ),
        expect(
            gxe.ExpectColumnPairValuesToBeEqual,
            "accounts_equal_rows",
            column_A="with_row",
            column_B="rows",
            ignore_row_if="either_value_is_missing",
        ),
    ]
    return Suite(
        [
            SuiteFrame(TABLE, frame, expectations),
            SuiteFrame(f"{TABLE}.balance", sum_units(frame, parents, config), balance),
        ]
    )


def sum_units(ledger: pd.DataFrame, parents: Parents, config: RunConfig) -> pd.DataFrame:
    """One row per stage and unit: how many are accounted for and how many have a row, beside plan and table.

    `planned` and `rows` are missing where nothing that was given tells them.
    """
    accounted: Counter[tuple[str, str]] = Counter()
    with_row: Counter[tuple[str, str]] = Counter()
    for record in ledger[["stage", "unit", "outcome", "boundary"]].to_dict("records"):
        key = (str(record["stage"]), str(record["unit"]))
        accounted[key] += 1
        with_row[key] += _leaves_row(str(record["unit"]), str(record["outcome"]), str(record["boundary"]))
    rows: list[dict[str, Any]] = []
    for stage, unit in sorted(accounted, key=lambda key: (_place(key[0]), key[1])):
        rows.append(
            {
                "id": f"{stage}/{unit}",
                "accounted": accounted[stage, unit],
                "planned": _count_planned(unit, parents, config),
                "with_row": with_row[stage, unit],
                "rows": parents.rows.get(_UNIT_TABLES.get(unit, "")),
            }
        )
    kinds = {"id": "string[pyarrow]", **dict.fromkeys(("accounted", "planned", "with_row", "rows"), "Int64")}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def _leaves_row(unit: str, outcome: str, boundary: str) -> bool:
    """A tool as written, a dialogue as far as it went and a verdict against one are rows, though not accepted."""
    if unit in ("tool", "verdict"):
        return outcome in ("accepted", "rejected")
    if unit == "dialogue":
        return outcome in ("accepted", "rejected") or (outcome, boundary) == ("failed", "environment")
    return outcome == "accepted"


def _place(stage: str) -> int:
    known: tuple[str, ...] = STAGES
    return known.index(stage) if stage in known else len(known)


def _count_planned(unit: str, parents: Parents, config: RunConfig) -> int | None:
    if unit == "seed":
        # A source may hold several domains, so the config does not tell how many seeds there are to be.
        return parents.rows.get("seeds")
    if unit == "dialogue_task":
        return config.dialogues
    rows = parents.rows.get(_PLANNED_BY.get(unit, ""))
    return rows * config.trials if unit == "dialogue" and rows is not None else rows


def _find_unexplained(record: Record) -> str | None:
    if record["outcome"] == "accepted":
        return None
    if record["outcome"] in ("failed", "not_attempted") and not record["boundary"]:
        return f"{record['outcome']}, but the boundary is not named"
    if record["outcome"] in ("rejected", "failed") and not record["reasons"]:
        return f"{record['outcome']} without a reason"
    return None
