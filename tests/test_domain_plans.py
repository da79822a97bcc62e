"""Plans over stateful domains: drawn for real records, proved, and put together for one person."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from schemas.goals import Fact, KnownDetail, Objective
from schemas.seeds import DomainTask
from schemas.tools import DomainTool
from tests.domain_world import (
    AIRLINE,
    AIRLINE_DATABASE,
    HOME,
    RETAIL,
    RETAIL_DATABASE,
    DomainWorld,
    open_world,
)
from turnwright.goals.domain_plans import draw_domain_plan
from turnwright.goals.domain_proof import prove_domain_plan
from turnwright.goals.domain_tasks import plan_given_task
from turnwright.goals.domain_values import find_path, is_known
from turnwright.goals.drafts import Draft
from turnwright.goals.plans import PlanRejected
from turnwright.goals.wording import says_value

DATA = Path(os.environ.get("TURNWRIGHT_TEST_DATA", "")) / "tau2"
DATABASES = {RETAIL: RETAIL_DATABASE, AIRLINE: AIRLINE_DATABASE, HOME: None}
BEHAVIOURS = ("none", "missing_parameter", "tool_fault", "out_of_scope", "forbidden_action")
Plan = Draft[DomainTool]


@pytest.fixture(scope="module", params=[RETAIL, AIRLINE, HOME], ids=["retail", "airline", "home"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DomainWorld:
    return open_world(tmp_path_factory.mktemp("domain"), request.param, DATABASES[request.param])


@pytest.fixture(scope="module")
def plans(world: DomainWorld) -> list[Plan]:
    drawn: list[Plan] = []
    for number in range(40):
        behaviour = BEHAVIOURS[number % 10] if number % 10 < len(BEHAVIOURS) else "none"
        difficulty = ("easy", "medium", "hard")[number % 3]
        slot = world.slot(number, behaviour=behaviour, difficulty=difficulty, task_count=1 + number % 3)
        try:
            drawn.append(draw_domain_plan(slot, world.base.seed, world.tools, world.base, 0))
        except PlanRejected as rejection:
            assert "behaviour_not_supported" in rejection.reason or "no_plan" in rejection.reason
    return drawn


def test_most_slots_get_a_plan_and_many_of_them_write(plans: list[Plan]):
    assert len(plans) >= 36
    writing = [plan for plan in plans if any(call.tool.effect == "write" for call in plan.calls)]
    assert 0.3 <= len(writing) / len(plans) <= 0.95
    kinds = Counter(plan.objectives[0].calls[-1].tool.name for plan in plans)
    assert len(kinds) >= 4


def test_plans_run_again_to_the_same_end(world: DomainWorld, plans: list[Plan]):
    for plan in plans:
        proof = prove_domain_plan(plan, world.tools, world.base, seed="other")
        assert proof.results == {call.id: call.result for call in plan.calls}
        writes = any(call.tool.effect == "write" for call in plan.calls)
        assert (proof.goal_digest != proof.start_digest) == writes == bool(proof.goal_changes)


def test_the_same_slot_gives_the_same_plan(world: DomainWorld):
    slot = world.slot(4, task_count=2)
    draw = draw_domain_plan(slot, world.base.seed, world.tools, world.base, 0)
    assert draw == draw_domain_plan(slot, world.base.seed, world.tools, world.base, 0)
    others = [draw_domain_plan(slot, world.base.seed, world.tools, world.base, number) for number in range(1, 5)]
    assert any(other != draw for other in others)


def test_each_argument_is_said_by_the_person_or_stands_in_an_earlier_result(plans: list[Plan]):
    for plan in plans:
        known: list[KnownDetail] = []
        for objective in plan.objectives:
            known += objective.known
            for call in objective.calls:
                assert set(call.sources) == set(call.arguments)
                for name, source in call.sources.items():
                    value = call.arguments[name]
                    if source.kind == "user" and not isinstance(value, list | dict):
                        assert is_known(value, known), (call.tool.name, name, value)
                    if source.kind == "result" and source.field is not None:
                        earlier = next(other for other in plan.calls if other.id == source.call)
                        assert find_path(earlier.result, value) is not None
                        assert plan.calls.index(earlier) < plan.calls.index(call)


def test_purposes_say_what_the_person_knows_and_nothing_to_be_found(plans: list[Plan]):
    for plan in plans:
        for objective in plan.objectives:
            for detail in objective.known:
                assert says_value(objective.purpose, detail.value), (objective.purpose, detail)
            for fact in objective.facts:
                assert not isinstance(fact.value, str) or len(fact.value) < 3 or fact.value not in objective.purpose


def test_nobody_says_twice_who_they_are(plans: list[Plan]):
    for plan in plans:
        said = [detail.label for objective in plan.objectives for detail in objective.known]
        for label in ("email", "zip code", "user id", "phone number"):
            assert said.count(label) <= 1


def test_plans_are_about_one_person_who_is_named(world: DomainWorld, plans: list[Plan]):
    state = world.base.start()
    names = {world.base.domain.full_name(state, one) for one in world.base.domain.people(state)}  # pyright: ignore
    assert all(plan.person in names for plan in plans)


def test_what_policy_forbids_writes_nothing_and_would_be_possible_or_refused(world: DomainWorld, plans: list[Plan]):
    forbidden = [plan for plan in plans if plan.behaviour and plan.behaviour.name == "forbidden_action"]
    assert forbidden
    for plan in forbidden:
        assert plan.behaviour is not None
        objective = plan.objectives[plan.behaviour.objective]
        assert all(call.tool.effect == "read" for call in objective.calls)
        made = [call.tool.name for call in plan.calls]
        assert not set(made) & set(plan.behaviour.detail["tools"])
        assert plan.behaviour.detail["reason"] and plan.behaviour.detail["request"] in objective.purpose


def test_objectives_after_a_forbidden_one_still_stand_on_earlier_calls(tmp_path: Path):
    shop = open_world(tmp_path, RETAIL, RETAIL_DATABASE)
    inherited = 0
    for number in range(60):
        slot = shop.slot(number, behaviour="forbidden_action", task_count=3)
        try:
            row = shop.task(slot, draw_domain_plan(slot, shop.base.seed, shop.tools, shop.base, 0))
        except PlanRejected:
            continue
        blocked = orjson.loads(row.behaviour_plan)["objective"]
        objectives = [Objective.model_validate(one) for one in orjson.loads(row.objectives)]
        assert not objectives[blocked].calls
        calls = [call for objective in objectives for call in objective.calls]
        for place, call in enumerate(calls):
            earlier = {other.id for other in calls[:place]}
            assert {source.call for source in call.sources.values() if source.call} <= earlier
        inherited += any(call.id == "c1" for call in calls) and blocked == 0
    assert inherited >= 3


def test_a_proof_notices_what_does_not_hold(world: DomainWorld, plans: list[Plan]):
    plan = next(plan for plan in plans if not plan.behaviour and any(one.facts for one in plan.objectives))
    position = next(n for n, one in enumerate(plan.objectives) if one.facts)

    def change(**fields: object) -> Plan:
        objectives = list(plan.objectives)
        objectives[position] = replace(objectives[position], **fields)  # pyright: ignore
        return replace(plan, objectives=tuple(objectives))

    def reason(draft: Plan) -> str:
        with pytest.raises(PlanRejected) as caught:
            prove_domain_plan(draft, world.tools, world.base, seed="")
        return caught.value.reason.split(":")[0]

    objective = plan.objectives[position]
    assert reason(change(facts=(Fact(label="thing", value="not in any result"),))) == "fact_missing"
    assert reason(change(facts=(Fact(label="thing", value=""),))) == "empty_fact"
    told = KnownDetail(label="thing", value=objective.facts[0].value)
    assert reason(change(known=(*objective.known, told))) == "met_at_start"
    calls = [replace(call, result={"other": 1}) for call in objective.calls]
    assert reason(change(calls=tuple(calls))) == "other_result"
    writing = next(plan for plan in plans if any(call.tool.effect == "write" for call in plan.calls))
    call = next(call for call in writing.calls if call.tool.effect == "write")
    twice = replace(writing.objectives[0], calls=(replace(call, id="x1"), replace(call, id="x2")))
    with pytest.raises(PlanRejected):
        prove_domain_plan(replace(writing, objectives=(twice,)), world.tools, world.base, seed="")


def test_a_missing_parameter_is_one_that_the_person_knows(world: DomainWorld, plans: list[Plan]):
    found = [plan for plan in plans if plan.behaviour and plan.behaviour.name == "missing_parameter"]
    assert found
    for plan in found:
        assert plan.behaviour is not None
        detail = plan.behaviour.detail
        known = plan.objectives[plan.behaviour.objective].known
        assert any((one.label, one.value) == (detail["label"], detail["value"]) for one in known)


def test_a_mind_changes_from_one_real_value_to_another(tmp_path: Path):
    shop = open_world(tmp_path, RETAIL, RETAIL_DATABASE)
    found = 0
    for number in range(30):
        slot = shop.slot(number, behaviour="changed_mind")
        try:
            plan = draw_domain_plan(slot, shop.base.seed, shop.tools, shop.base, 0)
        except PlanRejected:
            continue
        assert plan.behaviour is not None and plan.behaviour.detail["same_message"]
        assert plan.behaviour.detail["from"] != plan.behaviour.detail["to"]
        assert str(plan.behaviour.detail["from"]) in plan.behaviour.instruction
        found += 1
    assert found >= 10


GIVEN = DomainTask(
    id="t1",
    instructions="You are Ann Lee. You mistyped your email first. Cancel order #W4, you need it no longer.",
    known_details={"what they know": "You are Ann Lee, ann@example.com."},
    actions=(
        {"name": "find_user_id_by_email", "arguments": {"email": "am@example.com"}, "side": "assistant"},
        {"name": "find_user_id_by_email", "arguments": {"email": "ann@example.com"}, "side": "assistant"},
        {
            "name": "cancel_pending_order",
            "arguments": {"order_id": "#W4", "reason": "no longer needed"},
            "side": "assistant",
        },
    ),
    facts=("12.35",),
    rubric=("The agent is polite.",),
)


def test_a_given_task_keeps_its_words(tmp_path: Path):
    shop = open_world(tmp_path, RETAIL, RETAIL_DATABASE)
    plan = plan_given_task(GIVEN, shop.tools, shop.base, "2024-05-15T15:00:00", "s")
    (objective,) = plan.objectives
    assert objective.description == GIVEN.instructions and objective.rubric == GIVEN.rubric
    assert [call.tool.name for call in objective.calls] == ["find_user_id_by_email", "cancel_pending_order"]
    assert [call.lookup for call in objective.calls] == [True, False]
    assert [fact.value for fact in objective.facts] == ["12.35"]
    assert plan.person == "Ann Lee"
    broken = GIVEN.model_copy(update={"actions": (*GIVEN.actions, GIVEN.actions[-1])})
    with pytest.raises(PlanRejected, match="call_failed"):
        plan_given_task(broken, shop.tools, shop.base, "2024-05-15T15:00:00", "s")
    with pytest.raises(PlanRejected, match="tool_missing"):
        plan_given_task(GIVEN, shop.tools[:3], shop.base, "2024-05-15T15:00:00", "s")


@pytest.mark.skipif("TURNWRIGHT_TEST_DATA" not in os.environ or not DATA.is_dir(), reason="needs TURNWRIGHT_TEST_DATA")
@pytest.mark.parametrize(("name", "module"), [("retail", RETAIL), ("airline", AIRLINE)])
def test_all_given_tasks_and_forty_slots_on_the_real_databases(tmp_path: Path, name: str, module: str):
    world = open_world(tmp_path, module, path=str(DATA / name))
    for task in world.base.seed.tasks:
        plan = plan_given_task(task, world.tools, world.base, "2024-05-15T15:00:00", "s")
        assert plan.objectives[0].description == task.instructions
    own = 0
    for number in range(40):
        slot = world.slot(number, difficulty=("easy", "medium", "hard")[number % 3], task_count=1 + number % 3)
        plan = draw_domain_plan(slot, world.base.seed, world.tools, world.base, 0)
        own += plan.objectives[0].description is not None
    assert 4 <= own <= 18
