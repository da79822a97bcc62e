"""One pass over the dialogues of a run, with what their verdicts, tasks and toolsets add."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from schemas.databases import Database
from schemas.rows import TableRef
from schemas.tools import TOOLS
from turnwright.statistics.dialogue_figures import DialogueFigures, measure_dialogue, read_messages
from turnwright.statistics.information import Information
from turnwright.statistics.mix import MixCount
from turnwright.statistics.repairs import find_replaced
from turnwright.statistics.scorecard import ScorecardCount, is_leakable
from turnwright.statistics.table1 import Table1
from turnwright.statistics.user_language import (
    Language,
    SurrogateFields,
    find_identifiers,
    find_surrogate_fields,
    find_surrogate_keys,
)
from turnwright.statistics.yields import read_code
from turnwright.storage.tables import read_columns

Source = Path | TableRef

_COLUMNS = (
    "id",
    "dialogue_task_id",
    "toolset_id",
    "domain",
    "seed_id",
    "paradigm",
    "difficulty",
    "behaviour",
    "behaviour_occurred",
    "messages",
    "calls",
    "ending",
    "task_count",
    "model",
    "repairs",
)
_EXAMPLES = 5
_NO_FIELDS = SurrogateFields(frozenset(), frozenset())


def read_table(tables: Mapping[str, Source], table: str, *columns: str) -> Iterator[Mapping[str, Any]]:
    """Some columns of a table; nothing where the run has no such table.

    Raises:
        TableError: the file cannot be read or holds another table.
    """
    if table in tables:
        yield from read_columns(tables[table], table, columns)


class DialoguePass:
    """Counts dialogues one at a time. Texts are not kept, so memory does not grow with the length of dialogues."""

    def __init__(self, tables: Mapping[str, Source], targets: Mapping[str, Mapping[str, float]]) -> None:
        self._tables = tables
        self.judgments: dict[str, str] = {}
        self.reasons: Counter[str] = Counter()
        self.table1 = Table1()
        self.difficulty = MixCount(targets.get("difficulty"))
        self.behaviour = MixCount(targets.get("behaviour"))
        self.tasks = MixCount(targets.get("tasks"))
        self.domains = MixCount()
        self.endings: Counter[str] = Counter()
        self.distributions: dict[str, Counter[int]] = {name: Counter() for name in ("turns", "steps", "tasks", "calls")}
        self.models: set[str] = set()
        self.scorecard = ScorecardCount()
        self.repairs = 0
        self.simulated = 0
        self._turns = self._empty = self._empty_before_closing = 0
        self._first_messages: Counter[str] = Counter()
        self._identifiers = self._keys = 0
        self._examples: list[str] = []
        self._fields: dict[str, SurrogateFields] = {}
        self._known: dict[str, list[Any]] = {}
        self._seed_kinds: dict[str, str] = {}

    def read(self) -> None:
        """Reads all tables that say something of dialogues.

        Raises:
            TableError: a file cannot be read or holds another table.
        """
        leakable: dict[str, bool] = {}
        self._read_surrogate_fields()
        self._seed_kinds = {row["id"]: row["kind"] for row in read_table(self._tables, "seeds", "id", "kind")}
        for row in read_table(self._tables, "dialogue_tasks", "id", "objectives"):
            leakable[row["id"]] = is_leakable(row["objectives"])
            self._known[row["id"]] = [
                detail["value"]
                for objective in orjson.loads(row["objectives"])
                for detail in objective["known_details"]
            ]
        replaced = find_replaced(self._tables)
        verdict_columns = ("dialogue_id", "dialogue_task_id", "judgment", "reasons", "findings")
        for row in read_table(self._tables, "verdicts", *verdict_columns):
            if row["dialogue_id"] not in replaced:
                self.judgments[row["dialogue_id"]] = row["judgment"]
                self.reasons.update({read_code(reason) for reason in row["reasons"]})
            can_leak = leakable.get(row["dialogue_task_id"], False)
            self.scorecard.add(row["dialogue_id"], row["findings"], leakable=can_leak)
        kept = set(replaced.values())
        self.judgments |= dict.fromkeys(kept, "valid")
        for row in read_table(self._tables, "dialogues", *_COLUMNS):
            if row["id"] not in replaced:
                self._add(row)
        for row in read_table(self._tables, "repaired_dialogues", *_COLUMNS):
            if row["id"] in kept:
                self._add(row)

    def information(self) -> Information:
        """How much of the dialogues says nothing."""
        turns = max(1, self._turns)
        return Information(
            turns=self._turns,
            empty_turns=self._empty,
            empty_share=round(self._empty / turns, 6),
            empty_share_before_closing=round(self._empty_before_closing / turns, 6),
        )

    def language(self) -> Language:
        """What users say that they should not."""
        repeated = sorted(text for text, count in self._first_messages.items() if count > 1)
        return Language(
            first_user_messages=sum(self._first_messages.values()),
            distinct_first_user_messages=len(self._first_messages),
            repeated_first_user_messages=repeated[:_EXAMPLES],
            identifiers=self._identifiers,
            surrogate_keys=self._keys,
            examples=self._examples,
        )

    def _read_surrogate_fields(self) -> None:
        databases = {
            row["id"]: Database.model_validate_json(row["content"])
            for row in read_table(self._tables, "seeds", "id", "content", "kind")
            if row["kind"] == "sql"
        }
        for row in read_table(self._tables, "toolsets", "id", "seed_id", "tools"):
            if row["seed_id"] in databases:
                tools = TOOLS.validate_json(row["tools"])
                self._fields[row["id"]] = find_surrogate_fields(databases[row["seed_id"]], tools)

    def _add(self, row: Mapping[str, Any]) -> None:
        accepted = self.judgments.get(row["id"]) == "valid"
        messages = read_messages(row["messages"])
        figures = measure_dialogue(messages)
        self.simulated += 1
        self.repairs += row["repairs"]
        self.endings[row["ending"]] += 1
        if row["model"]:
            self.models.add(row["model"])
        self.table1.add(
            figures,
            paradigm=row["paradigm"],
            source=row["domain"],
            task_count=row["task_count"],
            accepted=accepted,
            kind=self._seed_kinds.get(row["seed_id"], ""),
        )
        self.difficulty.add(row["difficulty"], accepted=accepted)
        self.behaviour.add(row["behaviour"], accepted=accepted, occurred=row["behaviour_occurred"])
        self.tasks.add(str(row["task_count"]), accepted=accepted)
        self.domains.add(row["domain"], accepted=accepted)
        if accepted or not self.judgments:
            self._count_content(row, messages, figures)

    def _count_content(self, row: Mapping[str, Any], messages: list[dict[str, Any]], figures: DialogueFigures) -> None:
        self.distributions["turns"][figures.turns] += 1
        self.distributions["steps"].update(figures.tool_steps)
        self.distributions["tasks"][row["task_count"]] += 1
        self.distributions["calls"][figures.calls] += 1
        self._turns += figures.turns
        self._empty += figures.empty_turns
        self._empty_before_closing += figures.empty_before_closing
        self._first_messages[figures.first_user_message] += 1
        identifiers = find_identifiers(messages)
        keys = find_surrogate_keys(
            messages,
            orjson.loads(row["calls"]),
            self._fields.get(row["toolset_id"], _NO_FIELDS),
            self._known.get(row["dialogue_task_id"], ()),
        )
        self._identifiers += len(identifiers)
        self._keys += len(keys)
        room = _EXAMPLES - len(self._examples)
        self._examples.extend([f"{row['id']}: {word}" for word in (*identifiers, *keys)][:room])
