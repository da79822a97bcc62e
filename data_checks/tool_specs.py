"""What is expected of the table `tool_specs`."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from pathlib import Path

import great_expectations.expectations as gxe

from data_checks.expectations import ExpectGroupMeansToBeAtLeast, expect
from data_checks.frames import Record, RowChecks, parse_json, read_frame
from data_checks.parents import Parents
from data_checks.schema_consistency import (
    compile_tools,
    find_argument_problem,
    find_result_problem,
    find_schema_problem,
    find_spec_problem,
)
from data_checks.shape import check_rows, list_missing_parents, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef
from schemas.tools import SqlTool

TABLE = "tool_specs"
REFERENCES = {"seed_id": "seeds", "question_ids": "questions"}


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """An accepted tool is a legal function spec that ran; a rejected one says why."""
    del config
    own = RowChecks(
        rules={
            "rejected_says_why": _find_unexplained,
            "spec_is_legal": _find_spec_problem,
            "output_schema_is_legal": _find_output_problem,
            "bindings_are_parameters": _find_binding_problem,
            "example_arguments_fit_the_spec": _find_example_problem,
            "example_result_fits_the_output_schema": _find_result_problem,
        },
        figures={"is_accepted": lambda record: float(record["accepted"]), "accepted_statement": _read_statement},
    )
    checks = check_rows(TABLE, REFERENCES, parents, own)
    expectations = [
        *list_shape_expectations(TABLE, checks),
        expect(gxe.ExpectColumnValuesToBeUnique, "accepted_statement_is_unique", column="accepted_statement"),
        expect(
            ExpectGroupMeansToBeAtLeast,
            "accepted_share_by_domain",
            "warn",
            value="is_accepted",
            group="domain",
            min_value=0.2,
            group_size=5,
        ),
    ]
    frame = read_frame(Path(reference.path), TABLE, checks)
    return Suite([SuiteFrame(TABLE, frame, expectations)], list_missing_parents(REFERENCES, parents))


def _read_statement(record: Record) -> str | None:
    if not record["accepted"] or not record["statement_digest"]:
        return None
    return f"{record['seed_id']} {record['statement_digest']}"


def _find_unexplained(record: Record) -> str | None:
    if record["accepted"]:
        return "accepted, and has reasons against it" if record["reasons"] else None
    return None if record["reasons"] else "rejected without a reason"


def _find_spec_problem(record: Record) -> str | None:
    if not record["accepted"]:
        return None
    tool = parse_json(record, "tool")
    if tool is None:
        return "accepted, but holds no tool"
    name = tool["spec"].get("function", {}).get("name")
    if name != tool["name"]:
        return f"the spec is called {name!r}, the tool {tool['name']!r}"
    return find_spec_problem(tool["spec"])


def _find_output_problem(record: Record) -> str | None:
    if not record["accepted"]:
        return None
    return find_schema_problem(parse_json(record, "tool")["output_schema"], "output schema")


def _find_binding_problem(record: Record) -> str | None:
    if not record["accepted"]:
        return None
    tool = parse_json(record, "tool")
    if tool["kind"] != "sql":
        return None
    described = set(tool["spec"]["function"]["parameters"].get("properties", {}))
    bound = {binding["name"] for binding in tool["bindings"]}
    if missing := sorted(bound - described):
        return f"the statement binds {', '.join(missing)}, which the spec does not describe"
    if idle := sorted(described - bound):
        return f"the spec describes {', '.join(idle)}, which the statement does not bind"
    return None


def _find_example_problem(record: Record) -> str | None:
    if not record["accepted"]:
        return None
    (tool,) = compile_tools(f"[{record['tool']}]").values()
    if not isinstance(tool.tool, SqlTool):
        # Only a tool that was run has an example.
        return None
    return find_argument_problem(tool, record["example_arguments"])


def _find_result_problem(record: Record) -> str | None:
    if not record["accepted"]:
        return None
    (tool,) = compile_tools(f"[{record['tool']}]").values()
    if not isinstance(tool.tool, SqlTool):
        return None
    return find_result_problem(tool, record["example_result"])
