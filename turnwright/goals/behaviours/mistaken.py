"""The person says what does not hold: a value that they take back, or a belief that the data contradicts."""

import random
from collections.abc import Sequence
from typing import Any

from schemas.databases import Column, Table
from schemas.goals import BehaviourPlan, Fact
from schemas.tools import SqlTool
from turnwright.goals.behaviours.new_details import list_new_details
from turnwright.goals.drafts import Detail, DraftCall, DraftObjective
from turnwright.goals.keys import Keys, read_column, result_rows
from turnwright.goals.row_source import RowSource
from turnwright.goals.values import draw_new_value, is_sayable
from turnwright.goals.words import same_value, say_value

_TELLING = 10
"""Smaller numbers turn up in any message."""
MOST_FACTS = 3
"""A person who wants more told than that is asking for a list, and believes nothing about each entry."""


def plan_changed_mind(
    objectives: Sequence[DraftObjective], source: RowSource, keys: Keys, rng: random.Random
) -> BehaviourPlan | None:
    """The person gives one value and then another: in the same message, or after the assistant has answered.

    What is added or removed cannot be taken back with the same tool, so there the correction comes at once; a read, or
    a change of a value, may also be corrected afterwards, and ends in the same state.
    """
    found = list(list_new_details(objectives))
    rng.shuffle(found)
    for index, call, detail in found:
        other = _other_value(detail, source, keys, rng)
        if other is None:
            continue
        reads = all(goal.tool.effect == "read" for goal in objectives[index].goals)
        at_once = rng.random() < 0.3 if reads else detail.operator != "set" or rng.random() < 0.5
        return plan_correction(index, call, detail, other, at_once=at_once)
    return None


def plan_correction(index: int, call: DraftCall[Any], detail: Detail, other: Any, *, at_once: bool) -> BehaviourPlan:
    """The person gives `other` for a detail of an objective, and takes it back: at once, or after the answer."""
    first, final = say_value(other), say_value(detail.value)
    when = (
        "Correct yourself in the same message, before anything can be changed: you mean"
        if at_once
        else "Once the assistant has answered, say that you meant"
    )
    return BehaviourPlan(
        name="changed_mind",
        objective=index,
        instruction=f"When you first bring up task {index + 1}, give {first} as the {detail.label}. {when} {final}.",
        detail={
            "parameter": detail.parameter,
            "call": call.id,
            "label": detail.label,
            "from": other,
            "to": detail.value,
            "same_message": at_once,
        },
    )


def plan_wrong_premise(
    objectives: Sequence[DraftObjective], source: RowSource, keys: Keys, rng: random.Random
) -> BehaviourPlan | None:
    """The person says what they believe of a record, and the value that the assistant reads is another one."""
    found = [
        (index, position, goal)
        for index, objective in enumerate(objectives)
        if len(objective.goals) == 1 and len(objective.facts) <= MOST_FACTS
        for goal in objective.goals
        if len(result_rows(goal.result)) == 1
        for position in range(len(objective.facts))
    ]
    rng.shuffle(found)
    said = [known.value for objective in objectives for known in objective.known]
    said += [fact.value for objective in objectives for fact in objective.facts]
    for index, position, goal in found:
        fact = objectives[index].facts[position]
        place = _place_of(fact, goal, keys)
        if place is None:
            continue
        claimed = _choose_claim(fact, *place, source, said, rng)
        if claimed is None:
            continue
        return BehaviourPlan(
            name="wrong_premise",
            objective=index,
            instruction=(
                f"When you first bring up task {index + 1}, say that as far as you know the {fact.label} is "
                f"{say_value(claimed)}, without asking whether that is so. If the assistant corrects it, accept that."
            ),
            detail={"label": fact.label, "claimed": claimed, "fact": position},
        )
    return None


def _place_of(fact: Fact, goal: DraftCall, keys: Keys) -> tuple[Table, Column] | None:
    """The column that a fact of a one-row result comes from; none where it is computed."""
    row = result_rows(goal.result)[0]
    outputs = goal.tool.outputs if isinstance(goal.tool, SqlTool) else ()  # pyright: ignore[reportUnnecessaryIsInstance]
    shown = [output for output in outputs if same_value(row.get(output.name), fact.value)]
    places = [place for output in shown if (place := keys.place(output.table, output.column)) is not None]
    return places[0] if places and not isinstance(fact.value, bool) else None


def _choose_claim(
    fact: Fact, table: Table, column: Column, source: RowSource, said: Sequence[Any], rng: random.Random
) -> Any:
    """A value of another row, of the same type, that nobody says or is told in this dialogue, if there is one."""
    values = [read_column(row, column.name) for row in source.pool(table)]
    others = [
        value
        for value in values
        if is_sayable(value)
        and _is_telling(value)
        and type(value) is type(fact.value)
        and not any(_is_near(value, told) for told in [fact.value, *said])
    ]
    return rng.choice(others) if others else None


def _is_telling(value: Any) -> bool:
    """Whether nobody would say the value by chance."""
    return abs(value) >= _TELLING if isinstance(value, int | float) else len(say_value(value)) >= 3


def _is_near(one: Any, other: Any) -> bool:
    """Whether two values could be taken for one another: equal, one part of the other, or the same but for rounding."""
    numbers = [value for value in (one, other) if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == 2:
        return abs(numbers[0] - numbers[1]) <= 0.05 * max(abs(numbers[0]), abs(numbers[1]))
    left, right = say_value(one).casefold(), say_value(other).casefold()
    return left in right or right in left


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
