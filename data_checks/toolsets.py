"""What is expected of the table `toolsets`."""

from pathlib import Path

import orjson

from data_checks.frames import Record, RowChecks, parse_json, read_frame
from data_checks.parents import Parents
from data_checks.schema_consistency import compile_tools, find_spec_problem, find_type_conflicts
from data_checks.shape import check_rows, list_missing_parents, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef
from schemas.tools import TOOLS

TABLE = "toolsets"
REFERENCES = {"seed_id": "seeds", "tool_ids": "tool_specs"}

# A lookup that a tool needs comes along even where the set is full; 3 and 3.0 are equal by value.
_ONLY_WARN = ("size_is_in_limits", "whole_and_fractional_numbers_are_apart")


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """The tools offered together are legal, verified, different, and agree on the type of every entity."""

    def find_size_problem(record: Record) -> str | None:
        most, found = config.tools.per_toolset, len(record["tool_ids"])
        return None if 1 <= found <= most else f"{found} tools, allowed are 1 to {most}"

    def find_unverified(record: Record) -> str | None:
        accepted = parents.column("tool_specs", "accepted")
        refused = [tool for tool in record["tool_ids"] if not accepted.get(tool)]
        return f"offers {', '.join(refused[:3])}, not accepted in tool_specs" if refused else None

    def find_changed(record: Record) -> str | None:
        texts = parents.column("tool_specs", "tool")
        for identifier, tool in zip(record["tool_ids"], parse_json(record, "tools"), strict=True):
            if tool != orjson.loads(texts[identifier]):
                return f"{tool['name']} differs from {identifier} in tool_specs"
        return None

    rules = {
        "size_is_in_limits": find_size_problem,
        "tools_are_legal": _find_illegal_tool,
        "names_are_unique": _find_repeated_name,
        "one_type_per_entity": _find_type_conflict,
        "whole_and_fractional_numbers_are_apart": _find_number_conflict,
    }
    if parents.has("tool_specs"):
        rules |= {"tools_are_verified": find_unverified, "tools_are_as_verified": find_changed}
    checks = check_rows(TABLE, REFERENCES, parents, RowChecks(rules=rules))
    expectations = list_shape_expectations(TABLE, checks, only_warn=_ONLY_WARN)
    frame = read_frame(Path(reference.path), TABLE, checks)
    return Suite([SuiteFrame(TABLE, frame, expectations)], list_missing_parents(REFERENCES, parents))


def _find_illegal_tool(record: Record) -> str | None:
    for tool in parse_json(record, "tools"):
        if problem := find_spec_problem(tool["spec"]):
            return problem
    compile_tools(record["tools"])
    return None


def _find_repeated_name(record: Record) -> str | None:
    names = [tool["name"] for tool in parse_json(record, "tools")]
    repeated = sorted({name for name in names if names.count(name) > 1})
    return f"several tools are called {', '.join(repeated)}" if repeated else None


def _find_type_conflict(record: Record) -> str | None:
    return _describe_conflict(record, numbers=False)


def _find_number_conflict(record: Record) -> str | None:
    return _describe_conflict(record, numbers=True)


def _describe_conflict(record: Record, *, numbers: bool) -> str | None:
    tools = TOOLS.validate_json(record["tools"])
    for table, column, kinds in find_type_conflicts(tools):
        if numbers == (set(kinds) == {"integer", "number"}):
            places = "; ".join(f"{kind} in {', '.join(uses[:3])}" for kind, uses in sorted(kinds.items()))
            return f"{table}.{column} is {places}"
    return None
