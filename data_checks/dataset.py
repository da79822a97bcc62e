"""What is expected of the table `dataset`: the last look before dialogues are handed over."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from pathlib import Path

import great_expectations.expectations as gxe
import orjson

from data_checks.expectations import expect
from data_checks.frames import Record, RowChecks, parse_json, read_frame
from data_checks.parents import Parents
from data_checks.schema_consistency import find_spec_problem
from data_checks.shape import check_rows, list_missing_parents, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef
from turnwright.datasets.dataset import TRAIN, VALIDATION, hash_messages

TABLE = "dataset"
REFERENCES = {"dialogue_id": "dialogues", "verdict_id": "verdicts"}


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """Valid dialogues, each content once, unchanged, with legal tools; no task in both splits."""
    del config

    def find_not_valid(record: Record) -> str | None:
        judgment = parents.column("verdicts", "judgment").get(record["verdict_id"])
        judged = parents.column("verdicts", "dialogue_id").get(record["verdict_id"])
        if judged != record["dialogue_id"]:
            return f"the verdict {record['verdict_id']} is of {judged}"
        return None if judgment == "valid" else f"the verdict is {judgment}"

    splits: dict[str, str] = {}

    def find_leak(record: Record) -> str | None:
        task = parents.column("dialogues", "dialogue_task_id").get(record["dialogue_id"], record["dialogue_id"])
        split = splits.setdefault(task, record["split"])
        return None if split == record["split"] else f"another dialogue of {task} is in {split}"

    rules = {"tools_are_legal": _find_illegal_tool, "calls_are_answered": _find_unanswered}
    if parents.has("verdicts"):
        rules["verdict_is_valid"] = find_not_valid
    if parents.has("dialogues"):
        rules["task_is_in_one_split"] = find_leak
    own = RowChecks(rules=rules, figures={"content": lambda record: hash_messages(record["messages"])})
    checks = check_rows(TABLE, REFERENCES, parents, own)
    expectations = [
        *list_shape_expectations(TABLE, checks),
        expect(gxe.ExpectColumnValuesToBeUnique, "dialogue_is_unique", column="dialogue_id"),
        expect(gxe.ExpectColumnValuesToBeUnique, "content_is_unique", column="content"),
        expect(gxe.ExpectColumnValuesToBeInSet, "split_is_known", column="split", value_set=[TRAIN, VALIDATION]),
    ]
    frame = read_frame(Path(reference.path), TABLE, checks)
    return Suite([SuiteFrame(TABLE, frame, expectations)], list_missing_parents(REFERENCES, parents))


def _find_illegal_tool(record: Record) -> str | None:
    for spec in parse_json(record, "tools"):
        if problem := find_spec_problem(spec):
            return problem
    return None


def _find_unanswered(record: Record) -> str | None:
    """A trainer's chat template pairs by id: each call of a message has one result before anything else is said."""
    open_calls: set[str] = set()
    for message in orjson.loads(record["messages"]):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return f"a result answers {message['tool_call_id']}, which was not called"
            open_calls.discard(message["tool_call_id"])
        elif open_calls:
            return f"{', '.join(sorted(open_calls))} has no result before the next {message['role']} message"
        else:
            open_calls = {call["id"] for call in message.get("tool_calls") or ()}
    return f"{', '.join(sorted(open_calls))} has no result" if open_calls else None
