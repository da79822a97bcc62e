"""What is expected of the table `dialogues`."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from pathlib import Path

import great_expectations.expectations as gxe

from data_checks.expectations import ExpectRatioOfSumsToBeBetween, expect, expect_band
from data_checks.frames import Record, RowChecks, parse_json, read_frame
from data_checks.parents import Parents
from data_checks.schema_consistency import compile_tools, find_argument_problem, find_result_problem
from data_checks.shape import check_rows, list_missing_parents, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.rows import TableRef
from schemas.vocabulary import WITHOUT_USER_SIMULATOR
from turnwright.statistics.dialogue_figures import count_steps, measure_dialogue, read_messages

TABLE = "dialogues"
REFERENCES = {"seed_id": "seeds", "toolset_id": "toolsets", "dialogue_task_id": "dialogue_tasks"}

# The environment says of these calls itself that they did not fit, and did not run them.
_NOT_RUN = frozenset({"unknown_tool", "invalid_arguments"})


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """Counts are those of the messages, calls that ran fit their tools, and dialogues are about as long as usual."""

    def find_argument_misfit(record: Record) -> str | None:
        tools = compile_tools(parents.column("toolsets", "tools")[record["toolset_id"]])
        for call in parse_json(record, "calls"):
            if call["error"] in _NOT_RUN:
                continue
            if call["tool"] not in tools:
                return f"call {call['call_id']}: {call['tool']} is not in the toolset, and ran"
            if problem := find_argument_problem(tools[call["tool"]], call["arguments"]):
                return f"call {call['call_id']}: {problem}"
        return None

    def find_result_misfit(record: Record) -> str | None:
        tools = compile_tools(parents.column("toolsets", "tools")[record["toolset_id"]])
        for call in parse_json(record, "calls"):
            if call["error"] is None and call["tool"] in tools:
                problem = find_result_problem(tools[call["tool"]], call["result"])
                if problem:
                    return f"call {call['call_id']}: {problem}"
        return None

    rules = {"counts_match_messages": _find_miscount, "unfinished_says_why": _find_unexplained}
    if parents.has("toolsets"):
        rules |= {"arguments_fit_the_specs": find_argument_misfit, "results_fit_the_output_schemas": find_result_misfit}
    own = RowChecks(
        rules=rules,
        figures={
            "tool_requests": lambda record: sum(map(bool, count_steps(read_messages(record["messages"])))),
            # Where nobody plays the user there is one user message for each task, by what these dialogues are.
            "one_request": lambda record: float(
                record["requests"] == 1 and record["paradigm"] not in WITHOUT_USER_SIMULATOR
            ),
        },
    )
    checks = check_rows(TABLE, REFERENCES, parents, own)
    frame = read_frame(Path(reference.path), TABLE, checks)
    expectations = [*list_shape_expectations(TABLE, checks), *_expect_statistics(config)]
    return Suite([SuiteFrame(TABLE, frame, expectations)], list_missing_parents(REFERENCES, parents))


def _expect_statistics(config: RunConfig) -> list[object]:
    limits = config.checks
    longest = limits.mean_turns.fail[1]
    return [
        expect(gxe.ExpectCompoundColumnsToBeUnique, "trial_is_unique", column_list=["dialogue_task_id", "trial"]),
        *expect_band(gxe.ExpectColumnMeanToBeBetween, "mean_turns", limits.mean_turns, column="turns"),
        *expect_band(
            ExpectRatioOfSumsToBeBetween,
            "mean_steps",
            limits.mean_steps,
            numerator="steps",
            denominator="tool_requests",
        ),
        *expect_band(gxe.ExpectColumnMeanToBeBetween, "mean_tasks", limits.mean_tasks, column="task_count"),
        *expect_band(
            gxe.ExpectColumnMeanToBeBetween,
            "one_turn_share",
            limits.one_turn_share,
            column="one_request",
            shows="requests",
        ),
        # Half of all dialogues shorter than the usual mean, or a tenth longer than a dialogue may be, is no accident.
        expect(
            gxe.ExpectColumnQuantileValuesToBeBetween,
            "turns_quantiles",
            "warn",
            column="turns",
            quantile_ranges={
                "quantiles": [0.1, 0.5, 0.9],
                "value_ranges": [
                    [limits.mean_turns.fail[0], None],
                    [limits.mean_turns.warn[0], limits.mean_turns.warn[1]],
                    [None, longest if longest is not None else config.limits.turns],
                ],
            },
        ),
        # The limit is looked at before a model is asked, so the calls of one reply and a last word may go beyond it.
        expect(
            gxe.ExpectColumnMaxToBeBetween,
            "longest_dialogue",
            "warn",
            column="turns",
            max_value=config.limits.turns + config.limits.calls_per_request + 2,
        ),
    ]


def _find_miscount(record: Record) -> str | None:
    figures = measure_dialogue(read_messages(record["messages"]))
    said = (record["turns"], record["requests"], record["steps"])
    found = (figures.turns, figures.requests, sum(figures.steps))
    if said == found:
        return None
    return "says {} turns, {} requests, {} steps; the messages have {}, {}, {}".format(*said, *found)


def _find_unexplained(record: Record) -> str | None:
    if record["ending"] != "task_complete" and not record["detail"]:
        return f"ended with {record['ending']} without a detail"
    return None
