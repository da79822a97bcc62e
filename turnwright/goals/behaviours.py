"""Behaviours: what is to happen in a dialogue besides reaching its goals, chosen to fit a drawn plan."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.goals import BehaviourPlan
from schemas.tools import SqlTool
from turnwright.environments.base import FaultKind
from turnwright.goals.drafts import Detail, DraftCall, DraftObjective
from turnwright.goals.keys import Keys, read_column, required_parameters
from turnwright.goals.row_source import RowSource
from turnwright.goals.values import draw_new_value, is_sayable
from turnwright.goals.words import same_value, say_value
from turnwright.tools.naming import split_words

FAULTS: tuple[FaultKind, ...] = ("timeout", "unavailable", "rate_limit")

WISHES = (
    "order a taxi for tomorrow morning",
    "book a table for four at a restaurant nearby",
    "translate the answer into Portuguese",
    "send everything by post to the office",
    "print two copies of the answer",
    "check what the weather will be like at the weekend",
    "play some quiet music",
    "write a birthday poem for a colleague",
    "set an alarm for seven in the evening",
    "look up the latest football scores on the web",
    "make a phone call to the front desk",
    "convert 250 dollars into yen at today's rate",
    "recommend a good film for tonight",
    "draw a small chart of it as a picture",
)
"""What no tool over a database does; the assistant must say so."""


def choose_behaviour(
    name: str,
    objectives: Sequence[DraftObjective],
    tools: Sequence[SqlTool],
    source: RowSource,
    keys: Keys,
    rng: random.Random,
) -> BehaviourPlan | None:
    """The plan of a behaviour, or none where these objectives cannot carry it.

    The calls must have their final names. `parallel_calls` wants an objective that was drawn for it.
    """
    match name:
        case "missing_parameter":
            return _missing_parameter(objectives, rng)
        case "out_of_scope":
            return _out_of_scope(objectives, tools, rng)
        case "tool_fault":
            return _tool_fault(objectives, rng)
        case "changed_mind":
            return _changed_mind(objectives, source, keys, rng)
        case "parallel_calls":
            return _parallel_calls(objectives)
        case _:
            raise ValueError(f"no such behaviour: {name}")


def _new_details(objectives: Sequence[DraftObjective]) -> Iterator[tuple[int, DraftCall, Detail]]:
    """Details that the person says for the first time in an objective, and that fill a parameter that is required."""
    said: list[Any] = []
    for index, objective in enumerate(objectives):
        for call in objective.calls:
            for detail in call.details:
                known = any(same_value(detail.value, value) for value in said)
                if detail.parameter in required_parameters(call.tool) and not known and detail.operator != "limit":
                    yield index, call, detail
        said += [detail.value for call in objective.calls for detail in call.details]


def _missing_parameter(objectives: Sequence[DraftObjective], rng: random.Random) -> BehaviourPlan | None:
    found = [entry for entry in _new_details(objectives) if entry[2].operator in ("=", "like", "set", "values")]
    if not found:
        return None
    index, call, detail = rng.choice(found)
    return BehaviourPlan(
        name="missing_parameter",
        objective=index,
        instruction=(
            f"When you first bring up task {index + 1}, leave out the {detail.label}. "
            f"Say that it is {say_value(detail.value)} only once the assistant asks for it."
        ),
        detail={"parameter": detail.parameter, "call": call.id, "label": detail.label, "value": detail.value},
    )


def _out_of_scope(
    objectives: Sequence[DraftObjective], tools: Sequence[SqlTool], rng: random.Random
) -> BehaviourPlan | None:
    words = {word for tool in tools for word in split_words(f"{tool.name} {tool.description}") if len(word) > 3}
    wishes = [wish for wish in WISHES if len(words & {word for word in split_words(wish) if len(word) > 3}) < 2]
    if not wishes:
        return None
    wish, index = rng.choice(wishes), rng.randrange(len(objectives))
    return BehaviourPlan(
        name="out_of_scope",
        objective=index,
        instruction=(
            f"While task {index + 1} is being dealt with, also ask the assistant once to {wish}. "
            "When it says that it cannot, accept that and go on."
        ),
        detail={"request": wish},
    )


def _tool_fault(objectives: Sequence[DraftObjective], rng: random.Random) -> BehaviourPlan | None:
    calls = [(index, call) for index, objective in enumerate(objectives) for call in objective.calls]
    index, call = rng.choice(calls)
    first = next(number for number, other in calls if other.tool.name == call.tool.name)
    return BehaviourPlan(
        name="tool_fault",
        objective=min(index, first),
        instruction="",
        detail={"tool": call.tool.name, "kind": rng.choice(FAULTS), "times": 1},
    )


def _changed_mind(
    objectives: Sequence[DraftObjective], source: RowSource, keys: Keys, rng: random.Random
) -> BehaviourPlan | None:
    found = list(_new_details(objectives))
    rng.shuffle(found)
    for index, call, detail in found:
        other = _other_value(detail, source, keys, rng)
        if other is None:
            continue
        reads = all(goal.tool.effect == "read" for goal in objectives[index].goals)
        first, final = say_value(other), say_value(detail.value)
        when = (
            "Once the assistant has answered, say that you meant"
            if reads
            else "Correct yourself in the same message, before anything can be changed: you mean"
        )
        return BehaviourPlan(
            name="changed_mind",
            objective=index,
            instruction=(
                f"When you first bring up task {index + 1}, give {first} as the {detail.label}. {when} {final}."
            ),
            detail={
                "parameter": detail.parameter,
                "call": call.id,
                "label": detail.label,
                "from": other,
                "to": detail.value,
                "same_message": not reads,
            },
        )
    return None


def _other_value(detail: Detail, source: RowSource, keys: Keys, rng: random.Random) -> Any:
    place = keys.place(detail.table, detail.column)
    if place is None or detail.operator not in ("=", "like", "set", "values"):
        return None
    table, column = place
    rows = source.pool(table)
    if detail.operator in ("set", "values") and column.references is None:
        return draw_new_value(table, column, rows, detail.value, rng)
    values = [value for row in rows if (value := read_column(row, column.name)) is not None]
    others = [value for value in values if is_sayable(value) and not same_value(value, detail.value)]
    return rng.choice(others) if others else None


def _parallel_calls(objectives: Sequence[DraftObjective]) -> BehaviourPlan | None:
    for index, objective in enumerate(objectives):
        if len(objective.goals) >= 2:
            return BehaviourPlan(
                name="parallel_calls",
                objective=index,
                instruction=f"Ask for everything in task {index + 1} in one go, in a single message.",
                detail={"calls": [goal.id for goal in objective.goals]},
            )
    return None
