"""A whole run rebuilt from recorded replies, by the library alone: what tests/record.py records and a test checks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from schemas.config import RunConfig
from schemas.rows import DialogueRow, DialogueTaskRow, LedgerRow, QuestionRow, SeedRow, ToolsetRow, ToolSpecRow
from schemas.rows import VerdictRow as Verdict
from turnwright.environments.base import SqlBase, open_base
from turnwright.goals.slots import plan_slots
from turnwright.goals.writing import write_dialogue_task
from turnwright.models.entry import JournalEntry
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.sources.sql import collect_seed
from turnwright.storage.store import Store
from turnwright.tools.preparation import prepare_tools
from turnwright.validation.verdict import validate_dialogue

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "tests" / "recorded" / "qwen.yaml"
JOURNAL = ROOT / "tests" / "recorded" / "journal"
FACTS = ROOT / "tests" / "recorded" / "facts.json"


class NotingJournal(Journal):
    """A journal that knows which of its replies were asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.used: dict[str, JournalEntry] = {}

    def get(self, key: str) -> JournalEntry | None:
        entry = super().get(key)
        if entry is not None:
            self.used[key] = entry
        return entry

    async def append(self, entry: JournalEntry) -> None:
        await super().append(entry)
        self.used[entry.key] = entry


@dataclass(frozen=True)
class Rebuilt:
    """The rows of a run, stage by stage."""

    seed: SeedRow
    questions: Sequence[QuestionRow]
    tool_specs: Sequence[ToolSpecRow]
    toolsets: Sequence[ToolsetRow]
    tasks: Sequence[DialogueTaskRow]
    dialogues: Sequence[DialogueRow]
    verdicts: Sequence[Verdict]
    ledger: Sequence[LedgerRow]

    def facts(self) -> dict[str, Any]:
        """What stays in view of a run when its words are put aside."""
        slots = [row for row in self.ledger if row.unit == "dialogue_task"]
        judgments = {verdict.dialogue_id: verdict.judgment for verdict in self.verdicts}
        return {
            "questions": len(self.questions),
            "tools_verified": sum(row.accepted for row in self.tool_specs),
            "tools_rejected": sum(not row.accepted for row in self.tool_specs),
            "tools": [row.name for row in self.tool_specs if row.accepted],
            "slots_without_a_task": sum(row.outcome != "accepted" for row in slots),
            "dialogues": [
                {
                    "slot": row.slot,
                    "ending": row.ending,
                    "turns": row.turns,
                    "steps": row.steps,
                    "judgment": judgments[row.id],
                }
                for row in self.dialogues
            ],
            "valid": sum(judgment == "valid" for judgment in judgments.values()),
        }


def read_config(file: Path = CONFIG) -> RunConfig:
    """The config, its database found from wherever the caller stands."""
    config = RunConfig.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    source = config.sources[0]
    url = (source.url or "").replace("sqlite:///examples", f"sqlite:///{ROOT / 'examples'}")
    return config.model_copy(update={"sources": [source.model_copy(update={"url": url})]})


def rebuild(config: RunConfig, journal: Journal, folder: Path, *, offline: bool) -> Rebuilt:
    """All stages up to the verdicts.

    Raises:
        NotInJournal: offline, and a request is not the recorded one.
    """
    return asyncio.run(_rebuild(config, journal, folder, offline=offline))


async def _rebuild(config: RunConfig, journal: Journal, folder: Path, *, offline: bool) -> Rebuilt:
    store = Store(folder / "store")
    seed = collect_seed(config.sources[0], 0, config.seed, store)
    base = open_base(seed, config.sources[0], store, config)
    try:
        async with Models(config, journal=journal, offline=offline) as models:
            return await _stages(config, seed, base, models)
    finally:
        base.close()


async def _stages(config: RunConfig, seed: SeedRow, base: SqlBase, models: Models) -> Rebuilt:
    prepared = await prepare_tools(seed, base, models, config)
    toolsets = {row.id: row for row in prepared.toolsets}
    slots = plan_slots(prepared.toolsets, config)
    written = await asyncio.gather(
        *(write_dialogue_task(slot, toolsets[slot.toolset_id], seed, base, models, config) for slot in slots)
    )
    tasks = [each.row for each in written if each.row is not None]
    dialogues = await asyncio.gather(
        *(simulate_dialogue(task, toolsets[task.toolset_id], base, models, config) for task in tasks)
    )
    verdicts = await asyncio.gather(
        *(
            validate_dialogue(dialogue, task, toolsets[task.toolset_id], base, models, config)
            for dialogue, task in zip(dialogues, tasks, strict=True)
        )
    )
    ledger = [*prepared.ledger, *(each.ledger for each in written)]
    return Rebuilt(seed, prepared.questions, prepared.tool_specs, prepared.toolsets, tasks, dialogues, verdicts, ledger)


def copy_used(journal: NotingJournal, folder: Path) -> None:
    """Writes the replies that were asked for, and no others, as the one segment of `folder`."""

    async def write() -> None:
        with Journal(folder) as copied:
            await asyncio.gather(*(copied.append(journal.used[key]) for key in sorted(journal.used)))

    asyncio.run(write())
