"""What is expected of the table `dataflow_edges`."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from collections.abc import Mapping
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

TABLE = "dataflow_edges"
REFERENCES = {"seed_id": "seeds", "source_id": "tool_specs", "target_id": "tool_specs"}


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """An edge leads from one accepted tool into a parameter of another one. A domain may have none."""
    del config
    rules = {"leads_to_another_tool": _find_loop}
    if parents.has("tool_specs"):
        texts = parents.column("tool_specs", "tool")
        rules["parameter_exists"] = lambda record: _find_unknown(record, texts)
    checks = check_rows(TABLE, REFERENCES, parents, RowChecks(rules=rules))
    expectations = [
        *list_shape_expectations(TABLE, checks, empty="warn"),
        expect(gxe.ExpectColumnValuesToBeBetween, "weight_is_a_share", column="weight", min_value=0.0, max_value=1.0),
    ]
    frame = read_frame(Path(reference.path), TABLE, checks)
    return Suite([SuiteFrame(TABLE, frame, expectations)], list_missing_parents(REFERENCES, parents))


def _find_loop(record: Record) -> str | None:
    return f"{record['source']} feeds itself" if record["source_id"] == record["target_id"] else None


def _find_unknown(record: Record, texts: Mapping[str, Any]) -> str | None:
    tool = orjson.loads(texts.get(record["target_id"]) or "null")
    if tool is None:
        return f"{record['target']} is not accepted in tool_specs"
    described = tool["spec"]["function"]["parameters"].get("properties", {})
    return None if record["parameter"] in described else f"{record['target']} has no parameter {record['parameter']}"
