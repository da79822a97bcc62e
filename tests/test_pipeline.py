"""The whole pipeline through the real command line, on a small database with the embedded endpoint.

Each run is a process of its own, with its own Prefect server. Runs folders begin with a copy of the first one's server
database: making it takes half the time of a run.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from schemas.rows import DialogueRow, LedgerRow
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint
from turnwright.storage.run_folder import RunFolder
from turnwright.storage.tables import hash_file, read_rows

ROOT = Path(__file__).parent.parent
DATABASE = ROOT / "examples" / "club.sqlite"
CONFIG = {
    "name": "small",
    "seed": 7,
    "sources": [{"kind": "sql", "url": f"sqlite:///{DATABASE}"}],
    "dialogues": 6,
    # Of six dialogues no share means anything: what is tested here is that everything is accounted for.
    "checks": {
        "min_valid_rate": 0.0,
        "one_turn_share": {"fail": [None, None]},
        "mean_turns": {"fail": [None, None]},
        "mean_steps": {"fail": [None, None]},
    },
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("config") / "small.yaml"
    file.write_text(json.dumps(CONFIG))
    return file


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def start(config: Path, runs: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", str(config), "--runs", str(runs), "--json", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(config: Path, runs: Path, *options: str, code: int = 0) -> dict[str, Any]:
    process = start(config, runs, *options)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    assert "Traceback" not in err
    return json.loads(out.splitlines()[-1])


def digests(answer: dict[str, Any]) -> dict[str, str]:
    return {name: table["sha256"] for name, table in answer["tables"].items()}


@pytest.fixture(scope="module")
def first(config: Path, runs: Path) -> dict[str, Any]:
    return run(config, runs)


def prepare_folder(folder: Path, runs: Path) -> Path:
    """A new runs folder with a server database."""
    shutil.copytree(runs / "store" / "prefect", folder / "store" / "prefect")
    return folder


def test_a_run_makes_everything_that_it_promises(first: dict[str, Any]) -> None:
    assert set(first) == {
        "run_dir",
        "dialogues",
        "valid",
        "rejected",
        "failed",
        "tools_verified",
        "model_calls",
        "tokens",
        "seconds",
        "tables",
        "exports",
    }
    assert first["dialogues"] == 6 == first["valid"] + first["rejected"] + first["failed"]
    assert first["valid"] >= 1
    assert first["tools_verified"] >= 8
    assert first["model_calls"] > 50
    folder = RunFolder(Path(first["run_dir"]))
    for name, table in first["tables"].items():
        assert hash_file(folder.table_file(name)) == table["sha256"]
    for place in ("report/index.html", "report/statistics.json", "checks/index.html", "lineage.json"):
        assert (folder.root / place).stat().st_size > 100
    lines = [
        line
        for name in ("train", "validation")
        for line in (Path(first["exports"]["openai"]) / f"{name}.jsonl").read_text().splitlines()
    ]
    assert len(lines) == first["tables"]["dataset"]["rows"] == first["valid"]
    assert "The embedded endpoint" in (Path(first["exports"]["openai"]) / "README.md").read_text()
    assert folder.read_run()["state"] == "completed"


def test_the_ledger_accounts_for_every_unit(first: dict[str, Any]) -> None:
    tables = RunFolder(Path(first["run_dir"])).find_tables()
    rows = list(read_rows(tables["ledger"], LedgerRow))
    units = {(row.stage, row.unit, row.unit_id) for row in rows}
    assert len(units) == len(rows)
    for unit, count in [
        ("seed", 1),
        ("dialogue_task", 6),
        ("tool", tables["tool_specs"].rows),
        ("dialogue", tables["dialogue_tasks"].rows),
        ("verdict", tables["dialogues"].rows),
        ("example", tables["dialogues"].rows),
    ]:
        assert sum(row.unit == unit for row in rows) == count, unit
    assert all(row.reasons for row in rows if row.outcome == "rejected")


def test_the_source_is_as_it_was(first: dict[str, Any]) -> None:
    seeds = RunFolder(Path(first["run_dir"])).find_tables()["seeds"]
    assert next(iter(read_rows(seeds, "seeds"))).model_dump()["base_digest"] == hash_file(DATABASE)


def test_a_second_run_calls_no_model_and_gives_the_same_bytes(first: dict[str, Any], config: Path, runs: Path) -> None:
    # Other limits on the machinery change nothing, and neither does another number of shards.
    second = run(config, runs, "--set", "concurrency=3", "--set", "budget.minutes=60")
    assert (second["model_calls"], second["tokens"]) == (0, 0)
    assert digests(second) == digests(first)
    assert second["run_dir"] != first["run_dir"]
    pages = sorted(path.name for path in (Path(first["run_dir"]) / "checks").iterdir())
    assert sorted(path.name for path in (Path(second["run_dir"]) / "checks").iterdir()) == pages


def test_offline_rebuilds_it_in_other_shards(first: dict[str, Any], config: Path, runs: Path) -> None:
    rebuilt = run(config, runs, "--offline", "--set", "shard_size=2")
    assert rebuilt["model_calls"] == 0
    assert digests(rebuilt) == digests(first)


def test_a_vanished_file_is_made_again_from_the_journal(first: dict[str, Any], config: Path, runs: Path) -> None:
    dialogues = first["tables"]["dialogues"]["sha256"]
    (content,) = (runs / "store" / "content").rglob(f"{dialogues}.parquet")
    content.unlink()
    again = run(config, runs)
    assert again["model_calls"] == 0
    assert digests(again) == digests(first)
    assert content.is_file()


def test_a_spent_budget_keeps_what_was_made_and_ends_with_5(
    config: Path, first: dict[str, Any], runs: Path, tmp_path: Path
) -> None:
    answer = run(config, prepare_folder(tmp_path / "runs", runs), "--set", "budget.tokens=30000", code=5)
    assert answer["exit_code"] == 5
    assert "budget" in answer["error"]
    tables = RunFolder(Path(answer["run_dir"])).find_tables()
    rows = list(read_rows(tables["ledger"], LedgerRow))
    assert sum(row.unit == "dialogue_task" for row in rows) == 6
    assert {row.boundary for row in rows if row.outcome == "not_attempted"} == {"budget"}


def test_a_run_that_is_interrupted_and_then_killed_gives_what_an_undisturbed_one_gives(
    config: Path, first: dict[str, Any], runs: Path, tmp_path: Path
) -> None:
    with EmbeddedEndpoint(ServeOptions(latency_ms=40.0, slots=4)) as endpoint:
        options = ["--set", f"model={{base_url: '{endpoint.url}', name: selfplay}}", "--set", "dialogues=3"]
        undisturbed = run(config, prepare_folder(tmp_path / "a", runs), *options)
        disturbed = prepare_folder(tmp_path / "b", runs)
        journal = disturbed / "store" / "journal"

        process = start(config, disturbed, *options)
        wait_for_calls(journal, 8_000, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        answer = json.loads(out.splitlines()[-1])
        assert (process.returncode, answer["exit_code"]) == (130, 130)
        assert "same command again" in answer["hint"]
        assert "Traceback" not in err
        assert RunFolder(Path(answer["run_dir"])).read_run()["state"] == "interrupted"

        process = start(config, disturbed, *options)
        wait_for_calls(journal, 16_000, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()

        resumed = run(config, disturbed, *options)
    assert 0 < resumed["model_calls"] < undisturbed["model_calls"]
    assert digests(resumed) == digests(undisturbed)


def wait_for_calls(journal: Path, size: int, process: subprocess.Popen[str]) -> None:
    """Returns when so many bytes of replies are on the disk."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if sum(file.stat().st_size for file in journal.glob("*.calls")) > size:
            return
        time.sleep(0.02)
    raise AssertionError(f"the run ended too soon: {process.communicate()[1]}")


def test_the_rows_hold_no_path_and_no_port(first: dict[str, Any], runs: Path) -> None:
    tables = RunFolder(Path(first["run_dir"])).find_tables()
    for row in read_rows(tables["dialogues"], DialogueRow):
        text = row.model_dump_json()
        assert str(runs) not in text
        assert "127.0.0.1" not in text


def ask(*arguments: str) -> dict[str, Any]:
    """The JSON answer of a command that reads."""
    command = [sys.executable, "-m", "flows.cli", *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_runs_add_to_a_dataset_and_every_row_is_followed_through_all_of_them(
    config: Path, first: dict[str, Any], runs: Path
) -> None:
    one, two = (run(config, runs, "--extend", "club") for _ in range(2))
    assert one["model_calls"] == 0, "the first build attempts what a run by itself does"
    assert digests(one) == digests(first)
    assert (one["dataset"]["name"], two["dataset"]["name"]) == ("club@v1", "club@v2")
    assert two["dataset"]["rows"] == one["dataset"]["rows"] + two["dataset"]["added"]
    assert 0 < two["model_calls"] < first["model_calls"], "tools and questions of a known seed are not paid for again"
    made = [row.slot for row in read_rows(RunFolder(Path(two["run_dir"])).find_tables()["dialogues"], DialogueRow)]
    assert made == list(range(6, 12))

    assert ask("datasets", "--verify", "--runs", str(runs))["damage"] == []
    dialogue = ask("show", "club@v2", "--runs", str(runs))["dialogues"][0]["id"]
    chain = ask("lineage", "all", dialogue, "--calls", "--runs", str(runs))
    assert {first["run_dir"], one["run_dir"]} <= {str(runs / name) for name in chain["node"]["runs"]}
    assert {"club@v1", "club@v2"} <= set(chain["node"]["runs"])
    assert chain["calls"] and all(call["found"] for call in chain["calls"])
    assert all(Path(prompt["file"]).is_file() for prompt in chain["prompts"])
    tables = {node["table"] for node in chain["back"]}
    assert tables == {"dialogue_tasks", "toolsets", "tool_specs", "questions", "seeds"}

    before = {path: hash_file(path) for path in Path(two["dataset"]["folder"]).rglob("*") if path.is_file()}
    dropped = Path(one["run_dir"]).name
    gone = ask("prune", "--drop", dropped, "--delete", "--runs", str(runs))
    assert dropped not in gone["kept_runs"] and not Path(one["run_dir"]).exists()
    assert {path: hash_file(path) for path in before} == before
    assert run(config, runs)["model_calls"] == 0, "what kept runs were made of is still there"
