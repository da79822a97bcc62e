"""The gates' own process: the same reports and errors as in this one, and another child when one has died."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_checks.process import GateProcess, GateProcessEnded
from schemas.rows import TableRef
from tests.synthetic_run import CONFIG
from turnwright.storage.store import Store
from turnwright.storage.tables import write_table


@pytest.fixture(scope="module")
def gates() -> Iterator[GateProcess]:
    process = GateProcess()
    yield process
    process.close()


@pytest.fixture
def empty(tmp_path: Path) -> TableRef:
    return write_table("questions", [], Store(tmp_path / "store"))


def test_a_report_comes_back_and_its_files_are_there(gates: GateProcess, empty: TableRef, tmp_path: Path) -> None:
    report = gates.check_stage("prepare-tools", {"questions": empty}, CONFIG, tmp_path / "checks")
    assert report.tables == {"questions": 0}
    assert report.results
    assert (tmp_path / "checks" / "prepare-tools.json").is_file()
    gates.write_index(tmp_path / "checks")
    assert (tmp_path / "checks" / "index.html").is_file()


def test_an_error_comes_back_as_it_was(gates: GateProcess, empty: TableRef, tmp_path: Path) -> None:
    gone = empty.model_copy(update={"path": str(tmp_path / "gone.parquet")})
    with pytest.raises(FileNotFoundError):
        gates.check_stage("prepare-tools", {"questions": gone}, CONFIG, tmp_path / "checks")


def test_a_child_that_died_is_told_and_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import data_checks.process as module

    def start_dying() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", "import sys; sys.stdin.buffer.read(8); sys.exit(9)"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    with monkeypatch.context() as patched:
        patched.setattr(module, "_start", start_dying)
        process = GateProcess()
        with pytest.raises(GateProcessEnded, match=r"exit status 9.*write_index"):
            process.write_index(tmp_path)
    script = "import data_checks.process as p; p._write(__import__('sys').stdout.buffer, (True, 'made'))"
    alive = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    monkeypatch.setattr(module, "_start", lambda: alive)
    assert process.check_stage("report", {}, CONFIG, tmp_path) == "made"
    process.close()
    assert pickle.loads(pickle.dumps(GateProcessEnded("x"))).args == ("x",)
