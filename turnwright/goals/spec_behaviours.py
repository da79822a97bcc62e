"""Behaviours of dialogues over specifications: those that need no real rows to be a scenario."""

import random
from collections.abc import Sequence
from typing import Any, cast

from schemas.goals import BehaviourPlan
from schemas.tools import SpecTool
from turnwright.goals.behaviour_places import NEEDS_DATA
from turnwright.goals.behaviours import choose_behaviour
from turnwright.goals.behaviours.mistaken import plan_correction
from turnwright.goals.drafts import Detail, DraftCall, DraftObjective
from turnwright.goals.literals import Cast
from turnwright.goals.spec_parameters import list_parameters
from turnwright.goals.words import comparable


def choose_spec_behaviour(
    name: str,
    objectives: Sequence[DraftObjective[SpecTool]],
    tools: Sequence[SpecTool],
    cast_of: Cast,
    rng: random.Random,
) -> BehaviourPlan | None:
    """The plan of a behaviour, or none where these objectives cannot carry it."""
    if name in NEEDS_DATA:
        return None
    if name == "changed_mind":
        return _change_mind(objectives, cast_of, rng)
    unbound: Any = None  # there are no rows to draw from, and what is left needs none
    return choose_behaviour(name, cast("Any", objectives), cast("Any", tools), unbound, unbound, rng)


def _change_mind(
    objectives: Sequence[DraftObjective[SpecTool]], cast_of: Cast, rng: random.Random
) -> BehaviourPlan | None:
    """The person gives another value first: takes it back at once where something is changed, else after the answer."""
    found = [
        (index, call, detail)
        for index, objective in enumerate(objectives)
        for call in objective.goals
        for detail in call.details
        if not isinstance(detail.value, bool | list)
    ]
    rng.shuffle(found)
    for index, call, detail in found:
        other = _other_value(call, detail, objectives, cast_of)
        if other is None:
            continue
        return plan_correction(index, call, detail, other, at_once=call.tool.effect == "write")
    return None


def _other_value(
    call: DraftCall[SpecTool], detail: Detail, objectives: Sequence[DraftObjective[SpecTool]], cast_of: Cast
) -> Any:
    parameter = next((item for item in list_parameters(call.tool) if item.name == detail.parameter), None)
    if parameter is None:
        return None
    said = frozenset(comparable(known.value) for objective in objectives for known in objective.known)
    return cast_of.draw(parameter, said, fresh=True)
