"""A finished run made by hand: consistent tables of some thirty dialogues about a small football league.

Every test of gates, statistics, exports and reports starts from it; `replace_rows` plants what is to be
wrong.
"""

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id, digest
from schemas.databases import Column, Database, Table
from schemas.goals import ArgumentSource, Fact, KnownDetail, Objective, Persona, PlannedCall
from schemas.messages import CallRecord
from schemas.rows import (
    DatasetRow,
    DialogueRow,
    DialogueTaskRow,
    LedgerRow,
    QuestionRow,
    Row,
    SeedRow,
    TableRef,
    ToolsetRow,
    ToolSpecRow,
    VerdictRow,
)
from schemas.tools import OutputField, ParameterBinding, SqlTool
from turnwright.datasets.dataset import build_dataset
from turnwright.storage.store import Store
from turnwright.storage.tables import read_rows, write_table
from turnwright.tools.dataflow import build_graph, list_edge_rows
from turnwright.tools.text_vectors import vectorise_text

PLAYERS = [
    ("Maria Silva", "forward", 910_000),
    ("Jonas Berg", "defender", 450_000),
    ("Aiko Tanaka", "midfielder", 620_000),
    ("Pavel Novák", "goalkeeper", 380_000),
    ("Zoë O'Hara", "forward", 705_000),
]
MADE = {"model": "selfplay", "prompt_digest": "0" * 16, "seed": 7}
CONFIG = RunConfig.model_validate(
    {
        "name": "synthetic",
        "seed": 7,
        "sources": [{"kind": "sql", "url": "sqlite:///club.sqlite"}],
        "dialogues": 30,
        "difficulty": {"easy": 0.3, "medium": 0.4, "hard": 0.3},
        "behaviours": {"missing_parameter": 0.2, "changed_mind": 0.1},
        "export": {"validation_share": 0.2},
    }
)


def make_tool(name: str, description: str, properties: dict[str, Any], **changes: Any) -> SqlTool:
    """A tool whose parameters are all required."""
    spec = {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": sorted(properties),
                "additionalProperties": False,
            },
        },
    }
    fields: dict[str, Any] = {
        "name": name,
        "spec": spec,
        "output_schema": {"type": "object"},
        "effect": "read",
        "sql": "SELECT 1",
        "returns": "row",
        "bindings": (),
        "outputs": (),
        "verb": "select",
        "target": None,
    }
    return SqlTool.model_validate(fields | changes)


_PLAYER_FIELDS = {
    "player_id": {"type": "integer"},
    "name": {"type": "string"},
    "position": {"type": "string"},
    "earnings": {"type": "integer"},
}
_PLAYER_OUTPUTS = tuple(OutputField(name=name, table="player", column=name) for name in _PLAYER_FIELDS)
TOOLS = [
    make_tool(
        "search_players",
        "Players whose name contains a text.",
        {"name": {"type": "string"}},
        output_schema={"type": "array", "items": {"type": "object", "properties": _PLAYER_FIELDS}},
        returns="rows",
        sql="SELECT player_id, name, position, earnings FROM player WHERE name LIKE :name",
        bindings=(ParameterBinding(name="name", table="player", column="name", operator="like"),),
        outputs=_PLAYER_OUTPUTS,
    ),
    make_tool(
        "get_player",
        "One player by id.",
        {"player_id": {"type": "integer"}},
        output_schema={"type": "object", "properties": _PLAYER_FIELDS, "required": sorted(_PLAYER_FIELDS)},
        sql="SELECT player_id, name, position, earnings FROM player WHERE player_id = :player_id",
        bindings=(ParameterBinding(name="player_id", table="player", column="player_id", operator="="),),
        outputs=_PLAYER_OUTPUTS,
    ),
    make_tool(
        "update_position",
        "Moves a player to another position.",
        {"player_id": {"type": "integer"}, "position": {"type": "string"}},
        output_schema={"type": "object", "properties": {"rows_changed": {"type": "integer"}}},
        effect="write",
        returns="change",
        verb="update",
        target="player",
        sql="UPDATE player SET position = :position WHERE player_id = :player_id",
        bindings=(
            ParameterBinding(name="player_id", table="player", column="player_id", operator="="),
            ParameterBinding(name="position", table="player", column="position", operator="set"),
        ),
    ),
]


def make_database() -> Database:
    """The structure behind the tools: `player_id` is a surrogate key."""

    def column(name: str, json_type: str, key: bool = False) -> Column:
        return Column(
            name=name, type="", json_type=json_type, nullable=False, primary_key=key, surrogate=key, unique=key
        )

    player = Table(
        name="player",
        view=False,
        columns=(
            column("player_id", "integer", key=True),
            column("name", "string"),
            column("position", "string"),
            column("earnings", "integer"),
        ),
        primary_key=("player_id",),
        foreign_keys=(),
        rows=len(PLAYERS),
        sample=(),
    )
    return Database(name="club", dialect="sqlite", tables=(player,))


def call(number: int, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """A tool call of an assistant message; the text of its arguments keeps the spaces that a model writes."""
    return {"id": f"call_{number}", "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}


def play(slot: int, mistaken: bool) -> tuple[list[dict[str, Any]], list[CallRecord], list[Objective]]:
    """The messages, calls and plan of one dialogue; a mistaken assistant reports a wrong figure."""
    rng = random.Random(f"play:{slot}")
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You help people who run a football league."}]
    records: list[CallRecord] = []
    objectives: list[Objective] = []

    def ask(tool: str, arguments: dict[str, Any], result: Any, text: str | None = None) -> None:
        made = call(len(records) + 1, tool, arguments)
        message: dict[str, Any] = {"role": "assistant", "content": text, "tool_calls": [made]}
        if not records:
            message["reasoning"] = "I need the player before I can say anything."
        messages.append(message)
        reply = canonical_json(result)
        messages.append({"role": "tool", "content": reply, "tool_call_id": made["id"]})
        effect = next(item.effect for item in TOOLS if item.name == tool)
        records.append(
            CallRecord(
                message=len(messages) - 2,
                call_id=made["id"],
                tool=tool,
                arguments=made["function"]["arguments"],
                result=reply,
                effect=effect,
                rows_changed=1 if effect == "write" else 0,
            )
        )

    for task in range(1 + slot % 3):
        key, (name, position, earnings) = rng.choice(list(enumerate(PLAYERS, start=4117)))
        row = {"player_id": key, "name": name, "position": position, "earnings": earnings}
        season = 1990 + slot
        messages.append(
            {
                "role": "user",
                "content": f"Hi, about the {season} report, item {task + 1}: what does {name} earn?"
                if task == 0
                else f"Next, for line {task + 1} of it I also need the pay of {name}.",
            }
        )
        ask("search_players", {"name": name.split()[0]}, [row], "Let me look that up.")
        if slot % 2:
            ask("get_player", {"player_id": key}, row)
        told = earnings + 1 if mistaken else earnings
        messages.append({"role": "assistant", "content": f"{name} plays as a {position} and earns {told:,} a year."})
        planned = PlannedCall(
            id=f"c{task + 1}",
            tool="search_players",
            arguments={"name": name.split()[0]},
            sources={"name": ArgumentSource(kind="user")},
            result=[row],
        )
        objectives.append(
            Objective(
                description=f"They want to know what {name} earns.",
                relation="first" if task == 0 else "independent",
                known_details=(KnownDetail(label="player", value=name),),
                rubric=(f"The earnings of {name} are reported.",),
                calls=(planned,),
                facts=(Fact(label=f"earnings of {name}", value=earnings),),
            )
        )
    messages.append({"role": "user", "content": f"Thanks, report {1990 + slot} is done then."})
    messages.append({"role": "assistant", "content": "Glad to help."})
    return messages, records, objectives


def make_rows(dialogues: int = 30) -> dict[str, list[Row]]:
    """Consistent rows of every table: every fifth dialogue is invalid, one tool was rejected, one task failed."""
    database = make_database()
    seed = SeedRow(
        id=content_id("seed", "club"),
        kind="sql",
        domain="club",
        source=0,
        locator="sqlite:///club.sqlite",
        base_digest=digest("club"),
        dialect="sqlite",
        content=canonical_json(database.model_dump(mode="json")),
    )
    questions = [
        QuestionRow(
            id=content_id("question", text),
            seed_id=seed.id,
            domain="club",
            position=position,
            text=text,
            role="question_writer",
            model_calls=["q1"],
            **MADE,
        )
        for position, text in enumerate(["Who earns most?", "Where does Aiko Tanaka play?"])
    ]
    specs = [_make_spec(seed, questions[0], tool) for tool in TOOLS]
    rejected = specs[0].model_copy(
        update={
            "id": content_id("tool", "rejected"),
            "name": "drop_players",
            "sql": "DROP TABLE player",
            "tool": "null",
            "effect": None,
            "accepted": False,
            "reasons": ["not_allowed: only SELECT, INSERT, UPDATE and DELETE"],
        }
    )
    toolset = ToolsetRow(
        id=content_id("toolset", "club"),
        seed_id=seed.id,
        domain="club",
        tool_ids=[spec.id for spec in specs],
        tools=canonical_json([tool.model_dump(mode="json") for tool in TOOLS]),
    )
    tasks, played, verdicts = [], [], []
    for slot in range(dialogues):
        task, dialogue, verdict = _make_dialogue(slot, seed, toolset)
        tasks.append(task)
        played.append(dialogue)
        verdicts.append(verdict)
    dataset = build_dataset(played, verdicts, [toolset], CONFIG)
    rows: dict[str, list[Any]] = {
        "seeds": [seed],
        "questions": questions,
        "tool_specs": [*specs, rejected],
        "toolsets": [toolset],
        "dataflow_edges": list_edge_rows(seed, build_graph(TOOLS, vectorise_text), [spec.id for spec in specs]),
        "dialogue_tasks": tasks,
        "dialogues": played,
        "verdicts": verdicts,
        "repaired_dialogues": [],
        "repaired_verdicts": [],
        "dataset": dataset,
    }
    rows["ledger"] = make_ledger(rows)
    return rows


def _make_spec(seed: SeedRow, question: QuestionRow, tool: SqlTool) -> ToolSpecRow:
    return ToolSpecRow(
        id=content_id("tool", tool.name),
        seed_id=seed.id,
        question_ids=[question.id],
        domain="club",
        name=tool.name,
        description=tool.description,
        sql=tool.sql,
        effect=tool.effect,
        statement_digest=digest(tool.sql),
        tool=canonical_json(tool.model_dump(mode="json")),
        example_arguments=canonical_json(
            {"name": "Maria"}
            if tool.returns == "rows"
            else {"player_id": 4117, "position": "forward"}
            if tool.effect == "write"
            else {"player_id": 4117}
        ),
        example_result=canonical_json(
            [{"player_id": 4117, "name": "Maria Silva", "position": "forward", "earnings": 910_000}]
            if tool.returns == "rows"
            else {"rows_changed": 1}
            if tool.effect == "write"
            else {"player_id": 4117, "name": "Maria Silva", "position": "forward", "earnings": 910_000}
        ),
        accepted=True,
        reasons=[],
        role="sql_tool_writer",
        model_calls=["t1"],
        **MADE,
    )


def _make_dialogue(slot: int, seed: SeedRow, toolset: ToolsetRow) -> tuple[DialogueTaskRow, DialogueRow, VerdictRow]:
    mistaken = slot % 5 == 4
    messages, records, objectives = play(slot, mistaken)
    difficulty = ("easy", "medium", "hard", "medium", "easy", "medium", "hard", "medium", "easy", "hard")[slot % 10]
    behaviour = ("none", "missing_parameter", "none", "none", "changed_mind")[slot % 5]
    persona = Persona(
        name="Ada",
        occupation="club secretary",
        patience="normal",
        precision="exact",
        language_register="neutral",
        openness=3,
        conscientiousness=4,
        extraversion=2,
        agreeableness=5,
        neuroticism=1,
    )
    task = DialogueTaskRow(
        id=content_id("task", slot),
        toolset_id=toolset.id,
        seed_id=seed.id,
        domain="club",
        paradigm="user_oriented_executed",
        slot=slot,
        difficulty=difficulty,
        behaviour=behaviour,
        behaviour_plan="null",
        persona=canonical_json(persona.model_dump(mode="json")),
        objectives=canonical_json([objective.model_dump(mode="json") for objective in objectives]),
        task_count=len(objectives),
        planned_calls=len(objectives),
        reference_time="2026-03-02T09:00:00",
        start_digest=digest("club"),
        goal_digest=digest("club"),
        goal_changes="[]",
        role="task_writer",
        model_calls=[f"w{slot}"],
        **MADE,
    )
    dialogue = DialogueRow(
        id=content_id("dialogue", [slot, messages]),
        dialogue_task_id=task.id,
        toolset_id=toolset.id,
        seed_id=seed.id,
        domain="club",
        paradigm="user_oriented_executed",
        slot=slot,
        trial=0,
        difficulty=difficulty,
        behaviour=behaviour,
        behaviour_occurred=behaviour != "none",
        messages=json.dumps(messages, ensure_ascii=False),
        calls=canonical_json([record.model_dump(mode="json") for record in records]),
        ending="task_complete",
        detail="",
        turns=len(messages) - 1,
        requests=sum(message["role"] == "user" for message in messages),
        steps=sum("tool_calls" in message for message in messages),
        task_count=len(objectives),
        final_digest=digest("club"),
        changes="[]",
        prompt_tokens=2000 + slot,
        completion_tokens=300 + slot,
        repairs=0,
        role="assistant",
        model_calls=[f"a{slot}"],
        **MADE,
    )
    verdict = VerdictRow(
        id=content_id("verdict", dialogue.id),
        dialogue_id=dialogue.id,
        dialogue_task_id=task.id,
        domain="club",
        difficulty=difficulty,
        behaviour=behaviour,
        judgment="invalid" if mistaken else "valid",
        reasons=["outcome.fact_missing: the earnings were not reported"] if mistaken else [],
        findings="[]",
        replay="match",
        outcome="mismatch" if mistaken else "match",
        judge="invalid" if mistaken else "valid",
        bullets=canonical_json(
            [
                {
                    "bullet": objective.rubric[0],
                    "bullet_class": "Critical",
                    "met": not mistaken,
                    "evidence": "message 4",
                }
                for objective in objectives
            ]
        ),
        votes=["invalid" if mistaken else "valid"],
        reasoning="The figure differs from the tool's." if mistaken else "Everything asked for was reported.",
        disagreement=False,
        first_faulty_message=4 if mistaken else None,
        fault="assistant" if mistaken else None,
        role="judge",
        model_calls=[f"j{slot}"],
        **MADE,
    )
    return task, dialogue, verdict


def make_ledger(rows: dict[str, list[Any]]) -> list[LedgerRow]:
    """One ledger row for each unit that the rows stand for, and for one tool that was rejected."""

    def entry(
        stage: str, unit: str, unit_id: str, row: Any = None, outcome: str = "accepted", **more: Any
    ) -> LedgerRow:
        return LedgerRow(
            id=content_id("ledger", [stage, unit, unit_id]),
            stage=stage,  # type: ignore[arg-type]
            unit=unit,
            unit_id=unit_id,
            outcome=outcome,  # type: ignore[arg-type]
            reasons=more.get("reasons", []),
            boundary=more.get("boundary"),
            domain=getattr(row, "domain", ""),
            difficulty=getattr(row, "difficulty", ""),
            behaviour=getattr(row, "behaviour", ""),
        )

    ledger = [entry("collect-seeds", "seed", row.id, row) for row in rows["seeds"]]
    ledger += [entry("prepare-tools", "question_set", row.id, row) for row in rows["seeds"]]
    ledger += [
        entry(
            "prepare-tools",
            "tool",
            row.id,
            row,
            "accepted" if row.accepted else "rejected",
            reasons=row.reasons,
        )
        for row in rows["tool_specs"]
    ]
    ledger += [entry("prepare-tools", "toolset", row.id, row) for row in rows["toolsets"]]
    ledger += [entry("write-dialogue-tasks", "dialogue_task", row.id, row) for row in rows["dialogue_tasks"]]
    ledger += [entry("simulate-dialogues", "dialogue", row.dialogue_task_id, row) for row in rows["dialogues"]]
    ledger += [
        entry(
            "validate-dialogues",
            "verdict",
            row.dialogue_id,
            row,
            "accepted" if row.judgment == "valid" else "rejected",
            reasons=row.reasons,
        )
        for row in rows["verdicts"]
    ]
    invalid = {row.dialogue_id for row in rows["verdicts"] if row.judgment != "valid"}
    ledger += [
        entry(
            "build-dataset",
            "example",
            row.id,
            row,
            "rejected" if row.id in invalid else "accepted",
            reasons=["not_valid: the verdict is invalid"] if row.id in invalid else [],
        )
        for row in rows["dialogues"]
    ]
    return sorted(ledger, key=lambda row: (row.stage, row.unit, row.unit_id))


def write_tables(rows: dict[str, list[Row]], folder: Path) -> dict[str, TableRef]:
    """The rows as Parquet files."""
    store = Store(folder)
    return {table: write_table(table, content, store) for table, content in rows.items()}


def replace_rows(
    tables: dict[str, TableRef], table: str, change: Callable[[list[Any]], Iterable[Any]], folder: Path
) -> dict[str, TableRef]:
    """The same tables with one of them changed."""
    rows = list(change(list(read_rows(tables[table], table))))
    return tables | {table: write_table(table, rows, Store(folder))}


def change_row(position: int, **changes: Any) -> Callable[[list[Any]], list[Any]]:
    """A change of some fields of one row."""

    def change(rows: list[Any]) -> list[Any]:
        return [row.model_copy(update=changes) if index == position else row for index, row in enumerate(rows)]

    return change


__all__ = [
    "CONFIG",
    "TOOLS",
    "DatasetRow",
    "change_row",
    "make_ledger",
    "make_rows",
    "make_tool",
    "play",
    "replace_rows",
    "write_tables",
]
