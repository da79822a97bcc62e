"""What is expected of the table `verdicts`: above all, how many dialogues are valid."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from pathlib import Path

import great_expectations.expectations as gxe

from data_checks.expectations import ExpectGroupMeansToBeAtLeast, expect
from data_checks.frames import Record, RowChecks, read_frame
from data_checks.parents import Parents
from data_checks.shape import check_rows, list_missing_parents, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef

TABLE = "verdicts"
REFERENCES = {"dialogue_id": "dialogues", "dialogue_task_id": "dialogue_tasks"}


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """One verdict per dialogue, with reasons where it is not valid; enough of them are valid, in every group."""
    own = RowChecks(
        rules={"invalid_says_why": _find_unexplained},
        figures={
            "is_valid": lambda record: float(record["judgment"] == "valid"),
            "first_reason": lambda record: record["reasons"][0] if record["reasons"] else None,
        },
    )
    checks = check_rows(TABLE, REFERENCES, parents, own)
    limits = config.checks
    expectations = [
        *list_shape_expectations(TABLE, checks),
        expect(gxe.ExpectColumnValuesToBeUnique, "dialogue_has_one_verdict", column="dialogue_id"),
        expect(
            gxe.ExpectColumnMeanToBeBetween,
            "valid_rate",
            column="is_valid",
            min_value=limits.min_valid_rate,
            shows="first_reason",
        ),
        expect(
            gxe.ExpectColumnMeanToBeBetween,
            "valid_rate_usual",
            "warn",
            column="is_valid",
            min_value=limits.warn_valid_rate,
            shows="first_reason",
        ),
        *(
            expect(
                ExpectGroupMeansToBeAtLeast,
                f"valid_rate_by_{group}",
                "warn",
                value="is_valid",
                group=group,
                min_value=limits.warn_valid_rate,
                group_size=limits.group_size,
                shows="first_reason",
            )
            for group in ("domain", "difficulty", "behaviour")
        ),
    ]
    frame = read_frame(Path(reference.path), TABLE, checks)
    return Suite([SuiteFrame(TABLE, frame, expectations)], list_missing_parents(REFERENCES, parents))


def _find_unexplained(record: Record) -> str | None:
    if record["judgment"] == "valid":
        return f"valid, and has reasons against it: {record['reasons'][0]}" if record["reasons"] else None
    return None if record["reasons"] else f"{record['judgment']} without a reason"
