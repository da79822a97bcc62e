"""The same config on threads, on Dask, on Ray and in an object store: the same bytes, and nothing paid twice.

Whole runs through the real command line, each a process of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from test_pipeline import CONFIG, ROOT, digests

SMALL = CONFIG | {"dialogues": 4, "shard_size": 2}


def run(
    folder: Path, runs: Path | str, *, code: int = 0, environment: dict[str, str] | None = None, **changes: Any
) -> Any:
    file = folder / "small.yaml"
    file.write_text(json.dumps(SMALL | changes))
    found = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", str(file), "--runs", str(runs), "--json"],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert found.returncode == code, found.stderr
    assert "Traceback" not in found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def read_usage(answer: dict[str, Any]) -> dict[str, Any]:
    """What each stage used, as `run.json` and the page of the stage say it."""
    recorded = json.loads((Path(answer["run_dir"]) / "run.json").read_text())["usage_by_stage"]
    return {stage: figures for stage, figures in recorded.items() if figures["requests"]}


@pytest.fixture(scope="module")
def on_threads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("threads")
    return run(folder, folder / "runs")


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_a_cluster_gives_the_bytes_that_threads_give(kind: str, on_threads: dict[str, Any], tmp_path: Path) -> None:
    if find_spec(f"prefect_{kind}") is None:
        pytest.skip(f"turnwright[{kind}] is not installed")
    runs = tmp_path / "runs"
    answer = run(tmp_path, runs, workers={"kind": kind, "count": 2})
    assert digests(answer) == digests(on_threads)
    assert answer["tokens"] == on_threads["tokens"]  # what all processes used was added up
    used = read_usage(answer)
    assert used == read_usage(on_threads)
    assert set(used) == {"prepare-tools", "write-dialogue-tasks", "simulate-dialogues", "validate-dialogues"}
    accounts = list((Path(answer["run_dir"]) / "workers").glob("*.json"))
    assert len({file.name.split("-")[-2] for file in accounts}) == 2
    again = run(tmp_path, runs)
    assert again["model_calls"] == 0  # shards of a cluster are found by threads
    assert digests(again) == digests(on_threads)


def test_a_budget_ends_a_run_of_many_processes(tmp_path: Path) -> None:
    pytest.importorskip("prefect_dask")
    runs = tmp_path / "runs"
    workers = {"kind": "dask", "count": 2}
    cut = run(tmp_path, runs, code=5, workers=workers, budget={"tokens": 60_000})
    whole = run(tmp_path, runs, workers=workers)
    assert 60_000 <= cut["tokens"] < whole["tokens"] + cut["tokens"]
    assert whole["model_calls"] > 0


@pytest.fixture
def bucket() -> Iterator[dict[str, str]]:
    moto = pytest.importorskip("moto.server")
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "s3cret-word",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    options = {"key": "someone", "secret": "s3cret-word", "endpoint_url": environment["AWS_ENDPOINT_URL"]}
    store = fsspec.filesystem("s3", **options, skip_instance_cache=True)
    if not store.exists("factory"):
        store.mkdir("factory")
    yield environment
    store.invalidate_cache()
    for name in store.find("factory"):
        content = store.cat_file(name)
        assert b"s3cret-word" not in content, f"{name} holds the key"
    server.stop()


def test_a_run_in_an_object_store_is_gone_on_with_from_another_machine(
    bucket: dict[str, str], on_threads: dict[str, Any], tmp_path: Path
) -> None:
    place = "s3://factory/runs"
    one = bucket | {"TURNWRIGHT_CACHE": str(tmp_path / "one")}
    two = bucket | {"TURNWRIGHT_CACHE": str(tmp_path / "two")}
    first = run(tmp_path, place, environment=one)
    assert digests(first) == digests(on_threads)
    again = run(tmp_path, place, environment=two)
    assert again["model_calls"] == 0
    assert digests(again) == digests(on_threads)
    three = os.environ | bucket | {"TURNWRIGHT_CACHE": str(tmp_path / "three")}
    command = [sys.executable, "-m", "flows.cli", "stats", "latest", "--runs", place, "--json"]
    told = subprocess.run(command, cwd=ROOT, env=three, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr


def test_a_store_that_cannot_be_written_ends_the_run_at_once(bucket: dict[str, str], tmp_path: Path) -> None:
    there = bucket | {"TURNWRIGHT_CACHE": str(tmp_path / "cache")}
    answer = run(tmp_path, "s3://no-such-bucket/runs", code=6, environment=there)
    assert "no-such-bucket" in answer["error"]
    assert "s3cret-word" not in json.dumps(answer)


def test_a_place_that_cannot_be_is_bad_usage(tmp_path: Path) -> None:
    run(tmp_path, "nosuch://bucket/runs", code=2)


def test_an_engine_that_does_not_answer_is_said(tmp_path: Path) -> None:
    pytest.importorskip("prefect_dask")
    answer = run(tmp_path, tmp_path / "runs", code=4, workers={"kind": "dask", "address": "tcp://127.0.0.1:9"})
    assert "127.0.0.1:9" in answer["error"]
