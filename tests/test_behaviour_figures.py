"""The share of accepted dialogues with each behaviour, alone and in groups, and where it is shown."""

from pathlib import Path

from rich.console import Console

from tests.synthetic_run import CONFIG, make_rows, write_tables
from turnwright.reports.terminal import show_behaviours, show_scorecard
from turnwright.statistics.behaviours import count_behaviours
from turnwright.statistics.mix import MixCount
from turnwright.statistics.statistics import Statistics, compute_statistics

RUN = {"run_id": "r", "config": CONFIG.model_dump(mode="json"), "usage": {}, "timings": {}}


def count(*dialogues: tuple[str, bool, bool]) -> dict[str, tuple[int, int, int, float]]:
    """Planned, accepted, occurred and share by name; a dialogue is its behaviour, accepted, occurred."""
    mix = MixCount()
    for name, accepted, occurred in dialogues:
        mix.add(name, accepted=accepted, occurred=occurred)
    figures = count_behaviours(mix.shares(with_occurred=True))
    return {row.name: (row.asked, row.accepted, row.occurred, row.share) for row in figures}


def test_only_accepted_dialogues_in_which_it_was_seen_count() -> None:
    figures = count(
        ("none", True, False),
        ("out_of_scope", True, True),
        ("out_of_scope", False, True),
        ("removed_tool", True, False),
        ("forbidden_action", True, True),
    )
    assert figures["out_of_scope"] == (2, 1, 1, 0.25)
    assert figures["removed_tool"] == (1, 1, 0, 0.0)
    assert figures["relevance"] == (3, 2, 1, 0.25)
    assert figures["refusal"] == (4, 3, 2, 0.5)
    assert "clarification" not in figures and "none" not in figures


def test_a_run_without_accepted_dialogues_has_shares_of_nothing() -> None:
    assert count(("out_of_scope", False, True))["out_of_scope"] == (1, 0, 0, 0.0)
    assert count() == {}


def test_statistics_have_them_and_the_terminal_shows_them(tmp_path: Path) -> None:
    statistics = compute_statistics(write_tables(make_rows(), tmp_path), RUN)
    figures = {row.name: row for row in statistics.behaviours}
    assert figures["missing_parameter"].occurred == figures["clarification"].occurred > 0
    (card,) = statistics.scorecards
    assert card.dialogues == statistics.counts.dialogues and {rate.of for rate in card.rates} >= {card.dialogues}
    console = Console(width=120, record=True)
    console.print(show_behaviours(statistics.behaviours), show_scorecard(card))
    text = console.export_text()
    assert "missing parameter" in text and "clarification" in text and "leaked goal" in text


def test_statistics_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    old = compute_statistics(write_tables(make_rows(), tmp_path), RUN).model_dump()
    del old["behaviours"], old["scorecards"]
    assert Statistics.model_validate(old).scorecards == []
