"""The command `check`: figures, exit codes, the answer, and tables of ours held against their gates row by row."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_foreign import ASK, FOUND, GOOD, SYSTEM, TELL, TOOL, call

from flows.cli import main
from schemas.rows import TableRef
from tests.synthetic_run import make_rows, write_tables

WRONG = [SYSTEM, ASK, call(), FOUND, {"role": "assistant", "content": "Ann Lee is 57."}]


def check(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, dict[str, Any], str]:
    with pytest.raises(SystemExit) as ended:
        main(["check", *map(str, arguments), "--json"])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), json.loads(captured.out.splitlines()[-1]), captured.err


def write_lines(file: Path, *lines: Any) -> Path:
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return file


def dialogue(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages), "tools": [TOOL]}


def test_nothing_wrong_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer, _ = check(capsys, write_lines(tmp_path / "a.jsonl", dialogue(*GOOD), dialogue(*GOOD, ASK)))
    assert (code, answer["rows"], answer["clean"], answer["remarked"], answer["wrong"]) == (0, 2, 1, 1, 0)
    assert [row["row"] for row in answer["found"]] == [2]


def test_wrong_and_rejected_rows_end_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_lines(tmp_path / "a.jsonl", dialogue(*GOOD), dialogue(*WRONG), "{broken")
    code, answer, err = check(capsys, file)
    assert (code, answer["exit_code"], answer["wrong"], answer["rejected"]) == (3, 3, 1, 1)
    assert answer["error"] == "of 3 rows 1 wrong and 1 rejected"
    (rule,) = [rule for rule in answer["rules"] if rule["blocks"]]
    assert (rule["layer"], rule["code"], rule["findings"], rule["rows"], rule["share"]) == (
        "grounding",
        "untraced_number",
        1,
        1,
        0.5,
    )
    assert rule["examples"][0].startswith("2, message 4: '57'")
    assert "untraced_number" in err
    assert "rejected   3: is not JSON" in err


def test_a_line_for_each_row_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = write_lines(tmp_path / "a.jsonl", dialogue(*GOOD), dialogue(*WRONG), "7"), tmp_path / "out.jsonl"
    check(capsys, file, "--out", out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(line["row"], line["outcome"]) for line in lines] == [(1, "clean"), (2, "wrong"), (3, "rejected")]


def test_tools_and_system_prompt_come_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_lines(tmp_path / "a.jsonl", {"messages": [ASK, call('{"nam": "Ann Lee"}'), FOUND, TELL]})
    tools = write_lines(tmp_path / "tools.json", json.dumps([TOOL]))
    system = write_lines(tmp_path / "system.md", "You help.")
    alone, answer, _ = check(capsys, file)
    assert (alone, answer["not_checked"]) == (
        0,
        ["arguments of 1 dialogues that bring no tools along; --tools FILE gives them"],
    )
    code, answer, _ = check(capsys, file, "--tools", tools, "--system", system)
    assert (code, answer["not_checked"]) == (3, [])


@pytest.mark.parametrize("content", [None, b"", b"PAR1nothing"])
def test_a_file_that_holds_nothing_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    file = tmp_path / "x"
    if content is not None:
        file.write_bytes(content)
    code, answer, _ = check(capsys, file)
    assert code == 2
    assert str(file) in answer["error"]


def test_a_bad_tools_file_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_lines(tmp_path / "a.jsonl", dialogue(*GOOD))
    assert check(capsys, file, "--tools", tmp_path / "none.json")[0] == 2
    assert check(capsys, file, "--system", tmp_path / "none.md")[0] == 2


def test_words_of_a_file_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = dialogue(SYSTEM, ASK, call("{}", name="\x1b[2Jgone"), FOUND, TELL)
    _, _, err = check(capsys, write_lines(tmp_path / "a.jsonl", evil))
    assert "\x1b" not in err


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tables beside each other, as a run has it."""
    folder = tmp_path_factory.mktemp("run") / "tables"
    folder.mkdir()
    references: dict[str, TableRef] = write_tables(make_rows(4), folder.parent)
    for name, reference in references.items():
        (folder / f"{name}.parquet").write_bytes(Path(reference.path).read_bytes())
    return folder


@pytest.mark.parametrize("table", ["seeds", "toolsets", "dialogue_tasks", "dialogues", "verdicts", "dataset"])
def test_a_good_table_is_clean(tables: Path, capsys: pytest.CaptureFixture[str], table: str) -> None:
    code, answer, _ = check(capsys, tables / f"{table}.parquet")
    assert (code, answer["table"], answer["rules"]) == (0, table, [])
    assert answer["rows"] == answer["clean"] > 0


def change(tables: Path, table: str, column: str, value: Any) -> Path:
    """The table with another value in its second row, beside its siblings."""
    file = tables / f"{table}.parquet"
    content = pq.read_table(file)
    rows = content.to_pylist()
    rows[1][column] = value
    changed = tables / f"changed_{table}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=content.schema), changed)
    return changed


@pytest.mark.parametrize(
    ("table", "column", "value", "code"),
    [
        ("dialogues", "messages", "{broken", "json_is_valid"),
        ("dialogues", "seed_id", "seed_0000000000000000", "seed_id_exists"),
        ("dialogues", "difficulty", "trivial", "invalid_field"),
        ("dialogues", "id", "dialogue_1", "wrong_id"),
        ("verdicts", "dialogue_id", "dialogue_0000000000000000", "dialogue_id_exists"),
        ("dataset", "tools", '[{"type": "function"}]', "tools_are_legal"),
    ],
)
def test_a_wrong_row_is_named(
    tables: Path, capsys: pytest.CaptureFixture[str], table: str, column: str, value: Any, code: str
) -> None:
    ended, answer, _ = check(capsys, change(tables, table, column, value))
    assert (ended, answer["wrong"]) == (3, 1)
    (row,) = [row for row in answer["found"] if row["outcome"] == "wrong"]
    assert row["row"] == 2
    assert code in {finding["code"] for finding in row["findings"]}


def test_a_row_that_stands_there_twice_is_named(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = pq.read_table(tables / "toolsets.parquet")
    twice = tables / "twice.parquet"
    pq.write_table(pa.concat_tables([first, first]), twice)
    ended, answer, _ = check(capsys, twice)
    assert ended == 3
    assert {rule["code"] for rule in answer["rules"]} >= {"repeated_id"}


def test_a_missing_column_is_named(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tables / "short.parquet"
    pq.write_table(pq.read_table(tables / "dialogues.parquet").drop_columns(["messages"]), file)
    ended, answer, _ = check(capsys, file)
    assert ended == 3
    assert "column messages is missing" in answer["error"]


def test_tables_without_their_siblings_say_what_was_not_checked(
    tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "toolsets.parquet"
    alone.write_bytes((tables / "toolsets.parquet").read_bytes())
    _, answer, _ = check(capsys, alone)
    assert "toolsets.seed_id: table seeds was not given" in answer["not_checked"]


def test_tools_are_for_dialogues_only(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(capsys, tables / "seeds.parquet", "--tools", "tools.json")[0] == 2
