"""What `show` and `stats` print: everything there, nothing taken for markup, no control character let through."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from schemas.rows import TableRef
from tests.synthetic_run import CONFIG, change_row, make_rows, replace_rows, write_tables
from turnwright.reports import reading, terminal
from turnwright.statistics.statistics import compute_statistics


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TableRef]:
    return write_tables(make_rows(), tmp_path_factory.mktemp("tables"))


def print_out(renderable: Any, width: int = 140) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_dialogue_reads_from_top_to_bottom(tables: dict[str, TableRef]) -> None:
    (dialogue,) = reading.read_dialogues(tables, [make_rows()["dialogues"][4].id])
    text = print_out(terminal.show_dialogue(dialogue))
    order = [
        "what does",
        "I need the player",
        "Let me look that up.",
        "→ search_players(name=",
        '← [{"earnings"',
        "a year.",
        "Thanks, report",
        "Glad to help.",
        "invalid   replay match · outcome mismatch",
        "✗ outcome.fact_missing: the earnings were not reported",
        "✗ The earnings of",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "You help people" not in text


def test_dialogues_are_listed_with_their_verdicts(tables: dict[str, TableRef]) -> None:
    lines = print_out(terminal.list_dialogues(reading.list_dialogues(tables)), 200).splitlines()
    assert len(lines) == 31
    for row in make_rows()["dialogues"]:
        (line,) = [line for line in lines if line.startswith(row.id)]  # type: ignore[attr-defined]
        assert ("invalid" in line) == (row.slot % 5 == 4)  # type: ignore[attr-defined]


def test_statistics_have_both_tables_and_the_yield(tables: dict[str, TableRef]) -> None:
    run = {
        "config": CONFIG.model_dump(mode="json"),
        "timings": {"simulate-dialogues": 15.0, "total": 30.0},
        "usage": {
            "roles": {"assistant": {"calls": 5, "prompt_tokens": 900, "completion_tokens": 600, "cost_usd": 0.48}}
        },
    }
    text = print_out(terminal.show_statistics(compute_statistics(tables, run)))
    assert "user oriented executed, club  1.50 (2)  12.00 (20)  2.00 (3)       24" in text
    assert "verdict             30        24         6       0          0   80.0 %" in text
    assert "outcome.fact_missing 6" in text
    assert "0.500" in text
    assert "$0.02" in text
    assert "24 of 24 first user messages differ" in text


def test_an_empty_run_can_be_printed() -> None:
    assert "Table 4" in print_out(terminal.show_statistics(compute_statistics({}, {})))


def test_content_is_no_markup_and_moves_no_cursor(tables: dict[str, TableRef], tmp_path: Path) -> None:
    evil = "[bold red]x[/] \ud83d \x1b[2J\x1b]0;title\x07 \u202eabc [link=http://x]y"
    said = evil.replace("\ud83d", "")
    messages = json.dumps([{"role": "user", "content": evil}, {"role": "assistant", "content": evil}])
    first = change_row(0, messages=messages, domain=said)
    given = replace_rows(tables, "dialogues", lambda rows: first(rows)[:1], tmp_path)
    given = replace_rows(given, "verdicts", change_row(0, reasons=[said], reasoning=said, judgment="invalid"), tmp_path)
    (dialogue,) = reading.read_dialogues(given, [make_rows()["dialogues"][0].id])
    for renderable in (
        terminal.show_dialogue(dialogue),
        terminal.list_dialogues(reading.list_dialogues(given)),
        terminal.show_statistics(compute_statistics(given, {})),
    ):
        text = print_out(renderable, 400)
        assert "\x1b" not in text
        assert "\x07" not in text
        text.encode()
        assert "\u202e" not in text
        assert "[bold red]x[/]" in text


def test_a_long_result_is_cut_and_says_so(tables: dict[str, TableRef]) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = reading.pair_calls(
        [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "y" * 5000, "tool_call_id": "1"},
        ]
    )
    (dialogue,) = reading.read_dialogues(tables, [make_rows()["dialogues"][0].id])
    text = print_out(terminal.show_dialogue(reading.ReadDialogue(dialogue.columns, messages)))
    assert "(5,000 characters)" in text
    assert text.count("y") < 700
