"""The embedded tool simulator: results of the schema asked for, the facts kept, and rebuilt from the journal."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from simulated_worlds import DAY, FLAG, NOW, NUMBER, TEXT, WHOLE, WORLDS, several, spec, thing
from simulating import Session
from test_simulated_dialogue import LOOK, TOOLSET, task_of

import prompts
from schemas.config import RunConfig
from turnwright.environments.simulation.output_check import find_misfits
from turnwright.models.errors import NotInJournal
from turnwright.models.journal import Journal
from turnwright.models.models import Models
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint
from turnwright.selfplay.request import NotUnderstood, Request
from turnwright.selfplay.tool_simulator import reply


def ask(tool: Any, arguments: dict[str, Any], facts: list[Any] | None = None, rate: float = 0.0) -> dict[str, Any]:
    listed = [{**tool.spec["function"], "output_schema": tool.output_schema}]
    call = {"tool": tool.name, "arguments": arguments}
    user = prompts.render(
        "tool_simulator", "call", now=prompts.data_block("now", NOW), said=[], facts=facts or [], call=call
    )
    system = prompts.render("tool_simulator", "system", tools=listed)
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return reply(Request({"messages": messages}, 0, rate))


@pytest.mark.parametrize("name", WORLDS)
def test_results_fit_the_schemas_of_all_worlds(name: str) -> None:
    session = Session(WORLDS[name](1), 1)
    for _ in range(60):
        tool, arguments = session.world.ask()
        answer = ask(tool, arguments)
        assert answer["error"] is None
        assert find_misfits(tool, answer["result"]) == [], (tool.name, answer)


GET = spec(
    "get_order", "read", thing(order_id=WHOLE, status=TEXT, total=NUMBER, due_date=DAY, paid=FLAG), order_id=WHOLE
)
LIST = spec("list_orders", "read", several(thing(order_id=WHOLE, status=TEXT)))


def test_a_thing_is_the_same_in_every_call_and_another_is_another() -> None:
    assert ask(GET, {"order_id": 51}) == ask(GET, {"order_id": 51})
    assert ask(GET, {"order_id": 51})["result"]["order_id"] == 51
    assert ask(GET, {"order_id": 51})["result"]["total"] != ask(GET, {"order_id": 52})["result"]["total"]


def test_facts_are_kept_and_what_is_gone_is_not_found() -> None:
    fact = {"entity": "order", "id": 51, "field": "status", "value": "on a boat", "call": 1}
    assert ask(GET, {"order_id": 51}, [fact])["result"]["status"] == "on a boat"
    assert {"order_id": 51, "status": "on a boat"} in ask(LIST, {}, [fact])["result"]
    gone = {"entity": "order", "id": 51, "deleted": True, "call": 2}
    assert ask(GET, {"order_id": 51}, [fact, gone])["error"] == "The order was not found."
    assert not any(order["order_id"] == 51 for order in ask(LIST, {}, [fact, gone])["result"])


def test_mistakes_come_at_their_rate() -> None:
    fact = {"entity": "order", "id": 51, "field": "status", "value": "on a boat", "call": 1}
    assert ask(GET, {"order_id": 51}, [fact], rate=1.0) != ask(GET, {"order_id": 51}, [fact])


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "null"},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "null"}, WHOLE]},
        {"type": "array", "items": [TEXT, WHOLE]},
    ],
)
def test_odd_schemas_are_answered(schema: dict[str, Any]) -> None:
    assert "result" in ask(spec("do_it", "write", schema), {})


def test_a_request_without_its_blocks_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="call"):
        reply(Request({"messages": [{"role": "user", "content": "hello"}]}, 0, 0.0))


def test_a_dialogue_is_rebuilt_from_the_journal(tmp_path: Path) -> None:
    config = RunConfig.model_validate({"name": "shop", "sources": [{"kind": "sql", "url": "sqlite:///shop.sqlite"}]})
    task = task_of([LOOK])

    async def run(journal: Journal, **options: Any) -> Any:
        async with Models(config, journal=journal, **options) as models:
            return await simulate_dialogue(task, TOOLSET, None, models, config)

    journal = Journal(tmp_path / "journal")
    with EmbeddedEndpoint(ServeOptions(slots=0)) as endpoint:
        first = asyncio.run(run(journal, selfplay_url=endpoint.url))
    again = asyncio.run(run(journal, offline=True))
    journal.close()
    assert first == again
    assert first.ending == "task_complete", first.detail
    empty = Journal(tmp_path / "empty")
    with pytest.raises(NotInJournal):
        asyncio.run(run(empty, offline=True))
    empty.close()
    assert orjson.loads(first.calls) == orjson.loads(again.calls)
