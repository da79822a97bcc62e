"""The same config on threads, on Dask, on Ray and in an object store: the same bytes, and nothing paid twice.

Whole runs through the real command line, each a process of its own. They share one Prefect server, as runs do where
PREFECT_API_URL is set: starting one for each would take longer than the runs.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from test_pipeline import CONFIG, ROOT, digests

from benchmarks.pipeline import ask
from flows.local_server import LocalServer
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint

SMALL = CONFIG | {"dialogues": 4, "shard_size": 2}
LONGEST_WAIT = 300.0


@pytest.fixture(scope="module", autouse=True)
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server that all runs report to; gives its API's address."""
    home = tmp_path_factory.mktemp("prefect")
    server = LocalServer(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", server.url)
        patch.setenv("PREFECT_HOME", str(home))
        patch.setenv("PREFECT_LOGGING_TO_API_ENABLED", "false")
        try:
            server.wait_until_ready()
            yield server.url
        finally:
            server.close()


def start(folder: Path, runs: Path | str, environment: dict[str, str] | None = None, **changes: Any) -> Any:
    file = folder / "small.yaml"
    file.write_text(json.dumps(SMALL | changes))
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", str(file), "--runs", str(runs), "--json"],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: Any, code: int = 0) -> Any:
    out, err = process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == code, err
    assert "Traceback" not in err
    return json.loads(out.splitlines()[-1])


def run(
    folder: Path, runs: Path | str, *, code: int = 0, environment: dict[str, str] | None = None, **changes: Any
) -> Any:
    return finish(start(folder, runs, environment, **changes), code)


def read_usage(answer: dict[str, Any]) -> dict[str, Any]:
    """What each stage used, as `run.json` says it."""
    recorded = json.loads((Path(answer["run_dir"]) / "run.json").read_text())["usage_by_stage"]
    return {stage: figures for stage, figures in recorded.items() if figures["requests"]}


def read_pages(api: str, run_id: str) -> dict[str, str]:
    """The pages that the stages of a run left in Prefect, and the last progress of each, by their keys."""
    body = json.dumps({"artifacts": {}, "sort": "CREATED_DESC"}).encode()
    request = urllib.request.Request(f"{api}/artifacts/filter", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.loads(answer.read())
    return {one["key"]: f"{one['data']} {one['description']}" for one in found if run_id in one["description"]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A Dask cluster that is there already, of two processes; gives its scheduler's address."""
    distributed = pytest.importorskip("distributed")
    pytest.importorskip("prefect_dask")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, memory_limit=0, dashboard_address=None
    ) as started:
        yield started.scheduler_address


@pytest.fixture(scope="module")
def on_threads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("threads")
    return run(folder, folder / "runs")


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_a_cluster_gives_the_bytes_that_threads_give(
    kind: str, on_threads: dict[str, Any], prefect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if find_spec(f"prefect_{kind}") is None:
        pytest.skip(f"turnwright[{kind}] is not installed")
    workers = {"kind": kind, "count": 2}
    if kind == "dask":
        workers["address"] = request.getfixturevalue("cluster")
    watched = {"PREFECT_LOGGING_TO_API_ENABLED": "true"}
    answer = run(tmp_path, tmp_path / "runs", environment=watched, workers=workers)
    assert digests(answer) == digests(on_threads)
    assert answer["tokens"] == on_threads["tokens"]  # what all processes used was added up
    used = read_usage(answer)
    assert used == read_usage(on_threads)
    assert set(used) == {"prepare-tools", "write-dialogue-tasks", "simulate-dialogues", "validate-dialogues"}
    pages = read_pages(prefect, Path(answer["run_dir"]).name)
    for stage, figures in used.items():
        tokens = f"{figures['tokens']:,} tokens"
        assert f"{figures['requests']:,} requests · {tokens}" in pages[f"small-{stage}"]
        assert tokens in pages[f"small-{stage}-progress"]
    accounts = list((Path(answer["run_dir"]) / "workers").glob("*.json"))
    assert len({file.name.split("-")[-2] for file in accounts}) == 2


def test_a_budget_ends_a_run_of_many_processes_and_threads_go_on_with_what_they_made(
    on_threads: dict[str, Any], cluster: str, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    workers = {"kind": "dask", "count": 2, "address": cluster}
    cut = run(tmp_path, runs, code=5, workers=workers, budget={"tokens": 60_000})
    assert 60_000 <= cut["tokens"] < on_threads["tokens"]
    whole = run(tmp_path, runs)
    assert digests(whole) == digests(on_threads)
    # Each dialogue at work may have had one reply under way that nobody kept.
    largest = 1.1 * on_threads["tokens"] / SMALL["dialogues"]
    assert 0 < whole["tokens"] < on_threads["tokens"] - cut["tokens"] + largest


@pytest.fixture
def endpoint() -> Iterator[str]:
    """An endpoint that takes its time, so that a run can be met at work."""
    with EmbeddedEndpoint(ServeOptions(slots=0, latency_ms=150.0)) as served:
        yield served.url


def start_on_dask(folder: Path, url: str) -> Any:
    model = {"base_url": url, "name": "embedded"}
    return start(folder, folder / "runs", model=model, shard_size=1, workers={"kind": "dask", "count": 2})


def await_dialogues(process: Any, url: str) -> None:
    """Returns when dialogues are at work."""
    deadline = time.monotonic() + LONGEST_WAIT
    while ask(url, "/stats")["by_role"].get("user_simulator", {}).get("requests", 0) < 4:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def list_processes(session: int, wanted: Callable[[str], bool] = lambda command: True) -> list[int]:
    """Processes of a session that live, by what their command line says."""
    found: list[int] = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            command = (place / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z" and wanted(command):
            found.append(int(place.name))
    return sorted(found)


def test_nothing_is_lost_with_a_dask_process_or_by_ctrl_c(endpoint: str, tmp_path: Path) -> None:
    """One run loses a process and goes on; another is interrupted and run again. Each is the measure of the other."""
    pytest.importorskip("prefect_dask")
    if not Path("/proc/self/stat").exists():
        pytest.skip("processes are found in /proc")
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()

    process = start_on_dask(one, endpoint)
    await_dialogues(process, endpoint)
    workers = list_processes(process.pid, lambda command: "spawn_main" in command)
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    lost = finish(process)
    # The dialogues of the dead process are played again from its journal: what was in flight is asked for twice.
    assert ask(endpoint, "/stats")["repeated"] <= SMALL["dialogues"]

    ask(endpoint, "/reset", post=True)
    process = start_on_dask(two, endpoint)
    await_dialogues(process, endpoint)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the run and to all of its processes
    assert finish(process, 130)["error"] == "interrupted"
    assert not list_processes(process.pid)
    whole = run(two, two / "runs", model={"base_url": endpoint, "name": "embedded"})
    assert ask(endpoint, "/stats")["repeated"] <= SMALL["dialogues"]
    assert digests(whole) == digests(lost)


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
    store.rm("factory", recursive=True)  # the servers of a process share their buckets
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


def test_an_engine_that_does_not_answer_is_said_before_anything_is_made(tmp_path: Path) -> None:
    pytest.importorskip("prefect_dask")
    answer = run(tmp_path, tmp_path / "runs", code=4, workers={"kind": "dask", "address": "tcp://127.0.0.1:9"})
    assert "127.0.0.1:9" in answer["error"]
    assert "workers.address" in answer["hint"]
