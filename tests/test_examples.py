"""The shipped examples: each can be read, and a few dialogues of each are made with the embedded endpoint."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.config import RunConfig
from schemas.rows import DialogueRow, DialogueTaskRow, SeedRow, ToolsetRow, VerdictRow
from schemas.vocabulary import STATELESS
from turnwright.environments.base import open_base
from turnwright.goals.openings import read_beginning
from turnwright.goals.slots import can_execute, plan_slots
from turnwright.goals.writing import write_dialogue_task
from turnwright.models.engine import shared_engine
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint
from turnwright.sources.collection import collect_seeds
from turnwright.stateless.dialogue import simulate_stateless
from turnwright.stateless.scenario import write_scenario
from turnwright.storage.store import Store
from turnwright.tools.domain_tools import prepare_domain_tools
from turnwright.tools.opening_tools import prepare_opening_tools
from turnwright.tools.spec_preparation import prepare_spec_tools
from turnwright.validation.verdict import validate_dialogue

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
SIMULATED = ["task_oriented", "user_oriented", "user_oriented_domain", "executed_domain", "continued", "tc_stateless"]
"""Those whose tools are made without writing SQL, which takes a run of its own (tests/test_pipeline.py)."""


@dataclass(frozen=True)
class Made:
    """A few dialogues of an example."""

    tasks: list[DialogueTaskRow]
    dialogues: list[DialogueRow]
    verdicts: list[VerdictRow]


@cache
def read_example(name: str) -> RunConfig:
    return RunConfig.model_validate(yaml.safe_load((ROOT / "examples" / f"{name}.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[EmbeddedEndpoint]:
    served = EmbeddedEndpoint(ServeOptions(seed=0, mistake_rate=0.0, slots=0))
    yield served
    served.close()


@pytest.fixture(scope="module")
def made(endpoint: EmbeddedEndpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    patch = pytest.MonkeyPatch()
    patch.chdir(ROOT)
    folder = tmp_path_factory.mktemp("examples")
    try:
        return {name: make_few(name, endpoint, folder / name) for name in SIMULATED}
    finally:
        patch.undo()


def make_few(name: str, endpoint: EmbeddedEndpoint, folder: Path) -> Made:
    """The example with the tools that it gives, and a tenth of its dialogues at least."""
    written = read_example(name)
    only_given = {"asked_questions": 0, "expansion": 0, "toolsets": 2}
    config = written.model_copy(
        update={
            "dialogues": 8,
            "tools": written.tools.model_copy(
                update={"synthesise": written.tools.synthesise.model_copy(update=only_given)}
            ),
        }
    )
    store, journal = Store(folder / "store"), Journal(folder / "journal")
    models = Models(config, journal=journal, selfplay_url=endpoint.url, offline=False)
    try:
        return shared_engine().submit(make_dialogues(config, models, store)).result(timeout=100.0)
    finally:
        shared_engine().submit(models.close()).result(timeout=10.0)
        journal.close()


async def make_dialogues(config: RunConfig, models: Models, store: Store) -> Made:
    seeds: list[SeedRow] = []
    toolsets: list[ToolsetRow] = []
    for position, source in enumerate(config.sources):
        for seed in collect_seeds(source, position, config.seed, store):
            seeds.append(seed)
            if seed.kind == "domain":
                prepared = prepare_domain_tools(seed, config)
            elif seed.kind == "dialogues":
                prepared = await prepare_opening_tools(seed, models, config)
            else:
                prepared = await prepare_spec_tools(seed, models, config, questions=[])
            toolsets += prepared.toolsets
    by_id = {row.id: row for row in toolsets}
    seeds_by_id = {row.id: row for row in seeds}

    async def make(slot: Any) -> tuple[DialogueTaskRow, DialogueRow, VerdictRow] | None:
        toolset = by_id[slot.toolset_id]
        seed = seeds_by_id[toolset.seed_id]
        base = open_base(seed, config.sources[seed.source], store, config) if can_execute(toolset) else None
        if slot.paradigm in STATELESS:
            task = (await write_scenario(slot, toolset, seed, base, config)).row
            if task is None:
                return None
            dialogue = await simulate_stateless(task, toolset, None, models, config)
            return task, dialogue, await validate_dialogue(dialogue, task, toolset, None, models, config)
        beginning = read_beginning(slot.prefix, seeds_by_id)
        task = (await write_dialogue_task(slot, toolset, seed, base, models, config, beginning)).row
        if task is None:
            return None
        dialogue = await simulate_dialogue(task, toolset, base, models, config)
        return task, dialogue, await validate_dialogue(dialogue, task, toolset, base, models, config)

    results = await asyncio.gather(*(make(slot) for slot in plan_slots(toolsets, config, seeds)))
    kept = [result for result in results if result is not None]
    return Made([one[0] for one in kept], [one[1] for one in kept], [one[2] for one in kept])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_can_be_read_and_its_files_are_there(path: Path):
    config = read_example(path.stem)
    for source in config.sources:
        given = getattr(source, "path", None) or (getattr(source, "url", None) or "").removeprefix("sqlite:///")
        assert not given or (ROOT / given).exists()


def test_there_is_an_example_for_each_row_of_table_1():
    rows = {
        (paradigm, str(source.kind))
        for path in EXAMPLES
        for source in read_example(path.stem).sources
        for paradigm in read_example(path.stem).paradigms
    }
    assert rows >= {
        ("task_oriented", "tools"),
        ("user_oriented", "tools"),
        ("user_oriented", "domain"),
        ("user_oriented_executed", "domain"),
        ("user_oriented_executed", "sql"),
        ("user_oriented", "dialogues"),
    }


@pytest.mark.parametrize("name", SIMULATED)
def test_examples_give_dialogues_that_are_kept(made: dict[str, Made], name: str):
    few = made[name]
    assert len(few.dialogues) >= 6
    assert {row.ending for row in few.dialogues} == {"task_complete"}
    valid = sum(row.judgment == "valid" for row in few.verdicts)
    assert valid >= max(1, 0.3 * len(few.verdicts)), [row.reasons for row in few.verdicts]


def test_people_take_more_turns_than_whole_queries(made: dict[str, Made]):
    def mean(name: str) -> float:
        turns = [row.turns for row in made[name].dialogues]
        return sum(turns) / len(turns)

    assert mean("user_oriented") >= 1.5 * mean("task_oriented")


def test_conversations_go_on_as_they_were_begun(made: dict[str, Made]):
    begun = [
        (task, row) for task, row in zip(made["continued"].tasks, made["continued"].dialogues, strict=True)
        if row.given_messages
    ]  # fmt: skip
    assert {task.domain for task, _ in begun} == {"hotel_chats", "parcel_service"}
    for task, row in begun:
        # Both are JSON that code wrote in the order in which it was found, so the text itself is the same.
        messages = task.beginning.split('"messages":', 1)[1].removesuffix("]}")
        assert row.messages.startswith(messages)
        assert len(row.messages) > len(messages)
