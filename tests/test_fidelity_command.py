"""The command `fidelity`, its page, and the section of the report."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from schemas.rows import DialogueRow
from tasks.report import compare_arms
from tests.fidelity_world import DOMAINS, World, play, sample
from tests.synthetic_run import CONFIG, make_rows, write_tables
from turnwright.reports.fidelity_page import render_fidelity_page
from turnwright.reports.paired_bars import bin_together, draw_paired_bars
from turnwright.statistics.fidelity.comparison import Draws
from turnwright.statistics.fidelity.fidelity import compute_fidelity
from turnwright.statistics.fidelity.record import read_fidelity
from turnwright.storage.run_folder import RunFolder

DATA = os.environ.get("TURNWRIGHT_TEST_DATA")
QUICK = ("--permutations", "99", "--json")


@dataclass
class Answered:
    code: int
    fields: dict[str, Any]
    said: str


def ask(capsys: pytest.CaptureFixture[str], *arguments: object) -> Answered:
    with pytest.raises(SystemExit) as ended:
        main(["fidelity", *map(str, arguments), *QUICK])
    captured = capsys.readouterr()
    return Answered(int(ended.value.code or 0), json.loads(captured.out.splitlines()[-1]), captured.err)


def write_dialogues(file: Path, world: World, count: int, **more: Any) -> Path:
    lines = [
        {"id": f"{n}", "messages": play(world, f"{file.stem}:{n}"), "domain": DOMAINS[n % 3], **more}
        for n in range(count)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "club-1")
    published = {
        name: folder.publish(table) for name, table in write_tables(make_rows(40), tmp_path / "content").items()
    }
    tables = {name: {"sha256": table.sha256, "rows": table.rows} for name, table in published.items()}
    folder.write_run({"run_id": "club-1", "config": CONFIG.model_dump(mode="json"), "tables": tables})
    return folder


def test_a_file_against_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write_dialogues(tmp_path / "deep.jsonl", World(depth=(2, 3)), 60)
    second = write_dialogues(tmp_path / "flat.jsonl", World(), 60)
    answered = ask(capsys, first, "--reference", second, "--out", tmp_path / "out")
    assert answered.code == 0
    fields = answered.fields
    assert {"arms", "statistics", "classifier_auc", "verdict"} <= fields.keys()
    assert [arm["name"] for arm in fields["arms"]] == ["deep", "flat"]
    for row in fields["statistics"]:
        assert {"name", "a", "b", "difference", "ci_low", "ci_high", "p", "reject"} <= row.keys()
    depth = next(row for row in fields["statistics"] if row["name"] == "graph_depth")
    assert depth["p"] == 0.01 and depth["difference"] == pytest.approx(depth["a"] - depth["b"], abs=1e-5)
    assert fields["classifier_auc"] > 0.7
    assert "deep against flat: " in fields["verdict"]
    assert fields["verdict"] in answered.said
    assert read_fidelity(tmp_path / "out" / "fidelity.json").verdict == fields["verdict"]
    assert (tmp_path / "out" / "fidelity.html").read_text().count("<svg") >= 10


def test_arms_in_the_lines_of_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [
        write_dialogues(tmp_path / f"{name}.jsonl", World(), 12, arm=name)
        for name in ("stateless", "user_oriented_executed", "twins")
    ]
    both = tmp_path / "all.jsonl"
    both.write_text("".join(part.read_text() for part in parts))
    fields = ask(capsys, both).fields
    assert [arm["name"] for arm in fields["arms"]] == ["stateless", "twins", "user_oriented_executed"]
    assert len(fields["comparisons"]) == 2
    assert ask(capsys, both, "--baseline", "twins").fields["arms"][-1]["name"] == "twins"


def test_a_run_against_a_file(tmp_path: Path, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    reference = write_dialogues(tmp_path / "elsewhere.jsonl", World(), 20)
    answered = ask(capsys, "latest", "--runs", tmp_path / "runs", "--reference", reference)
    assert answered.code == 0
    assert [(arm["name"], arm["dialogues"]) for arm in answered.fields["arms"]] == [
        ("user_oriented_executed", 32),
        ("elsewhere", 20),
    ]
    assert (run.report / "fidelity.json").is_file()
    assert answered.fields["page"] == str(run.report / "fidelity.html")
    everything = ask(capsys, "latest", "--runs", tmp_path / "runs", "--reference", reference, "--all")
    assert everything.fields["arms"][0]["dialogues"] == 40


def test_the_exported_dataset_has_the_figures_of_its_run(tmp_path: Path, run: RunFolder) -> None:
    """The same dialogues by two roads, so nothing may differ."""
    from schemas.rows import DatasetRow
    from turnwright.datasets.openai import format_line
    from turnwright.statistics.fidelity.arms import read_file_arms, read_run_arms
    from turnwright.storage.tables import read_rows

    tables = run.find_tables()
    exported = tmp_path / "export.jsonl"
    exported.write_text("".join(format_line(row) + "\n" for row in read_rows(tables["dataset"], DatasetRow)))
    (by_table,), (by_file,) = read_run_arms(tables), read_file_arms(exported)
    assert by_file.name == by_table.name == "user_oriented_executed"

    def count(features: Any) -> list[Any]:
        return sorted((item.acts, item.tools, item.cluster, sorted(item.rates.items())) for item in features)

    kept = {item.acts: item for item in by_table.features}
    assert all(item.acts in kept for item in by_file.features)
    assert set(map(str, count(by_file.features))) <= set(map(str, count(by_table.features)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["latest"], ("one arm only: user_oriented_executed", "--reference FILE")),
        (["nothing"], ("no run 'nothing'", "")),
        (["latest", "--reference", "missing.jsonl"], ("missing.jsonl cannot be read", "OpenAI")),
        (["latest", "--unit", "turn"], ("--unit is 'turn'", "dialogue, cluster")),
        (["latest", "--correction", "none"], ("--correction is 'none'", "holm")),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, run: RunFolder, capsys: pytest.CaptureFixture[str], arguments: list[str], words: tuple[str, str]
) -> None:
    answered = ask(capsys, *arguments, "--runs", tmp_path / "runs")
    assert answered.code == 2
    assert words[0] in answered.fields["error"]
    assert words[1] in answered.fields["hint"]
    assert "Traceback" not in answered.said


def test_clusters_that_are_too_few_are_said(tmp_path: Path, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    reference = write_dialogues(tmp_path / "elsewhere.jsonl", World(), 20)
    answered = ask(capsys, "latest", "--runs", tmp_path / "runs", "--reference", reference, "--unit", "cluster")
    assert (answered.code, answered.fields["hint"]) == (2, "use --unit dialogue")


def test_the_report_stage_compares_a_run_with_several_paradigms(tmp_path: Path, run: RunFolder) -> None:
    compare_arms(run)
    assert not (run.report / "fidelity.json").exists()
    rows = make_rows(40)
    rows["dialogues"] = [
        row.model_copy(update={"paradigm": "stateless"}) if isinstance(row, DialogueRow) and row.slot % 2 else row
        for row in rows["dialogues"]
    ]
    both = RunFolder(tmp_path / "runs" / "club-2")
    published = {name: both.publish(table) for name, table in write_tables(rows, tmp_path / "content").items()}
    tables = {name: {"sha256": table.sha256, "rows": table.rows} for name, table in published.items()}
    both.write_run({"run_id": "club-2", "config": CONFIG.model_dump(mode="json"), "tables": tables})
    compare_arms(both)
    assert [arm.name for arm in read_fidelity(both.report / "fidelity.json").arms] == [
        "stateless",
        "user_oriented_executed",
    ]
    from turnwright.reports.html import write_report
    from turnwright.statistics.statistics import compute_statistics

    page = write_report(both, compute_statistics(both.find_tables(), both.read_run()))
    assert '<section id="fidelity">' in page.read_text()


def test_the_page_escapes_what_others_wrote() -> None:
    arms = [sample(World(), 15, name) for name in ("<script>alert(1)</script>", "b & c")]
    page = render_fidelity_page(compute_fidelity(arms, draws=Draws(permutations=99, bootstraps=49)))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_distributions_are_cut_at_the_same_places() -> None:
    binned, labels = bin_together({"a": {1: 50, 2: 50}, "b": {2: 98, 300: 2}})
    assert sum(binned["b"].values()) == 100
    assert {label for held in binned.values() for label in held} <= set(labels)
    assert bin_together({"a": {}}) == ({"a": {}}, [])
    one, names = bin_together({"a": {0: 1, 1: 1}})
    assert (one, names) == ({"a": {"0": 1, "1": 1}}, ["0", "1"])
    assert "No cases" in draw_paired_bars({"a": {}}, "t")


@pytest.mark.skipif(not DATA, reason="TURNWRIGHT_TEST_DATA names no folder")
def test_published_dialogues_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(str(DATA)) / "reference_dialogues"
    answered = ask(
        capsys, folder / "bfcl_multi_turn_base.jsonl", "--reference", folder / "tau_bench_airline_gpt4o.jsonl"
    )
    assert answered.code == 0
    status = {row["name"]: row["status"] for row in answered.fields["statistics"]}
    assert status["graph_depth"] == "unmeasurable"
    assert status["requests"] == "differs"
    assert answered.fields["classifier_auc"] > 0.9
