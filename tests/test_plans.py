from collections import Counter
from collections.abc import Iterator

import pytest
from library_world import LibraryWorld, open_library

from schemas.databases import Column, Table
from schemas.vocabulary import BEHAVIOURS
from turnwright.goals.difficulty import measure_difficulty, weigh_objective
from turnwright.goals.drafts import Draft
from turnwright.goals.keys import Keys
from turnwright.goals.plans import PlanRejected, draw_plan
from turnwright.goals.proof import Proof, prove_plan
from turnwright.goals.slots import Slot, plan_slots
from turnwright.goals.verb_phrases import verb_phrase
from turnwright.goals.wording import says_value
from turnwright.goals.words import name_column, name_role, naming_column, same_value, say_value


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibraryWorld]:
    opened = open_library(tmp_path_factory.mktemp("library"))
    yield opened
    opened.base.close()


@pytest.fixture(scope="module")
def plans(world: LibraryWorld) -> list[tuple[Slot, Draft, Proof]]:
    return [(slot, *prove(world, slot)) for slot in plan_slots([world.toolset], world.config)]


def prove(world: LibraryWorld, slot: Slot) -> tuple[Draft, Proof]:
    reasons: list[str] = []
    for draw in range(world.config.limits.task_draws):
        try:
            draft = draw_plan(slot, world.tools, world.database, world.base, draw)
            return draft, prove_plan(draft, world.tools, Keys(world.database), world.base, seed=slot.seed)
        except PlanRejected as rejection:
            reasons.append(rejection.reason)
    raise AssertionError(reasons)


def slot(**changes: object) -> Slot:
    plain = {"number": 0, "toolset_id": "t", "domain": "library", "paradigm": "user_oriented_executed"}
    fields = {**plain, "difficulty": "easy", "task_count": 1, "behaviour": "none", "seed": "7", **changes}
    return Slot(**fields)  # type: ignore[arg-type]


def test_two_hundred_slots_give_two_hundred_proved_plans(plans: list[tuple[Slot, Draft, Proof]]):
    assert len(plans) == 200
    assert all(len(draft.objectives) == slot.task_count for slot, draft, _ in plans)
    calls = sum(len(draft.calls) for _, draft, _ in plans)
    assert 1.7 <= calls / sum(len(draft.objectives) for _, draft, _ in plans) <= 3


def test_a_good_part_of_the_plans_writes_and_the_proof_says_what(plans: list[tuple[Slot, Draft, Proof]]):
    for _, draft, proof in plans:
        writes = any(call.tool.effect == "write" for call in draft.calls)
        assert writes == bool(proof.goal_changes) == (proof.goal_digest != proof.start_digest)
    assert 0.2 <= sum(bool(proof.goal_changes) for _, _, proof in plans) / 200 <= 0.5


def test_no_person_knows_a_surrogate_key(world: LibraryWorld, plans: list[tuple[Slot, Draft, Proof]]):
    keys = Keys(world.database)
    for _, draft, _ in plans:
        for call in draft.calls:
            for binding in call.tool.bindings:
                if binding.name in call.sources and keys.is_hidden(binding.table, binding.column):
                    assert call.sources[binding.name].kind == "result"
        for objective in draft.objectives:
            found = {
                say_value(value)
                for call in objective.calls
                for name, value in call.arguments.items()
                if call.sources[name].kind == "result"
            }
            assert not any(say_value(known.value) in found for known in objective.known if "limit" not in known.label)


def test_purposes_say_what_the_person_knows_and_nothing_to_be_found(plans: list[tuple[Slot, Draft, Proof]]):
    for _, draft, _ in plans:
        for objective in draft.objectives:
            assert "_" not in objective.purpose
            assert all(says_value(objective.purpose, known.value) for known in objective.known)
            assert not any(
                says_value(objective.purpose, fact.value)
                for fact in objective.facts
                if isinstance(fact.value, str) and len(fact.value) > 3
            )


def test_facts_are_whole_and_new(plans: list[tuple[Slot, Draft, Proof]]):
    for _, draft, _ in plans:
        known = [known.value for objective in draft.objectives[:1] for known in objective.known]
        for objective in draft.objectives:
            reads = all(goal.tool.effect == "read" for goal in objective.goals)
            assert bool(objective.facts) == reads
            assert len(objective.facts) <= 10
            for fact in objective.facts:
                assert fact.value not in (None, "")
        assert not any(same_value(fact.value, value) for fact in draft.objectives[0].facts for value in known)


def test_difficulty_is_what_it_says(plans: list[tuple[Slot, Draft, Proof]]):
    reached = Counter((slot.difficulty, draft.difficulty) for slot, draft, _ in plans)
    assert sum(count for (wanted, got), count in reached.items() if wanted == got) >= 170
    for _, draft, _ in plans:
        assert draft.difficulty == measure_difficulty(draft.objectives)
        weights = [weigh_objective(objective) for objective in draft.objectives]
        if draft.difficulty == "easy":
            assert max(weights) <= 1
        if draft.difficulty == "hard":
            assert max(weights) >= 2


def test_every_behaviour_is_there_and_can_be_brought_about(plans: list[tuple[Slot, Draft, Proof]]):
    seen: Counter[str] = Counter()
    for slot, draft, _ in plans:
        plan = draft.behaviour
        assert (plan.name if plan else "none") == slot.behaviour
        if plan is None:
            continue
        seen[plan.name] += 1
        objective = draft.objectives[plan.objective]
        detail = plan.detail
        match plan.name:
            case "missing_parameter":
                call = next(call for call in objective.calls if call.id == detail["call"])
                assert call.sources[detail["parameter"]].kind == "user"
                assert detail["parameter"] in call.tool.parameters["required"]
                assert same_value(call.arguments[detail["parameter"]], detail["value"])
            case "changed_mind":
                assert not same_value(detail["from"], detail["to"])
                assert any(same_value(known.value, detail["to"]) for known in objective.known)
                added = any(goal.tool.verb in ("insert", "delete") for goal in objective.goals)
                assert detail["same_message"] or not added
            case "parallel_calls":
                goals = [call for call in objective.calls if call.id in detail["calls"]]
                assert len(goals) >= 2
                assert len({goal.tool.name for goal in goals}) == 1
                assert len({str(goal.arguments) for goal in goals}) == len(goals)
            case "tool_fault":
                assert any(call.tool.name == detail["tool"] for call in objective.calls)
                assert detail["times"] in (1, 2)
            case "ambiguous_reference":
                assert detail["vague"] in detail["value"] and len(detail["candidates"]) >= 2
                assert detail["value"] in detail["candidates"] and detail["vague"] in plan.instruction
            case "wrong_premise":
                fact = objective.facts[int(detail["fact"])]
                assert fact.label == detail["label"] and not same_value(fact.value, detail["claimed"])
                assert f" {say_value(fact.value)}," not in plan.instruction
            case "removed_tool" | "forbidden_action":
                rest = [call.tool.name for other in draft.objectives if other is not objective for call in other.calls]
                assert not set(detail["tools"]) & set(rest)
                assert {goal.tool.name for goal in objective.goals} <= set(detail["tools"])
            case _:
                assert detail["request"] in plan.instruction
    assert set(seen) == set(BEHAVIOURS)


def test_dialogues_do_not_start_alike(plans: list[tuple[Slot, Draft, Proof]]):
    starts = Counter(draft.objectives[0].purpose for _, draft, _ in plans)
    assert len(starts) >= 150
    for _, draft, _ in plans:
        goals = [objective.goals[0].tool.name for objective in draft.objectives]
        assert len(set(goals)) == len(goals)


def test_extensions_rest_on_an_earlier_result(plans: list[tuple[Slot, Draft, Proof]]):
    seen = 0
    for _, draft, _ in plans:
        assert draft.objectives[0].relation == "first"
        for objective in draft.objectives[1:]:
            own = {call.id for call in objective.calls}
            sources = {source.call for call in objective.calls for source in call.sources.values() if source.call}
            assert (objective.relation == "extension") == bool(sources - own)
            seen += objective.relation == "extension"
    assert seen >= 40


def test_a_draw_is_repeatable_and_another_draw_is_another_plan(world: LibraryWorld):
    wanted = slot(seed="9", task_count=2)
    first = draw_plan(wanted, world.tools, world.database, world.base, 0)
    assert draw_plan(wanted, world.tools, world.database, world.base, 0) == first
    assert draw_plan(wanted, world.tools, world.database, world.base, 1) != first


def test_now_is_soon_after_the_newest_date(world: LibraryWorld):
    draft = draw_plan(slot(), world.tools, world.database, world.base, 0)
    assert "2023-12-2" < draft.reference_time < "2024-02-01"


def test_tools_that_cannot_carry_a_behaviour_are_named(world: LibraryWorld):
    tools = [world.tool("list_longest_books")]
    with pytest.raises(PlanRejected, match="behaviour_not_supported"):
        draw_plan(slot(behaviour="missing_parameter"), tools, world.database, world.base, 0)
    with pytest.raises(PlanRejected, match="no_plan"):
        draw_plan(slot(), [world.tool("get_loan")], world.database, world.base, 0)


def test_a_key_is_looked_up_only_where_the_toolset_can(world: LibraryWorld):
    tools = [world.tool("get_member"), world.tool("find_members")]
    for number in range(10):
        draft = draw_plan(slot(seed=str(number), difficulty="medium"), tools, world.database, world.base, 0)
        assert [call.tool.name for call in draft.calls] in (["find_members"], ["find_members", "get_member"])


@pytest.mark.parametrize(
    ("description", "phrase"),
    [
        ("Lists the orders of a customer by ID.", "see the orders of a customer"),
        ("Get the number of members (all levels). Use it for totals.", "find out the number of members"),
        ("Count the loans of each town.", "find out the number of loans of each town"),
        ("Find books by part of their title.", "find books"),
        ("Returns average_pages of an author.", "find out average pages of an author"),
        ("Rank branches by loans.", "rank branches by loans"),
        ("Which branches lend most", "find out which branches lend most"),
        ("Orders of a customer.", "see orders of a customer"),
    ],
)
def test_descriptions_become_verb_phrases(description: str, phrase: str):
    assert verb_phrase(description) == phrase


def column(name: str, json_type: str = "string", **changes: object) -> Column:
    plain = {"name": name, "type": "", "json_type": json_type, "nullable": True, "primary_key": False}
    return Column.model_validate({**plain, "surrogate": False, **changes})


def table(name: str, *columns: Column) -> Table:
    return Table(name=name, view=False, columns=columns, primary_key=(), foreign_keys=(), rows=1, sample=())


@pytest.mark.parametrize(
    ("inside", "made", "label"),
    [
        ("singer", column("Singer_Name"), "name"),
        ("loan", column("lent_on", format="date"), "date lent"),
        ("club", column("founded", "integer"), "year founded"),
        ("dog", column("abandoned_yn"), "abandoned status"),
        ("singer", column("is_male"), "male status"),
        ("customers", column("customer_id"), "customer ID"),
    ],
)
def test_columns_have_labels_that_people_would_use(inside: str, made: Column, label: str):
    assert name_column(table(inside, made), made) == label


def test_roles_of_references():
    assert name_role(column("home_club_id"), "club") == "home club"
    assert name_role(column("from_club_id"), "club") == "club"
    assert name_role(column("manager_id"), "employees") == "employee"


def test_people_call_rows_by_name_or_title():
    names = [column("code", unique=True), column("status", values=("a", "b")), column("title"), column("description")]
    assert naming_column(table("book", *names)) == "title"
    assert naming_column(table("loan", column("days", "integer"))) is None
