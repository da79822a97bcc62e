"""The objectives of a stateless dialogue, one a turn, made of its plans: what the judge and the rules read."""

from collections.abc import Mapping, Sequence
from typing import Literal

from schemas.content import canonical_json
from schemas.goals import KnownDetail, Objective, PlannedCall
from schemas.stateless import Generation, TurnPlan
from schemas.tools import Tool
from turnwright.goals.behaviours.rubrics import state_behaviour
from turnwright.stateless.behaviours import state_plan
from turnwright.stateless.plans import list_literals, list_references
from turnwright.tools.parameter_labels import label_parameter
from turnwright.tools.tool_text import first_sentence

_LONGEST = 120
"""Most characters of one argument that a bullet quotes."""
_NOTHING_CALLED = "The assistant calls no tool for this request and says what it can do instead."


def state_objectives(generation: Generation, tools: Mapping[str, Tool]) -> tuple[Objective, ...]:
    """An objective for each complete turn: its request, its literals, and what must have been called and told.

    Hidden calls stand in the rubric as look-ups, which other ways to the same end may replace. A turn that is declined
    has no calls: what its request says is known, and the rubric wants it refused.
    """
    names: dict[str, str] = {}
    objectives: list[Objective] = []
    for number, turn in enumerate(generation.turns):
        names |= {call.id: call.tool for call in turn.calls}
        details = [
            KnownDetail(label=label_parameter(call.tool, name), value=value)
            for call in (turn.planned if turn.refusal is not None else turn.calls)
            for name, value in list_literals(call)
        ]
        asked = state_behaviour(state_plan(turn, number))
        if turn.refusal is not None:
            rubric = (*asked, _NOTHING_CALLED)
        else:
            rubric = (*asked, *_state_calls(turn.calls, names), _state_outcome(turn.calls, tools))
        objectives.append(
            Objective(
                description=turn.request,
                relation=_relate(turn, number),
                known_details=tuple(details),
                rubric=rubric,
                calls=turn.calls,
                facts=(),
            )
        )
    return tuple(objectives)


def _relate(turn: TurnPlan, number: int) -> Literal["first", "extension", "independent"]:
    if not number:
        return "first"
    return "extension" if turn.refusal is None else "independent"


def _state_calls(calls: Sequence[PlannedCall], names: Mapping[str, str]) -> list[str]:
    """A bullet for each call: its tool and the arguments; hidden ones say what they are for."""
    bullets: list[str] = []
    for call in calls:
        told = [f"{name} = {_quote(value)}" for name, value in list_literals(call)]
        told += [f"{name} = <{field} of {names.get(source, source)}>" for name, source, field in list_references(call)]
        text = f"the assistant uses {call.tool}{f' with {_join(told)}' if told else ''}."
        needed = [name for other in calls for name, source, _ in list_references(other) if source == call.id]
        if call.lookup and needed:
            bullets.append(f"To know the {needed[0].replace('.', ' ')}, {text}")
        else:
            bullets.append(text[0].upper() + text[1:])
    return bullets


def _state_outcome(calls: Sequence[PlannedCall], tools: Mapping[str, Tool]) -> str:
    last = tools.get(calls[-1].tool)
    does = first_sentence(last.description) if last is not None else calls[-1].tool
    done = last is not None and last.effect == "write"
    return f"The assistant says {'whether this is done' if done else 'what came of this'}: {does}."


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _quote(value: object) -> str:
    text = canonical_json(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
