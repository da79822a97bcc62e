"""Whether the last word of a turn can stand (TC, summarise): one or two sentences, no question, nothing behind it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.tools import Tool
from turnwright.stateless.plans import EarlierCall, Problem
from turnwright.stateless.prose_marks import FIGURE, QUESTION, read_number, shows_machinery
from turnwright.validation.values import states

LONGEST_SUMMARY = 1_200
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[A-ZÀ-Þ0-9\"'])")
_MOST_SENTENCES = 2


def check_summary(text: str, tools: Mapping[str, Tool]) -> list[Problem]:
    """Everything that forbids a summary; empty where it can be used."""
    return list(_check(text.strip(), tools))


def _check(text: str, tools: Mapping[str, Tool]) -> Iterator[Problem]:
    """`empty_summary`, `overlong_summary`, `too_many_sentences`, `asks_back`, `tool_name`, `shows_machinery`."""
    if not text:
        yield Problem("empty_summary", "the summary says nothing")
    if len(text) > LONGEST_SUMMARY:
        yield Problem("overlong_summary", f"{len(text)} characters")
    if (count := len(_SENTENCE_END.split(text))) > _MOST_SENTENCES:
        yield Problem("too_many_sentences", f"{count} sentences; a summary has one or two")
    if QUESTION.search(text):
        yield Problem("asks_back", "the summary asks a question")
    named = [name for name in tools if "_" in name and name in text]
    if named:
        yield Problem("tool_name", f"the summary names {named[0]}")
    if shows_machinery(text):
        yield Problem("shows_machinery", "the summary shows JSON or a reference")


def count_told(text: str, done: Sequence[EarlierCall]) -> int:
    """Numbers of a summary that stand in a result or an argument, less twice those that stand in none."""
    known = "\n".join(f"{_plain(call.value)} {_plain(dict(call.arguments))}" for call in done)
    values = ((number, read_number(number)) for number in FIGURE.findall(text))
    return sum(1 if states(number if value is None else value, known) else -2 for number, value in values)


def _plain(value: Any) -> str:
    return str(value)[:20_000]
