"""Which dialogues are handed to a trainer, and in which split."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from schemas.config import RunConfig
from schemas.content import content_id
from schemas.rows import DatasetRow, DialogueRow, ToolsetRow, VerdictRow
from schemas.vocabulary import Judgment

VALIDATION = "validation"
TRAIN = "train"


@dataclass(frozen=True)
class LeftOut:
    """A dialogue that is not in the dataset."""

    dialogue: DialogueRow
    reason: str
    """`code: explanation`."""


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
    """What `iter_examples` chooses of dialogues that come in any order, all at once.

    Raises:
        KeyError: a dialogue's toolset is not among `toolsets`.
    """
    rows: list[DatasetRow] = []
    left_out: dict[str, str] = {}
    for chosen in iter_examples(sorted(dialogues, key=place_dialogue), verdicts, toolsets, config):
        if isinstance(chosen, LeftOut):
            left_out[chosen.dialogue.id] = chosen.reason
        else:
            rows.append(chosen)
    return Selection(rows=rows, left_out=left_out)


def iter_examples(
    dialogues: Iterable[DialogueRow],
    verdicts: Iterable[VerdictRow],
    toolsets: Iterable[ToolsetRow],
    config: RunConfig,
) -> Iterator[DatasetRow | LeftOut]:
    """Keeps valid dialogues, each content once, and gives each a split; holds one dialogue at a time.

    Of dialogues with equal messages the one of the lowest slot, trial and id stays. Dialogues without a verdict are
    left out: nobody has said that they are right. Of the trials of one task at most `selection.trials_per_task` are
    kept, the lowest first, and only of tasks of whose judged trials `selection.pass_rate` allows the valid share.

    Args:
        dialogues: in the order of slot, trial and id, as in their table.
        verdicts: in any order.
        toolsets: in any order.
        config: the selection, and seed and share of the splits.

    Raises:
        ValueError: the dialogues are not in order.
        KeyError: a dialogue's toolset is not among `toolsets`.
    """
    judged: dict[str, tuple[str, Judgment]] = {}
    rates: dict[str, list[bool]] = {}
    for row in verdicts:
        judged[row.dialogue_id] = row.id, row.judgment
        if row.judgment != "unscored":
            rates.setdefault(row.dialogue_task_id, []).append(row.judgment == "valid")
    taken: Counter[str] = Counter()
    lowest, highest = config.selection.pass_rate
    specs = {toolset.id: _read_specs(toolset) for toolset in toolsets}
    kept_by_content: dict[bytes, str] = {}
    before = (-1, -1, "")
    for dialogue in dialogues:
        if place_dialogue(dialogue) < before:
            raise ValueError(f"dialogue {dialogue.id} of slot {dialogue.slot} comes after one of slot {before[0]}")
        before = place_dialogue(dialogue)
        if dialogue.id not in judged:
            yield LeftOut(dialogue, "no_verdict: the dialogue was not judged")
            continue
        verdict_id, judgment = judged[dialogue.id]
        if judgment != "valid":
            yield LeftOut(dialogue, _explain_judgment(judgment))
            continue
        content = bytes.fromhex(hash_messages(dialogue.messages))
        if content in kept_by_content:
            yield LeftOut(dialogue, f"duplicate: same messages as {kept_by_content[content]}")
            continue
        task_id = dialogue.dialogue_task_id
        rate = sum(rates[task_id]) / len(rates[task_id])
        if not lowest <= rate <= highest:
            yield LeftOut(dialogue, f"outside_pass_rate: {rate:.2f} of the task's trials are valid")
            continue
        if taken[task_id] >= config.selection.trials_per_task:
            yield LeftOut(dialogue, "another_trial: enough trials of the same task are in the dataset")
            continue
        kept_by_content[content] = dialogue.id
        taken[task_id] += 1
        yield _make_row(dialogue, verdict_id, specs[dialogue.toolset_id], config)


def place_dialogue(dialogue: DialogueRow) -> tuple[int, int, str]:
    """Where a dialogue stands among others: slot, trial, id."""
    return dialogue.slot, dialogue.trial, dialogue.id


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
    return orjson.dumps([tool["spec"] for tool in orjson.loads(toolset.tools) if tool.get("side") != "user"]).decode()


def _leave_out(specs: str, removed: list[str]) -> str:
    """The specs of the tools that were offered: a trainer must not be told of one that the model did not see."""
    if not removed:
        return specs
    return orjson.dumps([spec for spec in orjson.loads(specs) if spec["function"]["name"] not in removed]).decode()


def _make_row(dialogue: DialogueRow, verdict_id: str, tools: str, config: RunConfig) -> DatasetRow:
    return DatasetRow(
        id=content_id("example", [dialogue.id, verdict_id]),
        dialogue_id=dialogue.id,
        verdict_id=verdict_id,
        domain=dialogue.domain,
        paradigm=dialogue.paradigm,
        difficulty=dialogue.difficulty,
        behaviour=dialogue.behaviour,
        split=choose_split(dialogue.dialogue_task_id, config.seed, config.export.validation_share),
        messages=dialogue.messages,
        tools=_leave_out(tools, dialogue.removed_tools),
        turns=dialogue.turns,
        task_count=dialogue.task_count,
        calls=len(orjson.loads(dialogue.calls)),
        model=dialogue.model or "unknown",
        given_messages=dialogue.given_messages,
    )
