"""Which dialogues are handed to a trainer, and in which split."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from schemas.config import RunConfig
from schemas.content import content_id
from schemas.rows import DatasetRow, DialogueRow, ToolsetRow, VerdictRow
from schemas.vocabulary import Judgment

VALIDATION = "validation"
TRAIN = "train"


@dataclass(frozen=True)
class Selection:
    """Every dialogue with a verdict is in exactly one of the two."""

    rows: list[DatasetRow]
    left_out: dict[str, str]
    """Dialogue id -> why it is not in the dataset, as `code: explanation`."""


def build_dataset(
    dialogues: Iterable[DialogueRow],
    verdicts: Iterable[VerdictRow],
    toolsets: Iterable[ToolsetRow],
    config: RunConfig,
) -> list[DatasetRow]:
    """The rows of the dataset; see `select_examples`."""
    return select_examples(dialogues, verdicts, toolsets, config).rows


def select_examples(
    dialogues: Iterable[DialogueRow],
    verdicts: Iterable[VerdictRow],
    toolsets: Iterable[ToolsetRow],
    config: RunConfig,
) -> Selection:
    """Keeps valid dialogues, each content once, and gives each a split.

    Of dialogues with equal messages the one of the lowest slot, trial and id stays, whatever the order they come in.
    The rows are in that order too. Dialogues without a verdict are left out: nobody has said that they are right.

    Raises:
        KeyError: a dialogue's toolset is not among `toolsets`.
    """
    judged = {verdict.dialogue_id: verdict for verdict in verdicts}
    specs = {toolset.id: _read_specs(toolset) for toolset in toolsets}
    rows: list[DatasetRow] = []
    left_out: dict[str, str] = {}
    kept_by_content: dict[str, str] = {}
    for dialogue in sorted(dialogues, key=lambda row: (row.slot, row.trial, row.id)):
        verdict = judged.get(dialogue.id)
        if verdict is None:
            left_out[dialogue.id] = "no_verdict: the dialogue was not judged"
            continue
        if verdict.judgment != "valid":
            left_out[dialogue.id] = _explain_judgment(verdict.judgment)
            continue
        content = hash_messages(dialogue.messages)
        if content in kept_by_content:
            left_out[dialogue.id] = f"duplicate: same messages as {kept_by_content[content]}"
            continue
        kept_by_content[content] = dialogue.id
        rows.append(_make_row(dialogue, verdict, specs[dialogue.toolset_id], config))
    return Selection(rows=rows, left_out=left_out)


def choose_split(task_id: str, seed: int, validation_share: float) -> str:
    """`train` or `validation`, by a hash of the dialogue task.

    All trials of one task fall into the same split, so a validation score never rests on a task that was trained on;
    and a task keeps its split whatever else is in the run.
    """
    drawn = int.from_bytes(hashlib.sha256(f"{seed}:{task_id}".encode()).digest()[:8], "big") / 2**64
    return VALIDATION if drawn < validation_share else TRAIN


def hash_messages(text: str) -> str:
    """SHA-256 of what messages say: white space and the order of keys in their JSON do not count."""
    # The json module takes what others refuse: integers of any size and half surrogate pairs.
    return hashlib.sha256(json.dumps(json.loads(text), sort_keys=True).encode()).hexdigest()


def _explain_judgment(judgment: Judgment) -> str:
    return (
        "unscored: the dialogue could not be judged" if judgment == "unscored" else "not_valid: the verdict is invalid"
    )


def _read_specs(toolset: ToolsetRow) -> str:
    return orjson.dumps([tool["spec"] for tool in orjson.loads(toolset.tools)]).decode()


def _make_row(dialogue: DialogueRow, verdict: VerdictRow, tools: str, config: RunConfig) -> DatasetRow:
    return DatasetRow(
        id=content_id("example", [dialogue.id, verdict.id]),
        dialogue_id=dialogue.id,
        verdict_id=verdict.id,
        domain=dialogue.domain,
        paradigm=dialogue.paradigm,
        difficulty=dialogue.difficulty,
        behaviour=dialogue.behaviour,
        split=choose_split(dialogue.dialogue_task_id, config.seed, config.export.validation_share),
        messages=dialogue.messages,
        tools=tools,
        turns=dialogue.turns,
        task_count=dialogue.task_count,
        calls=len(orjson.loads(dialogue.calls)),
        model=dialogue.model or "unknown",
    )
