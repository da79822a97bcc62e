"""OpenLineage events: what they say of a run, where they go, and that no run depends on it."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.event_v2 import RunState
from pydantic import ValidationError

from schemas.config import RunConfig
from schemas.openlineage import OpenLineage
from tasks.announce import announce_begin, announce_end, announce_stage, announce_version
from tasks.run_context import RunContext
from tasks.shards import StageResult
from tests.dataset_world import finish_run, publish
from tests.synthetic_run import CONFIG
from turnwright.lineage.openlineage_events import RunName, name_dataset, tell_run
from turnwright.lineage.openlineage_sender import EventSender

KEY = "a-key-that-nobody-may-see"


def config(**settings: Any) -> RunConfig:
    return RunConfig.model_validate(CONFIG.model_dump() | {"openlineage": settings})


def announce(runs: Path, settings: RunConfig, **record: Any) -> None:
    """All that a run tells: its begin, two stages, a version, its end."""
    folder = finish_run(runs, "one", range(30), **record)
    run = RunContext(config=settings, run_id="one", runs=str(runs))
    tables = folder.find_tables()
    announce_begin(run)
    for stage, inputs, outputs in (
        ("collect-seeds", [], ["seeds"]),
        ("simulate-dialogues", ["seeds", "toolsets", "dialogue_tasks"], ["dialogues"]),
    ):
        result = StageResult(
            stage=stage,  # pyright: ignore[reportArgumentType]
            tables={name: tables[name] for name in outputs},
            ledger=tables["ledger"],
            stopped=None,
            seconds=2.0,
            shards=1,
        )
        announce_stage(run, result, {name: tables[name] for name in inputs}, None)
    version = publish(folder).version
    assert version is not None
    announce_version(run, version)
    announce_end(run)


def read_events(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_run_is_told_from_its_begin_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    announce(tmp_path / "runs", config(transport="file", path=str(file)))
    events = read_events(file)
    told = [(event["job"]["name"], event["eventType"]) for event in events]
    assert told == [
        ("synthetic", "START"),
        ("synthetic.collect-seeds", "START"),
        ("synthetic.collect-seeds", "COMPLETE"),
        ("synthetic.simulate-dialogues", "START"),
        ("synthetic.simulate-dialogues", "COMPLETE"),
        ("synthetic.publish-dataset", "START"),
        ("synthetic.publish-dataset", "COMPLETE"),
        ("synthetic", "COMPLETE"),
    ]
    root = events[0]["run"]["runId"]
    assert events[-1]["run"]["runId"] == root
    assert all(event["run"]["facets"]["parent"]["run"]["runId"] == root for event in events[1:-1])
    assert events[3]["run"]["runId"] == events[4]["run"]["runId"] != events[1]["run"]["runId"]
    assert events[3]["eventTime"] < events[4]["eventTime"]


def test_tables_carry_schema_version_statistics_and_quality(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    announce(tmp_path / "runs", config(transport="file", path=str(file)))
    events = read_events(file)
    (dialogues,) = events[4]["outputs"]
    facets = dialogues["facets"]
    assert {"name": "turns", "type": "int64"}.items() <= next(
        field.items() for field in facets["schema"]["fields"] if field["name"] == "turns"
    )
    folder = finish_run(tmp_path / "runs", "one", range(30))
    assert facets["version"]["datasetVersion"] == folder.find_tables()["dialogues"].sha256
    assert dialogues["outputFacets"]["outputStatistics"]["rowCount"] == 30
    metrics = facets["dataQualityMetrics"]["columnMetrics"]
    assert metrics["slot"] == metrics["slot"] | {"min": 0.0, "max": 29.0, "nullCount": 0}
    assert {one["name"].rsplit("/", 1)[-1] for one in events[4]["inputs"]} == {
        "seeds.parquet",
        "toolsets.parquet",
        "dialogue_tasks.parquet",
    }
    (source,) = events[1]["inputs"]
    assert (source["namespace"], source["name"]) == ("sqlite://", "club.sqlite")
    (version,) = events[6]["outputs"]
    assert version["name"].endswith("datasets/club/v1")


def test_a_failed_run_says_why_and_an_interrupted_one_was_aborted(tmp_path: Path) -> None:
    for state, told in (("failed", "FAIL"), ("interrupted", "ABORT")):
        file = tmp_path / f"{state}.jsonl"
        announce(tmp_path / state, config(transport="file", path=str(file)), state=state, error="the endpoint is gone")
        last = read_events(file)[-1]
        assert last["eventType"] == told
        assert last["run"]["facets"]["errorMessage"]["message"] == "the endpoint is gone"


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, dict[str, str], dict[str, Any]]]]]:
    received: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", received
    running.shutdown()


def test_events_reach_a_server_with_its_key_and_nobody_else_sees_that(
    tmp_path: Path, server: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url, received = server
    monkeypatch.setenv("LINEAGE_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    announce(tmp_path, config(transport="http", url=f"{url}/base", api_key_env="LINEAGE_KEY"))
    assert len(received) == 8
    path, headers, body = received[-1]
    assert path == "/base/api/v1/lineage"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body["eventType"] == "COMPLETE"
    assert KEY not in json.dumps([one[2] for one in received]) and KEY not in caplog.text


def test_a_server_that_is_away_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    announce(tmp_path, config(transport="http", url="http://127.0.0.1:9", timeout_seconds=0.5))
    assert len([record for record in caplog.records if "lineage events are lost" in record.getMessage()]) == 1


def test_a_key_that_is_not_set_costs_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("LINEAGE_KEY", raising=False)
    announce(tmp_path / "lost", config(transport="http", url="http://127.0.0.1:9", api_key_env="LINEAGE_KEY"))
    warnings = [record.getMessage() for record in caplog.records if "LINEAGE_KEY is not set" in record.getMessage()]
    assert len(warnings) == 1
    announce(tmp_path / "told", config(transport="file", path=str(tmp_path / "events.jsonl")))
    assert len(read_events(tmp_path / "events.jsonl")) == 8, "the next run is heard"


def test_nothing_is_sent_unless_asked_for(tmp_path: Path) -> None:
    announce(tmp_path / "runs", CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    with pytest.raises(ValueError, match="transport"):
        EventSender(OpenLineage())


def test_runs_that_share_a_file_never_mix_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    settings = OpenLineage(transport="file", path=str(file))
    senders = [EventSender(settings) for _ in range(4)]
    for number, sender in enumerate(senders):
        name = RunName("n", f"job{number}", "place", "run", "1")
        for _ in range(20):
            sender.send(tell_run(name, RunState.RUNNING, datetime.now(UTC), tags={"long": "x" * 20_000}))
    for sender in senders:
        sender.close()
    assert len(read_events(file)) == 4 * 20


def test_places_have_the_names_that_the_standard_gives_them() -> None:
    assert name_dataset("/runs/one/tables/seeds.parquet") == ("file", "/runs/one/tables/seeds.parquet")
    assert name_dataset("s3://bucket/runs/x.parquet") == ("s3://bucket", "runs/x.parquet")
    assert name_dataset("postgresql://me@host:5432/shop") == ("postgresql://host:5432", "shop")
    assert name_dataset("sqlite:////data/club.sqlite") == ("sqlite://", "data/club.sqlite")


def test_settings_that_cannot_work_are_refused() -> None:
    for wrong in (
        {"transport": "file"},
        {"transport": "http"},
        {"transport": "http", "url": "ftp://x"},
        {"transport": "http", "url": "http://me:secret@host"},
        {"transport": "http", "url": "http://host", "api_key": KEY},
    ):
        with pytest.raises(ValidationError):
            OpenLineage.model_validate(wrong)
