"""Behaviours of stateless dialogues: planned for a turn with the scenario, filled in by what the turn came to."""

import random
from collections.abc import Sequence
from typing import Any

from schemas.goals import BehaviourPlan
from schemas.stateless import FieldLink, Generation, TurnPlan
from schemas.tools import Tool
from turnwright.goals.behaviours.disturbed import ERRORS, FAULTS
from turnwright.goals.behaviours.refused import list_alike, list_wishes
from turnwright.goals.verb_phrases import verb_phrase

REFUSED = frozenset({"out_of_scope", "removed_tool"})
"""Behaviours with which one turn asks for what no offered tool does."""
OF_A_TURN = REFUSED | {"missing_parameter"}
"""Behaviours that one turn is made for."""
FEWEST_TURNS = 2
"""Fewest turns of a dialogue with one of them: it is never all that is asked for."""
_LEANS_BACK = frozenset("answer everything it".split())
"""Words of a wish that speak of what was found before."""


def plan_behaviour(
    name: str,
    tools: Sequence[Tool],
    offered: set[str],
    links: Sequence[FieldLink],
    turns: int,
    rng: random.Random,
) -> BehaviourPlan | None:
    """What happens besides, and in which turn; none where nothing is to happen, or the tools cannot carry it.

    Args:
        name: `none`, or a behaviour that behaviour_places.IN_PLANS has.
        tools: all of the toolset.
        offered: names of those that the scenario drew.
        links: the edges between all of them.
        turns: turns of the dialogue.
        rng: chance.
    """
    turn, detail = 0, dict[str, Any]()
    match name:
        case "none":
            return None
        case "tool_fault":
            detail = _plan_fault(tools, offered, links, rng)
        case "missing_parameter":
            turn = rng.randrange(turns)
        case "out_of_scope":
            wishes = list_wishes([tool for tool in tools if tool.name in offered])
            if not wishes:
                return None
            wish = rng.choice(wishes)
            turn = rng.randrange(1 if _LEANS_BACK & {*wish.split()} else 0, turns)
            detail = {"request": wish}
        case "removed_tool":
            turn = rng.randrange(turns)
            found = _plan_removal(tools, offered, links, rng)
            if found is None:
                return None
            detail = found
        case _:
            pass
    return BehaviourPlan(name=name, objective=turn, instruction="", detail=detail)


def fill_behaviour(plan: BehaviourPlan | None, generation: Generation) -> BehaviourPlan | None:
    """The plan with what the dialogue made of it, as the checks of behaviours read it.

    `said` is what the user said in that turn, and empty where the turn did not come about. Behaviours that are no
    matter of one turn stay as they are.
    """
    if plan is None or plan.name not in OF_A_TURN:
        return plan
    made = (state_plan(turn, number) for number, turn in enumerate(generation.turns))
    own = next((each for each in made if each is not None), None)
    if own is None:
        return plan.model_copy(update={"detail": {**plan.detail, "said": ""}})
    return plan.model_copy(update={"objective": own.objective, "detail": {**plan.detail, **own.detail}})


def state_plan(turn: TurnPlan, number: int) -> BehaviourPlan | None:
    """The behaviour that a turn carries out by its own making; none where it is a turn like others."""
    if turn.refusal is not None:
        name, detail = turn.refusal.behaviour, {"request": turn.refusal.wish}
    elif turn.clarification is not None:
        own = turn.clarification
        name = "missing_parameter"
        detail = {"parameter": own.parameter, "call": own.call, "label": own.label, "value": own.value}
    else:
        return None
    return BehaviourPlan(name=name, objective=number, instruction="", detail={**detail, "said": turn.request})


def _plan_fault(
    tools: Sequence[Tool], offered: set[str], links: Sequence[FieldLink], rng: random.Random
) -> dict[str, Any]:
    """A tool that others need, and how it fails."""
    name = rng.choice(sorted({link.source for link in links if {link.source, link.target} <= offered}))
    effect = next(tool.effect for tool in tools if tool.name == name)
    kind = rng.choice(FAULTS if effect == "read" else ERRORS)
    return {"tool": name, "kind": kind, "times": rng.choice((1, 1, 2))}


def _plan_removal(
    tools: Sequence[Tool], offered: set[str], links: Sequence[FieldLink], rng: random.Random
) -> dict[str, Any] | None:
    """The tool that a request is planned for and that is not offered, with those that would do the same.

    Best is one beside the tools that were drawn, which then stay all, and that makes use of what they return: the
    request sounds like any other. What stays must still feed each other.
    """
    ranked: dict[tuple[bool, bool], list[tuple[Tool, set[str]]]] = {}
    for tool in tools:
        gone = list_alike(tool, tools)
        left = offered - gone
        if any({link.source, link.target} <= left for link in links):
            fed = any(link.target == tool.name and link.source in left for link in links)
            ranked.setdefault((bool(gone & offered), not fed), []).append((tool, gone))
    if not ranked:
        return None
    tool, gone = rng.choice(ranked[min(ranked)])
    left = offered - gone
    feeding = [link.model_dump() for link in links if link.target == tool.name and link.source in left]
    names = [tool.name, *sorted(gone - {tool.name})]
    return {"tools": names, "request": verb_phrase(tool.description), "links": feeding}
