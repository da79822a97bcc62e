import asyncio
import json
import random
from collections import Counter
from typing import Any

import pytest
from travel_world import (
    TRAVEL,
    SelfplayModels,
    SimulatedBase,
    Talk,
    carry_out,
    make_seed,
    make_toolset,
    read_seed_tools,
    spec_tool,
)

from schemas.config import RunConfig
from schemas.goals import Objective
from schemas.rows import DialogueTaskRow
from schemas.tools import Tool
from turnwright.goals.slots import plan_slots
from turnwright.goals.writing import write_dialogue_task
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.selfplay.errand_arguments import fill_told, read_told
from turnwright.selfplay.errand_tools import are_foreign, read_errand_tools
from turnwright.selfplay.result_leaves import list_leaves
from turnwright.selfplay.telling import tell_result
from turnwright.selfplay.user_goal import read_goal
from turnwright.validation.verdict import validate_dialogue

SEED, TOOLSET = make_seed("travel", TRAVEL), make_toolset("travel", TRAVEL)


def config(paradigm: str, dialogues: int) -> RunConfig:
    return RunConfig.model_validate(
        {
            "name": "travel",
            "seed": 7,
            "dialogues": dialogues,
            "paradigms": {paradigm: 1.0},
            "sources": [{"kind": "sql", "url": "sqlite:///x.sqlite"}],
        }
    )


def write(paradigm: str, dialogues: int, tools: Any = TRAVEL, domain: str = "travel") -> list[DialogueTaskRow]:
    settings, models = config(paradigm, dialogues), SelfplayModels()
    seed, toolset = make_seed(domain, tools), make_toolset(domain, tools)

    async def work() -> list[DialogueTaskRow]:
        rows: list[DialogueTaskRow] = []
        for slot in plan_slots([toolset], settings):
            written = await write_dialogue_task(slot, toolset, seed, None, models, settings)  # type: ignore[arg-type]
            rows += [written.row] if written.row is not None else []
        return rows

    return asyncio.run(work())


def objectives(row: DialogueTaskRow) -> list[Objective]:
    return [Objective.model_validate(value) for value in json.loads(row.objectives)]


def play_user(row: DialogueTaskRow, tools: Any = TRAVEL, domain: str = "travel") -> tuple[Any, Any]:
    toolset, models, settings = make_toolset(domain, tools), SelfplayModels(), config("user_oriented", 1)

    async def work() -> tuple[Any, Any]:
        base: Any = SimulatedBase()
        dialogue = await simulate_dialogue(row, toolset, base, models, settings)  # type: ignore[arg-type]
        verdict = await validate_dialogue(dialogue, row, toolset, base, models, settings)  # type: ignore[arg-type]
        return dialogue, verdict

    return asyncio.run(work())


def play_query(row: DialogueTaskRow, tools: Any = TRAVEL) -> tuple[Talk, bool]:
    talk = Talk(tools, seed=row.slot)
    met = [carry_out(talk, objective) for objective in objectives(row) if talk.say(objective.description)]
    return talk, all(met)


def fill(tool: Tool, *texts: str) -> dict[str, Any]:
    return fill_told(read_errand_tools([tool.spec]).tools[0], read_told(texts)).arguments


def test_a_task_over_specifications_says_what_matters_without_results():
    rows = write("user_oriented", 24)
    assert len(rows) == 24
    for row in rows:
        assert row.paradigm == "user_oriented" and row.start_digest == row.goal_digest == SEED.base_digest
        assert row.goal_changes == "[]"
        for objective in objectives(row):
            assert objective.facts == () and all(call.result is None for call in objective.calls)
            for call in objective.calls:
                assert any(f"uses {call.tool}" in bullet for bullet in objective.rubric)
    linked = [bullet for row in rows for objective in objectives(row) for bullet in objective.rubric if "= <" in bullet]
    assert linked, "a rubric has placeholders for what a result gives"


def test_a_query_is_whole_and_in_the_first_person():
    for row in write("task_oriented", 24):
        name = json.loads(row.persona)["name"].split()[0]
        for objective in objectives(row):
            text = objective.description
            assert f"{name} wants" not in text and "_" not in text
            said = text.casefold()
            for known in objective.known_details:
                parts = known.value if isinstance(known.value, list) else [known.value]
                assert all(str(part).casefold() in said or isinstance(part, bool) for part in parts)


def test_the_pipeline_is_played_without_a_model_and_users_take_more_turns():
    users = [play_user(row) for row in write("user_oriented", 24)]
    assert sum(verdict.judgment == "valid" for _, verdict in users) >= 20
    queries = [play_query(row) for row in write("task_oriented", 24)]
    assert sum(met for _, met in queries) >= 22
    user_turns = sum(dialogue.turns for dialogue, _ in users) / len(users)
    query_turns = sum(talk.turns for talk, _ in queries) / len(queries)
    assert user_turns >= 1.5 * query_turns
    assert len({dialogue.turns for dialogue, _ in users}) >= 5


def test_classes_of_the_shared_seed_tools_are_played_validly():
    classes = read_seed_tools()
    if not classes:
        pytest.skip("TURNWRIGHT_TEST_DATA has no seed_tools")
    judged: Counter[str] = Counter()
    for name in ("TwitterAPI", "GorillaFileSystem", "MessageAPI"):
        for row in write("user_oriented", 6, classes[name], name):
            judged[play_user(row, classes[name], name)[1].judgment] += 1
    assert judged["valid"] >= 14, judged


def test_an_id_is_looked_up_and_used():
    talk = Talk(TRAVEL)
    talk.say(
        "I'd like to book a seat on a flight for a traveller, with the flight ID FL-2210, the cabin economy and the "
        "email ana.lopes@example.org. You can go ahead right away."
    )
    assert [name for name, _ in talk.calls] == ["find_traveller", "book_flight"]
    found = json.loads(talk.messages[3]["content"])
    assert talk.calls[1][1]["traveller_id"] == found["traveller_id"]


def test_what_is_missing_is_asked_for_and_a_change_is_confirmed():
    asked, seen = 0, 0
    for seed in range(12):
        talk = Talk(TRAVEL, seed=seed)
        answer = talk.say("Please cancel a booking, with the booking ID BO-1234.")
        assert talk.calls == [] and "reason" in answer.casefold() and answer.endswith("?")
        answer = talk.say('The reason is "plans fell through".')
        asked += answer.endswith("?") and not talk.calls
        if answer.endswith("?"):
            talk.say("Yes, please go ahead.")
        seen += talk.calls == [("cancel_booking", {"booking_id": "BO-1234", "reason": "plans fell through"})]
    assert seen == 12 and asked == 12


def test_a_value_from_before_is_taken_from_the_result():
    talk = Talk(TRAVEL)
    talk.say(
        "Show me flights between two cities, with the origin city Porto, the destination city Lyon and the travel date "
        "2024-05-06."
    )
    first = json.loads(talk.messages[-2]["content"])["flights"][0]["flight_id"]
    talk.say(
        "Now book a seat on a flight for a traveller, with the cabin business and the traveller ID TR-7711, using the "
        "flight ID of the first result you just found. Please go ahead without asking back."
    )
    assert talk.calls[-1] == ("book_flight", {"flight_id": first, "traveller_id": "TR-7711", "cabin": "business"})


def test_several_things_at_once_are_several_calls_in_one_message():
    talk = Talk(TRAVEL)
    talk.say(
        "Can you show me the baggage allowance for a cabin class, with the cabin economy, and again with the cabin "
        "business?"
    )
    assert [len(message.get("tool_calls") or ()) for message in talk.messages if message.get("tool_calls")] == [2]
    assert [arguments["cabin"] for _, arguments in talk.calls] == ["economy", "business"]


@pytest.mark.parametrize(
    "wish", ["order a taxi for tomorrow morning", "play some quiet music", "print two copies of the answer"]
)
def test_what_no_tool_does_is_declined(wish: str):
    talk = Talk(TRAVEL)
    answer = talk.say(f"Could you also {wish}?")
    assert talk.calls == []
    assert any(word in answer for word in ("can't", "no way", "outside"))


def test_corrections_lists_and_options_reach_the_arguments():
    tool = spec_tool(
        "plan_trip",
        "Plans a trip.",
        {
            "stops": {"type": "array", "items": {"type": "string"}},
            "days": {"type": "integer"},
            "pets": {"type": "boolean"},
            "pace": {"enum": ["slow", "very_fast"]},
            "hotel": {"type": "object", "properties": {"stars": {"type": "integer"}}},
        },
        {},
    )
    told = fill(
        tool,
        'Plan a trip, with the stops "Graz, Lyon and Porto", the days 4, the pets option "yes" and the hotel stars 3.',
        'Sorry, I meant 6 as the days, not 4. The pace is "very fast".',
    )
    assert told == {
        "stops": ["Graz", "Lyon", "Porto"],
        "days": 6,
        "pets": True,
        "hotel": {"stars": 3},
        "pace": "very_fast",
    }


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        None,
        0,
        "",
        [[["deep"]]],
        {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}},
        {"list": [{"name": "x" * 5000}] * 50},
        {"smile": "\u202e😀", "x_y": [1, None, True]},
        [{"id": 1}, {"id": 2}],
    ],
)
def test_results_of_any_shape_are_told_in_prose(value: Any):
    text = tell_result(value, "", random.Random(1))
    assert text.strip() and "{" not in text and len(text) < 12_000
    assert "x_y" not in text
    assert isinstance(list_leaves(value), list)


def test_tools_for_a_database_are_told_from_those_of_others():
    own = spec_tool(
        "get_player", "Gets a player.", {"player_id": {"description": "ID of the player. Other tools return it."}}, {}
    )
    assert not are_foreign([own.spec])
    assert are_foreign([tool.spec for tool in TRAVEL])
    assert not are_foreign([])


def test_a_goal_over_specifications_is_taken_apart():
    description = (
        'Ana wants to cancel a booking, with the reason "too late" and the fee 5, using the booking ID from before.'
    )
    details = [{"label": "reason", "value": "too late"}, {"label": "fee", "value": 5}]
    (want,) = read_goal({"tasks": [{"description": description, "known_details": details}]}).wants
    assert (want.kind, want.noun, want.parts) == ("errand", "cancel a booking", ("the reason ⟦0⟧", "the fee ⟦1⟧"))
    assert want.clauses == ", using the booking ID from before" and want.writes


def test_the_assistant_answers_hostile_specifications_and_words():
    tools = [
        spec_tool("do", "", {"a": {"type": "string"}}, {}),
        spec_tool("do_x", "🙂" * 200, {"p" * 300: {"type": ["null"]}, "q": True}, {}),
    ]
    for text in (
        "do",
        "🙂🙂?",
        'Could you do x, with the a "',
        "x" * 5000,
        "the the the, with the , using the from before",
    ):
        assert Talk(tools).say(text)
