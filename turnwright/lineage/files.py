"""lineage.json: the files of a run, by digest, and which was made from which."""

from collections.abc import Mapping, Sequence

import orjson

from schemas.closed import Closed
from schemas.vocabulary import Stage
from turnwright.storage.run_folder import RunFolder, format_json
from turnwright.storage.store import replace_file
from turnwright.storage.tables import hash_file

VERSION = 1


class FileLineage(Closed):
    """One file of a run folder."""

    sha256: str
    bytes: int
    rows: int | None
    """Rows of a table; none for other files."""
    stage: Stage
    """The stage that wrote it."""
    made_from: list[str]
    """Files of the same run folder that the stage read."""


STAGE_INPUTS: Mapping[Stage, Sequence[str]] = {
    "collect-seeds": (),
    "prepare-tools": ("seeds",),
    "write-dialogue-tasks": ("seeds", "toolsets"),
    "simulate-dialogues": ("seeds", "toolsets", "dialogue_tasks"),
    "validate-dialogues": ("seeds", "toolsets", "dialogue_tasks", "dialogues"),
    "repair-dialogues": ("seeds", "toolsets", "dialogue_tasks", "dialogues", "verdicts"),
    "build-dataset": ("toolsets", "dialogues", "verdicts", "repaired_dialogues", "repaired_verdicts"),
    "report": (),
}
"""The tables that each stage reads."""

STAGE_OUTPUTS: Mapping[Stage, Sequence[str]] = {
    "collect-seeds": ("seeds",),
    "prepare-tools": ("questions", "tool_specs", "toolsets", "dataflow_edges"),
    "write-dialogue-tasks": ("dialogue_tasks",),
    "simulate-dialogues": ("dialogues",),
    "validate-dialogues": ("verdicts",),
    "repair-dialogues": ("repaired_dialogues", "repaired_verdicts"),
    "build-dataset": ("dataset",),
    "report": (),
}
"""The tables that each stage writes."""


def write_lineage(folder: RunFolder) -> None:
    """Writes lineage.json of a run, from what its folder holds.

    Raises:
        RunNotFound: there is no readable `run.json`.
        OSError: the folder cannot be written.
    """
    run = folder.read_run()
    tables = folder.find_tables()
    files: dict[str, FileLineage] = {}
    for stage, outputs in STAGE_OUTPUTS.items():
        made_from = [_table_name(table) for table in STAGE_INPUTS[stage] if table in tables]
        for table in outputs:
            if table in tables:
                size = folder.table_file(table).stat().st_size
                files[_table_name(table)] = FileLineage(
                    sha256=tables[table].sha256, bytes=size, rows=tables[table].rows, stage=stage, made_from=made_from
                )
    for path in sorted((folder.root / "export").rglob("*")):
        if path.is_file():
            files[path.relative_to(folder.root).as_posix()] = FileLineage(
                sha256=hash_file(path),
                bytes=path.stat().st_size,
                rows=None,
                stage="build-dataset",
                made_from=[_table_name("dataset")],
            )
    replace_file(
        folder.lineage_file,
        format_json(
            {
                "version": VERSION,
                "run_id": run.get("run_id", folder.run_id),
                "prompt_digests": run.get("prompt_digests", {}),
                "endpoints": run.get("endpoints", {}),
                "files": {name: file.model_dump(mode="json") for name, file in files.items()},
                "links": "rows hold the ids of their parents; turnwright/lineage/chain.py says in which columns",
            }
        ),
    )


def read_lineage(folder: RunFolder) -> dict[str, FileLineage]:
    """The files of a run by name; made from the folder where lineage.json is not there yet.

    Raises:
        RunNotFound: the folder is not a run.
    """
    if not folder.lineage_file.is_file():
        write_lineage(folder)
    content = orjson.loads(folder.lineage_file.read_bytes())
    return {name: FileLineage.model_validate(file) for name, file in content["files"].items()}


def _table_name(table: str) -> str:
    return f"tables/{table}.parquet"
