"""The HTML report: complete, self-contained, and deaf to what hostile content says."""

import asyncio
import json
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from data_checks.gate import GateFailure, GateReport
from schemas.rows import TableRef
from tests.fidelity_world import World, sample
from tests.synthetic_run import CONFIG, change_row, make_rows, replace_rows, write_tables
from turnwright.calibration.measuring import calibrate
from turnwright.calibration.record import Calibration, write_calibration
from turnwright.reports.histogram import cut_bins, draw_histogram
from turnwright.reports.html import SECTIONS, write_report
from turnwright.reports.reading import choose_dialogues, pair_calls, read_dialogues
from turnwright.reports.sections import trials
from turnwright.statistics.fidelity.comparison import Draws
from turnwright.statistics.fidelity.fidelity import compute_fidelity
from turnwright.statistics.fidelity.record import write_fidelity
from turnwright.statistics.statistics import Statistics, compute_statistics
from turnwright.storage.run_folder import RunFolder

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}</style><svg/onload=alert(3)>'


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TableRef]:
    return write_tables(make_rows(), tmp_path_factory.mktemp("tables"))


def write(tables: dict[str, TableRef], folder: Path, **changes: Any) -> str:
    """The page of a run with these tables."""
    run_folder = RunFolder(folder)
    run: dict[str, Any] = {
        "run_id": "club-1",
        "state": "completed",
        "config": CONFIG.model_dump(mode="json"),
        "usage": {"roles": {"assistant": {"calls": 10, "prompt_tokens": 5, "completion_tokens": 3}}},
        "timings": {"simulate-dialogues": 3.0},
    }
    run_folder.write_run(run | changes)
    return write_report(run_folder, compute_statistics(tables, run | changes), tables).read_text()


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def summarise() -> Calibration:
    """A calibration on no dialogues."""
    return asyncio.run(calibrate([], [], None, CONFIG, run="club", seed=0))


def test_a_page_has_every_section_and_its_figures(tables: dict[str, TableRef], tmp_path: Path) -> None:
    failure = GateFailure(
        table="verdicts",
        expectation="valid_rate",
        kind="expect_column_mean_to_be_between",
        column="is_valid",
        level="warn",
        passed=False,
        figure="0.31",
        limit="at least 0.5",
        examples=["verdict_1: judge.missing"],
    )
    gate = GateReport(
        gate="validate-dialogues",
        passed=True,
        tables={"verdicts": 30},
        results=[failure],
        failures=[],
        warnings=[failure],
        not_checked=[],
        path="x",
    )
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "validate-dialogues.json").write_text(gate.model_dump_json())
    arms = [sample(World(), 12, "a"), sample(World(), 12, "b")]
    compared = compute_fidelity(arms, draws=Draws(permutations=99, bootstraps=49))
    write_fidelity(compared, tmp_path / "report" / "fidelity.json")
    write_calibration(summarise(), tmp_path / "report" / "calibration.json")
    html = write(tables, tmp_path)
    for section in SECTIONS:
        if section is trials:
            continue  # each task of this run was tried once
        assert f'<section id="{section.__name__.rsplit(".", 1)[-1]}">' in html
    assert "1.50 (2)" in html
    assert "outcome.fact missing" in html
    assert "verdicts.valid_rate" in html
    assert "Do not train on it" in html
    assert html.count('<details class="dialogue"') == 3
    assert Statistics.model_validate_json((tmp_path / "report" / "statistics.json").read_bytes()).counts.valid == 24


def test_the_page_needs_nothing_from_outside(tables: dict[str, TableRef], tmp_path: Path) -> None:
    html = write(tables, tmp_path)
    tags = Tags(html)
    assert not {"script", "link", "iframe", "object", "img", "form"} & set(tags.names)
    links = [value for name, value in tags.attributes if name in ("src", "href", "action", "data")]
    assert all(link.startswith("#") or link == "../checks/index.html" for link in links)
    assert "url(" not in html
    assert "@import" not in html
    assert ("content", next(value for _, value in tags.attributes if value.startswith("default-src 'none'"))) in (
        tags.attributes
    )


def test_hostile_content_is_text(tables: dict[str, TableRef], tmp_path: Path) -> None:
    def poison(rows: list[Any]) -> list[Any]:
        messages = [
            {"role": "system", "content": EVIL},
            {"role": "user", "content": EVIL},
            {
                "role": "assistant",
                "content": EVIL,
                "reasoning": EVIL,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": EVIL, "arguments": EVIL}}],
            },
            {"role": "tool", "content": EVIL, "tool_call_id": "1"},
        ]
        changes = {"messages": json.dumps(messages), "domain": EVIL, "detail": EVIL, "ending": "turn_limit"}
        return [row.model_copy(update=changes) for row in rows]

    given = replace_rows(tables, "dialogues", poison, tmp_path)
    bullet = {"bullet": EVIL, "bullet_class": "Critical", "met": False, "evidence": EVIL}
    given = replace_rows(
        given,
        "verdicts",
        lambda rows: [
            row.model_copy(update={"reasons": [EVIL], "reasoning": EVIL, "bullets": json.dumps([bullet])})
            for row in rows
        ],
        tmp_path,
    )
    given = replace_rows(given, "ledger", change_row(0, outcome="rejected", reasons=[EVIL]), tmp_path)
    html = write(given, tmp_path / "run", run_id=EVIL, error=EVIL)
    clean = Tags(write(tables, tmp_path / "clean", error="x"))
    tags = Tags(html)
    assert not {"script", "img"} & set(tags.names)
    assert set(tags.names) <= set(clean.names) | {"br"}
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert "{{ 7*7 }}" in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_same_run_gives_the_same_page(tables: dict[str, TableRef], tmp_path: Path) -> None:
    assert write(tables, tmp_path / "a") == write(tables, tmp_path / "b")


def test_a_run_that_made_nothing_has_a_report(tmp_path: Path) -> None:
    html = write({}, tmp_path, error="the budget is spent")
    assert "the budget is spent" in html
    assert 'id="dialogues"' not in html


def test_a_valid_an_eventful_and_a_refused_dialogue_are_chosen(tables: dict[str, TableRef]) -> None:
    ids = choose_dialogues(tables)
    typical, eventful, refused = read_dialogues(tables, ids)
    assert (typical.judgment, eventful.judgment, refused.judgment) == ("valid", "valid", "invalid")
    assert eventful.columns["behaviour"] == "missing_parameter"
    assert eventful.objectives
    assert choose_dialogues(tables) == ids
    assert len(choose_dialogues(tables, 10)) == 10


def test_results_stand_with_their_calls_by_id() -> None:
    def call(name: str) -> dict[str, Any]:
        return {"id": name, "type": "function", "function": {"name": name, "arguments": '{"n": 1}'}}

    read = pair_calls(
        [
            {"role": "assistant", "content": None, "tool_calls": [call("a"), call("b"), call("c")]},
            {"role": "tool", "content": '{"error": "not_found", "message": "no"}', "tool_call_id": "b"},
            {"role": "tool", "content": "for a", "tool_call_id": "a"},
            {"role": "tool", "content": "stray", "tool_call_id": "z"},
        ]
    )
    assert [(item.name, item.result, item.failed) for item in read[0].calls] == [
        ("a", "for a", False),
        ("b", '{"error": "not_found", "message": "no"}', True),
        ("c", None, False),
    ]
    assert [(message.role, message.content) for message in read[1:]] == [("tool", "stray")]
    assert read[0].calls[0].brief_arguments == "n=1"


def test_histogram_bins_lose_no_value() -> None:
    values = {1: 3, 7: 2, 500: 1, 501: 4}
    bins = cut_bins(values)
    assert sum(item.count for item in bins) == 10
    assert len(bins) <= 40
    assert all(later.low == earlier.high + 1 for earlier, later in pairwise(bins))
    assert "&lt;b&gt;" in draw_histogram({1: 1}, "<b>")
    assert cut_bins({}) == []
