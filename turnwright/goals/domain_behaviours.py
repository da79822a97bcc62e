"""Behaviours over a stateful domain: what is to happen besides reaching the goals, chosen to fit drawn scenarios."""

import random
from collections.abc import Iterator, Sequence

from schemas.goals import BehaviourPlan, KnownDetail
from schemas.tools import DomainTool
from turnwright.environments.base import FaultKind
from turnwright.goals.domain_values import is_known
from turnwright.goals.drafts import DraftObjective
from turnwright.goals.plans import PlanRejected
from turnwright.goals.scenarios import Scenario
from turnwright.goals.words import same_value, say_value

_FAULTS: tuple[FaultKind, ...] = ("timeout", "unavailable", "rate_limit")
_WISHES = (
    "order a taxi for tomorrow morning",
    "translate the answer into Portuguese",
    "check what the weather will be like at the weekend",
    "write a birthday poem for a colleague",
    "set an alarm for seven in the evening",
    "convert 250 dollars into yen at today's rate",
    "recommend a good film for tonight",
    "draw a small chart of it as a picture",
)
"""What no service desk does; the assistant must say so."""

Objectives = Sequence[DraftObjective[DomainTool]]


def plan_forbidden(scenario: Scenario, objective: int) -> BehaviourPlan:
    """The plan of `forbidden_action` for a scenario that policy forbids: the right end is an unchanged state."""
    forbidden = scenario.forbidden
    if forbidden is None:
        raise ValueError(f"{scenario.kind} is not forbidden")
    insists = forbidden.insists or "When it says that it cannot do that, accept it and go on."
    return BehaviourPlan(
        name="forbidden_action",
        objective=objective,
        instruction=f"Ask for task {objective + 1} as it is described. {insists}",
        detail={
            "tools": [forbidden.tool],
            # The rule stands in the domain's policy, which is the system prompt anyway.
            "policy": "",
            "tool": forbidden.tool,
            "arguments": dict(forbidden.arguments),
            "request": scenario.purpose,
            "reason": forbidden.reason,
        },
    )


def choose_domain_behaviour(
    name: str,
    objectives: Objectives,
    scenarios: Sequence[Scenario],
    others: Sequence[Sequence[Scenario]],
    rng: random.Random,
) -> BehaviourPlan:
    """The plan of a behaviour. `others` are further draws of the same person's scenarios, for other values.

    Raises:
        PlanRejected: a domain, or this plan, cannot carry it.
    """
    plan: BehaviourPlan | None
    match name:
        case "missing_parameter":
            plan = _plan_missing(objectives, rng)
        case "changed_mind":
            plan = _plan_change(objectives, scenarios, others, rng)
        case "tool_fault":
            plan = _plan_fault(objectives, rng)
        case "out_of_scope":
            plan = _plan_out_of_scope(objectives, rng)
        case _:
            plan = None
    if plan is None:
        raise PlanRejected("behaviour_not_supported", f"no plan over this domain can carry {name}")
    return plan


def _list_fillers(objectives: Objectives) -> Iterator[tuple[int, KnownDetail, str, str]]:
    """Details said for the first time in an objective which fill a parameter: with its name and the call's id."""
    said: list[KnownDetail] = []
    for index, objective in enumerate(objectives):
        for known in objective.known:
            if any(same_value(known.value, other.value) for other in said):
                continue
            said.append(known)
            for call in objective.calls:
                filled = [
                    name
                    for name, source in call.sources.items()
                    if source.kind == "user"
                    and not isinstance(call.arguments[name], list | dict)
                    and is_known(call.arguments[name], [known])
                    and call.arguments[name] != ""
                ]
                if filled:
                    yield index, known, filled[0], call.id
                    break


def _plan_missing(objectives: Objectives, rng: random.Random) -> BehaviourPlan | None:
    fillers = list(_list_fillers(objectives))
    if not fillers:
        return None
    index, known, parameter, call = rng.choice(fillers)
    return BehaviourPlan(
        name="missing_parameter",
        objective=index,
        instruction=(
            f"When you first bring up task {index + 1}, leave out the {known.label}. "
            f"Say that it is {say_value(known.value)} only once the assistant asks for it."
        ),
        detail={"parameter": parameter, "call": call, "label": known.label, "value": known.value},
    )


def _plan_change(
    objectives: Objectives, scenarios: Sequence[Scenario], others: Sequence[Sequence[Scenario]], rng: random.Random
) -> BehaviourPlan | None:
    """The person names another value first and corrects themselves at once, before anything can be changed."""
    fillers = list(_list_fillers(objectives))
    rng.shuffle(fillers)
    for index, known, parameter, call in fillers:
        for other in (one for drawn in others for one in drawn if one.kind == scenarios[index].kind):
            values = [detail.value for detail in other.known if detail.label == known.label]
            if values and not same_value(values[0], known.value):
                first, final = say_value(values[0]), say_value(known.value)
                return BehaviourPlan(
                    name="changed_mind",
                    objective=index,
                    instruction=(
                        f"When you first bring up task {index + 1}, give {first} as the {known.label}. "
                        f"Correct yourself in the same message, before anything can be changed: you mean {final}."
                    ),
                    detail={
                        "parameter": parameter,
                        "call": call,
                        "label": known.label,
                        "from": values[0],
                        "to": known.value,
                        "same_message": True,
                    },
                )
    return None


def _plan_fault(objectives: Objectives, rng: random.Random) -> BehaviourPlan | None:
    calls = [
        (index, call.tool.name)
        for index, objective in enumerate(objectives)
        for call in objective.calls
        if call.tool.side == "assistant"
    ]
    if not calls:
        return None
    _, tool = rng.choice(calls)
    return BehaviourPlan(
        name="tool_fault",
        objective=next(index for index, name in calls if name == tool),
        instruction="",
        detail={"tool": tool, "kind": rng.choice(_FAULTS), "times": 1},
    )


def _plan_out_of_scope(objectives: Objectives, rng: random.Random) -> BehaviourPlan:
    wish, index = rng.choice(_WISHES), rng.randrange(len(objectives))
    return BehaviourPlan(
        name="out_of_scope",
        objective=index,
        instruction=(
            f"While task {index + 1} is being dealt with, also ask the assistant once to {wish}. "
            "When it says that it cannot, accept that and go on."
        ),
        detail={"request": wish},
    )
