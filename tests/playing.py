"""A small club, a scripted cast and `play`: what the tests of rollout and validation stand on."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from schemas.config import RunConfig
from schemas.content import canonical_json
from schemas.databases import Column, Database, Table
from schemas.goals import ArgumentSource, BehaviourPlan, Fact, KnownDetail, Objective, Persona, PlannedCall, RowChange
from schemas.rows import DialogueRow, DialogueTaskRow, ToolsetRow
from schemas.tools import OutputField, ParameterBinding, SqlTool
from turnwright.environments.base import limits_of
from turnwright.environments.sqlite import SqliteBase
from turnwright.models.errors import MalformedReply, ModelError
from turnwright.models.scripted import Line, ScriptedModels, calls, says
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.validation.trajectory import Trajectory

CONFIG = RunConfig.model_validate(
    {"name": "club", "seed": 7, "sources": [{"kind": "sql", "url": "sqlite:///club.sqlite"}]}
)
SQL = """
CREATE TABLE player (player_id INTEGER PRIMARY KEY, name TEXT, home_town TEXT, earnings REAL);
INSERT INTO player VALUES
    (1, 'Nina Petrov', 'Leeds', 1200000), (2, 'Omar Haddad', 'York', 25.5), (3, 'Ann', 'Leeds', 40);
CREATE TABLE booking (booking_id INTEGER PRIMARY KEY, player_id INTEGER, day TEXT);
INSERT INTO booking VALUES (11, 2, '2024-03-05');
"""
NOW = "2024-05-03T10:00:00"
PERSONA = Persona(
    name="Maria Silva",
    occupation="coach",
    patience="normal",
    precision="normal",
    language_register="neutral",
    openness=3,
    conscientiousness=3,
    extraversion=3,
    agreeableness=3,
    neuroticism=3,
)


def _column(name: str, json_type: str, **changes: Any) -> Column:
    plain = {"type": "", "nullable": True, "primary_key": False, "surrogate": False}
    return Column.model_validate({"name": name, "json_type": json_type, **plain, **changes})


DATABASE = Database(
    name="club",
    dialect="sqlite",
    tables=(
        Table(
            name="player",
            view=False,
            columns=(
                _column("player_id", "integer", primary_key=True, surrogate=True),
                _column("name", "string"),
                _column("home_town", "string"),
                _column("earnings", "number"),
            ),
            primary_key=("player_id",),
            foreign_keys=(),
            rows=3,
            sample=(),
        ),
        Table(
            name="booking",
            view=False,
            columns=(
                _column("booking_id", "integer", primary_key=True, surrogate=True),
                _column("player_id", "integer", surrogate=True),
                _column("day", "string"),
            ),
            primary_key=("booking_id",),
            foreign_keys=(),
            rows=1,
            sample=(),
        ),
    ),
)


def _tool(name: str, sql: str, verb: str, returns: str, properties: dict[str, str], **rest: Any) -> SqlTool:
    parameters = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }
    function = {"name": name, "description": name.replace("_", " "), "parameters": parameters}
    return SqlTool(
        name=name,
        spec={"type": "function", "function": function},
        output_schema={},
        effect="read" if verb == "select" else "write",
        sql=sql,
        returns=returns,  # pyright: ignore
        verb=verb,  # pyright: ignore
        bindings=tuple(rest.get("bindings", ())),
        outputs=tuple(OutputField(name=column, table="player", column=column) for column in rest.get("outputs", ())),
        target=rest.get("target"),
    )


def _binding(name: str, table: str, operator: str) -> ParameterBinding:
    return ParameterBinding(name=name, table=table, column=name, operator=operator)  # pyright: ignore


TOOLS = (
    _tool(
        "find_player",
        "SELECT player_id, name, home_town, earnings FROM player WHERE name = :name ORDER BY player_id",
        "select",
        "rows",
        {"name": "string"},
        bindings=[_binding("name", "player", "=")],
        outputs=["player_id", "name", "home_town", "earnings"],
    ),
    _tool(
        "move_player",
        "UPDATE player SET home_town = :home_town WHERE player_id = :player_id",
        "update",
        "change",
        {"player_id": "integer", "home_town": "string"},
        bindings=[_binding("home_town", "player", "set"), _binding("player_id", "player", "=")],
        target="player",
    ),
    _tool(
        "add_booking",
        "INSERT INTO booking (player_id, day) VALUES (:player_id, :day)",
        "insert",
        "change",
        {"player_id": "integer", "day": "string"},
        bindings=[_binding("player_id", "booking", "values"), _binding("day", "booking", "values")],
        target="booking",
    ),
)
TOOLSET = ToolsetRow(
    id="toolset_1",
    seed_id="seed_1",
    domain="club",
    tool_ids=["tool_1", "tool_2", "tool_3"],
    tools=canonical_json([tool.model_dump(mode="json") for tool in TOOLS]),
)


@cache
def club() -> SqliteBase:
    """The club's base, made once."""
    path = Path(tempfile.mkdtemp(prefix="club-")) / "club.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(SQL)
    connection.close()
    return SqliteBase(DATABASE, path, "club-digest", limits_of(CONFIG))


EARNINGS = Objective(
    description="Maria Silva wants to find out the earnings of the player whose name is Nina Petrov.",
    relation="first",
    known_details=(KnownDetail(label="player name", value="Nina Petrov"),),
    rubric=("The assistant tells Maria that the earnings of Nina Petrov are 1200000.",),
    calls=(
        PlannedCall(
            id="c1",
            tool="find_player",
            arguments={"name": "Nina Petrov"},
            sources={"name": ArgumentSource(kind="user")},
            result=[],
        ),
    ),
    facts=(Fact(label="earnings of Nina Petrov", value=1200000.0),),
)
MOVE = Objective(
    description="Maria Silva wants to change the home town of the player whose name is Omar Haddad to Bath.",
    relation="independent",
    known_details=(KnownDetail(label="player name", value="Omar Haddad"), KnownDetail(label="home town", value="Bath")),
    rubric=("The home town of Omar Haddad is changed to Bath.",),
    calls=(
        PlannedCall(
            id="c2",
            tool="find_player",
            arguments={"name": "Omar Haddad"},
            sources={"name": ArgumentSource(kind="user")},
            result=[],
            lookup=True,
        ),
        PlannedCall(
            id="c3",
            tool="move_player",
            arguments={"player_id": 2, "home_town": "Bath"},
            sources={
                "player_id": ArgumentSource(kind="result", call="c2", field="player_id"),
                "home_town": ArgumentSource(kind="user"),
            },
            result={"rows_changed": 1},
        ),
    ),
    facts=(),
)
OMAR = {"player_id": 2, "name": "Omar Haddad", "home_town": "York", "earnings": 25.5}
MOVED = RowChange(table="player", before=OMAR, after={**OMAR, "home_town": "Bath"})


def make_task(
    objectives: Sequence[Objective] = (EARNINGS,),
    changes: Sequence[RowChange] = (),
    behaviour: BehaviourPlan | None = None,
) -> DialogueTaskRow:
    """A dialogue task of these objectives."""
    return DialogueTaskRow(
        id="task_1",
        role="task_writer",
        model="scripted",
        prompt_digest="0",
        seed=7,
        model_calls=[],
        toolset_id=TOOLSET.id,
        seed_id="seed_1",
        domain="club",
        paradigm="user_oriented_executed",
        slot=0,
        difficulty="easy",
        behaviour=behaviour.name if behaviour else "none",
        behaviour_plan=canonical_json(behaviour.model_dump(mode="json") if behaviour else None),
        persona=canonical_json(PERSONA.model_dump(mode="json")),
        objectives=canonical_json([objective.model_dump(mode="json") for objective in objectives]),
        task_count=len(objectives),
        planned_calls=sum(len(objective.calls) for objective in objectives),
        reference_time=NOW,
        start_digest="club-digest",
        goal_digest="club-digest",
        goal_changes=canonical_json([change.model_dump(mode="json") for change in changes]),
    )


class Done(str):
    """A user message with the completion flag set."""


DONE = Done("Thanks a lot, that is all.")


class Insists(str):
    """A user's line with a slip, said again word for word when the slip is named."""


def as_turns(lines: Sequence[str | ModelError]) -> list[Line]:
    """A user's script as the replies that a model gives."""
    return [as_turn(line) for line in lines for _ in range(2 if isinstance(line, Insists) else 1)]


def as_turn(line: str | ModelError) -> Line:
    """A line of the user's script as the reply that a model gives."""
    if isinstance(line, ModelError):
        return line
    return {"user_message": str(line), "is_task_complete": isinstance(line, Done)}


def play(
    user: Sequence[str | ModelError],
    assistant: Sequence[Line],
    *,
    task: DialogueTaskRow | None = None,
    config: RunConfig = CONFIG,
    trial: int = 0,
) -> DialogueRow:
    """The dialogue that these scripts make on the club."""
    return watch(user, assistant, task=task, config=config, trial=trial)[0]


def watch(
    user: Sequence[str | ModelError],
    assistant: Sequence[Line],
    *,
    task: DialogueTaskRow | None = None,
    config: RunConfig = CONFIG,
    trial: int = 0,
) -> tuple[DialogueRow, ScriptedModels]:
    """The dialogue and the requests that were made for it."""
    models = ScriptedModels({"user_simulator": as_turns(user), "assistant": assistant})
    played: Any = models
    row = asyncio.run(simulate_dialogue(task or make_task(), TOOLSET, club(), played, config, trial))
    return row, models


def messages_of(row: DialogueRow) -> list[dict[str, Any]]:
    """The messages of a dialogue."""
    return orjson.loads(row.messages)


def calls_of(row: DialogueRow) -> list[dict[str, Any]]:
    """The call records of a dialogue."""
    return orjson.loads(row.calls)


def broken() -> MalformedReply:
    """What is raised where a reply cannot be used."""
    return MalformedReply("not JSON, and the repair was not either", problem="not JSON")


ASK = "Hi, how much has Nina Petrov earned?"
LOOK_UP = calls("find_player", {"name": "Nina Petrov"})
TELL = says("Nina Petrov has earned 1,200,000.")
BYE = says("You're welcome!")


def earnings_dialogue(**changes: Any) -> DialogueRow:
    """A good dialogue about Nina's earnings."""
    return play([ASK, DONE], [LOOK_UP, TELL, BYE], **changes)


def move_dialogue(**changes: Any) -> DialogueRow:
    """A good dialogue in which Omar moves."""
    return play(
        ["Please move Omar Haddad to Bath.", DONE],
        [
            calls("find_player", {"name": "Omar Haddad"}),
            calls("move_player", {"player_id": 2, "home_town": "Bath"}),
            says("Done: the home town of Omar Haddad is now Bath."),
            BYE,
        ],
        task=make_task((MOVE,), (MOVED,)),
        **changes,
    )


def tamper(row: DialogueRow, edit: Any) -> DialogueRow:
    """The dialogue after `edit(messages, calls)` changed its messages and call records in place."""
    messages, records = messages_of(row), calls_of(row)
    edit(messages, records)
    return row.model_copy(update={"messages": canonical_json(messages), "calls": canonical_json(records)})


def trajectory(row: DialogueRow, task: DialogueTaskRow | None = None) -> Trajectory:
    """The dialogue as validation reads it."""
    return Trajectory(row, task or make_task(), TOOLS)


def judgement(*bullets: tuple[int, str, bool], judgment: str = "valid") -> dict[str, Any]:
    """A judge's reply: number, class and outcome of each bullet."""
    entries = [{"bullet": n, "bullet_class": kind, "evidence": "seen", "met": met} for n, kind, met in bullets]
    return {"bullets": entries, "reasoning": "Read.", "judgment": judgment}
