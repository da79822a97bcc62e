"""What is expected of the table `dialogue_tasks`."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from pathlib import Path

import great_expectations.expectations as gxe

from data_checks.expectations import ExpectSharesToBeNear, expect, expect_band
from data_checks.frames import Record, RowChecks, parse_json, read_frame
from data_checks.parents import Parents
from data_checks.schema_consistency import compile_tools, find_argument_problem, find_result_problem
from data_checks.shape import check_rows, list_missing_parents, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.goals import Objective, PlannedCall
from schemas.rows import TableRef
from schemas.vocabulary import SIMULATED, STATELESS
from turnwright.statistics.mix import target_shares

TABLE = "dialogue_tasks"
REFERENCES = {"seed_id": "seeds", "toolset_id": "toolsets"}


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """Plans fit their tools and hang together; the mix of what is asked for is near the config's."""

    def find_plan_problem(record: Record) -> str | None:
        tools = compile_tools(parents.column("toolsets", "tools")[record["toolset_id"]])
        for objective in _read_objectives(record):
            for call in objective.calls:
                if call.tool not in tools:
                    return f"call {call.id}: {call.tool} is not in the toolset"
                if problem := find_argument_problem(tools[call.tool], call.arguments, _list_unknown(record, call)):
                    return f"call {call.id}: {problem}"
        return None

    def find_result_misfit(record: Record) -> str | None:
        if record["paradigm"] in SIMULATED:
            return _find_told_result(record)
        tools = compile_tools(parents.column("toolsets", "tools")[record["toolset_id"]])
        for objective in _read_objectives(record):
            for call in objective.calls:
                if call.tool in tools and (problem := find_result_problem(tools[call.tool], call.result)):
                    return f"call {call.id}: {problem}"
        return None

    rules = {"counts_match_objectives": _find_miscount, "references_point_back": _find_forward_reference}
    if parents.has("toolsets"):
        rules |= {"planned_arguments_fit_the_specs": find_plan_problem, "planned_results_fit": find_result_misfit}
    checks = check_rows(TABLE, REFERENCES, parents, RowChecks(rules=rules))
    targets = target_shares(config)
    tolerance = config.checks.mix_tolerance
    expectations = [
        *list_shape_expectations(TABLE, checks),
        expect(gxe.ExpectColumnValuesToBeUnique, "slot_is_unique", column="slot"),
        *expect_band(gxe.ExpectColumnMeanToBeBetween, "mean_tasks", config.checks.mean_tasks, column="task_count"),
        *(
            expect(
                ExpectSharesToBeNear,
                f"{column}_mix",
                "warn",
                column=column,
                targets=targets[column],
                tolerance=tolerance,
            )
            for column in ("difficulty", "behaviour")
        ),
    ]
    frame = read_frame(Path(reference.path), TABLE, checks)
    return Suite([SuiteFrame(TABLE, frame, expectations)], list_missing_parents(REFERENCES, parents))


def _read_objectives(record: Record) -> list[Objective]:
    return [Objective.model_validate(objective) for objective in parse_json(record, "objectives")]


def _list_unknown(record: Record, call: PlannedCall) -> list[str]:
    """Names of the arguments that only a simulated result will tell."""
    if record["paradigm"] not in SIMULATED:
        return []
    return [
        name for name, source in call.sources.items() if source.kind == "result" and call.arguments.get(name) is None
    ]


def _find_told_result(record: Record) -> str | None:
    """Nothing is known of a simulated result before there is one."""
    for objective in _read_objectives(record):
        for call in objective.calls:
            if call.result is not None:
                return f"call {call.id}: the plan of a simulated dialogue tells a result"
    return None


def _find_miscount(record: Record) -> str | None:
    if record["paradigm"] in STATELESS:
        # Nothing is planned before the dialogue: the scenario says how many turns there are to be.
        turns = len(parse_json(record, "scenario")["lengths"])
        return None if record["task_count"] == turns else f"says {record['task_count']} tasks, plans {turns} turns"
    objectives = _read_objectives(record)
    calls = sum(len(objective.calls) for objective in objectives)
    if (record["task_count"], record["planned_calls"]) == (len(objectives), calls):
        return None
    return f"says {record['task_count']} tasks and {record['planned_calls']} calls, holds {len(objectives)} and {calls}"


def _find_forward_reference(record: Record) -> str | None:
    earlier: set[str] = set()
    for objective in _read_objectives(record):
        for call in objective.calls:
            for name, source in sorted(call.sources.items()):
                if source.kind == "result" and source.call not in earlier:
                    return f"call {call.id}: {name} comes from {source.call}, which is not an earlier call"
            if call.id in earlier:
                return f"two calls have the id {call.id}"
            earlier.add(call.id)
    return None
