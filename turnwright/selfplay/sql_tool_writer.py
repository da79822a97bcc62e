"""The embedded tool writer: drafts of every shape for any database, and now and then a bad one.

It sees the conversation only: the `database` block, the questions, how many tools are wanted, and what became of the
drafts of the round before. What it spoilt itself and got back, it writes again without the mistake.
"""

import json
import random
import re
from typing import Any

from turnwright.selfplay.database_view import DatabaseView, read_view
from turnwright.selfplay.request import Request, read_blocks
from turnwright.selfplay.table_sketch import ToolDraft
from turnwright.selfplay.tool_drafting import list_drafts

_LIKED = 0.6
"""How far down the list a tool that fits the questions moves up, as a share of its place."""


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.SqlToolDrafts."""
    view = read_view(request.blocks["database"])
    drafts = list_drafts(view)
    written = _written(request)
    wanted = int(request.blocks["wanted"])
    blocks = read_blocks(request.messages[-1]["content"])
    rejected = {item["name"] for item in blocks.get("feedback", {}).get("rejected", [])}
    mended = [draft for draft in drafts if draft.name in rejected and draft.sql not in written.get(draft.name, set())]
    fresh = [draft for draft in drafts if draft.name not in written]
    asked = set(re.findall(r"[^\W_]+", " ".join(blocks.get("questions", [])).lower()))
    places = {draft.name: index * (_LIKED if draft.words & asked else 1.0) for index, draft in enumerate(fresh)}
    fresh.sort(key=lambda draft: (places[draft.name], draft.name))
    chosen = [*mended[: wanted // 2 + 1], *fresh][:wanted]
    tools: list[dict[str, str]] = []
    for draft in chosen:
        rng = request.rng_for("draft", view.name, draft.name)
        spoil = draft not in mended and rng.random() < request.mistake_rate
        sql = spoil_statement(draft, view, rng) if spoil else draft.sql
        tools.append({"name": draft.name, "description": draft.description, "sql": sql})
    return {"tools": tools}


def _written(request: Request) -> dict[str, set[str]]:
    """Name -> statements that were written in earlier rounds of this conversation."""
    written: dict[str, set[str]] = {}
    for message in request.messages:
        if message["role"] == "assistant":
            for tool in json.loads(message["content"])["tools"]:
                written.setdefault(tool["name"], set()).add(tool["sql"])
    return written


def spoil_statement(draft: ToolDraft, view: DatabaseView, rng: random.Random) -> str:
    """The statement with a mistake that writers make: a column that is not there, no WHERE, a second statement."""
    sql = draft.sql
    table = rng.choice(view.tables)
    spoilt = [
        f"{sql}; SELECT COUNT(*) FROM {table.name}",  # noqa: S608  it is never run here
        re.sub(r"(SELECT|SET|INSERT INTO \S+ \()\s", r"\1 missing_column, ", sql, count=1)
        if sql.startswith("SELECT")
        else f"{sql} AND",
        sql.replace(" AS t", "_archive AS t", 1)
        if " AS t" in sql
        else sql.replace(" SET ", " SET missing_column = 1, ", 1),
    ]
    if " WHERE " in sql:
        spoilt.append(
            sql.split(" WHERE ")[0] if not sql.startswith("SELECT") else sql.split(" WHERE ")[0] + " WHERE random() > 0"
        )
    if ":limit" in sql:
        spoilt.append(sql.replace(":limit", ":limit + 0 * (SELECT 1)"))
    return rng.choice([statement for statement in spoilt if statement != sql])
