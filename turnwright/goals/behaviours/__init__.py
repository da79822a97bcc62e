"""Behaviours: what is to happen in a dialogue besides reaching its goals, chosen to fit a drawn plan.

One file a family:

* withheld: the person says less than they know (missing_parameter, ambiguous_reference)
* mistaken: the person says what does not hold (changed_mind, wrong_premise)
* refused: the assistant has to decline (out_of_scope, removed_tool, forbidden_action)
* disturbed: a tool fails by code (tool_fault)
* together: several look-ups in one request (parallel_calls)

Each gives a schemas.goals.BehaviourPlan or none where the objectives cannot carry it. Kinds in NEEDS_ROWS draw values
from real rows; the others need only the calls of a plan and the tools' specifications.
"""

import random
from collections.abc import Sequence

from schemas.goals import BehaviourPlan
from schemas.tools import Tool
from schemas.vocabulary import Behaviour
from turnwright.goals.behaviours.disturbed import plan_tool_fault
from turnwright.goals.behaviours.mistaken import plan_changed_mind, plan_wrong_premise
from turnwright.goals.behaviours.refused import plan_forbidden_action, plan_out_of_scope, plan_removed_tool
from turnwright.goals.behaviours.together import plan_parallel_calls
from turnwright.goals.behaviours.withheld import plan_ambiguous_reference, plan_missing_parameter
from turnwright.goals.drafts import DraftObjective
from turnwright.goals.keys import Keys
from turnwright.goals.row_source import RowSource

NEEDS_ROWS: frozenset[Behaviour] = frozenset({"ambiguous_reference", "wrong_premise", "changed_mind"})
"""Kinds that no plan over bare specifications can carry: they need a second real value of a column."""


def choose_behaviour(
    name: str,
    objectives: Sequence[DraftObjective],
    tools: Sequence[Tool],
    source: RowSource | None,
    keys: Keys | None,
    rng: random.Random,
) -> BehaviourPlan | None:
    """The plan of a behaviour, or none where these objectives cannot carry it.

    The calls must have their final names. `parallel_calls` wants an objective that was drawn for it, `forbidden_action`
    one that writes. Without `source` and `keys` the kinds in NEEDS_ROWS give none.

    Raises:
        ValueError: there is no behaviour of that name.
    """
    match name:
        case "missing_parameter":
            return plan_missing_parameter(objectives, rng)
        case "out_of_scope":
            return plan_out_of_scope(objectives, tools, rng)
        case "tool_fault":
            return plan_tool_fault(objectives, tools, rng)
        case "parallel_calls":
            return plan_parallel_calls(objectives)
        case "removed_tool":
            return plan_removed_tool(objectives, tools, rng)
        case "forbidden_action":
            return plan_forbidden_action(objectives, tools, keys, rng)
        case "changed_mind" | "ambiguous_reference" | "wrong_premise":
            if source is None or keys is None:
                return None
            if name == "changed_mind":
                return plan_changed_mind(objectives, source, keys, rng)
            if name == "wrong_premise":
                return plan_wrong_premise(objectives, source, keys, rng)
            return plan_ambiguous_reference(objectives, tools, source, keys, rng)
        case _:
            raise ValueError(f"no such behaviour: {name}")
