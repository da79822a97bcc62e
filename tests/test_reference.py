"""Dialogues made elsewhere: what published files do to the format, and what is no dialogue."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from turnwright.datasets.reference import BadReference, ReferenceDialogue, read_references

DATA = os.environ.get("TURNWRIGHT_TEST_DATA")


def read(tmp_path: Path, *lines: Any) -> list[ReferenceDialogue]:
    file = tmp_path / "reference.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return list(read_references(file))


def one(tmp_path: Path, *messages: Any, **more: Any) -> ReferenceDialogue:
    (dialogue,) = read(tmp_path, {"messages": list(messages), **more})
    return dialogue


def assistant(*calls: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def test_openai_messages_stay_as_they_are(tmp_path: Path) -> None:
    call = {"id": "c9", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        assistant(call),
        {"role": "tool", "tool_call_id": "c9", "content": "[]"},
        {"role": "assistant", "content": "done"},
    ]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    dialogue = one(tmp_path, *messages, tools=tools, id="x", metadata={"domain": "club", "paradigm": "stateless"})
    assert dialogue.messages == messages
    assert (dialogue.id, dialogue.arm, dialogue.cluster, dialogue.tools) == ("x", "stateless", "club", tools)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"a": 1}, '{"a":1}'),
        ('{"a": 1}', '{"a": 1}'),
        ("(a=1, b='x', c=[1, 2])", '{"a":1,"b":"x","c":[1,2]}'),
        ("(5)", "(5)"),
        ("()", "{}"),
        ("(a=open('x'))", "(a=open('x'))"),
        ("(a=" + "(" * 5000, "(a=" + "(" * 5000),
        (None, "{}"),
    ],
)
def test_arguments_of_any_form_are_json(tmp_path: Path, arguments: Any, text: str) -> None:
    (message,) = one(tmp_path, assistant({"name": "f", "arguments": arguments})).messages
    found = message["tool_calls"][0]["function"]["arguments"]
    assert found == text or json.loads(found) == {"argument_0": 5}


def test_results_without_ids_answer_calls_by_name_then_by_order(tmp_path: Path) -> None:
    dialogue = one(
        tmp_path,
        {"role": "user", "content": "go"},
        assistant({"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}, {"name": "a", "arguments": {}}),
        {"role": "tool", "name": "b", "content": {"n": 2}},
        {"role": "function", "content": "first"},
        {"role": "tool", "content": None, "exception": "boom"},
        {"role": "tool", "content": "one too many"},
        assistant({"name": "c", "arguments": {}}),
        {"role": "tool", "content": [{"type": "text", "text": "part"}]},
    )
    results = [
        (message["tool_call_id"], message["content"]) for message in dialogue.messages if message["role"] == "tool"
    ]
    assert results == [
        ("call_1", '{"n":2}'),
        ("call_0", "first"),
        ("call_2", '{"error":"boom"}'),
        (None, "one too many"),
        ("call_3", "part"),
    ]


def test_one_list_answers_several_calls(tmp_path: Path) -> None:
    calls = assistant({"name": "a", "arguments": {}}, {"name": "b", "arguments": {}})
    split = one(tmp_path, calls, {"role": "tool", "content": '[{"n": 1}, {"n": 2}]'}).messages
    assert [(m["tool_call_id"], m["content"]) for m in split[1:]] == [("call_0", '{"n":1}'), ("call_1", '{"n":2}')]
    rows = one(tmp_path, calls, {"role": "tool", "content": "[{}, {}, {}]"}).messages
    assert [(m["tool_call_id"], m["content"]) for m in rows[1:]] == [("call_0", "[{}, {}, {}]")]


def test_tools_of_any_form_are_specifications(tmp_path: Path) -> None:
    flat = {"name": "f", "parameters": {}}
    whole = {"type": "function", "function": flat}
    assert one(tmp_path, tools=[flat, whole, "odd", {}]).tools == [whole, whole]
    assert one(tmp_path, tools=json.dumps([flat])).tools == [whole]
    assert one(tmp_path, tools="[not json").tools == []
    assert one(tmp_path, tools=[flat]).cluster == one(tmp_path, tools=[whole]).cluster != ""


def test_the_file_names_the_arm_where_the_line_does_not(tmp_path: Path) -> None:
    first, second = read(tmp_path, {"messages": []}, {"messages": [], "arm": "b", "task_count": 3})
    assert (first.arm, first.id, first.cluster, first.tasks) == ("reference", "line 1", "", None)
    assert (second.arm, second.tasks) == ("b", 3)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not an object"),
        ('{"messages": {}}', "no list `messages`"),
        ('{"messages": ["hi"]}', "message 0 is not an object"),
        ('{"messages": [{"role": "robot"}]}', "message 0 has the role 'robot'"),
    ],
)
def test_what_is_no_dialogue_is_named_by_line(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(BadReference, match="line 2") as caught:
        read(tmp_path, {"messages": []}, line, {"messages": []})
    assert problem in str(caught.value)


def test_many_problems_are_counted(tmp_path: Path) -> None:
    with pytest.raises(BadReference, match="line 5: is not JSON and 7 more"):
        read(tmp_path, *["{"] * 12)


def test_a_file_without_dialogues_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadReference, match="has no dialogues"):
        read(tmp_path, "", "  ")
    with pytest.raises(BadReference, match="cannot be read"):
        list(read_references(tmp_path / "missing.jsonl"))
    with pytest.raises(BadReference, match="cannot be read"):
        list(read_references(tmp_path))


def test_odd_characters_are_read(tmp_path: Path) -> None:
    line = '{"messages": [{"role": "user", "content": "\\ud83d half \\u2028 NaN"}], "x": NaN}'
    (dialogue,) = read(tmp_path, line)
    dialogue.messages[0]["content"].encode()
    assert dialogue.messages[0]["content"].endswith("half \u2028 NaN")


@pytest.mark.skipif(not DATA, reason="TURNWRIGHT_TEST_DATA names no folder")
@pytest.mark.parametrize(
    ("name", "dialogues", "calls", "answered"),
    [
        ("tau_bench_airline_gpt4o", 50, 5.48, True),
        ("tooltalk", 78, 3.41, True),
        ("bfcl_multi_turn_base", 108, 6.14, False),
        ("glaive_toolcall_en", 150, 0.61, True),
        ("toolace_multi_turn", 60, 1.9, None),
    ],
)
def test_published_files_are_read_whole(name: str, dialogues: int, calls: float, answered: bool | None) -> None:
    found = list(read_references(Path(str(DATA)) / "reference_dialogues" / f"{name}.jsonl"))
    assert len(found) == dialogues
    made = [call for item in found for message in item.messages for call in message.get("tool_calls", ())]
    assert len(made) / dialogues == pytest.approx(calls, abs=0.01)
    assert sum(isinstance(json.loads(call["function"]["arguments"]), dict) for call in made) == len(made)
    paired = [
        message for item in found for message in item.messages if message["role"] == "tool" and message["tool_call_id"]
    ]
    # Dialogues of ToolACE may end with calls that nobody answered, and one has a result that no call asked for.
    results = [message for item in found for message in item.messages if message["role"] == "tool"]
    assert len(paired) >= len(results) - 1
    assert answered is None or len(paired) == (len(made) if answered else 0)
