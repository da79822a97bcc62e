"""Tools and conversations in files: what is read, how it is grouped, and what is said of what cannot be read."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.config import RunConfig
from schemas.rows import SeedRow
from schemas.seeds import DialogueSeed, Opening, ToolSeed
from schemas.sources import DialoguesSource, ToolsSource
from schemas.tools import SpecTool
from tests.hand_tools import make_file
from turnwright.sources import documents
from turnwright.sources.collection import check_source, collect_seeds
from turnwright.sources.dialogue_files import find_message_problem
from turnwright.sources.errors import SourceError
from turnwright.storage.store import Store
from turnwright.tools.spec_check import check_spec


def function(name: str = "find_book", **fields: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"title": {"type": "string"}, "author": {"type": "string"}}}
    return {"name": name, "description": f"Does {name}.", "parameters": parameters, **fields}


def tool(name: str = "find_book", **beside: Any) -> dict[str, Any]:
    return {"type": "function", "function": function(name), **beside}


def put(path: Path, *lines: Any) -> Path:
    """A file with a line for each value; bytes and texts as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [json.dumps(line) if isinstance(line, dict | list) else line for line in lines]
    texts = [text if isinstance(text, bytes) else str(text).encode() for text in texts]
    path.write_bytes(b"\n".join(texts) + b"\n")
    return path


def collect(path: Path, **settings: Any) -> list[ToolSeed]:
    source = ToolsSource(kind="tools", path=str(path), **settings)
    return [ToolSeed.model_validate_json(row.content) for row in collect_seeds(source, 0, 7, Store(path.parent))]


def names(seed: ToolSeed) -> list[str]:
    return [item.spec["function"]["name"] for item in seed.tools if item.problem is None]


def openings(path: Path, **settings: Any) -> list[Opening]:
    source = DialoguesSource(kind="dialogues", path=str(path), **settings)
    (row,) = collect_seeds(source, 0, 7, Store(path.parent))
    return list(DialogueSeed.model_validate_json(row.content).openings)


@pytest.mark.parametrize(
    "content",
    [
        [tool("a"), tool("b")],
        [function("a"), function("b")],
        {"tools": [tool("a"), tool("b")]},
        {"functions": [function("a"), function("b")], "description": "Books."},
        [{"name": "a", "description": "d", "inputSchema": function()["parameters"]}, tool("b")],
    ],
)
def test_the_forms_of_a_json_file(content: Any, tmp_path: Path) -> None:
    (seed,) = collect(put(tmp_path / "book shop.json", content))
    assert seed.name == "book_shop"
    assert names(seed) == ["a", "b"]
    assert [item.origin for item in seed.tools] == ["book shop.json[0]", "book shop.json[1]"]
    assert seed.description == ("Books." if "description" in content else "")
    for item in seed.tools:
        checked = check_spec(item, set())
        assert isinstance(checked, SpecTool)
        assert list(checked.parameters["properties"]) == ["title", "author"]


def test_one_object_is_one_tool_also_over_several_lines(tmp_path: Path) -> None:
    (seed,) = collect(put(tmp_path / "one.json", json.dumps(tool("only"), indent=2)))
    assert names(seed) == ["only"]
    assert seed.tools[0].origin == "one.json"
    (seed,) = collect(put(tmp_path / "lines.json", tool("a"), tool("b")))
    assert [item.origin for item in seed.tools] == ["lines.json:1", "lines.json:2"]


def test_what_stands_beside_a_specification(tmp_path: Path) -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    path = put(
        tmp_path / "t.jsonl",
        tool("a", output_schema=schema, effect="write"),
        tool("b", x_response=schema),
        {"type": "function", "function": function("c", output_schema=schema, effect="read")},
        tool("d", annotations={"readOnlyHint": True}),
        tool("e", output_schema="text"),
        tool("f", effect="maybe"),
    )
    (seed,) = collect(path)
    assert [item.output_schema for item in seed.tools[:4]] == [schema, None, schema, None]
    assert [item.effect for item in seed.tools[:4]] == ["write", None, "read", "read"]
    assert [str(item.problem).split(":")[0] for item in seed.tools[4:]] == ["invalid_output_schema", "invalid_effect"]
    (seed,) = collect(path, output_schema_field="x_response")
    assert [item.output_schema for item in seed.tools[:2]] == [None, schema]
    assert "x_response" not in json.dumps(seed.tools[1].spec)


def test_domains_are_files_groups_or_one(tmp_path: Path) -> None:
    put(tmp_path / "t" / "b.jsonl", tool("b1", topic="Loans & more"), tool("b2"), tool("b3", topic=7), "{")
    put(tmp_path / "t" / "deep" / "a.json", [tool("a1", topic="Loans & more")])
    put(tmp_path / "t" / ".hidden.json", [tool("x")])
    put(tmp_path / "t" / "notes.txt", "x")
    assert [(seed.name, names(seed)) for seed in collect(tmp_path / "t")] == [("b", ["b1", "b2", "b3"]), ("a", ["a1"])]
    grouped = collect(tmp_path / "t", group_by="topic")
    assert [(seed.name, names(seed)) for seed in grouped] == [
        ("Loans_more", ["b1", "a1"]),
        ("b", ["b2"]),
        ("7", ["b3"]),
    ]
    assert [item.origin for item in grouped[0].tools] == ["b.jsonl:1", "b.jsonl:4", "deep/a.json[0]"]
    (seed,) = collect(tmp_path / "t", name="library")
    assert (seed.name, names(seed)) == ("library", ["b1", "b2", "b3", "a1"])
    with pytest.raises(ValueError, match="give one of them"):
        ToolsSource(kind="tools", path="t", name="a", group_by="b")


def test_bad_lines_keep_their_place_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines: list[tuple[Any, str]] = [
        (tool("good"), ""),
        ('{"type": ', "unreadable"),
        (b'{"name": "\xff"}', "unreadable"),
        ('{"name": "a", "name": "b"}', "unreadable"),
        ('{"name": NaN}', "unreadable"),
        ('{"name": 1e999}', "unreadable"),
        ('{"name": "\\ud800"}', "unreadable"),
        ("[" * 5000, "unreadable"),
        ("[" * 70 + "]" * 70, "unreadable"),
        ('"' + "x" * (documents.LONGEST_LINE + 1) + '"', "too_large"),
        ("7", "not_a_function"),
        (tool("good"), "duplicate_name"),
        ({"type": "function", "function": function("typed", parameters={"type": "dict"})}, "unknown_type"),
        (tool("last"), ""),
    ]
    (seed,) = collect(
        put(tmp_path / "t.jsonl", b"\xef\xbb\xbf" + json.dumps(lines[0][0]).encode(), *(line for line, _ in lines[1:]))
    )
    assert len(seed.tools) == len(lines)
    taken: set[str] = set()
    for number, (item, (_, code)) in enumerate(zip(seed.tools, lines, strict=True), start=1):
        assert item.origin == f"t.jsonl:{number}"
        checked = check_spec(item, taken)
        if isinstance(checked, SpecTool):
            assert not code
            taken.add(checked.name)
        else:
            assert checked[0].startswith(f"{code}: ")
        if item.problem:
            assert isinstance(item.spec, str)
            assert len(item.spec) <= 2000
    report = check_source(ToolsSource(kind="tools", path=str(tmp_path / "t.jsonl")))
    assert report.summary == "14 tools in 1 domain t"
    (warning,) = report.warnings
    assert warning.startswith(
        "12 tools cannot be used (duplicate_name 1, not_a_function 1, too_large 1, unknown_type 1"
    )
    assert "t.jsonl:2: unreadable" in warning


def test_integers_beyond_64_bits_are_numbers_all_the_same(tmp_path: Path) -> None:
    given = tool("a")
    given["function"]["parameters"]["properties"]["title"] = {"type": "integer", "maximum": 2**64}
    (seed,) = collect(put(tmp_path / "t.jsonl", given))
    assert isinstance(check_spec(seed.tools[0], set()), SpecTool)


def test_an_unreadable_file_among_others_is_one_problem(tmp_path: Path) -> None:
    put(tmp_path / "t" / "good.json", [tool("a")])
    put(tmp_path / "t" / "bad.json", "[{]")
    put(tmp_path / "t" / "binary.jsonl", b"\x00\x01")
    seeds = {seed.name: seed for seed in collect(tmp_path / "t")}
    assert names(seeds["good"]) == ["a"]
    assert str(seeds["bad"].tools[0].problem).startswith("unreadable: bad.json: is not JSON")
    assert str(seeds["binary"].tools[0].problem) == "unreadable: binary.jsonl: is not UTF-8 text"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (None, b"", "no such file or folder"),
        ("folder/readme.md", b"x", "has no .json or .jsonl file"),
        ("t.json", b"", "is empty"),
        ("t.json", b"\n \n", "is empty"),
        ("t.json", b"\x1f\x8b\x00\x00", "is not UTF-8 text"),
        ("t.json", "[é]".encode("utf-16"), "is not UTF-8 text"),
        ("t.json", b'["\xff"]', "is not UTF-8 text (byte 2, line 1)"),
        ("t.json", b"[1,", "is not JSON"),
        ("t.json", b"[" * 100_000, "levels deep"),
        ("t.json", b"[]", "holds no tool"),
        ("t.jsonl", b"{\n{\n", "holds no tool that can be read; t.jsonl:1: unreadable"),
    ],
)
def test_files_that_cannot_be_used(name: str | None, content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "gone.json"
    if name is not None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path = path.parent if path.suffix == ".md" else path
    for source in (ToolsSource(kind="tools", path=str(path)), DialoguesSource(kind="dialogues", path=str(path))):
        with pytest.raises(SourceError) as caught:
            collect_seeds(source, 3, 7, Store(tmp_path))
        expected = words.replace("holds no tool that can be read", "holds no conversation that can be gone on with")
        expected = expected.replace(".json or .jsonl", ".jsonl or .json").replace("no tool", "no conversation")
        assert (words if source.kind == "tools" else expected) in caught.value.message
        assert caught.value.message.startswith(f"source 3 ({path})")
        assert caught.value.hint


def test_files_that_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.jsonl"
    with path.open("wb") as stream:
        stream.truncate(100 * 2**20)
    with pytest.raises(SourceError, match="larger than 32 MiB"):
        collect(path)
    for number in range(3):
        put(tmp_path / "many" / f"{number}.json", [tool()])
    monkeypatch.setattr(documents, "MOST_BYTES_TOGETHER", 500)
    with pytest.raises(SourceError, match="together"):
        collect(tmp_path / "many")
    monkeypatch.setattr(documents, "MOST_FILES", 2)
    with pytest.raises(SourceError, match="more than 2 files"):
        collect(tmp_path / "many")


def test_relative_paths_are_taken_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "data" / "t.json", [tool()])
    monkeypatch.chdir(tmp_path)
    source = ToolsSource(kind="tools", path="data/t.json")
    (row,) = collect_seeds(source, 4, 7, Store(tmp_path))
    assert (row.kind, row.domain, row.source, row.locator, row.dialect) == ("tools", "t", 4, "data/t.json", "")


def test_rows_follow_from_the_content_alone(tmp_path: Path) -> None:
    def rows(place: str, *lines: Any) -> list[SeedRow]:
        path = put(tmp_path / place / "t.jsonl", *lines)
        return collect_seeds(ToolsSource(kind="tools", path=str(path)), 0, 7, Store(tmp_path))

    first, again, other = rows("a", tool("a")), rows("b", tool("a")), rows("c", tool("b"))
    assert first[0].id == again[0].id != other[0].id
    assert first[0].base_digest == again[0].base_digest != other[0].base_digest
    assert first[0].content == again[0].content


def test_seeds_of_all_sources_get_domains_of_their_own(tmp_path: Path) -> None:
    from tasks.collect_seeds import name_domains

    path = put(tmp_path / "shop.json", [tool("a")])
    database = make_file(tmp_path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    config = RunConfig.model_validate(
        {
            "name": "t",
            "sources": [
                {"kind": "tools", "path": str(path)},
                {"kind": "sql", "url": f"sqlite:///{database}"},
                {"kind": "tools", "path": str(path), "group_by": "topic"},
            ],
        }
    )
    found = [
        row for place, source in enumerate(config.sources) for row in collect_seeds(source, place, 7, Store(tmp_path))
    ]
    rows = name_domains(found)
    assert [(row.domain, row.kind, row.source) for row in rows] == [
        ("shop", "tools", 0),
        ("shop_2", "sql", 1),
        ("shop_3", "tools", 2),
    ]
    assert len({row.id for row in rows}) == 3


CALL = {"id": "c1", "type": "function", "function": {"name": "find_book", "arguments": "{}"}}
ASKS: dict[str, Any] = {"role": "user", "content": "Find it."}
CALLS: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [CALL]}
GIVES: dict[str, Any] = {"role": "tool", "tool_call_id": "c1", "content": "[]"}
SAYS: dict[str, Any] = {"role": "assistant", "content": "Here."}


@pytest.mark.parametrize(
    "messages",
    [
        [ASKS],
        [ASKS, SAYS],
        [{"role": "system", "content": "s"}, SAYS],
        [ASKS, CALLS, GIVES],
        [ASKS, {**CALLS, "content": "Wait.", "refusal": None}, GIVES, SAYS, ASKS],
        [ASKS, {**CALLS, "tool_calls": [CALL, {**CALL, "id": "c2"}]}, {**GIVES, "tool_call_id": "c2"}, GIVES],
        [ASKS, {**SAYS, "tool_calls": []}, {**SAYS, "tool_calls": None}],
    ],
)
def test_conversations_that_can_be_gone_on_with_are_kept_as_they_are(messages: list[Any], tmp_path: Path) -> None:
    tools = json.dumps([tool("find_book"), {"name": "no.good"}])
    for offered in (None, [], tools, json.loads(tools), {"tools": json.loads(tools)}):
        (opening,) = openings(put(tmp_path / "d.jsonl", {"id": 3, "messages": messages, "tools": offered}))
        assert opening.problem is None
        assert json.dumps(opening.messages) == json.dumps(messages)
        assert [item.spec["function"]["name"] for item in opening.tools] == (
            ["find_book", "no.good"] if offered else []
        )
    assert opening.tools[0].origin == "d.jsonl:1 tool 0"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], "no_conversation"),
        ([{"role": "system", "content": "s"}], "no_conversation"),
        (["hello"], "bad_message"),
        ([{"role": "developer", "content": "s"}], "bad_role"),
        ([{"content": "s"}], "bad_role"),
        ([{"role": ["user"], "content": "s"}], "bad_role"),
        ([{"role": "user", "content": None}], "bad_content"),
        ([{"role": "user", "content": [{"type": "text", "text": "x"}]}], "bad_content"),
        ([{"role": "assistant", "content": None}], "bad_content"),
        ([{**ASKS, "tool_calls": [CALL]}], "bad_message"),
        ([ASKS, {"role": "assistant", "content": None, "function_call": {"name": "a"}}], "old_format"),
        ([ASKS, CALLS], "unpaired_call"),
        ([ASKS, CALLS, ASKS], "unpaired_call"),
        ([ASKS, CALLS, SAYS, GIVES], "unpaired_call"),
        ([ASKS, GIVES], "unpaired_result"),
        ([ASKS, CALLS, GIVES, GIVES], "unpaired_result"),
        ([ASKS, CALLS, {"role": "tool", "content": "x"}], "unpaired_result"),
        ([ASKS, CALLS, {**GIVES, "tool_call_id": ["c1"]}], "unpaired_result"),
        ([ASKS, CALLS, {**GIVES, "content": {"a": 1}}], "bad_content"),
        ([ASKS, {**CALLS, "tool_calls": {}}], "bad_content"),
        ([ASKS, {**CALLS, "tool_calls": "x"}], "bad_call"),
        ([ASKS, {**CALLS, "tool_calls": [{"name": "a", "arguments": "{}"}]}], "bad_call"),
        ([ASKS, {**CALLS, "tool_calls": [{**CALL, "id": ""}]}], "bad_call"),
        ([ASKS, {**CALLS, "tool_calls": [{**CALL, "type": "code"}]}], "bad_call"),
        ([ASKS, {**CALLS, "tool_calls": [CALL, CALL]}], "bad_call"),
        ([ASKS, CALLS, GIVES, CALLS, GIVES], "bad_call"),
        ([ASKS, {**CALLS, "tool_calls": [{**CALL, "function": {"name": "a", "arguments": {}}}]}], "bad_call"),
    ],
)
def test_where_a_conversation_departs_from_the_format(messages: list[Any], code: str) -> None:
    assert str(find_message_problem(messages)).split(":")[0] == code


def test_lines_that_cannot_be_used_keep_their_place(tmp_path: Path) -> None:
    lines: list[tuple[Any, str | None]] = [
        ({"messages": [ASKS]}, None),
        ("{", "unreadable"),
        ({"tools": []}, "no_messages"),
        ([ASKS], None),
        ({"messages": [ASKS], "tools": "[{"}, "bad_tools"),
        ({"messages": [ASKS], "tools": 7}, "bad_tools"),
        ({"messages": [ASKS, SAYS] * 501}, "too_long"),
        ({"messages": [ASKS, CALLS]}, "unpaired_call"),
        (7, "no_messages"),
    ]
    path = put(tmp_path / "d.jsonl", *(line for line, _ in lines))
    found = openings(path)
    assert [opening.origin for opening in found] == [f"d.jsonl:{number}" for number in range(1, len(lines) + 1)]
    assert [opening.problem and opening.problem.split(":")[0] for opening in found] == [code for _, code in lines]
    assert found[3].messages == (ASKS,)
    assert found[7].messages == (ASKS, CALLS)
    report = check_source(DialoguesSource(kind="dialogues", path=str(path)))
    assert report.summary == "9 conversations in 1 domain d"
    assert report.warnings[0].startswith("7 conversations cannot be used (bad_tools 2, no_messages 2, too_long 1, ")


@pytest.mark.parametrize(
    "document",
    [
        [{"messages": [ASKS]}, {"messages": [SAYS]}],
        {"conversations": [{"messages": [ASKS]}, {"messages": [SAYS]}]},
    ],
)
def test_conversations_in_one_json_document(document: Any, tmp_path: Path) -> None:
    found = openings(put(tmp_path / "d.json", document), name="talks")
    assert [opening.messages for opening in found] == [(ASKS,), (SAYS,)]
    single = put(tmp_path / "single.json", {"messages": [ASKS, SAYS], "data": []})
    assert [opening.messages for opening in openings(single)] == [(ASKS, SAYS)]
    bare = put(tmp_path / "bare.json", [ASKS, SAYS])
    assert [opening.messages for opening in openings(bare)] == [(ASKS, SAYS)]


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("TURNWRIGHT_TEST_DATA")
    if not folder:
        pytest.skip("TURNWRIGHT_TEST_DATA is not set")
    return Path(folder)


def test_the_collected_tools(data: Path) -> None:
    seeds = collect(data / "seed_tools", group_by="x_category")
    sizes = {seed.name: len(seed.tools) for seed in seeds}
    assert sizes["GorillaFileSystem"] == 18
    assert sizes["VehicleControlAPI"] == 22
    assert sum(sizes.values()) == 788
    rejected: Counter[str] = Counter()
    for seed in seeds:
        taken: set[str] = set()
        for item in seed.tools:
            checked = check_spec(item, taken)
            if isinstance(checked, SpecTool):
                taken.add(checked.name)
            else:
                rejected[checked[0].split(":")[0]] += 1
    assert sum(rejected.values()) <= 5, rejected


def test_the_collected_dialogues(data: Path) -> None:
    source = DialoguesSource(kind="dialogues", path=str(data / "reference_dialogues"))
    seeds = {
        row.domain: DialogueSeed.model_validate_json(row.content) for row in collect_seeds(source, 0, 7, Store(data))
    }
    counts = {name: len(seed.openings) for name, seed in seeds.items()}
    assert counts["glaive_toolcall_en"] == 150
    assert counts["tau_bench_airline_gpt4o"] == 50
    glaive = seeds["glaive_toolcall_en"].openings
    usable = [opening for opening in glaive if opening.problem is None]
    assert len(usable) >= 80
    assert any(opening.tools for opening in usable)
    # Their calls are no calls of OpenAI's: name and arguments stand where `function` should.
    assert {str(opening.problem).split(":")[0] for opening in glaive if opening.problem} == {"bad_call"}
