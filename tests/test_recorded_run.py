"""A whole run of a real, small model, rebuilt from its recorded replies: what the prompts are worth, not only the code.

A failure with `NotInJournal` means that a request is no longer the recorded one: a prompt, or code that shapes one, was
changed. docs/testing.md says how to record again.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from recording import FACTS, JOURNAL, Rebuilt, read_config, rebuild

from schemas.messages import Message
from turnwright.models.errors import NotInJournal
from turnwright.models.journal import Journal

MOST_BYTES = 1_000_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Rebuilt:
    folder = tmp_path_factory.mktemp("recorded")
    shutil.copytree(JOURNAL, folder / "journal")
    with Journal(folder / "journal") as journal:
        try:
            return rebuild(read_config(), journal, folder, offline=True)
        except NotInJournal as error:
            pytest.fail(f"a request has changed since it was recorded; see docs/testing.md, `make record`: {error}")


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return json.loads(FACTS.read_text(encoding="utf-8"))


def messages_of(run: Rebuilt) -> list[list[Message]]:
    return [json.loads(dialogue.messages) for dialogue in run.dialogues]


def test_the_recording_is_small_and_whole() -> None:
    files = list(JOURNAL.iterdir())
    assert [file.suffix for file in files] == [".calls"]
    assert files[0].stat().st_size < MOST_BYTES


def test_the_run_is_rebuilt_as_it_was(run: Rebuilt, facts: dict[str, Any]) -> None:
    assert run.facts() == facts


def test_every_unit_is_accounted_for(run: Rebuilt) -> None:
    planned = read_config().dialogues
    slots = [row for row in run.ledger if row.unit == "dialogue_task"]
    tools = [row for row in run.ledger if row.unit == "tool"]
    assert len(slots) == planned
    assert sum(row.outcome == "accepted" for row in slots) == len(run.tasks) == len(run.dialogues) == len(run.verdicts)
    assert all(row.reasons for row in run.ledger if row.outcome != "accepted")
    assert len(tools) >= len(run.tool_specs)
    assert len({row.id for row in run.ledger}) == len(run.ledger)


def test_a_small_model_writes_tools_of_many_shapes(run: Rebuilt) -> None:
    accepted = [json.loads(row.tool) for row in run.tool_specs if row.accepted]
    assert len(accepted) >= 8
    assert {"select", "update", "delete"} <= {tool["verb"] for tool in accepted}
    for shape in ("LIKE", "JOIN", "ORDER BY", "LIMIT 25"):
        assert any(shape in tool["sql"] for tool in accepted), shape
    assert sum(not tool["bindings"] for tool in accepted) <= len(accepted) // 2


def test_its_questions_are_a_persons(run: Rebuilt) -> None:
    assert len(run.questions) >= 16
    text = " ".join(question.text for question in run.questions)
    assert "_" not in text
    assert sum(question.text.split()[0] == "What" for question in run.questions) <= len(run.questions) / 2


def test_its_dialogues_use_tools_and_the_person_does_not_speak_for_the_assistant(run: Rebuilt) -> None:
    assert len(run.dialogues) >= 3
    assert sum(dialogue.steps >= 1 for dialogue in run.dialogues) >= len(run.dialogues) - 1
    for messages in messages_of(run):
        said = [message["content"] or "" for message in messages if message["role"] == "user"]
        assert said
        assert not any("how can i help" in text.lower() or "how may i assist" in text.lower() for text in said)


def test_without_its_replies_nothing_is_rebuilt(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal, pytest.raises(NotInJournal):
        rebuild(read_config(), journal, tmp_path, offline=True)
