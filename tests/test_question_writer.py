"""The question writer: what it is shown, what is kept of its reply, and how the embedded player does it."""

import asyncio
import json
import re
from typing import Any

import prompts
from schemas.databases import Column, Database, Table
from schemas.replies import REPLIES, Questions
from turnwright.models.errors import MalformedReply
from turnwright.models.scripted import ScriptedModels
from turnwright.roles.question_writer import drop_repeated, view_database, write_questions
from turnwright.selfplay import question_writer
from turnwright.selfplay.request import Request, read_blocks


def column(name: str, kind: str = "string", **facts: Any) -> Column:
    facts = {"nullable": True, "primary_key": False, "surrogate": False} | facts
    return Column(name=name, type="VARCHAR(99)", json_type=kind, **facts)


def make_database(tables: int = 1) -> Database:
    rows = tuple({"Mountain_ID": i, "Name": f"Peak {i}", "Height": 4000 + i, "lore": "old " * 50} for i in range(1, 4))
    table = Table(
        name="mountain",
        view=False,
        columns=(
            column("Mountain_ID", "integer", primary_key=True, surrogate=True, nullable=False),
            column("Name"),
            column("Height", "integer"),
            column("lore"),
            column("kind", values=("rock", "ice")),
            column("climbed", format="date"),
        ),
        primary_key=("Mountain_ID",),
        foreign_keys=(),
        rows=23,
        sample=rows,
    )
    return Database(
        name="alps",
        dialect="sqlite",
        tables=tuple(table.model_copy(update={"name": f"mountain_{i}" if i else "mountain"}) for i in range(tables)),
    )


def request_for(database: Database, count: int = 24, mistake_rate: float = 0.0, seed: int = 0) -> Request:
    user = prompts.render("question_writer", "user", database=view_database(database), topics=[], count=count)
    return Request(body={"messages": [{"role": "user", "content": user}]}, seed=seed, mistake_rate=mistake_rate)


def test_the_view_is_limited_and_says_what_values_are() -> None:
    (table,) = view_database(make_database())["tables"]
    assert [item["type"] for item in table["columns"]] == ["integer", "string", "integer", "string", "string", "date"]
    assert table["columns"][4]["values"] == ["rock", "ice"]
    assert table["rows"] == 23
    assert len(table["sample"]) == 3
    assert len(table["sample"][0]["lore"]) <= 81
    many = view_database(make_database(20))["tables"]
    assert all(len(item["sample"]) == 2 for item in many)


def test_questions_are_kept_once_and_no_more_than_asked_for() -> None:
    script = Questions(
        questions=["How high is Peak 1?", "how high is  peak 1", "Why?", "Which is highest?", "List all icy peaks."]
    )
    models = ScriptedModels({"question_writer": [script]})
    asked, replies = asyncio.run(write_questions(models, make_database(), [], 2, unit="seed_1"))  # pyright: ignore[reportArgumentType]
    assert asked == ["How high is Peak 1?", "Which is highest?"]
    assert len(replies) == 1
    (request,) = models.requests
    assert [message["role"] for message in request.messages] == ["system", "user"]
    assert read_blocks(request.messages[1]["content"] or "").keys() == {"database", "topics", "count"}


def test_questions_in_other_scripts_are_told_apart() -> None:
    asked = ["Wie hoch ist die Zugspitze?", "どの 山 が 高い？", "どの 山 が 低い？"]
    assert drop_repeated([*asked, asked[1]]) == asked


def test_the_player_spans_the_domain_in_a_persons_words() -> None:
    reply = question_writer.reply(request_for(make_database()))
    questions = REPLIES["question_writer"].model_validate(reply).model_dump()["questions"]
    assert len(drop_repeated(questions)) == len(questions) >= 12
    text = " ".join(questions)
    assert "_" not in text
    assert not re.search(r"\bID\b", text)
    assert "Peak" in text
    assert any(word in text for word in ("Change", "add", "new", "remove"))


def test_the_player_is_a_function_of_the_request() -> None:
    one = question_writer.reply(request_for(make_database()))
    assert one == question_writer.reply(request_for(make_database()))
    assert one != question_writer.reply(request_for(make_database(), seed=1))
    assert json.loads(json.dumps(one)) == one


def test_the_player_can_be_told_to_err() -> None:
    questions = question_writer.reply(request_for(make_database(), count=10, mistake_rate=1.0))["questions"]
    assert len(drop_repeated(questions)) < len(questions)


def test_a_bare_table_still_gives_questions() -> None:
    bare = Table(
        name="x1", view=False, columns=(column("v", "number"),), primary_key=(), foreign_keys=(), rows=0, sample=()
    )
    database = Database(name="odd", dialect="sqlite", tables=(bare,))
    assert question_writer.reply(request_for(database))["questions"]


def ask(count: int, *rounds: Any) -> tuple[list[str], ScriptedModels]:
    models = ScriptedModels({"question_writer": rounds})
    topics = [f"ask for the height of Peak {number}" for number in range(count)]
    asked, _ = asyncio.run(write_questions(models, make_database(), topics, count, unit="seed_1"))  # pyright: ignore[reportArgumentType]
    return asked, models


def some(first: int, count: int) -> Questions:
    return Questions(questions=[f"How high is Peak {number}?" for number in range(first, first + count)])


def test_a_conversation_asks_for_a_few_questions_at_a_time() -> None:
    asked, models = ask(20, some(0, 8), some(8, 8), some(16, 4))
    assert len(asked) == 20
    blocks = [read_blocks(request.messages[-1]["content"] or "") for request in models.requests]
    assert [block["count"] for block in blocks] == [8, 8, 4]
    assert [block["topics"][0] for block in blocks] == [f"ask for the height of Peak {n}" for n in (0, 8, 16)]
    assert models.requests[2].messages[:3] == models.requests[1].messages[:3]


def test_what_cannot_be_used_is_told_and_made_good() -> None:
    bad = Questions(questions=["How many rows has the mountain table?", *some(0, 7).questions])
    asked, models = ask(8, bad, some(7, 1))
    assert len(asked) == 8
    problems = read_blocks(models.requests[1].messages[-1]["content"] or "")["problems"]
    assert problems == ["rows is no word of a person who uses the service."]


def test_a_writer_that_repeats_itself_is_asked_twice_more_at_most() -> None:
    asked, models = ask(8, *[some(0, 2)] * 3)
    assert len(asked) == 2
    assert models.left("question_writer") == 0


def test_a_malformed_later_reply_costs_what_it_would_have_added() -> None:
    asked, _ = ask(16, some(0, 8), MalformedReply("no JSON"))
    assert len(asked) == 8


def test_the_player_goes_on_where_it_stopped() -> None:
    first = request_for(make_database(), count=6)
    said = question_writer.reply(first)
    messages = [
        *first.messages,
        {"role": "assistant", "content": json.dumps(said)},
        {"role": "user", "content": prompts.render("question_writer", "again", topics=[], count=6)},
    ]
    more = question_writer.reply(Request(body={"messages": messages}, seed=0, mistake_rate=0.0))
    whole = question_writer.reply(request_for(make_database(), count=6))
    assert said == whole
    assert len(more["questions"]) == 6
    assert set(more["questions"]).isdisjoint(said["questions"])
