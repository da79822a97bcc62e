"""Figures of repair: what stands in the place of what, yield by fault, calls beside those of a dialogue made anew."""

from pathlib import Path
from typing import Any

from tests.synthetic_run import make_rows, write_tables
from turnwright.reports.reading import list_dialogues, read_dialogues
from turnwright.reports.terminal import show_dialogue, show_statistics
from turnwright.statistics.repairs import count_repairs, find_replaced
from turnwright.statistics.statistics import compute_statistics


def make_tables(folder: Path) -> tuple[Any, list[str], str]:
    """A run in which the first invalid dialogue was repaired at the second try, and no other one was tried."""
    rows: dict[str, Any] = make_rows()
    invalid = [row.dialogue_id for row in rows["verdicts"] if row.judgment == "invalid"]
    origin = next(row for row in rows["dialogues"] if row.id == invalid[0])
    verdict = next(row for row in rows["verdicts"] if row.dialogue_id == origin.id)
    for number, judgment in ((1, "invalid"), (2, "valid")):
        because = {"repaired_from": origin.id, "repaired_at": 4, "repaired_because": "assistant: grounding.x: y"}
        new = {"id": f"dialogue_{number:016x}", "repair_try": number, "model_calls": ["a", "b"], **because}
        rows["repaired_dialogues"].append(origin.model_copy(update=new))
        said = {"id": f"verdict_{number:016x}", "dialogue_id": new["id"], "judgment": judgment, "model_calls": ["c"]}
        rows["repaired_verdicts"].append(verdict.model_copy(update=said))
    return write_tables(rows, folder), invalid, "dialogue_0000000000000002"


def test_yield_and_cost_are_counted(tmp_path: Path) -> None:
    tables, invalid, kept = make_tables(tmp_path)
    assert find_replaced(tables) == {invalid[0]: kept}
    figures = count_repairs(tables)
    assert figures is not None
    assert (figures.invalid, figures.tried, figures.repaired, figures.tries) == (len(invalid), 1, 1, 2)
    assert (figures.calls, figures.calls_per_repaired) == (6, 6.0)
    assert figures.by_fault == {"assistant": (1, 1)}
    assert figures.valid_rate_after > figures.valid_rate_before
    del tables["repaired_dialogues"]
    assert count_repairs(tables) is None
    assert find_replaced(tables) == {}


def test_a_repaired_dialogue_counts_in_the_place_of_its_origin(tmp_path: Path) -> None:
    tables, invalid, _ = make_tables(tmp_path)
    before = compute_statistics({name: ref for name, ref in tables.items() if not name.startswith("repaired")}, {})
    after = compute_statistics(tables, {})
    assert after.counts.dialogues == before.counts.dialogues
    assert after.counts.valid == before.counts.valid + 1
    assert after.counts.invalid == before.counts.invalid - 1 == len(invalid) - 1
    assert before.repair is None
    assert after.scorecards == before.scorecards
    show_statistics(after)


def test_a_reader_is_told_where_and_why(tmp_path: Path) -> None:
    from rich.console import Console

    tables, invalid, kept = make_tables(tmp_path)
    console = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    console.print(show_dialogue(read_dialogues(tables, [kept])[0]))
    assert f"repaired at message 4 from {invalid[0]} because assistant: grounding.x: y" in console.export_text()
    assert {row["id"]: row["repaired_at"] for row in list_dialogues(tables)}[kept] == 4
