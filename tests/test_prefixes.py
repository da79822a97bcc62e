"""Prefix reuse: what a prefix cache without limits would have served, counted over journal entries."""

import pytest

from schemas.endpoints import EndpointModel
from schemas.messages import Message
from turnwright.models.entry import JournalEntry, make_entry
from turnwright.models.request import RequestBuilder
from turnwright.statistics.prefixes import PrefixTree

TOOLS = [{"type": "function", "function": {"name": "find", "description": "x" * 4000, "parameters": {}}}]
BUILDER = RequestBuilder("assistant", EndpointModel(base_url="http://127.0.0.1:1/v1", name="m"), 0)


def ask(messages: list[Message], *, cached: int | None = None, tools: bool = True) -> JournalEntry:
    """The entry of a call; one token is four bytes of the body."""
    request = BUILDER.build(messages, tools=TOOLS if tools else None)
    usage = {"prompt_tokens": len(request.content) // 4, "completion_tokens": 1}
    body = {"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}], "usage": usage}
    if cached is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": cached}  # type: ignore[assignment]
    return make_entry(request, body)


def talk(*texts: str) -> list[Message]:
    return [{"role": "system" if number == 0 else "user", "content": text} for number, text in enumerate(texts)]


def measure(*entries: JournalEntry) -> float:
    tree = PrefixTree()
    for entry in entries:
        tree.add(entry)
    (row,) = tree.shares()
    assert row.calls == len(entries)
    return row.ideal_share


def test_a_first_call_has_nothing_to_share() -> None:
    assert measure(ask(talk("system", "hello"))) == 0.0


def test_a_conversation_that_only_grows_shares_all_but_what_is_new() -> None:
    turns = ["s" * 1000, *("t" * 1000 for _ in range(20))]
    share = measure(*(ask(talk(*turns[: 2 + number]), tools=False) for number in range(19)))
    assert share == pytest.approx(1 - 20 / sum(range(2, 21)), abs=0.02)


def test_tools_are_shared_by_dialogues_with_different_system_messages() -> None:
    share = measure(ask(talk("at noon", "a")), ask(talk("at night", "b")))
    assert share == pytest.approx(0.5, abs=0.03)


def test_a_change_early_in_the_conversation_shares_nothing_after_it() -> None:
    later = ["x" * 500] * 5
    share = measure(ask(talk("one", *later), tools=False), ask(talk("two", *later), tools=False))
    assert share == 0.0


def test_the_servers_own_count_stands_beside_it() -> None:
    tree = PrefixTree()
    first = ask(talk("system", "hello"), cached=0)
    tree.add(first)
    tree.add(ask(talk("system", "hello"), cached=first.prompt_tokens))
    (row,) = tree.shares()
    assert row.served_share == 0.5
    silent = PrefixTree()
    silent.add(ask(talk("system", "hello")))
    assert silent.shares()[0].served_share is None
