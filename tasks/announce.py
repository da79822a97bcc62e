"""Telling others about a run, in OpenLineage events, where the config says so."""

import atexit
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from data_checks.gate import GateReport
from schemas.rows import TableRef
from tasks.run_context import RunContext
from tasks.shards import StageResult
from turnwright.datasets.versions import DatasetVersion
from turnwright.storage.run_folder import RunNotFound
from turnwright.storage.tables import read_columns

if TYPE_CHECKING:
    from turnwright.lineage.openlineage_events import RunName
    from turnwright.lineage.openlineage_sender import EventSender

_log = logging.getLogger("turnwright.openlineage")
_senders: "dict[str, EventSender | None]" = {}
_lock = threading.Lock()


def announce_begin(run: RunContext) -> None:
    """Tells that a run begins."""
    sender = _open_sender(run)
    if sender is None:
        return
    from openlineage.client.event_v2 import RunState

    from turnwright.lineage.openlineage_events import tell_run

    sender.send(tell_run(_name(run), RunState.START, datetime.now(UTC), tags=_list_tags(run)))


def announce_stage(
    run: RunContext, result: StageResult, inputs: Mapping[str, TableRef], report: GateReport | None
) -> None:
    """Tells that a stage has run: when it began, what it read and wrote, and what its gate found."""
    sender = _open_sender(run)
    if sender is None:
        return
    from openlineage.client.event_v2 import RunState

    from turnwright.lineage.openlineage_events import (
        Asserted,
        describe_input,
        describe_output,
        describe_source,
        tell_stage,
    )

    end = datetime.now(UTC)
    read = [describe_input(reference) for _, reference in sorted(inputs.items())]
    if "seeds" in result.tables:
        rows = read_columns(result.tables["seeds"], "seeds", ["locator"])
        read = [describe_source(locator) for locator in sorted({str(row["locator"]) for row in rows})]
    asserted = [
        Asserted(one.table, one.expectation, one.column, one.level, one.passed, one.figure, one.limit)
        for one in (report.results if report is not None else [])
    ]
    written = [describe_output(reference, asserted) for _, reference in sorted(result.tables.items())]
    failed = report is not None and not report.passed
    name = _name(run)
    sender.send(tell_stage(name, result.stage, RunState.START, end - timedelta(seconds=result.seconds), inputs=read))
    sender.send(
        tell_stage(
            name,
            result.stage,
            RunState.FAIL if failed else RunState.COMPLETE,
            end,
            inputs=read,
            outputs=written,
            error=f"the gate after {result.stage} failed" if failed else None,
        )
    )


def announce_version(run: RunContext, published: DatasetVersion) -> None:
    """Tells that a version of a dataset was published."""
    sender = _open_sender(run)
    if sender is None:
        return
    from openlineage.client.event_v2 import RunState

    from turnwright.lineage.openlineage_events import describe_folder, describe_input, tell_stage

    manifest, now, name = published.manifest, datetime.now(UTC), _name(run)
    tables = run.folder.find_tables()
    written = describe_folder(
        str(published.folder.root),
        manifest.digest,
        manifest.rows,
        sum(file.bytes for file in manifest.files.values()),
        len(manifest.files),
    )
    read = [describe_input(tables["dataset"])] if "dataset" in tables else []
    sender.send(tell_stage(name, "publish-dataset", RunState.START, now, inputs=read))
    sender.send(tell_stage(name, "publish-dataset", RunState.COMPLETE, now, inputs=read, outputs=[written]))


def announce_end(run: RunContext) -> None:
    """Tells how a run ended, and waits a while until that and all before it is sent."""
    sender = _open_sender(run)
    if sender is None:
        _close_sender(run.run_id)
        return
    from openlineage.client.event_v2 import RunState

    from turnwright.lineage.openlineage_events import tell_run

    states = {"completed": RunState.COMPLETE, "interrupted": RunState.ABORT}
    try:
        record = run.folder.read_run()
    except RunNotFound:
        record = dict[str, Any]()
    state = states.get(str(record.get("state")), RunState.FAIL)
    error = record.get("error") if state is not RunState.COMPLETE else None
    sender.send(
        tell_run(
            _name(run), state, datetime.now(UTC), tags=_list_tags(run, record), error=str(error) if error else None
        )
    )
    _close_sender(run.run_id)


def _name(run: RunContext) -> "RunName":
    from turnwright.lineage.openlineage_events import RunName

    try:
        told = version("turnwright")
    except PackageNotFoundError:
        told = "unknown"
    return RunName(run.config.openlineage.namespace, run.config.name, run.runs, run.run_id, told)


def _list_tags(run: RunContext, record: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What a reader of a lineage graph wants to see of a run without opening it."""
    tags = {"run_id": run.run_id, "seed": str(run.config.seed), "dialogues": str(run.config.dialogues)}
    if run.config.incremental is not None:
        tags["dataset"] = run.config.incremental.dataset
    if record is None:
        return tags
    dialogues: Mapping[str, Any] = record.get("dialogues") or {}
    usage: Mapping[str, Any] = record.get("usage") or {}
    tags |= {name: str(dialogues[name]) for name in ("valid", "rejected", "failed") if name in dialogues}
    tags |= {f"model_{name}": str(usage[name]) for name in ("requests", "tokens", "cost_usd") if name in usage}
    return tags


def _open_sender(run: RunContext) -> "EventSender | None":
    if run.config.openlineage.transport == "none":
        return None
    with _lock:
        if run.run_id not in _senders:
            from turnwright.lineage.openlineage_sender import EventSender

            try:
                _senders[run.run_id] = EventSender(run.config.openlineage)
            except ValueError as error:
                _log.warning("no lineage events are sent: %s", error)
                _senders[run.run_id] = None
            # A stage that runs as a deployment ends its process without the end of the run.
            atexit.register(_close_sender, run.run_id)
        return _senders[run.run_id]


def _close_sender(run_id: str) -> None:
    with _lock:
        sender = _senders.pop(run_id, None)
    if sender is not None:
        sender.close()
