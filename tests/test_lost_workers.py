"""A process that dies under a shard, or a whole cluster: the run goes on, or it ends with words that say what to do."""

import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import orjson
import pytest
from prefect.client.schemas.objects import State
from prefect.serializers import JSONSerializer
from prefect.states import Completed, Crashed, Failed, Pending, Running, Scheduled

from flows.exit_codes import UNREACHABLE, explain
from schemas.settings import Workers
from tasks import work_pool_runner
from tasks.crew import list_accounts_folder, read_pulse
from tasks.preflight import check_cluster
from tasks.run_context import RunContext
from tasks.runner_errors import ShardRunFailed
from tasks.shards import Shard, ShardResult
from tasks.simulate_dialogues import simulate_shard
from tasks.work_pool_runner import WorkPoolRunner
from tests.test_crew import make_run, make_shard
from turnwright.storage.tables import write_table


class PrefectServer:
    """Flow runs that go through given states, one a look; the last one stays."""

    def __init__(self, *courses: list[State[Any]]) -> None:
        self.courses = list(courses)
        self.keys: list[str] = []
        self.runs: dict[Any, Any] = {}
        self.left: dict[Any, Iterator[State[Any]]] = {}

    async def arun_deployment(self, _name: str, *, idempotency_key: str, **_: Any) -> Any:
        if idempotency_key not in self.keys:
            self.keys.append(idempotency_key)
            begun = SimpleNamespace(id=uuid4(), name=f"shard try {len(self.keys)}", state=Scheduled())
            self.runs[begun.id] = self.runs[idempotency_key] = begun
            self.left[begun.id] = iter(self.courses[len(self.keys) - 1])
        return self.runs[idempotency_key]

    async def read_flow_run(self, flow_run: Any) -> Any:
        begun = self.runs[flow_run]
        begun.state = next(self.left[flow_run], begun.state)
        return begun

    async def set_flow_run_state(self, flow_run: Any, state: State[Any], *, force: bool) -> None:
        assert force
        self.left[flow_run] = iter([])
        self.runs[flow_run].state = state


@pytest.fixture
def shard() -> Shard:
    return make_shard(0)


@pytest.fixture
def run(tmp_path: Path, shard: Shard) -> RunContext:
    run = make_run(tmp_path)
    made = ShardResult(tables={}, ledger=write_table("ledger", [], run.store))
    run.results.mkdir(parents=True)
    record = {"result": JSONSerializer().dumps(made).decode()}
    (run.results / shard.key).write_bytes(orjson.dumps(record))
    return run


def work(monkeypatch: pytest.MonkeyPatch, server: PrefectServer, run: RunContext, shard: Shard) -> ShardResult:
    @asynccontextmanager
    async def get_client() -> AsyncIterator[PrefectServer]:
        yield server

    monkeypatch.setattr(work_pool_runner, "arun_deployment", server.arun_deployment)
    monkeypatch.setattr(work_pool_runner, "get_client", get_client)
    monkeypatch.setattr(work_pool_runner, "_LOOK_SECONDS", 0.01)
    runner = WorkPoolRunner(2, None)
    try:
        return runner.submit(simulate_shard, run, shard).result()
    finally:
        runner.close()


def test_a_shard_whose_process_crashed_is_begun_again(
    monkeypatch: pytest.MonkeyPatch, run: RunContext, shard: Shard
) -> None:
    server = PrefectServer([Running(), Crashed(message="exit code -9")], [Pending(), Running(), Completed()])
    assert isinstance(work(monkeypatch, server, run, shard), ShardResult)
    assert len(server.keys) == 2


def test_a_shard_that_kills_process_after_process_is_given_up(
    monkeypatch: pytest.MonkeyPatch, run: RunContext, shard: Shard
) -> None:
    server = PrefectServer(*[[Running(), Crashed(message="exit code -9")]] * 9)
    with pytest.raises(ShardRunFailed, match="try 3 ended as Crashed: exit code -9; look at the flow run") as failed:
        work(monkeypatch, server, run, shard)
    assert len(server.keys) == 3
    assert explain(failed.value).exit_code == UNREACHABLE


def test_a_shard_that_failed_is_not_begun_again(monkeypatch: pytest.MonkeyPatch, run: RunContext, shard: Shard) -> None:
    server = PrefectServer([Running(), Failed(message="the disk is full")], [Completed()])
    with pytest.raises(ShardRunFailed, match="the disk is full"):
        work(monkeypatch, server, run, shard)


def test_a_flow_run_that_stays_running_without_a_sign_of_life_is_called_crashed(
    monkeypatch: pytest.MonkeyPatch, run: RunContext, shard: Shard
) -> None:
    monkeypatch.setattr(work_pool_runner, "_SILENT_SECONDS", 0.2)
    server = PrefectServer([Running()], [Running(), Completed()])
    work(monkeypatch, server, run, shard)
    silent = server.runs[server.keys[0]]
    assert silent.state.is_crashed()
    assert "no sign of life" in silent.state.message


def test_one_that_gives_signs_of_life_may_take_its_time(
    monkeypatch: pytest.MonkeyPatch, run: RunContext, shard: Shard
) -> None:
    monkeypatch.setattr(work_pool_runner, "_SILENT_SECONDS", 0.2)
    beats = iter(range(10_000))
    monkeypatch.setattr(work_pool_runner, "read_pulse", lambda run, shard: next(beats))
    server = PrefectServer([Running() for _ in range(50)] + [Completed()])
    work(monkeypatch, server, run, shard)
    assert len(server.keys) == 1


def test_the_pulse_is_that_of_the_processes_that_work_on_the_shard(run: RunContext, shard: Shard) -> None:
    assert read_pulse(run, shard) == 0
    folder = list_accounts_folder(run)
    folder.mkdir(parents=True)
    for name, shards, beats in (("dead", [shard.key], 7), ("other", ["else"], 50), ("new", [shard.key, "else"], 2)):
        (folder / f"{name}.json").write_bytes(orjson.dumps({"shards": shards, "beats": beats, "usage": {}}))
    (folder / "of_another_version.json").write_bytes(b'{"usage": {}, "progress": {}}')
    assert read_pulse(run, shard) == 9


def test_a_cluster_without_workers_is_given_up(monkeypatch: pytest.MonkeyPatch, run: RunContext, shard: Shard) -> None:
    distributed = pytest.importorskip("distributed")
    pytest.importorskip("prefect_dask")
    from tasks import dask_runner

    monkeypatch.setattr(dask_runner, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(dask_runner, "_LONELY_SECONDS", 0.3)
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None, protocol="tcp") as cluster:
        runner = dask_runner.DaskRunner(1, cluster.scheduler_address)
        try:
            future = runner.submit(simulate_shard, run, shard)
            future.wait()
            assert future.state.is_failed()
            with pytest.raises(ShardRunFailed, match="simulate-dialogues 0: the Dask cluster has had no worker"):
                future.result()
        finally:
            runner.close()


def test_a_process_that_ray_lost_is_said() -> None:
    crashed = type("WorkerCrashedError", (Exception,), {"__module__": "ray.exceptions"})
    failure = explain(crashed("The worker died unexpectedly.\nIt had a long story."))
    assert failure.error == "Ray lost the process of a shard: The worker died unexpectedly."
    assert (failure.exit_code, failure.is_defect) == (UNREACHABLE, False)
    assert explain(type("RayTaskError", (Exception,), {"__module__": "ray.exceptions"})("x")).is_defect


@pytest.mark.parametrize("form", ["tcp://127.0.0.1:{}", "ray://127.0.0.1:{}", "127.0.0.1:{}"])
def test_a_cluster_is_looked_at_before_a_run(form: str) -> None:
    kind = "ray" if "ray" in form else "dask"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = form.format(listener.getsockname()[1])
        there = check_cluster(Workers(kind=kind, address=address))
        assert there.ok and there.subject == f"{kind} at {address}"
    gone = check_cluster(Workers(kind=kind, address=address))
    assert not gone.ok
    assert address in gone.message and "workers.address" in gone.hint


@pytest.mark.parametrize("address", ["nowhere", "tcp://:8786", "tcp://host", "tcp://host:port", "tcp://[::1:5"])
def test_an_address_without_host_and_port_is_none(address: str) -> None:
    assert "names no host and port" in check_cluster(Workers(kind="dask", address=address)).message


def end_with(error: Exception) -> Any:
    """A future of a shard that Dask ends in this way, and that was waited for."""
    from tasks.dask_runner import DaskFuture

    def result(timeout: float) -> None:
        raise error

    watch: Any = None
    future = DaskFuture(SimpleNamespace(wrapped_future=SimpleNamespace(result=result)), "simulate-dialogues 3", watch)
    future.wait()
    assert future.state.is_failed()
    return future


def test_what_dask_says_of_a_lost_shard_becomes_what_to_do() -> None:
    distributed = pytest.importorskip("distributed")
    with pytest.raises(ShardRunFailed, match=r"simulate-dialogues 3: 4 processes died .* lower shard_size"):
        end_with(distributed.KilledWorker("key", None, 3)).result()
    with pytest.raises(ShardRunFailed, match=r"the Dask cluster is gone \(scheduler-connection-lost\)"):
        end_with(CancelledError("scheduler-connection-lost")).result()
    with pytest.raises(ImportError, match="tasks"):
        end_with(ImportError("tasks")).result()
