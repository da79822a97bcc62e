"""Operated in Prefect: a real server and worker, as `make operate` starts them; schedules, forms, reruns, alerts.

All tests share one server, and those about one run follow one another: a stage breaks, is mended, is retried alone,
then the pipeline is. The embedded endpoint stands behind one that can be switched off. That run begins with the first
test and works beside those before its own: its flow runs are one process after the other, and leave a core idle.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from schemas.vocabulary import STAGES
from tests.failing_endpoint import FailingEndpoint, serve_before
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint
from turnwright.storage.run_folder import RunFolder, list_runs

ROOT = Path(__file__).parent.parent
LONGEST_WAIT = 480.0
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
SHARDS = 5


class Server:
    """The Prefect server's API, as the UI uses it."""

    def __init__(self, api: str) -> None:
        self.api = api

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.api}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    content = answer.read()
                return json.loads(content) if content else None
            except urllib.error.HTTPError as error:
                # The server's database is busy: Prefect's own client asks again, too.
                if error.code != 503:
                    raise
                time.sleep(1.0)

    def find_deployment(self, name: str) -> dict[str, Any]:
        return self.call("GET", f"/deployments/name/{name}")

    def start(self, deployment: str, parameters: dict[str, Any]) -> str:
        found = self.find_deployment(deployment)
        return self.call("POST", f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})["id"]

    def read(self, flow_run: str) -> dict[str, Any]:
        return self.call("GET", f"/flow_runs/{flow_run}")

    def await_end(self, flow_run: str, tries: int = 1) -> dict[str, Any]:
        """The flow run once it has been tried so often and has ended."""

        def look() -> dict[str, Any] | None:
            found = self.read(flow_run)
            return found if found["state_type"] in FINAL and found["run_count"] >= tries else None

        return wait_for(look)

    def list_children(self, flow_run: str) -> list[dict[str, Any]]:
        body = {"flow_runs": {"parent_flow_run_id": {"any_": [flow_run]}}, "sort": "START_TIME_ASC"}
        return self.call("POST", "/flow_runs/filter", body)

    def list_tasks(self, flow_run: str) -> list[dict[str, Any]]:
        return self.call("POST", "/task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run]}}})

    def list_artifacts(self, flow_run: str) -> list[dict[str, Any]]:
        return self.call("POST", "/artifacts/filter", {"flow_runs": {"id": {"any_": [flow_run]}}})

    def read_logs(self, flow_run: str) -> list[str]:
        found = self.call("POST", "/logs/filter", {"logs": {"flow_run_id": {"any_": [flow_run]}}})
        return [entry["message"] for entry in found]

    def retry(self, flow_run: str) -> None:
        """What the button Retry of the UI does."""
        state = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}
        answer = self.call("POST", f"/flow_runs/{flow_run}/set_state", {"state": state, "force": False})
        assert answer["status"] == "ACCEPT", answer


def wait_for(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.3)
    raise AssertionError("it did not come about")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("operate")
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "operate", "--port", "0", "--home", str(home), "--json"],
        cwd=ROOT,
        env=_environment() | {"PREFECT_WORKER_QUERY_SECONDS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (process.wait(), process.stderr and process.stderr.read())
        yield Server(json.loads(line)["api"])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=90)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def embedded() -> Iterator[str]:
    with EmbeddedEndpoint(ServeOptions(slots=0, latency_ms=60.0, mistake_rate=0.5)) as served:
        yield served.url


@pytest.fixture(scope="module")
def endpoint(embedded: str) -> Iterator[FailingEndpoint]:
    with serve_before(embedded) as before:
        yield before


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def pipeline(server: Server, endpoint: FailingEndpoint, runs: Path) -> str:
    """A flow run whose endpoint goes off in the middle of simulate-dialogues: one shard is done, others are at work."""
    endpoint.breaks_when = lambda: count_simulated(runs) >= 1
    config = make_config(endpoint.url)
    return server.start("turnwright/pipeline", {"config": config, "runs": str(runs), "stages_as_deployments": True})


def make_config(url: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "operated",
        "seed": 7,
        "model": {"base_url": url, "name": "embedded", "timeout_seconds": 600.0},
        "sources": [{"kind": "sql", "url": f"sqlite:///{ROOT / 'examples' / 'club.sqlite'}"}],
        "dialogues": 2 * SHARDS,
        "shard_size": 2,
        "retry_seconds": 0.5,
        # Of so few dialogues no share means anything.
        "checks": {
            "min_valid_rate": 0.0,
            "one_turn_share": {"fail": [None, None]},
            "mean_turns": {"fail": [None, None]},
            "mean_steps": {"fail": [None, None]},
        },
        **more,
    }


def count_simulated(runs: Path) -> int:
    """Shards of simulate-dialogues whose result is kept."""
    return sum(_holds_dialogues(file) for file in (runs / "store" / "results").glob("*"))


def _holds_dialogues(record: Path) -> bool:
    try:
        result = json.loads(json.loads(record.read_bytes())["result"])
    except ValueError:
        return False  # being written
    data = result.get("data", result)
    return "stopped" in data and "dialogues" in data.get("tables", {})


def run_inline(config: dict[str, Any], runs: Path, code: int, api: str | None = None) -> dict[str, Any]:
    file = runs / f"{config['name']}.yaml"
    file.write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", str(file), "--runs", str(runs), "--json"],
        cwd=ROOT,
        env=_environment() | ({} if api is None else {"PREFECT_API_URL": api}),
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | {
        "PYTHONPATH": str(ROOT)
    }


@pytest.mark.usefixtures("pipeline")
def test_a_cron_schedule_that_is_on_gets_runs_and_one_that_is_off_does_not(server: Server) -> None:
    deploy = ["--no-prompt", "deploy", "--all", "--prefect-file", "examples/operate/scheduled.yaml"]
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *deploy],
        cwd=ROOT,
        env=_environment() | {"PREFECT_API_URL": server.api},
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    def list_scheduled(deployment: str) -> list[Any]:
        body = {
            "deployments": {"name": {"any_": [deployment]}},
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        }
        return server.call("POST", "/flow_runs/filter", body)

    found = wait_for(lambda: list_scheduled("hourly-example"))
    assert found[0]["auto_scheduled"]
    assert found[0]["parameters"]["config"]["name"] == "hourly"
    assert all(":30:00" in run["expected_start_time"] for run in found)
    for name in ("nightly", "weekly"):
        [schedule] = server.find_deployment(f"turnwright/{name}")["schedules"]
        assert schedule["schedule"]["cron"]
        assert not schedule["active"]
        assert not list_scheduled(name)


def test_every_stage_is_a_deployment_whose_form_refuses_unknown_fields(server: Server) -> None:
    for stage in (*STAGES, "publish-dataset"):
        found = server.find_deployment(f"{stage}/{stage}")
        assert found["entrypoint"].startswith("flows.")
        assert found["description"]
        assert set(found["tags"]) == {"turnwright", "stage"}
        assert found["enforce_parameter_schema"]
        assert found["global_concurrency_limit"]["limit"] == 4
    config = make_config("http://127.0.0.1:1/v1")
    for wrong, where in (
        ({"config": config | {"dialogs": 3}}, "dialogs"),
        ({"config": config | {"checks": {"min_rate": 0.1}}}, "min_rate"),
        ({"config": config | {"dialogues": 0}}, "dialogues"),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.start("turnwright/pipeline", wrong)
        assert refused.value.code in (409, 422)
        assert where in refused.value.read().decode()


def test_without_deployments_to_make_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "operate", "--home", str(tmp_path), "--prefect-file", "none.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "none.yaml does not exist" in done.stderr


def test_the_same_inline_run_again(server: Server, embedded: str, tmp_path: Path) -> None:
    with serve_before(embedded) as failing:
        config = make_config(failing.url, name="inline")
        failing.breaks_when = lambda: count_simulated(tmp_path) >= 1
        answer = run_inline(config, tmp_path, 4, server.api)
        assert "start the endpoint" in answer["hint"]
        assert 0 < count_simulated(tmp_path) < SHARDS
        failing.mend()
        again = run_inline(config, tmp_path, 0, server.api)
        assert again["dialogues"] == 2 * SHARDS
        assert failing.again == 0


def test_a_stage_that_failed_is_retried_alone_and_nothing_that_was_finished_is_made_again(
    server: Server, endpoint: FailingEndpoint, runs: Path, pipeline: str
) -> None:
    failing = endpoint
    failed = server.await_end(pipeline)
    assert failed["state_type"] == "FAILED"
    children = {child["name"].split()[0]: child for child in server.list_children(pipeline)}
    assert list(children) == ["collect-seeds", "prepare-tools", "write-dialogue-tasks", "simulate-dialogues"]
    broken = children["simulate-dialogues"]
    assert broken["state_type"] == "FAILED"
    for word in ("start the endpoint", "retry this flow run", "reused"):
        assert word in broken["state"]["message"]
    assert "retry flow run 'simulate-dialogues" in failed["state"]["message"]
    assert 0 < count_simulated(runs) < SHARDS
    done_before = count_simulated(runs)
    assert len(list_runs(runs)) == 1
    folder = list_runs(runs)[0]
    assert folder.read_run()["state"] == "failed"
    first_calls = folder.read_run()["usage"]["requests"]
    assert first_calls > 0

    # Mended: the child alone, as the UI does it.
    failing.mend()
    server.retry(broken["id"])
    mended = server.await_end(broken["id"], tries=2)
    assert mended["state_type"] == "COMPLETED", mended["state"]["message"]
    shards = [task for task in server.list_tasks(broken["id"]) if task["name"].startswith("simulate-dialogues-")]
    assert sum(task["state_name"] == "Cached" for task in shards) == done_before
    assert server.read(pipeline)["state_type"] == "FAILED"

    # Then the pipeline: what was finished is finished.
    server.retry(pipeline)
    ended = server.await_end(pipeline, tries=2)
    assert ended["state_type"] == "COMPLETED", ended["state"]["message"]
    children = {child["name"].split()[0]: child for child in server.list_children(pipeline)}
    assert {name: child["run_count"] for name, child in children.items()} == {
        "collect-seeds": 1,
        "prepare-tools": 1,
        "write-dialogue-tasks": 1,
        "simulate-dialogues": 2,
        "validate-dialogues": 1,
        "build-dataset": 1,
        "report": 1,
    }
    assert failing.again == 0
    assert [run.run_id for run in list_runs(runs)] == [folder.run_id]
    record = folder.read_run()
    assert record["state"] == "completed"
    assert record["dialogues"]["planned"] == 2 * SHARDS
    assert record["usage"]["requests"] > first_calls
    # The calls of all processes are in the figures of the run; what was cut off in flight was asked for twice.
    calls = sum(role["calls"] for role in record["usage"]["roles"].values())
    assert 0.9 * failing.passed <= calls <= failing.passed


def test_a_stage_shows_its_page_its_progress_and_one_log_line_for_each_shard(server: Server, runs: Path) -> None:
    run_id = list_runs(runs)[0].run_id
    found = server.call("POST", "/flow_runs/filter", {"flow_runs": {"name": {"like_": f"validate-dialogues {run_id}"}}})
    artifacts = {artifact["key"]: artifact for artifact in server.list_artifacts(found[0]["id"])}
    assert set(artifacts) == {"operated-validate-dialogues", "operated-validate-dialogues-progress"}
    progress = artifacts["operated-validate-dialogues-progress"]
    assert (progress["type"], float(progress["data"])) == ("progress", 100.0)
    assert f"{SHARDS} of {SHARDS} shards" in progress["description"]
    assert "tokens/s" in progress["description"]
    page = str(artifacts["operated-validate-dialogues"]["data"])
    tables = RunFolder(runs / run_id).find_tables()
    for word in ("```mermaid", tables["dialogues"].sha256, tables["verdicts"].sha256, "## Yield", "cost unknown"):
        assert word in page
    assert page.count("<details><summary>dialogue_") == 3
    logs = server.read_logs(found[0]["id"])
    assert len([line for line in logs if " shard " in line]) == SHARDS
    # Not one line a dialogue: what Prefect says of a task, and ours.
    assert len(logs) < 12 + 3 * SHARDS


def test_a_failed_gate_calls_the_webhook(server: Server, endpoint: FailingEndpoint, runs: Path, tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        subprocess.run(
            [sys.executable, "examples/operate/gate_alert.py", f"http://127.0.0.1:{receiver.server_port}/alert"],
            cwd=ROOT,
            env=_environment() | {"PREFECT_API_URL": server.api},
            capture_output=True,
            timeout=LONGEST_WAIT,
            check=True,
        )
        # The limits are in no shard's key: all dialogues come from the cache, only the gate looks anew.
        config = make_config(endpoint.url, name="operated", checks={"min_valid_rate": 1.0})
        answer = run_inline(config, runs, 3, server.api)
        assert answer["gate"] == "validate-dialogues"
        told = wait_for(lambda: heard)[0]
    finally:
        receiver.shutdown()
        receiver.server_close()
    assert told["gate"] == "validate-dialogues"
    assert told["run"] == Path(answer["run_dir"]).name
    assert any("valid_rate" in failure for failure in told["failures"])
