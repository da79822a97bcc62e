"""Dialogues made elsewhere: what is found in them, what is only remarked on, and that nothing in them crashes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from schemas.checking import RowReport
from turnwright.datasets.foreign_files import read_foreign, read_tools_file
from turnwright.datasets.reference import BadReference
from turnwright.validation.foreign import check_line

DATA = Path(os.environ.get("TURNWRIGHT_TEST_DATA", "")) / "reference_dialogues"
SYSTEM = {"role": "system", "content": "You help the members of a club. Today is 2024-05-01."}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_member",
        "description": "Get a member by name.",
        "parameters": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    },
}
ASK = {"role": "user", "content": "How old is Ann Lee?"}
FOUND = {"role": "tool", "tool_call_id": "c1", "content": '{"name": "Ann Lee", "age": 41, "town": "Leeds"}'}
TELL = {"role": "assistant", "content": "Ann Lee is 41."}


def call(arguments: Any = '{"name": "Ann Lee"}', name: str = "get_member", identity: str = "c1") -> dict[str, Any]:
    made = {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [made]}


GOOD = [SYSTEM, ASK, call(), FOUND, TELL]


def check_lines(tmp_path: Path, *lines: Any, **given: Any) -> list[RowReport]:
    file = tmp_path / "made.jsonl"
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    file.write_bytes(b"\n".join(texts))
    return [check_line(line, **given)[0] for line in read_foreign(file)]


def check(tmp_path: Path, *messages: Any, tools: Any = (TOOL,), **given: Any) -> RowReport:
    (report,) = check_lines(tmp_path, {"messages": list(messages), "tools": list(tools)}, **given)
    return report


def codes(report: RowReport, *, blocks: bool = True) -> set[str]:
    return {finding.code for finding in report.findings if finding.blocks == blocks}


def test_a_good_dialogue_is_clean(tmp_path: Path) -> None:
    report = check(tmp_path, *GOOD)
    assert (report.outcome, report.findings, report.row) == ("clean", (), 1)


@pytest.mark.parametrize(
    ("messages", "code", "message"),
    [
        ([SYSTEM, ASK, call(), TELL], "unpaired_call", 2),
        ([SYSTEM, ASK, call(), FOUND | {"tool_call_id": "c7"}, TELL], "unpaired_result", 3),
        ([SYSTEM, ASK, FOUND, TELL], "role_order", 2),
        ([SYSTEM, ASK, call(name="find_member"), FOUND, TELL], "unknown_tool", 2),
        ([SYSTEM, ASK, call('{"nam": "Ann Lee"}'), FOUND, TELL], "invalid_arguments", 2),
        ([SYSTEM, ASK, call('{"name": "Ann Lee", "name": "Bo"}'), FOUND, TELL], "invalid_arguments", 2),
        ([SYSTEM, ASK, call('{"name": NaN}'), FOUND, TELL], "invalid_arguments", 2),
        ([SYSTEM, ASK, call('{"name": ' + "[" * 3000), FOUND, TELL], "invalid_arguments", 2),
        ([SYSTEM, ASK, call(), FOUND, {"role": "assistant", "content": "Ann Lee is 57."}], "untraced_number", 4),
        ([SYSTEM, ASK, call(), FOUND, {"role": "assistant", "content": "Her age is 41, I've booked it."}], None, 4),
        ([SYSTEM, ASK, call(), FOUND, {"role": "assistant", "content": "She is 41 and lives in the"}], None, 4),
        ([SYSTEM, ASK, call(), FOUND, {"role": "assistant", "content": ""}], "empty_message", 4),
        ([SYSTEM, ASK], "no_answer", None),
        ([SYSTEM, TELL], "no_request", None),
    ],
)
def test_what_is_wrong_blocks_and_points_at_its_message(
    tmp_path: Path, messages: list[Any], code: str | None, message: int | None
) -> None:
    report = check(tmp_path, *messages)
    found = [each for each in report.findings if each.blocks and code in (each.code, None)]
    assert report.outcome == "wrong"
    assert [each.message for each in found][:1] == [message]


def test_two_calls_of_one_message_need_two_ids(tmp_path: Path) -> None:
    both = call() | {"tool_calls": [*call()["tool_calls"], *call('{"name": "Bo Ek"}')["tool_calls"]]}
    assert "repeated_id" in codes(check(tmp_path, SYSTEM, ASK, both, FOUND, FOUND, TELL))


def test_an_id_may_come_again_once_it_was_answered(tmp_path: Path) -> None:
    report = check(tmp_path, *GOOD, ASK, call('{"name": "Ann Lee "}'), FOUND, TELL)
    assert "repeated_id" in codes(report, blocks=False)
    assert "repeated_id" not in codes(report)


def test_a_last_message_of_calls_is_an_answer(tmp_path: Path) -> None:
    report = check(tmp_path, SYSTEM, ASK, call())
    assert (report.outcome, codes(report, blocks=False)) == ("remarked", {"unpaired_call"})


def test_an_answer_from_the_world_is_only_remarked_on(tmp_path: Path) -> None:
    report = check(tmp_path, *GOOD, {"role": "user", "content": "Who wrote Faust?"}, {
        "role": "assistant",
        "content": "Faust was written by Goethe in 1808.",
    })  # fmt: skip
    assert report.outcome == "remarked"
    assert codes(report, blocks=False) & {"untraced_name", "untraced_number"}


def test_what_a_missing_system_prompt_may_have_given_is_only_remarked_on(tmp_path: Path) -> None:
    day = call('{"name": "Zed-99-XK"}')
    unknown = check(tmp_path, ASK, day, FOUND, TELL, tools=[])
    assert "invented_argument" in codes(unknown, blocks=False)
    assert "leaked_prompt" not in codes(unknown, blocks=False)


def test_tools_and_system_prompt_can_be_given(tmp_path: Path) -> None:
    line = {"messages": [ASK, call('{"nam": "Ann Lee"}'), FOUND, TELL]}
    (alone,) = check_lines(tmp_path, line)
    (told,) = check_lines(tmp_path, line, tools=[TOOL], system="You help.")
    assert "invalid_arguments" not in codes(alone)
    bad = next(each for each in told.findings if each.code == "invalid_arguments")
    assert bad.message == 1, "messages are counted as the file has them"


def test_without_tools_arguments_are_not_checked_and_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"messages": [ASK, call(), FOUND, TELL]}) + "\n" + json.dumps({"messages": [ASK, TELL]}))
    assert [check_line(line)[1] for line in read_foreign(file)] == [False, True]


@pytest.mark.parametrize(
    ("said", "blocks"),
    [
        ("It is on 9/15.", False),
        ("The club is open from 10 to 11.", False),
        ("The club opens at 11:30 am.", True),
        ("Her score is 915.", True),
        ("She uses an API.", False),
        ("She knows Jose Garcia.", True),
    ],
)
def test_loose_ways_to_say_a_known_thing_only_remark(tmp_path: Path, said: str, blocks: bool) -> None:
    report = check(tmp_path, SYSTEM, ASK, call(), FOUND, {"role": "assistant", "content": f"Ann Lee is 41. {said}"})
    assert (report.outcome == "wrong") == blocks


def test_a_broken_tool_is_a_remark_and_takes_any_arguments(tmp_path: Path) -> None:
    broken = {"type": "function", "function": TOOL["function"] | {"parameters": {"type": "nonsense"}}}  # pyright: ignore
    report = check(tmp_path, *GOOD, tools=[broken])
    assert (report.outcome, codes(report, blocks=False)) == ("remarked", {"unusable_tool"})


def test_a_result_is_held_against_an_output_schema_that_is_there(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "string"}}}
    assert "invalid_result" in codes(check(tmp_path, *GOOD, tools=[TOOL | {"output_schema": schema}]))


def test_a_mended_call_does_no_harm(tmp_path: Path) -> None:
    failed = {"role": "tool", "tool_call_id": "c0", "content": "Error: name is missing"}
    report = check(tmp_path, SYSTEM, ASK, call("{}", identity="c0"), failed, call(), FOUND, TELL)
    assert (report.outcome, codes(report, blocks=False)) == ("remarked", {"invalid_arguments"})


SHAREGPT = {
    "system": SYSTEM["content"],
    "conversations": [
        {"from": "human", "value": ASK["content"]},
        {"from": "function_call", "value": '{"name": "get_member", "arguments": {"name": "Ann Lee"}}'},
        {"from": "observation", "value": FOUND["content"]},
        {"from": "gpt", "value": TELL["content"]},
    ],
}
TAGGED = {
    "conversations": [
        {"from": "system", "value": SYSTEM["content"]},
        {"from": "human", "value": ASK["content"]},
        {"from": "gpt", "value": '<tool_call>{"name": "get_member", "arguments": {"name": "Ann Lee"}}</tool_call>'},
        {"from": "tool", "value": f"<tool_response>\n{FOUND['content']}\n</tool_response>"},
        {"from": "gpt", "value": TELL["content"]},
    ]
}
LEGACY = {
    "messages": [
        SYSTEM,
        ASK,
        {"role": "assistant", "content": None, "function_call": {"name": "get_member", "arguments": "{}"}},
        {"role": "function", "name": "get_member", "content": FOUND["content"]},
        TELL,
    ]
}
PARTS = {"messages": [SYSTEM, {"role": "user", "content": [{"type": "text", "text": ASK["content"]}]}, *GOOD[2:]]}


@pytest.mark.parametrize("line", [SHAREGPT, TAGGED, PARTS])
@pytest.mark.parametrize("tools", [[TOOL], json.dumps([TOOL]), [TOOL["function"]]])
def test_every_form_is_read_as_the_same_dialogue(tmp_path: Path, line: dict[str, Any], tools: Any) -> None:
    (report,) = check_lines(tmp_path, line | {"tools": tools})
    assert (report.outcome, report.findings) == ("clean", ())
    broken = json.loads(json.dumps(line | {"tools": tools}).replace("is 41.", "is 57."))
    assert "untraced_number" in codes(check_lines(tmp_path, broken)[0])


def test_the_first_function_format_is_read_too(tmp_path: Path) -> None:
    (report,) = check_lines(tmp_path, LEGACY | {"functions": [TOOL["function"]]})
    assert codes(report) == {"invalid_arguments"}


def test_a_file_may_be_one_list_or_have_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{"messages": GOOD, "tools": [TOOL]}] * 3, indent=1))
    assert [line.number for line in read_foreign(file)] == [1, 2, 3]
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"messages": GOOD}).encode() + b"\n\n")
    assert [line.problem for line in read_foreign(file)] == [None]


def test_nested_parquet_is_read_without_the_nulls_that_it_adds(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = tmp_path / "x.parquet"
    pq.write_table(pa.table({"messages": [GOOD], "tools": [json.dumps([TOOL])]}), file)
    (line,) = read_foreign(file)
    assert check_line(line)[0].findings == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{not json", "is not JSON"),
        (b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}', "is not UTF-8 text"),
        (b'{"messages": ' + b"[" * 100_000, "deep"),
        (b"[1, 2]", "is not an object"),
        (b'{"text": "x"}', "has no list `messages`"),
        (b'{"messages": [{"role": "robot", "content": ""}]}', "has the role 'robot'"),
        (b'{"messages": ["x"]}', "is not an object"),
    ],
)
def test_what_is_no_dialogue_is_rejected_with_a_reason(tmp_path: Path, line: bytes, reason: str) -> None:
    good = {"messages": GOOD, "tools": [TOOL]}
    bad, after = check_lines(tmp_path, line, good)
    assert bad.outcome == "rejected"
    assert reason in (bad.problem or "")
    assert (after.row, after.outcome) == (2, "clean")


def _with_result(content: str) -> dict[str, Any]:
    return {"messages": [SYSTEM, ASK, call(), FOUND | {"content": content}, TELL], "tools": [TOOL]}


HOSTILE: list[Any] = [
    _with_result("x" * 2**20),
    _with_result(json.dumps([{"name": f"n{number}", "age": number} for number in range(20_000)])),
    _with_result("[" * 5000 + "]" * 5000),
    _with_result('{"age": NaN, "size": 1e999, "age": 41}'),
    _with_result('{"age": ' + "9" * 5000 + "}"),
    _with_result('{"name": "\\ud800", "age": 41}'),
    b'{"messages": [{"role": "user", "content": "\\ud83d hello"}, {"role": "assistant", "content": "Hi."}]}',
    b'{"messages": [{"role": "user", "content": 7}, {"role": "assistant", "content": {"a": NaN}}]}',
    b'{"messages": [], "messages": [{"role": "user", "content": "u"}], "tools": "[{"}',
    {"messages": [ASK, call({"a": {"b": [1e308, 10**30]}}), FOUND, TELL], "tools": [TOOL]},
    {"messages": [ASK, {"role": "assistant", "tool_calls": [None, 5, {"function": 3}]}], "tools": 5},
    {"messages": [ASK, {"role": "assistant", "content": None, "tool_calls": "x"}], "tools": {"a": 1}},
    {
        "messages": [{"role": "tool", "content": None}, {"role": "user"}],
        "tools": [{"name": ["x"]}, {"function": {}}],
    },
    {"messages": [ASK, TELL] * 300},
    {"messages": []},
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_lines_are_judged(tmp_path: Path, line: Any) -> None:
    (report,) = check_lines(tmp_path, line)
    assert report.outcome in ("clean", "remarked", "wrong", "rejected")
    assert (report.outcome == "rejected") == (report.problem is not None)
    report.model_dump_json()


def test_what_had_to_be_forgiven_is_told(tmp_path: Path) -> None:
    line = b'{"messages": [], "messages": [{"role": "user", "content": "u"}], "tools": "[{"}'
    (report,) = check_lines(tmp_path, line)
    assert {"loose_json", "unreadable_tools"} <= codes(report, blocks=False)


@pytest.mark.parametrize("text", [json.dumps([TOOL]), json.dumps({"tools": [TOOL]}), f"{json.dumps(TOOL)}\n" * 2])
def test_tools_files_have_several_forms(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tools.json"
    file.write_text(text)
    assert read_tools_file(file)[0]["function"]["name"] == "get_member"


@pytest.mark.parametrize("content", [b"", b"[", b"[1]", b"\xff", b'{"a": 1}'])
def test_a_file_without_tools_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "tools.json"
    file.write_bytes(content)
    with pytest.raises(BadReference, match=r"tools\.json"):
        read_tools_file(file)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PAR1 broken"])
def test_a_file_without_dialogues_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "made.jsonl"
    file.write_bytes(content)
    with pytest.raises(BadReference, match=r"made\.jsonl"):
        list(read_foreign(file))


@pytest.mark.skipif(not DATA.is_dir(), reason="needs TURNWRIGHT_TEST_DATA with reference_dialogues")
@pytest.mark.parametrize(
    ("name", "count", "code", "least", "most"),
    [
        ("bfcl_multi_turn_base", 108, "unpaired_call", 500, 600),
        ("glaive_toolcall_en", 150, "truncated_message", 1, 1),
        ("tau_bench_airline_gpt4o", 50, "unpaired_call", 0, 0),
        ("toolace_multi_turn", 60, "claimed_deed", 1, 4),
        ("tooltalk", 78, "untraced_number", 5, 40),
    ],
)
def test_published_dialogues_are_all_judged(name: str, count: int, code: str, least: int, most: int) -> None:
    reports = [check_line(line)[0] for line in read_foreign(DATA / f"{name}.jsonl")]
    assert len(reports) == count
    assert not any(report.outcome == "rejected" for report in reports)
    found = sum(each.code == code and each.blocks for report in reports for each in report.findings)
    assert least <= found <= most
