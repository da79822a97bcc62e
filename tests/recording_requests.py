"""Requests of a real model for given plans, and the calls that it reads out of them again, good and damaged."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from recorded_plans import PLANS, list_links, read_service
from recording import ROOT
from stateless_world import draft, task

from schemas.config import RunConfig
from schemas.goals import PlannedCall
from schemas.messages import Message
from schemas.replies import PlanDraft
from schemas.stateless import Scenario
from schemas.vocabulary import Role
from turnwright.goals.personas import draw_persona
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.roles import assistant
from turnwright.rollout.conversation import Conversation
from turnwright.stateless.back_translation import check_recovered, is_same_plan
from turnwright.stateless.candidates import Account, Candidate
from turnwright.stateless.execution import Progress
from turnwright.stateless.plans import read_plan
from turnwright.stateless.request_checks import list_required
from turnwright.stateless.requests import Plan, Spoken, draw_recovered
from turnwright.stateless.steps import Steps, Try, TurnFailed
from turnwright.stateless.turns import TurnMaker

CONFIG = ROOT / "tests" / "recorded" / "requests.yaml"
JOURNAL = ROOT / "tests" / "recorded" / "requests"
FACTS = ROOT / "tests" / "recorded" / "requests.json"
DAMAGED = 1
"""The try of a damaged request: its draws are not those of the whole one."""


@dataclass(frozen=True)
class Errand:
    """What became of one plan."""

    number: int
    steps: Steps
    planned: Plan
    spoken: Spoken | None
    """None where no request, or none that could be translated back, came out."""
    damaged: str | None
    """The request without one value that it said; none where there is no request."""
    lost: Any
    """That value."""
    recovered: Plan | None
    """What the damaged request was taken for; none where every reading of it was rejected."""


class GivenPlans:
    """Has the interface of `Models`: the planner's part is given, all else is asked."""

    def __init__(self, models: Models, planned: Plan) -> None:
        self._models = models
        self._planned = planned

    def name_of(self, role: Role) -> str:
        """Model that plays a role."""
        return self._models.name_of(role)

    async def structured(
        self, role: Role, messages: Sequence[Message], *, fields: Mapping[str, Any] | None = None, **more: Any
    ) -> StructuredReply[Any]:
        """The given plan, or what the model says."""
        if role == "planner":
            return StructuredReply(draft(*self._planned), (), False)
        return await self._models.structured(role, messages, fields=fields, **more)


def rebuild_errands(config: RunConfig, journal: Journal, *, offline: bool) -> list[Errand]:
    """All plans, put into words and read again.

    Raises:
        NotInJournal: offline, and a request is not the recorded one.
    """
    return asyncio.run(_rebuild(config, journal, offline=offline))


async def _rebuild(config: RunConfig, journal: Journal, *, offline: bool) -> list[Errand]:
    async with Models(config, journal=journal, offline=offline) as models:
        runs = (_run(number, models, config) for number in range(len(PLANS)))
        return list(await asyncio.gather(*runs))


async def _run(number: int, models: Models, config: RunConfig) -> Errand:
    service, planned = PLANS[number]
    tools = read_service(service)
    row = task((3,), domain=service, slot=number, seed=number)
    scenario = Scenario(
        sampler="random", tools=tuple(tool.name for tool in tools), links=list_links(tools), lengths=(3,), hints=0
    )
    given: Any = GivenPlans(models, planned)
    steps = Steps(
        task=row,
        scenario=scenario,
        persona=draw_persona(f"errand:{number}"),
        tools={tool.name: tool for tool in tools},
        models=given,
        config=config,
        trial=0,
        account=Account(),
        behaviour=None,
        removed=None,
    )
    progress = Progress(Conversation.start(assistant.system_prompt(service, row.reference_time)))
    try:
        spoken = await TurnMaker(steps).speak(0, 0, progress, (), withholds=False)
    except TurnFailed:
        return Errand(number, steps, planned, None, None, None, None)
    damaged, lost = damage(spoken.request, planned)
    recovered = await _read_again(steps, damaged, planned, progress)
    return Errand(number, steps, planned, spoken, damaged, lost, recovered)


def damage(request: str, planned: Sequence[PlannedCall]) -> tuple[str, Any]:
    """A request without the last value that it says word for word, and that value."""
    for _, value in reversed(list_required(planned)):
        shorter = re.sub(rf"(?<!\w){re.escape(str(value))}(?!\w)", "that", request, flags=re.IGNORECASE)
        if shorter != request:
            return shorter, value
    raise AssertionError(f"nothing of the plan stands in {request!r}")


async def _read_again(steps: Steps, request: str, planned: Plan, progress: Progress) -> Plan | None:
    def read(reply: PlanDraft) -> Candidate[Plan]:
        plan = read_plan(reply, steps.tools, ())
        problems = check_recovered(plan.calls, planned, steps.tools, (), most=len(planned) + 1)
        return Candidate(plan.calls, (*plan.problems, *problems), (-float(len(plan.calls)),))

    try:
        best, _ = await draw_recovered(steps, Try(0, DAMAGED), request, (), progress, len(planned) + 1, read)
    except TurnFailed:
        return None
    return best


def count_facts(errands: Sequence[Errand]) -> dict[str, Any]:
    """The yield of each step, and why the rest was rejected."""
    drawn: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for errand in errands:
        drawn.update(errand.steps.account.candidates)
        for rejection in errand.steps.account.rejections:
            stage = "damaged" if rejection.attempt == DAMAGED else rejection.stage
            reasons.setdefault(stage, Counter())[rejection.code] += 1
    said = [errand for errand in errands if errand.spoken is not None]
    return {
        "plans": len(errands),
        "candidates": dict(sorted(drawn.items())),
        "with_a_request": sum(_has_request(errand) for errand in errands),
        "translated_back": len(said),
        "same_plan": sum(is_same_plan(errand.planned, errand.spoken.calls) for errand in said if errand.spoken),
        "damaged": len(said),
        "damaged_accepted": sum(errand.recovered is not None for errand in said),
        "rejections": {stage: dict(sorted(codes.items())) for stage, codes in sorted(reasons.items())},
    }


def _has_request(errand: Errand) -> bool:
    return errand.spoken is not None or any(
        rejection.stage == "back_translation" for rejection in errand.steps.account.rejections
    )


def read_requests_config() -> RunConfig:
    """The config of the recording; its tools are read by `recorded_plans`."""
    return RunConfig.model_validate(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
