"""What is expected of `repaired_dialogues` and `repaired_verdicts`: a seam, and nothing changed before it."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from pathlib import Path
from typing import Any

import great_expectations.expectations as gxe
import orjson

from data_checks.expectations import expect
from data_checks.frames import Record, RowChecks, read_frame
from data_checks.parents import Parents
from data_checks.shape import check_rows, list_missing_parents, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef

DIALOGUES = "repaired_dialogues"
VERDICTS = "repaired_verdicts"
DIALOGUE_REFERENCES = {
    "seed_id": "seeds",
    "toolset_id": "toolsets",
    "dialogue_task_id": "dialogue_tasks",
    "repaired_from": "dialogues",
}
VERDICT_REFERENCES = {"dialogue_id": DIALOGUES, "dialogue_task_id": "dialogue_tasks"}


def build_dialogue_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """Each says where it was repaired and why, and has the beginning of the dialogue that it comes from."""
    del config

    def find_changed_beginning(record: Record) -> str | None:
        origin = parents.column("dialogues", "messages").get(record["repaired_from"])
        if origin is None:
            return None
        place = int(record["repaired_at"])
        same = orjson.loads(origin)[:place] == orjson.loads(record["messages"])[:place]
        return None if same else f"the messages before {place} are not those of {record['repaired_from']}"

    rules = {"says_what_was_repaired": _find_silent}
    if parents.has("dialogues"):
        rules["beginning_is_kept"] = find_changed_beginning
    checks = check_rows(DIALOGUES, DIALOGUE_REFERENCES, parents, RowChecks(rules=rules))
    expectations = [
        *_list_shape(DIALOGUES, checks),
        expect(gxe.ExpectCompoundColumnsToBeUnique, "try_is_unique", column_list=["repaired_from", "repair_try"]),
    ]
    frame = read_frame(Path(reference.path), DIALOGUES, checks)
    return Suite([SuiteFrame(DIALOGUES, frame, expectations)], list_missing_parents(DIALOGUE_REFERENCES, parents))


def build_verdict_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """One verdict for each try, with reasons where it is not valid."""
    del config
    checks = check_rows(VERDICTS, VERDICT_REFERENCES, parents, RowChecks(rules={"invalid_says_why": _find_unexplained}))
    expectations = [
        *_list_shape(VERDICTS, checks),
        expect(gxe.ExpectColumnValuesToBeUnique, "dialogue_has_one_verdict", column="dialogue_id"),
    ]
    frame = read_frame(Path(reference.path), VERDICTS, checks)
    return Suite([SuiteFrame(VERDICTS, frame, expectations)], list_missing_parents(VERDICT_REFERENCES, parents))


def _list_shape(table: str, checks: RowChecks) -> list[Any]:
    """The expectations of every table but one: where nothing is invalid there is nothing to repair."""
    return [item for item in list_shape_expectations(table, checks) if item.meta["name"] != "has_rows"]


def _find_silent(record: Record) -> str | None:
    if not record["repaired_from"] or record["repaired_at"] is None or record["repair_try"] < 1:
        return "does not say which dialogue it comes from, from which message on, or which try it is"
    return None if record["repaired_because"] else "does not say why it was repaired"


def _find_unexplained(record: Record) -> str | None:
    if record["judgment"] == "valid":
        return "valid, and has reasons against it" if record["reasons"] else None
    return None if record["reasons"] else f"{record['judgment']} without a reason"
