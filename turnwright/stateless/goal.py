"""What a recorded dialogue was to achieve: as its task says, or in a stateless one as its turns were made."""

from collections.abc import Mapping

from pydantic import TypeAdapter

from schemas.goals import BehaviourPlan, Objective
from schemas.rows import DialogueRow, DialogueTaskRow
from schemas.stateless import Generation
from schemas.tools import Tool
from turnwright.rollout.tool_calls import read_behaviour
from turnwright.stateless.behaviours import fill_behaviour
from turnwright.stateless.objectives import state_objectives

_OBJECTIVES = TypeAdapter(tuple[Objective, ...])


def read_generation(row: DialogueRow) -> Generation | None:
    """How a stateless dialogue came about; none of others."""
    return None if row.generation == "null" else Generation.model_validate_json(row.generation)


def read_objectives(
    task: DialogueTaskRow, generation: Generation | None, tools: Mapping[str, Tool]
) -> tuple[Objective, ...]:
    """What the user was to pursue; of a stateless dialogue, what its turns were planned for."""
    if generation is not None:
        return state_objectives(generation, tools)
    return _OBJECTIVES.validate_json(task.objectives)


def read_filled_behaviour(task: DialogueTaskRow, generation: Generation | None) -> BehaviourPlan | None:
    """What was to happen; in a stateless dialogue, with what its turn made of it."""
    plan = read_behaviour(task)
    return plan if generation is None else fill_behaviour(plan, generation)
