"""The command line: what it prints, and with which code it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.exit_codes import RunStopped, explain
from schemas.rows import TableRef
from tests.synthetic_run import CONFIG, make_rows, write_tables
from turnwright.models.errors import BudgetSpent, EndpointRefused, EndpointUnavailable
from turnwright.sources.errors import SourceError
from turnwright.storage.run_folder import RunFolder

ROOT = Path(__file__).parent.parent
WHOLE = "name: club\nsources:\n  - {{kind: sql, url: 'sqlite:///{database}'}}\n"


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def run_program(*arguments: str, **environment: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments, "--json"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "club.yaml"
    file.write_text(WHOLE.format(database=ROOT / "examples" / "club.sqlite"))
    return file


@pytest.mark.parametrize("command_name", [[], ["run"], ["selfplay", "serve"]])
def test_help_is_there(capsys: pytest.CaptureFixture[str], command_name: list[str]) -> None:
    code, out, _ = command(capsys, *command_name, "--help")
    assert code == 0
    assert "Usage: turnwright" in out


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom flows.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    for package in ("prefect", "pandas", "pyarrow", "openai", "sqlalchemy", "great_expectations", "numpy", "sqlglot"):
        assert f"'{package}'" not in loaded


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["run"], "Missing argument"),
        (["run", "x.yaml", "--nonsense"], "No such option"),
        (["run", "none.yaml"], "none.yaml: does not exist"),
        (["stage", "nonsense", "{config}"], "there is no stage 'nonsense'; stages are collect-seeds"),
        (["stage", "report", "{config}", "--input", "seeds"], "must be TABLE=FILE; tables are seeds"),
        (["stage", "report", "{config}", "--input", "seeds=none"], "none does not exist"),
        (["run", "{config}", "--set", "dialogs=3"], "dialogs: unknown key; did you mean dialogues?"),
        (["run", "{config}", "--set", "dialogues=many"], "dialogues: 'many': must be a valid integer"),
        (["show", "none", "--runs", "{folder}"], "no run 'none'"),
        (["selfplay", "serve", "--fault", "nonsense=1"], "unknown fault 'nonsense'"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_bad_usage_ends_with_2_and_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], config: Path, arguments: list[str], message: str, as_json: bool
) -> None:
    given = [argument.format(config=config, folder=config.parent) for argument in arguments]
    code, out, err = command(capsys, *given, *(["--json"] if as_json else []))
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    if as_json:
        answer = json.loads(out.splitlines()[-1])
        assert message in answer["error"]
        assert answer["exit_code"] == 2
    else:
        assert out == ""


def test_a_missing_database_ends_with_4(tmp_path: Path) -> None:
    file = tmp_path / "club.yaml"
    file.write_text(WHOLE.format(database=tmp_path / "none.sqlite"))
    code, answer, err = run_program("run", str(file), "--runs", str(tmp_path / "runs"))
    assert (code, answer["exit_code"]) == (4, 4)
    assert "none.sqlite" in answer["error"]
    assert answer["hint"]
    assert "Traceback" not in err


def test_a_missing_key_ends_with_4_and_names_the_variable(tmp_path: Path, config: Path) -> None:
    model = "model={base_url: 'http://127.0.0.1:1/v1', name: m, api_key_env: TURNWRIGHT_NO_SUCH_KEY}"
    code, answer, _ = run_program("run", str(config), "--set", model, "--runs", str(tmp_path / "runs"))
    assert code == 4
    assert "TURNWRIGHT_NO_SUCH_KEY" in answer["error"]


def test_an_output_folder_that_cannot_be_written_ends_with_6(tmp_path: Path, config: Path) -> None:
    (tmp_path / "file").write_text("")
    code, answer, err = run_program("run", str(config), "--runs", str(tmp_path / "file" / "runs"))
    assert code == 6
    assert "cannot write into" in answer["error"]
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (SourceError("gone", "look"), 4),
        (EndpointUnavailable("gone", hint="start it"), 4),
        (EndpointRefused("wrong key", hint="set it"), 4),
        (BudgetSpent("spent"), 5),
        (RunStopped("budget"), 5),
        (RunStopped("offline"), 4),
        (OSError(28, "No space left on device", "/runs/x"), 6),
        (PermissionError(13, "Permission denied", "/runs"), 6),
        (ZeroDivisionError("a defect"), 1),
    ],
)
def test_every_error_has_its_code(error: BaseException, code: int) -> None:
    failure = explain(error)
    assert failure.exit_code == code
    assert failure.error
    assert failure.is_defect is (code == 1)
    assert failure.hint


@pytest.fixture
def run_folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "club-1")
    tables = {}
    for name, reference in write_tables(make_rows(), tmp_path).items():
        assert isinstance(reference, TableRef)
        published = folder.publish(reference)
        tables[name] = {"path": f"tables/{name}.parquet", "sha256": published.sha256, "rows": published.rows}
    folder.write_run({"run_id": "club-1", "config": CONFIG.model_dump(mode="json"), "tables": tables})
    return folder


def read_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = command(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


def test_show_lists_dialogues_and_prints_one(capsys: pytest.CaptureFixture[str], run_folder: RunFolder) -> None:
    runs = ["--runs", str(run_folder.root.parent)]
    rows = read_json(capsys, "show", "latest", *runs)["dialogues"]
    assert len(rows) >= 20
    one = read_json(capsys, "show", "club", rows[0]["id"][:18], *runs)["dialogue"]
    assert one["id"] == rows[0]["id"]
    code, out, _ = command(capsys, "show", str(run_folder.root), rows[0]["id"])
    assert code == 0
    assert rows[0]["id"] in out
    code, _, err = command(capsys, "show", str(run_folder.root), "dialogue_")
    assert code == 2
    assert "dialogues whose id begins with" in err


def test_stats_prints_the_tables_of_the_paper(capsys: pytest.CaptureFixture[str], run_folder: RunFolder) -> None:
    assert read_json(capsys, "stats", str(run_folder.root))["counts"]["dialogues"] >= 20
    code, out, _ = command(capsys, "stats", str(run_folder.root))
    assert code == 0
    assert "Table 1" in out


def test_export_writes_the_dataset(capsys: pytest.CaptureFixture[str], run_folder: RunFolder, tmp_path: Path) -> None:
    answer = read_json(capsys, "export", str(run_folder.root), "--format", "openai", "--out", str(tmp_path / "out"))
    lines = (tmp_path / "out" / "train.jsonl").read_text().splitlines()
    assert len(lines) == answer["rows"]["train"] > 0
    code, _, err = command(capsys, "export", str(run_folder.root), "--format", "trl")
    assert code == 2
    assert "not there yet" in err


def test_lineage_goes_from_a_dialogue_to_its_seed(capsys: pytest.CaptureFixture[str], run_folder: RunFolder) -> None:
    dialogue = read_json(capsys, "show", str(run_folder.root))["dialogues"][0]["id"]
    chain = read_json(capsys, "lineage", str(run_folder.root), dialogue)
    assert chain["back"][-1]["table"] == "seeds"
    code, out, _ = command(capsys, "lineage", str(run_folder.root), dialogue)
    assert code == 0
    assert "rests on" in out
