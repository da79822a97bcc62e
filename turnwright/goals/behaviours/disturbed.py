"""A tool that fails by code: the call gives an error, or a result that is broken, incomplete or old, and says so."""

import random
from collections.abc import Sequence

from schemas.goals import BehaviourPlan
from turnwright.environments.base import FaultKind
from turnwright.goals.drafts import DraftCall, DraftObjective

ERRORS: tuple[FaultKind, ...] = ("timeout", "unavailable", "rate_limit", "http_500")
"""The call gives nothing and changes nothing."""
SPOILT: tuple[FaultKind, ...] = ("malformed", "partial", "stale")
"""The call gives a spoilt result; only reads can, because nobody could tell whether a write was made."""
FAULTS = ERRORS + SPOILT


def plan_tool_fault(objectives: Sequence[DraftObjective], rng: random.Random) -> BehaviourPlan | None:
    """The first calls of one of the plan's tools fail, once or twice: then a retry mends it, or the user has to know.

    A tool is never broken for good, because then nobody could say whether its objective was met.
    """
    calls = [(index, call) for index, objective in enumerate(objectives) for call in objective.calls]
    if not calls:
        return None
    index, call = rng.choice(calls)
    first = next(number for number, other in calls if other.tool.name == call.tool.name)
    return BehaviourPlan(
        name="tool_fault",
        objective=min(index, first),
        instruction="",
        detail={"tool": call.tool.name, "kind": _choose_kind(call, rng), "times": rng.choice((1, 1, 2))},
    )


def _choose_kind(call: DraftCall, rng: random.Random) -> FaultKind:
    if call.tool.effect == "write":
        return rng.choice(ERRORS)
    return rng.choice(ERRORS if rng.random() < 0.5 else SPOILT)
