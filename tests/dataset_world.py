"""Finished runs made by hand, for tests of what stands on runs: datasets in versions, the catalog, pruning.

All runs are cut from one synthetic run: `finish_run(runs, "one", range(30))` has the first thirty of its dialogues.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from schemas.config import RunConfig
from schemas.incremental import Incremental
from schemas.rows import Row
from tests.synthetic_run import CONFIG, make_rows
from turnwright.datasets.openai import export_openai
from turnwright.datasets.publishing import Published, publish_version
from turnwright.datasets.versions import plan_extension
from turnwright.lineage.files import write_lineage
from turnwright.reports.difference_page import write_difference_page
from turnwright.storage.run_folder import RunFolder, open_store
from turnwright.storage.store import replace_file
from turnwright.storage.tables import write_table

SOURCE = b"the copy of the source that dialogues are replayed on"
BASE = hashlib.sha256(SOURCE).hexdigest()
_SLOTS = 120


@cache
def all_rows() -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {**make_rows(_SLOTS)}
    return rows | {"seeds": [seed.model_copy(update={"base_digest": BASE}) for seed in rows["seeds"]]}


def rows_of(slots: Iterable[int]) -> dict[str, list[Row]]:
    """The rows of a run that attempted these slots."""
    rows, wanted = all_rows(), set(slots)
    tasks = [row for row in rows["dialogue_tasks"] if row.slot in wanted]
    dialogues = [row for row in rows["dialogues"] if row.slot in wanted]
    ids = {row.id for row in dialogues}
    units = ids | {row.id for row in tasks} | {row.dialogue_task_id for row in dialogues}
    return rows | {
        "dialogue_tasks": tasks,
        "dialogues": dialogues,
        "verdicts": [row for row in rows["verdicts"] if row.dialogue_id in ids],
        "dataset": [row for row in rows["dataset"] if row.dialogue_id in ids],
        "ledger": [row for row in rows["ledger"] if row.unit not in ("dialogue", "verdict") or row.unit_id in units],
    }


def finish_run(
    runs: Path,
    run_id: str,
    slots: range,
    *,
    change: Callable[[dict[str, list[Any]]], dict[str, list[Any]]] = lambda rows: rows,
    **record: Any,
) -> RunFolder:
    """A run folder as a finished run leaves it; `change` is given its rows, `record` is laid over run.json."""
    folder, store = RunFolder(runs / run_id), open_store(runs)
    tables: dict[str, Any] = {}
    for name, rows in change(rows_of(slots)).items():
        published = folder.publish(write_table(name, rows, store))
        tables[name] = {
            "path": f"tables/{name}.parquet",
            "sha256": published.sha256,
            "rows": published.rows,
            "schema_fingerprint": published.schema_fingerprint,
        }
    store.put_bytes(SOURCE, ".sqlite")
    folder.write_run(
        {
            "run_id": run_id,
            "state": "completed",
            "started": f"2026-01-01T00:{slots.start % 60:02}:00+00:00",
            "finished": f"2026-01-01T01:{slots.start % 60:02}:00+00:00",
            "config": CONFIG.model_dump(mode="json") | {"dialogues": len(slots)},
            "prompt_digests": {"judge": "0" * 16},
            "endpoints": {"judge": {"kind": "selfplay"}},
            "timings": {"total": 10.0, "simulate-dialogues": 5.0},
            "usage": {
                "requests": len(slots),
                "roles": {"assistant": {"calls": len(slots), "prompt_tokens": 100, "completion_tokens": 10}},
            },
            "stages": {},
            "tables": tables,
        }
        | record
    )
    export_openai(change(rows_of(slots))["dataset"], folder.export("openai"))
    replace_file(folder.report / "statistics.json", b"{}\n")
    write_lineage(folder)
    return folder


def settings(runs: Path, **changes: Any) -> Incremental:
    """What a run that begins finds of the dataset `club`."""
    return plan_extension(runs, Incremental(dataset="club", **changes))


def publish(folder: RunFolder, config: RunConfig = CONFIG, **changes: Any) -> Published:
    """Publishes a run as the next version of the dataset `club`."""
    runs = folder.root.parent
    return publish_version(folder, config, settings(runs, **changes), open_store(runs), write_difference_page)
