"""The OpenAI export, read back: every message and every argument text is what it was."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.rows import DatasetRow
from tests.synthetic_run import CONFIG, make_rows, write_tables
from turnwright.datasets.card import format_card, write_card
from turnwright.datasets.openai import export_openai
from turnwright.statistics.statistics import compute_statistics
from turnwright.statistics.table1 import Spread, Table1Row

ROWS: dict[str, list[Any]] = make_rows()  # type: ignore[assignment]

ODD_ARGUMENTS = [
    '{"b": 1,\n  "a": 1e400, "a": 2}',
    "{}",
    '{"text": "a\\u2028b"}',
    "not json at all",
    '{"id": 123456789012345678901234567890}',
    '{"nothing": null, "list": [], "deep": {"x": [[[]]]}}',
    "",
]


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]


def make_row(messages: list[Any], **changes: Any) -> DatasetRow:
    text = json.dumps(messages, ensure_ascii=False)
    return ROWS["dataset"][0].model_copy(update={"messages": text, "split": "train"} | changes)


def test_round_trip_is_exact(tmp_path: Path) -> None:
    rows: list[DatasetRow] = ROWS["dataset"]
    counts = export_openai(iter(rows), tmp_path)
    exported = {line["id"]: line for name in ("train", "validation") for line in read(tmp_path / f"{name}.jsonl")}
    assert counts == {split: sum(row.split == split for row in rows) for split in ("train", "validation")}
    assert set(exported) == {row.id for row in rows}
    for row in rows:
        line = exported[row.id]
        back = [
            {("reasoning" if name == "reasoning_content" else name): value for name, value in message.items()}
            for message in line["messages"]
        ]
        assert back == json.loads(row.messages)
        assert line["tools"] == json.loads(row.tools)
        assert line["metadata"]["dialogue_id"] == row.dialogue_id


def test_reasoning_has_a_field_of_its_own(tmp_path: Path) -> None:
    export_openai([make_row([{"role": "assistant", "content": "Yes.", "reasoning": "because"}])], tmp_path)
    (line,) = read(tmp_path / "train.jsonl")
    assert line["messages"] == [{"role": "assistant", "content": "Yes.", "reasoning_content": "because"}]


@pytest.mark.parametrize("arguments", ODD_ARGUMENTS)
def test_arguments_are_the_text_that_the_model_wrote(arguments: str, tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "x", "tool_call_id": "c1"},
    ]
    export_openai([make_row(messages)], tmp_path)
    (line,) = read(tmp_path / "train.jsonl")
    assert line["messages"] == messages


@pytest.mark.parametrize("text", ["a\u2028b\u2029c\x85d", "\ud83d", "Zoë – 日本 \U0001f600", "<|im_end|>\r\n\x00"])
def test_any_text_is_one_line_and_survives(text: str, tmp_path: Path) -> None:
    row = make_row([]).model_copy(update={"messages": json.dumps([{"role": "user", "content": text}])})
    export_openai([row, row], tmp_path)
    content = (tmp_path / "train.jsonl").read_bytes().decode()
    assert len(content.splitlines()) == 2
    assert [json.loads(line)["messages"][0]["content"] for line in content.splitlines()] == [text, text]


def test_an_empty_split_is_an_empty_file(tmp_path: Path) -> None:
    assert export_openai([], tmp_path) == {"train": 0, "validation": 0}
    assert (tmp_path / "validation.jsonl").read_bytes() == b""


def test_an_export_that_breaks_off_leaves_the_earlier_one(tmp_path: Path) -> None:
    export_openai([make_row([])], tmp_path)
    before = (tmp_path / "train.jsonl").read_bytes()
    with pytest.raises(KeyError):
        export_openai([make_row([]), make_row([], split="test")], tmp_path)
    assert (tmp_path / "train.jsonl").read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["train.jsonl", "validation.jsonl"]


def test_the_card_says_where_data_comes_from_and_warns_of_templates(tmp_path: Path) -> None:
    statistics = compute_statistics(write_tables(make_rows(), tmp_path / "t"), {})
    config = CONFIG.model_dump(mode="json")
    config["sources"] = [
        {"kind": "sql", "url": "postgresql://ann:***@db.example/home/secret_folder/league?sslmode=off"}
    ]
    run = {"run_id": "club-1", "config": config, "endpoints": {"assistant": {"kind": "selfplay"}}}
    card = write_card(tmp_path, statistics, run).read_text()
    assert card.startswith("---\n")
    assert "Do not train a model on it" in card
    assert "1.50 (2) | 12.00 (20) | 2.00 (3) | 24 |" in card
    assert "* sql: league\n" in card
    assert "db.example" not in card
    real = statistics.model_copy(update={"models": ["qwen"]})
    assert "Do not train" not in format_card(real, run)


def test_what_a_database_is_called_is_not_markup_in_the_card() -> None:
    row = compute_statistics({}, {}).model_copy(
        update={"models": ["m"], "table1": [evil_line("x|y](http://evil) <script>")]}
    )
    card = format_card(row, {})
    assert "x\\|y\\](http://evil) \\<script\\>" in card


def evil_line(source: str) -> Any:
    spread = Spread(mean=1.0, maximum=1, samples=1)
    return Table1Row(
        scope="accepted",
        paradigm="p",
        source=source,
        step=spread,
        step_over_all_requests=spread,
        turn=spread,
        task=spread,
        samples=1,
    )
