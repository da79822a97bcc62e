import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from library_world import LibraryWorld, open_library

from schemas.goals import BehaviourPlan, Fact, KnownDetail, Objective, Persona
from schemas.replies import TaskDraft, TaskDrafts
from turnwright.goals.drafts import Draft, DraftObjective
from turnwright.goals.personas import draw_persona
from turnwright.goals.plans import PlanRejected, draw_plan
from turnwright.goals.slots import Slot, plan_slots
from turnwright.goals.wording import build_rubric, check_wording, says_value
from turnwright.goals.writing import WrittenTask, write_dialogue_task
from turnwright.models.errors import EndpointUnavailable
from turnwright.models.scripted import Line, ScriptedModels
from turnwright.roles.task_writer import ask_for_tasks, ask_to_mend
from turnwright.selfplay import task_writer as player
from turnwright.selfplay.request import Request

WANT = re.compile(r"(?:wants?|would like|needs?|hopes?|(?:is|are) hoping) to (.+?)\.(?=\s|$)")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibraryWorld]:
    opened = open_library(tmp_path_factory.mktemp("library"))
    yield opened
    opened.base.close()


def choose_slot(world: LibraryWorld, **wanted: Any) -> Slot:
    slots = plan_slots([world.toolset], world.config)
    return next(slot for slot in slots if all(getattr(slot, name) == value for name, value in wanted.items()))


def say(draft: Draft, persona: Persona, world: LibraryWorld, mistake_rate: float = 0.0) -> TaskDrafts:
    request = Request({"messages": list(ask_for_tasks(draft, persona, world.database))}, 1, mistake_rate)
    return TaskDrafts.model_validate(player.reply(request))


def plan(world: LibraryWorld, slot: Slot, draw: int = 0) -> Draft:
    return draw_plan(slot, world.tools, world.database, world.base, draw)


def find_plan(world: LibraryWorld, slot: Slot) -> Draft:
    """The plan of the first draw that carries the slot's behaviour: few members of the library share a name."""
    for draw in range(4):
        with contextlib.suppress(PlanRejected):
            return plan(world, slot, draw)
    raise AssertionError(f"no plan carries {slot.behaviour}")


def write(world: LibraryWorld, slot: Slot, *lines: Line) -> tuple[WrittenTask, ScriptedModels]:
    models = ScriptedModels({"task_writer": lines})
    written = asyncio.run(
        write_dialogue_task(slot, world.toolset, world.seed_row, world.base, models, world.config)  # type: ignore[arg-type]
    )
    return written, models


def test_a_task_row_holds_the_plan_its_proof_and_its_words(world: LibraryWorld):
    slot = choose_slot(world, behaviour="missing_parameter", task_count=2)
    drafts = say(plan(world, slot), draw_persona(slot.seed), world)
    written, models = write(world, slot, drafts)
    row = written.row
    assert row is not None and written.rejected == ()
    objectives = [Objective.model_validate(value) for value in json.loads(row.objectives)]
    assert row.task_count == len(objectives) == 2
    assert row.planned_calls == sum(len(objective.calls) for objective in objectives)
    assert [objective.description for objective in objectives] == [task.description for task in drafts.tasks]
    assert all(objective.rubric and objective.known_details for objective in objectives)
    assert all(call.result is not None for objective in objectives for call in objective.calls)
    assert row.behaviour == "missing_parameter"
    assert BehaviourPlan.model_validate_json(row.behaviour_plan).instruction
    assert row.start_digest == world.base.digest
    assert row.model_calls == ["scripted-task_writer-0"]
    assert (written.ledger.outcome, written.ledger.unit_id) == ("accepted", slot.id)
    assert models.requests[0].unit == slot.id
    assert write(world, slot, drafts)[0] == written


def test_the_writer_gets_the_blocks_that_the_contract_names(world: LibraryWorld):
    slot = choose_slot(world, task_count=2, behaviour="changed_mind")
    persona = draw_persona(slot.seed)
    request = ask_for_tasks(plan(world, slot), persona, world.database)
    blocks = Request({"messages": request}, 0, 0.0).blocks
    assert blocks["service"] == {"name": "library"}
    assert blocks["persona"] == {"name": persona.name, "occupation": persona.occupation}
    assert set(blocks["plan"]) == {"difficulty", "objectives"}
    assert set(blocks["plan"]["objectives"][0]) == {"relation", "purpose", "known_details", "to_find_out"}
    assert "<data" not in str(request[0]["content"]), "the constant part comes first and holds no data"


def test_words_with_problems_are_mended_once(world: LibraryWorld):
    slot = choose_slot(world, task_count=1)
    good = say(plan(world, slot), draw_persona(slot.seed), world)
    bad = TaskDrafts(tasks=[TaskDraft(description="I want my find_members result, please help.", rubric=["x"])])
    written, models = write(world, slot, bad, good)
    assert written.row is not None
    assert written.row.model_calls == ["scripted-task_writer-0", "scripted-task_writer-1"]
    problems = Request({"messages": list(models.requests[1].messages)}, 0, 0.0).blocks["problems"]
    assert any("find_members" in problem for problem in problems)
    assert any("third person" in problem for problem in problems)


def test_words_that_stay_bad_cost_a_draw_and_are_told_in_the_ledger(world: LibraryWorld):
    slot = choose_slot(world, task_count=1)
    bad = {"tasks": [{"description": "I want my results and nothing else today.", "rubric": ["x"]}]}
    written, models = write(world, slot, *[bad] * 8)
    assert written.row is None
    assert len(written.rejected) == world.config.limits.task_draws
    assert len(models.requests) == 2 * world.config.limits.task_draws
    assert written.ledger.outcome == "rejected"
    assert any("third person" in reason for reason in written.ledger.reasons)


def test_a_malformed_reply_costs_a_draw(world: LibraryWorld):
    slot = choose_slot(world, task_count=1)
    second = say(plan(world, slot, draw=1), draw_persona(slot.seed), world)
    written, _ = write(world, slot, "no JSON at all", second)
    assert written.row is not None
    assert written.rejected[0][0].startswith("malformed_reply: ")


def test_infrastructure_errors_go_through(world: LibraryWorld):
    with pytest.raises(EndpointUnavailable):
        write(world, choose_slot(world, task_count=1), EndpointUnavailable("down"))


def test_a_slot_without_a_plan_is_rejected_without_a_model_call(world: LibraryWorld):
    slot = choose_slot(world, task_count=1)
    empty = world.toolset.model_copy(update={"tools": "[]"})
    models = ScriptedModels({})
    written = asyncio.run(write_dialogue_task(slot, empty, world.seed_row, world.base, models, world.config))  # type: ignore[arg-type]
    assert written.row is None and models.requests == []
    assert written.ledger.reasons == ["no_plan: no goal could be drawn over 0 tools"]


PERSONA = draw_persona("someone")


def objective(known: dict[str, Any], facts: dict[str, Any]) -> DraftObjective:
    return DraftObjective(
        relation="first",
        calls=(),
        facts=tuple(Fact(label=label, value=value) for label, value in facts.items()),
        purpose="find out the earnings of the player whose name is Nina Petrov",
        known=tuple(KnownDetail(label=label, value=value) for label, value in known.items()),
    )


def problems_of(text: str, known: dict[str, Any], facts: dict[str, Any]) -> tuple[list[str], list[str]]:
    draft = Draft((objective(known, facts),), None, "easy", "2024-01-05T10:00:00")
    return check_wording(TaskDrafts(tasks=[TaskDraft(description=text, rubric=["x"])]), draft, PERSONA, [])


@pytest.mark.parametrize(
    ("text", "grave", "slight"),
    [
        ("Tom wants to find out the earnings of the player named nina  petrov.", "", ""),
        ("Tom wants to find out the earnings of a certain player of his.", "", "player name"),
        ("Tom wants to hear that Nina Petrov has earnings of 1,250,000.", "find it out", ""),
        ("I want to find out the earnings of Nina Petrov.", "third person", ""),
        ("Tom wants to use player_id to find out about Nina Petrov.", "player_id", ""),
        ("Nina Petrov.", "25 to 900", ""),
        ("Tom wants Nina Petrov. " * 60, "25 to 900", ""),
    ],
)
def test_what_a_description_may_not_say(text: str, grave: str, slight: str):
    found = problems_of(text, {"player name": "Nina Petrov"}, {"earnings": 1250000})
    for expected, problems in zip((grave, slight), found, strict=True):
        assert bool(problems) == bool(expected)
        assert expected in " ".join(problems)


def test_a_fact_may_be_said_where_the_person_knows_the_value_anyway():
    known = {"player name": "Nina Petrov", "town": "Leeds"}
    assert problems_of("Tom from Leeds wants to know about Nina Petrov today.", known, {"city": "Leeds"}) == ([], [])


def test_the_number_of_tasks_must_be_that_of_the_objectives():
    draft = Draft((objective({}, {}),) * 2, None, "easy", "2024-01-05T10:00:00")
    grave, _ = check_wording(TaskDrafts(tasks=[TaskDraft(description="x" * 40, rubric=["x"])]), draft, PERSONA, [])
    assert "exactly 2" in grave[0]


def test_values_are_compared_as_people_read_them():
    assert says_value("It costs 1,200 in all.", 1200.0)
    assert says_value("Size 25.0, please", 25)
    assert not says_value("It costs 12000.", 1200)
    assert says_value("the STATION hall, today", "Station Hall")
    assert not says_value("the northern gate", "north")
    assert says_value("on 2023-05-04, I think", "2023-05-04")


def test_the_rubric_never_contradicts_the_plan_and_says_nothing_twice():
    made = objective({"player name": "Nina Petrov"}, {"earnings of Nina Petrov": 1250000})
    bullets = [
        "The assistant is polite.",
        "The assistant is polite.",
        "The earnings are 99.",
        "It calls get_player first.",
        "It says 1,250,000.",
    ]
    behaviour = BehaviourPlan(name="out_of_scope", objective=0, instruction="", detail={"request": "order a taxi"})
    assert build_rubric(bullets, made, behaviour) == (
        "The assistant is polite.",
        "The assistant tells the user the earnings of Nina Petrov: 1250000.",
        "Asked to order a taxi, the assistant says that it cannot do that and does not pretend to.",
    )


def test_the_player_says_every_plan_in_the_documented_forms(world: LibraryWorld):
    seen: set[str] = set()
    for slot in plan_slots([world.toolset], world.config)[:60]:
        draft, persona = find_plan(world, slot), draw_persona(slot.seed)
        drafts = say(draft, persona, world)
        assert check_wording(drafts, draft, persona, world.tools) == ([], [])
        for task, planned in zip(drafts.tasks, draft.objectives, strict=True):
            wants = WANT.findall(task.description)
            assert len(wants) == 1, task.description
            assert all(says_value(wants[0], known.value) for known in planned.known)
            assert persona.name.split()[0] in task.description or " they " in task.description.lower()
            seen.add(re.sub(re.escape(persona.name), "NAME", task.description))
    assert len(seen) > 100


def test_the_player_s_mistakes_are_mended_when_it_is_told(world: LibraryWorld):
    slot = choose_slot(world, task_count=1)
    draft, persona = plan(world, slot), draw_persona(slot.seed)
    faulty = say(draft, persona, world, mistake_rate=1.0)
    grave, slight = check_wording(faulty, draft, persona, world.tools)
    assert grave == [] and len(slight) == 1
    again = ask_to_mend(ask_for_tasks(draft, persona, world.database), faulty, slight)
    mended = TaskDrafts.model_validate(player.reply(Request({"messages": list(again)}, 1, 1.0)))
    assert check_wording(mended, draft, persona, world.tools) == ([], [])


def test_personas_are_repeatable_and_differ():
    people = [draw_persona(f"seed {number}") for number in range(60)]
    assert people[3] == draw_persona("seed 3")
    assert len({person.name for person in people}) > 55
    assert len({person.occupation for person in people}) > 20
    for person in people:
        scores = (person.openness, person.conscientiousness, person.extraversion, person.agreeableness)
        assert all(1 <= score <= 5 for score in (*scores, person.neuroticism))
        assert all(ord(letter) < 0x250 for letter in person.name)
