"""Running a plan whose planner vouches for it: what the calls give and what they change."""

from collections.abc import Sequence

from schemas.tools import Tool
from turnwright.environments.base import Base
from turnwright.goals.drafts import Draft
from turnwright.goals.plans import PlanRejected
from turnwright.goals.proof import Proof
from turnwright.tools.argument_checks import find_argument_problem


def run_plan(draft: Draft[Tool], tools: Sequence[Tool], base: Base, *, seed: str) -> Proof:
    """Runs the calls of a plan in order, in a fresh environment. Blocks.

    Raises:
        PlanRejected: a call does not fit its specification, or gives another result than the plan was drawn with.
    """
    results: dict[str, object] = {}
    environment = base.open(tools, seed=seed, reference_time=draft.reference_time)
    try:
        start = environment.state_digest()
        for call in draft.calls:
            problem = find_argument_problem(call.tool, call.arguments)
            if problem is not None:
                raise PlanRejected("invalid_arguments", f"{call.id} ({call.tool.name}): {problem}")
            result = environment.call(call.tool.name, call.arguments)
            if result.value != call.result:
                kind = result.error.kind if result.error else "another result"
                raise PlanRejected("call_failed", f"{call.id} ({call.tool.name}) gave {kind}")
            results[call.id] = result.value
        return Proof(results, start, environment.state_digest(), tuple(environment.changes()))
    finally:
        environment.close()
