"""Plans over a stateful domain: what a person wants, as calls on real records, from the domain's scenarios or tasks."""

import datetime
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.content import canonical_json
from schemas.goals import ArgumentSource, BehaviourPlan, KnownDetail
from schemas.seeds import DomainSeed
from schemas.tools import DomainTool
from schemas.vocabulary import Difficulty
from turnwright.environments.base import Base
from turnwright.environments.domain import DomainBase, DomainEnvironment
from turnwright.goals.difficulty import RANK, measure_difficulty
from turnwright.goals.domain_behaviours import choose_domain_behaviour, plan_forbidden
from turnwright.goals.domain_proof import prove_domain_plan
from turnwright.goals.domain_tasks import plan_given_task
from turnwright.goals.domain_values import Earlier, is_known, trace_argument
from turnwright.goals.drafts import Detail, Draft, DraftCall, DraftObjective, number_calls
from turnwright.goals.plans import PlanRejected
from turnwright.goals.scenarios import Scenario, ScenarioCall, ScenarioSource
from turnwright.goals.slots import Slot
from turnwright.goals.wording import says_value
from turnwright.goals.words import same_value, say_value
from turnwright.tools.naming import to_words

_SKELETONS = 8
_PEOPLE_TRIED = 12
_WRITE_SHARE: dict[Difficulty, float] = {"easy": 0.4, "medium": 0.6, "hard": 0.75}
_EXTENSION_SHARE = 0.45
FORBIDDEN = "forbidden_action"


@dataclass
class _Skeleton:
    """The objectives of one plan while they are drawn, all for one person."""

    person: str
    environment: DomainEnvironment
    objectives: list[DraftObjective[DomainTool]] = field(default_factory=list[DraftObjective[DomainTool]])
    scenarios: list[Scenario] = field(default_factory=list[Scenario])
    forbidden: BehaviourPlan | None = None

    @property
    def calls(self) -> list[DraftCall[DomainTool]]:
        return [call for objective in self.objectives for call in objective.calls]


def draw_domain_plan(
    slot: Slot, seed: DomainSeed, tools: Sequence[DomainTool], base: Base, draw: int
) -> Draft[DomainTool]:
    """A proved plan for a slot; `draw` numbers the attempts, so that another one gives another plan.

    A share of the slots without a behaviour gets a task that the domain brings along, whatever number of objectives
    they ask for: such a task is one objective. The others get scenarios of one person, of which the skeleton nearest
    to what the slot asks for is taken. Blocks: it runs the domain.

    Raises:
        PlanRejected: nothing worked out, or the domain cannot carry the behaviour.
    """
    if not isinstance(base, DomainBase):
        raise PlanRejected("no_domain", f"{seed.name} was not opened as a domain")
    now = seed.reference_time or draw_time(slot.seed)
    source = base.domain
    chance = random.Random(f"{slot.seed}:own")
    writes_scenarios = isinstance(source, ScenarioSource)
    if seed.tasks and slot.behaviour == "none" and (not writes_scenarios or chance.random() < seed.own_tasks):
        task = random.Random(f"{slot.seed}:task:{draw}").choice(seed.tasks)
        return plan_given_task(task, tools, base, now, slot.seed)
    if not isinstance(source, ScenarioSource):
        raise PlanRejected("no_scenarios", f"{seed.name} has no task for a dialogue with {slot.behaviour}")
    best: tuple[tuple[int, int], Draft[DomainTool]] | None = None
    reason = PlanRejected("no_plan", f"no scenario could be drawn for {slot.task_count} tasks")
    for attempt in range(_SKELETONS):
        rng = random.Random(f"{slot.seed}:plan:{draw}:{attempt}")
        try:
            draft = _draw_skeleton(slot, tools, base, source, now, rng)
            prove_domain_plan(draft, tools, base, seed=slot.seed)
        except PlanRejected as rejection:
            reason = rejection
            continue
        away = abs(RANK[draft.difficulty] - RANK[slot.difficulty])
        misses = (slot.task_count - len(draft.objectives), away)
        if best is None or misses < best[0]:
            best = (misses, draft)
        if misses == (0, 0):
            break
    if best is None:
        raise reason
    return best[1]


def draw_time(seed: str) -> str:
    """A time that counts as now, for domains without one: ISO 8601 without a zone, in office hours of 2024 to 2026."""
    rng = random.Random(f"{seed}:now")
    day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(3 * 365))
    return datetime.datetime(day.year, day.month, day.day, rng.randint(8, 18), rng.randrange(60)).isoformat(
        timespec="seconds"
    )


def _draw_skeleton(
    slot: Slot,
    tools: Sequence[DomainTool],
    base: DomainBase,
    source: ScenarioSource,
    now: str,
    rng: random.Random,
) -> Draft[DomainTool]:
    people = source.people(base.start())
    if not people:
        raise PlanRejected("no_people", "the database has nobody who could want something")
    best: _Skeleton | None = None
    for _ in range(_PEOPLE_TRIED):
        environment = base.open(tools, seed=slot.seed, reference_time=now)
        skeleton = _Skeleton(rng.choice(people), environment)
        _fill_skeleton(skeleton, slot, tools, base, source, rng)
        if slot.behaviour == FORBIDDEN and skeleton.forbidden is None:
            continue
        if best is None or len(skeleton.objectives) > len(best.objectives):
            best = skeleton
        if len(best.objectives) == slot.task_count:
            break
    if best is None or not best.objectives:
        raise PlanRejected("no_plan", f"no scenario could be drawn over {len(tools)} tools for {slot.behaviour}")
    numbered = number_calls(best.objectives)
    behaviour = best.forbidden
    if slot.behaviour not in ("none", FORBIDDEN):
        others = [list(source.scenarios(base.start(), best.person, now, rng)) for _ in range(3)]
        behaviour = choose_domain_behaviour(slot.behaviour, numbered, best.scenarios, others, rng)
    name = source.full_name(base.start(), best.person)
    return Draft(numbered, behaviour, measure_difficulty(numbered), now, person=name)


def _fill_skeleton(
    skeleton: _Skeleton,
    slot: Slot,
    tools: Sequence[DomainTool],
    base: DomainBase,
    source: ScenarioSource,
    rng: random.Random,
) -> None:
    special = rng.randrange(slot.task_count) if slot.behaviour == FORBIDDEN else -1
    by_name = {tool.name: tool for tool in tools}
    for position in range(slot.task_count):
        view = skeleton.environment.view()
        offered = list(source.scenarios(view, skeleton.person, skeleton.environment.now, rng))
        used = {scenario.kind for scenario in skeleton.scenarios}
        usable = [
            scenario
            for scenario in offered
            if scenario.kind not in used
            and (scenario.forbidden is not None) == (position == special)
            and all(call.tool in by_name for call in scenario.calls)
            and not _meddles(scenario, skeleton)
        ]
        for scenario in _order(usable, skeleton, slot, by_name, rng):
            objective = _make_objective(scenario, skeleton, by_name)
            if objective is None:
                _go_back(skeleton, base, tools)
                continue
            if scenario.forbidden is not None:
                skeleton.forbidden = plan_forbidden(scenario, position)
            skeleton.objectives.append(objective)
            skeleton.scenarios.append(scenario)
            break
        else:
            return


def _meddles(scenario: Scenario, skeleton: _Skeleton) -> bool:
    """Whether one objective may use a tool that another must not: then no call of it could be judged."""
    used = {call.tool for call in scenario.calls}
    if skeleton.forbidden is not None and used & set(skeleton.forbidden.detail["tools"]):
        return True
    made = {call.tool.name for call in skeleton.calls}
    return scenario.forbidden is not None and scenario.forbidden.tool in made


def _order(
    scenarios: Sequence[Scenario],
    skeleton: _Skeleton,
    slot: Slot,
    tools: Mapping[str, DomainTool],
    rng: random.Random,
) -> list[Scenario]:
    """Scenarios in the order in which they are tried: chance, bent towards writes and towards what came before."""
    wanted = rng.random() < _WRITE_SHARE[slot.difficulty]
    extension = bool(skeleton.scenarios) and rng.random() < _EXTENSION_SHARE
    abouts = {scenario.about for scenario in skeleton.scenarios}

    def weigh(scenario: Scenario) -> float:
        writes = any(tools[call.tool].effect == "write" for call in scenario.calls)
        linked = bool(scenario.about) and scenario.about in abouts
        return (3.0 if writes == wanted else 1.0) * (6.0 if linked == extension else 1.0)

    drawn = [(rng.random() ** (1.0 / weigh(scenario)), scenario) for scenario in scenarios]
    return [scenario for _, scenario in sorted(drawn, key=lambda entry: -entry[0])]


def _make_objective(
    scenario: Scenario, skeleton: _Skeleton, tools: Mapping[str, DomainTool]
) -> DraftObjective[DomainTool] | None:
    """The scenario run in the skeleton's environment, or none where a call fails or wants what nobody knows."""
    known = _merge_known([known for objective in skeleton.objectives for known in objective.known], scenario.known)
    made: list[DraftCall[DomainTool]] = []
    seen = {_identify(call): call for call in skeleton.calls}
    for call in scenario.calls:
        result = skeleton.environment.call(call.tool, call.arguments)
        if result.error is not None:
            return None
        before = seen.get(canonical_json([call.tool, dict(call.arguments)]))
        if call.lookup and before is not None and before.result == result.value:
            continue  # what it tells is known since then
        sources = _trace(call, known, [*skeleton.calls, *made])
        if sources is None:
            return None
        details = tuple(
            Detail(to_words(name), to_words(name), call.arguments[name], name, None, None, "=")
            for name, source in sources.items()
            if source.kind == "user" and not isinstance(call.arguments[name], list | dict)
        )
        name = f"d{len(skeleton.calls) + len(made) + 1}"
        tool = tools[call.tool]
        made.append(
            DraftCall[DomainTool](name, tool, dict(call.arguments), sources, details, result.value, call.lookup)
        )
    told = [fact.value for objective in skeleton.objectives for fact in objective.facts]
    facts = tuple(fact for fact in scenario.facts if not any(same_value(fact.value, value) for value in told))
    if scenario.facts and not facts and all(call.tool.effect == "read" for call in made):
        return None
    abouts = {earlier.about for earlier in skeleton.scenarios}
    linked = bool(scenario.about) and scenario.about in abouts
    said = [detail.value for objective in skeleton.objectives for detail in objective.known]
    own = [
        detail
        for detail in scenario.known
        if says_value(scenario.purpose, detail.value) or not any(same_value(detail.value, value) for value in said)
    ]
    return DraftObjective[DomainTool](
        relation="first" if not skeleton.objectives else "extension" if linked else "independent",
        calls=tuple(made),
        facts=facts,
        purpose=_say_identity(scenario.purpose, own),
        known=tuple(own),
    )


def _say_identity(purpose: str, known: Sequence[KnownDetail]) -> str:
    """The purpose with what it leaves out of the details: by what the person is known to the service."""
    rest = [detail for detail in known if not says_value(purpose, detail.value)]
    if not rest:
        return purpose
    owner = "".join(f" of {detail.value}" for detail in rest if detail.label == "name")
    said = " and ".join(f"the {detail.label} {say_value(detail.value)}" for detail in rest if detail.label != "name")
    return f"{purpose}, for the account{owner}{' with ' + said if said else ''}"


def _trace(
    call: ScenarioCall, known: Sequence[KnownDetail], before: Sequence[DraftCall[DomainTool]]
) -> dict[str, ArgumentSource] | None:
    earlier = [Earlier(other.id, other.result) for other in before]
    sources: dict[str, ArgumentSource] = {}
    for name, value in call.arguments.items():
        if name in call.worked_out and not (not isinstance(value, list | dict) and is_known(value, known)):
            last = earlier[-1].id if earlier else None
            source = ArgumentSource(kind="result", call=last) if last else ArgumentSource(kind="default")
        else:
            source = trace_argument(value, known, earlier)
        if source is None:
            return None
        sources[name] = source
    return sources


def _merge_known(earlier: Sequence[KnownDetail], own: Sequence[KnownDetail]) -> list[KnownDetail]:
    merged = {canonical_json([detail.label, detail.value]): detail for detail in (*earlier, *own)}
    return list(merged.values())


def _identify(call: DraftCall[DomainTool]) -> str:
    return canonical_json([call.tool.name, call.arguments])


def _go_back(skeleton: _Skeleton, base: DomainBase, tools: Sequence[DomainTool]) -> None:
    """Leaves the environment as it is after the objectives that were accepted."""
    log = [call for call in skeleton.calls if call.tool.effect == "write"]
    if len(skeleton.environment.log) == len(log):
        return
    skeleton.environment = base.open(tools, seed="", reference_time=skeleton.environment.now)
    for call in log:
        skeleton.environment.call(call.tool.name, call.arguments)
