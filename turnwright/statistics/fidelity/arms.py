"""The arms of a comparison: dialogues of a run by the way they were made, or those of a file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from schemas.rows import DialogueRow, TableRef
from schemas.tools import TOOLS
from schemas.vocabulary import Effect
from turnwright.datasets.reference import read_references
from turnwright.statistics.dialogue_figures import read_messages
from turnwright.statistics.fidelity.features import Features, measure_trajectory
from turnwright.statistics.fidelity.sample import Sample, make_sample
from turnwright.statistics.fidelity.trajectory import read_trajectory
from turnwright.storage.tables import read_columns

Source = Path | TableRef

STATEFUL = "user_oriented_executed"
"""The paradigm that others are held against: search in a stateful environment."""

_ARM = "arm"


def read_run_arms(tables: Mapping[str, Source], *, every: bool = False) -> list[Sample]:
    """The arms of a run: its dialogues by their `arm` where they have one, else by paradigm.

    Args:
        tables: table name -> file; `dialogues` must be among them.
        every: whether dialogues without a valid verdict count too; they do where nothing was judged.

    Raises:
        TableError: a file cannot be read or holds another table.
    """
    judged = read_columns(tables["verdicts"], "verdicts", ("dialogue_id", "judgment")) if "verdicts" in tables else ()
    judgments = {row["dialogue_id"]: row["judgment"] for row in judged}
    toolsets = dict(_read_toolsets(tables))
    columns = ["id", "toolset_id", "domain", "paradigm", "messages", "task_count"]
    columns += [_ARM] if _ARM in DialogueRow.model_fields else []
    arms: dict[str, list[Features]] = {}
    for row in read_columns(tables["dialogues"], "dialogues", columns):
        if judgments and not every and judgments.get(row["id"]) != "valid":
            continue
        specs, effects = toolsets.get(row["toolset_id"], ([], {}))
        trajectory = read_trajectory(
            read_messages(row["messages"]),
            identity=row["id"],
            cluster=row["domain"],
            tools=specs,
            effects=effects,
            tasks=row["task_count"],
        )
        arms.setdefault(str(row.get(_ARM) or row["paradigm"]), []).append(measure_trajectory(trajectory))
    return [make_sample(name, features) for name, features in sorted(arms.items())]


def read_file_arms(file: Path, *, by_line: bool = True) -> list[Sample]:
    """The arms of a file of dialogues in OpenAI's chat format.

    Args:
        file: one JSON object a line.
        by_line: whether lines that say how they were made (`arm`, `paradigm`) make arms of their own; else all are one.

    Raises:
        BadReference: the file cannot be read, or a line is no dialogue.
    """
    arms: dict[str, list[Features]] = {}
    for dialogue in read_references(file):
        trajectory = read_trajectory(
            dialogue.messages,
            identity=dialogue.id,
            cluster=dialogue.cluster,
            tools=dialogue.tools,
            tasks=dialogue.tasks,
        )
        arms.setdefault(dialogue.arm if by_line else file.stem, []).append(measure_trajectory(trajectory))
    return [make_sample(name, features) for name, features in sorted(arms.items())]


def _read_toolsets(
    tables: Mapping[str, Source],
) -> Iterator[tuple[str, tuple[list[dict[str, Any]], dict[str, Effect]]]]:
    if "toolsets" in tables:
        for row in read_columns(tables["toolsets"], "toolsets", ("id", "tools")):
            tools = TOOLS.validate_python(orjson.loads(row["tools"]))
            yield row["id"], ([tool.spec for tool in tools], {tool.name: tool.effect for tool in tools})
