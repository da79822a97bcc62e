"""Plug and play: conversations that were begun elsewhere go on, and what was said in them stays as it was."""

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from playing import BYE, CONFIG, DONE, LOOK_UP, TELL, TOOLSET, Done, club, judgement, make_task, messages_of, watch
from spec_world import LIBRARY, PlayedModels

from schemas.config import RunConfig
from schemas.goals import Beginning
from schemas.rows import DialogueRow, SeedRow, ToolsetRow
from schemas.seeds import Opening
from schemas.sources import DialoguesSource
from turnwright.goals.openings import OpeningPlace, cut_prefix, read_beginning
from turnwright.goals.slots import plan_slots
from turnwright.models.scripted import ScriptedModels, calls, says
from turnwright.sources.collection import collect_seeds
from turnwright.statistics.dialogue_figures import count_steps
from turnwright.storage.store import Store
from turnwright.tools.opening_tools import prepare_opening_tools
from turnwright.validation.verdict import validate_dialogue

CHAT: tuple[dict[str, Any], ...] = (
    {"role": "user", "content": "Is it  raining in  Leeds?\n", "name": "m"},
    {"role": "assistant", "content": "I cannot see that: I have no weather here. {\"a\": 1}"},
    {"role": "user", "content": "A pity. Thanks!"},
    {"role": "assistant", "content": "You're welcome. ünïcode ✓"},
)  # fmt: skip
ASKED: tuple[dict[str, Any], ...] = (
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "How much has Nina Petrov earned?"},
)


def begin(messages: tuple[dict[str, Any], ...]) -> Any:
    beginning = Beginning(seed_id="seed_9", origin="chats.jsonl:1", messages=messages)
    return make_task().model_copy(update={"beginning": orjson.dumps(beginning.model_dump()).decode()})


def judge(row: DialogueRow, task: Any) -> Any:
    models: Any = ScriptedModels({"judge": [judgement((1, "Critical", True))]})
    return asyncio.run(validate_dialogue(row, task, TOOLSET, club(), models, CONFIG))


def test_given_messages_stay_byte_for_byte_and_the_dialogue_goes_on_after_them():
    task = begin(CHAT)
    row, models = watch(["Hi, how much has Nina Petrov earned?", DONE], [LOOK_UP, TELL, BYE], task=task)
    assert row.ending == "task_complete"
    assert row.messages.startswith(orjson.dumps(CHAT).decode()[:-1])
    assert row.given_messages == 4
    assert [message["role"] for message in messages_of(row)[4:]] == [
        "user", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    first = next(request for request in models.requests if request.role == "user_simulator")
    assert len(first.messages) == 2
    assert "no weather here" in str(first.messages[1]["content"])
    asked = next(request for request in models.requests if request.role == "assistant")
    assert [message["content"] for message in asked.messages[:4]] == [message["content"] for message in CHAT]


def test_the_assistant_answers_first_where_it_has_the_word():
    task = begin(ASKED)
    row, models = watch(["Hi, how much has Nina Petrov earned?", DONE], [LOOK_UP, TELL, LOOK_UP, TELL, BYE], task=task)
    assert [message["role"] for message in messages_of(row)[2:5]] == ["assistant", "tool", "assistant"]
    assert row.ending == "task_complete"
    assert row.steps == sum(count_steps(messages_of(row))) == 2
    first = next(request for request in models.requests if request.role == "user_simulator")
    assert "1,200,000" in str(first.messages[1]["content"])


def test_calls_before_anybody_asked_belong_to_no_request():
    call = {"id": "c", "type": "function", "function": {"name": "hello", "arguments": "{}"}}
    early: tuple[dict[str, Any], ...] = (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "[]"},
        {"role": "assistant", "content": "Good morning!"},
    )
    row, _ = watch(["How much has Nina Petrov earned?", DONE], [LOOK_UP, TELL, BYE], task=begin(early))
    assert row.steps == sum(count_steps(messages_of(row))) == 1


def test_limits_and_the_end_are_about_what_comes_after():
    config = CONFIG.model_copy(update={"limits": CONFIG.limits.model_copy(update={"turns": 6})})
    row, _ = watch(["How much has Nina Petrov earned?", DONE], [LOOK_UP, TELL, BYE], task=begin(CHAT), config=config)
    assert row.ending == "task_complete"
    assert row.turns == 10
    # A person who says at once that all is done has asked for nothing: the answer before was not theirs.
    row, _ = watch(
        [Done("Great, thank you."), "How much has Nina Petrov earned?", DONE],
        [says("All right."), LOOK_UP, TELL, BYE],
        task=begin(CHAT),
    )
    assert row.early_completions == [4]


def test_nothing_is_held_against_given_messages():
    bad: tuple[dict[str, Any], ...] = (
        {"role": "user", "content": "As a user simulator I must ask: {}"},
        {"role": "user", "content": "hello?"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "no_such_tool", "arguments": "not json"}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "oops"},
        {"role": "assistant", "content": '```json\n{"leaked": true}\n```'},
    )  # fmt: skip
    task = begin(bad)
    row, _ = watch(["How much has Nina Petrov earned?", DONE], [LOOK_UP, TELL, BYE], task=task)
    verdict = judge(row, task)
    assert verdict.reasons == []
    assert verdict.judgment == "valid"
    # The same fault in the dialogue's own part counts.
    row, _ = watch(
        ["How much has Nina Petrov earned?", DONE], [calls("no_such_tool", {}), LOOK_UP, TELL, BYE], task=task
    )
    assert any("unknown_tool" in reason for reason in judge(row, task).reasons)


@pytest.mark.parametrize(("at", "kept"), [("end", 4), (1, 2), (2, 4), (9, 4)])
def test_tools_come_in_after_the_request_that_was_chosen(at: Any, kept: int):
    opening = Opening(origin="c:1", messages=CHAT, tools=())
    assert cut_prefix(opening, OpeningPlace("s", 0), at, "7").kept == kept


def test_a_drawn_request_depends_on_the_seed_alone():
    opening = Opening(origin="c:1", messages=CHAT, tools=())
    drawn = [cut_prefix(opening, OpeningPlace("s", 0), "drawn", str(seed)) for seed in range(40)]
    assert {prefix.kept for prefix in drawn} == {2, 4}
    assert drawn == [cut_prefix(opening, OpeningPlace("s", 0), "drawn", str(seed)) for seed in range(40)]
    assert len({prefix.digest for prefix in drawn}) == 2


def collect(folder: Path, lines: list[Any], **source: Any) -> tuple[SeedRow, RunConfig]:
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    given = DialoguesSource.model_validate({"kind": "dialogues", "path": str(path), **source})
    config = RunConfig.model_validate({"name": "c", "sources": [given.model_dump()], "dialogues": 12})
    (seed,) = collect_seeds(given, 0, 7, Store(folder / "store"))
    return seed, config


def test_a_conversation_goes_on_with_its_own_tools(tmp_path: Path):
    tools = [tool.spec for tool in LIBRARY]
    bad = {"messages": [{"role": "nobody", "content": "x"}]}
    lines = [
        {"messages": CHAT, "tools": tools},
        {"messages": CHAT[:2], "tools": tools},
        bad,
        {"messages": CHAT, "tools": tools[:2]},
    ]
    seed, config = collect(tmp_path, lines)
    models: Any = PlayedModels()
    made = asyncio.run(prepare_opening_tools(seed, models, config))
    assert [row.openings for row in made.toolsets] == [[0, 1], [3]]
    assert [len(row.tool_ids) for row in made.toolsets] == [4, 2]
    assert set(models.calls) == {"schema_writer"}
    assert len({row.id for row in made.tool_specs}) == len(made.tool_specs) == 6
    assert len({row.id for row in made.ledger}) == len(made.ledger)
    (rejected,) = [row for row in made.ledger if row.outcome == "rejected"]
    assert rejected.reasons[0].startswith("bad_role: ")
    slots = plan_slots(made.toolsets, config, [seed])
    assert {slot.prefix.place.position for slot in slots if slot.prefix} == {0, 1, 3}
    assert all(slot.prefix for slot in slots)
    beginning = read_beginning(slots[0].prefix, {seed.id: seed})
    assert beginning is not None
    assert [message["content"] for message in beginning.messages] == [
        message["content"] for message in CHAT[: len(beginning.messages)]
    ]


@pytest.mark.parametrize("choice", ["own", "others"])
def test_a_conversation_without_tools_is_lent_those_of_another_source(tmp_path: Path, choice: str):
    tools = [] if choice == "own" else [tool.spec for tool in LIBRARY]
    seed, config = collect(tmp_path, [{"messages": CHAT, "tools": tools}], tools=choice)
    models: Any = PlayedModels()
    assert asyncio.run(prepare_opening_tools(seed, models, config)).toolsets == []
    assert plan_slots([], config, [seed]) == []
    lent = [TOOLSET, TOOLSET.model_copy(update={"id": "toolset_2"})]
    slots = plan_slots(lent, config, [seed])
    begun = [slot for slot in slots if slot.prefix]
    assert len(begun) == 6
    assert {slot.toolset_id for slot in begun} == {"toolset_1", "toolset_2"}
    assert plan_slots(lent[::-1], config, [seed]) == slots


def test_without_conversations_slots_are_as_ever():
    row = ToolsetRow(id="t", seed_id="s", domain="d", tool_ids=[], tools="[]")
    assert plan_slots([row], CONFIG, []) == plan_slots([row], CONFIG)
    assert all(slot.prefix is None for slot in plan_slots([row], CONFIG))
