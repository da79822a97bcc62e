"""What is expected of the table `questions`."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from pathlib import Path

import great_expectations.expectations as gxe

from data_checks.expectations import expect
from data_checks.frames import RowChecks, read_frame
from data_checks.parents import Parents
from data_checks.shape import check_rows, list_missing_parents, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef

TABLE = "questions"
REFERENCES = {"seed_id": "seeds"}


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """Each question belongs to a seed and stands there once. A run that starts from tools has none."""
    del config
    checks = check_rows(TABLE, REFERENCES, parents, RowChecks())
    expectations = [
        *list_shape_expectations(TABLE, checks, empty="warn"),
        expect(gxe.ExpectCompoundColumnsToBeUnique, "text_is_unique", "warn", column_list=["seed_id", "text"]),
        expect(gxe.ExpectColumnValueLengthsToBeBetween, "text_is_a_question", "warn", column="text", min_value=8),
    ]
    frame = read_frame(Path(reference.path), TABLE, checks)
    return Suite([SuiteFrame(TABLE, frame, expectations)], list_missing_parents(REFERENCES, parents))
