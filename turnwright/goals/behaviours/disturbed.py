"""A tool that fails by code: the call gives an error, or a result that is broken, incomplete or old, and says so."""

import random
from collections.abc import Sequence

from schemas.goals import BehaviourPlan
from schemas.tools import SqlTool, Tool
from turnwright.environments.base import FaultKind
from turnwright.goals.drafts import DraftCall, DraftObjective
from turnwright.goals.keys import result_rows
from turnwright.goals.words import same_value

ERRORS: tuple[FaultKind, ...] = ("timeout", "unavailable", "rate_limit", "http_500")
"""The call gives nothing and changes nothing."""
SPOILT: tuple[FaultKind, ...] = ("malformed", "partial", "stale")
"""The call gives a spoilt result; only reads can, because nobody could tell whether a write was made."""
FAULTS = ERRORS + SPOILT


def plan_tool_fault(
    objectives: Sequence[DraftObjective], tools: Sequence[Tool], rng: random.Random
) -> BehaviourPlan | None:
    """The first calls of one of the plan's tools fail, once or twice: then a retry mends it, or the user has to know.

    A tool is never broken for good, because then nobody could say whether its objective was met. One that few others
    can stand in for is drawn more often: an assistant that takes another way never meets the fault.
    """
    calls = [(index, call) for index, objective in enumerate(objectives) for call in objective.calls]
    if not calls:
        return None
    weights = [1.0 / (1 + _count_rivals(call, objectives[index], tools)) ** 2 for index, call in calls]
    index, call = rng.choices(calls, weights)[0]
    first = next(number for number, other in calls if other.tool.name == call.tool.name)
    return BehaviourPlan(
        name="tool_fault",
        objective=min(index, first),
        instruction="",
        detail={"tool": call.tool.name, "kind": _choose_kind(call, rng), "times": rng.choice((1, 1, 2))},
    )


def _count_rivals(call: DraftCall, objective: DraftObjective, tools: Sequence[Tool]) -> int:
    """How many other tools show what the plan needs of a call: the facts of a goal, the key that a look-up finds."""
    tool: Tool = call.tool
    if not isinstance(tool, SqlTool) or tool.effect == "write":  # pyright: ignore[reportUnnecessaryIsInstance]
        return 0
    used = {source.field for other in objective.calls for source in other.sources.values() if source.call == call.id}
    if not used:
        told = [fact.value for fact in objective.facts]
        rows = result_rows(call.result)
        used = {name for row in rows for name, value in row.items() if any(same_value(value, one) for one in told)}
    wanted = {(output.table, output.column) for output in tool.outputs if output.name in used and output.column}
    reads = [other for other in tools if isinstance(other, SqlTool) and other.name != tool.name]
    return sum(1 for other in reads if wanted & {(output.table, output.column) for output in other.outputs})


def _choose_kind(call: DraftCall, rng: random.Random) -> FaultKind:
    if call.tool.effect == "write":
        return rng.choice(ERRORS)
    return rng.choice(ERRORS if rng.random() < 0.5 else SPOILT)
