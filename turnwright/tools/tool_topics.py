"""What the questions of a domain without a database are to be about: one line each, over all of its tools.

Code drives the coverage (UO, questions: core functions, one-step and multi-step, common and edge cases, beyond the
example tools); the writer has the words and the details.
"""

import random
from collections.abc import Sequence

from schemas.tools import Tool
from turnwright.tools.dataflow import DataflowGraph
from turnwright.tools.tool_text import first_sentence, list_own_descriptions

_FORMS = (
    ("plain", 9),
    ("two", 5),
    ("beyond", 4),
    ("edge", 3),
    ("expert", 2),
    ("short", 1),
)
"""Kinds of topics and how many of each stand in two dozen."""


def list_tool_topics(tools: Sequence[Tool], graph: DataflowGraph, count: int, rng: random.Random) -> list[str]:
    """`count` topics in mixed order. Tools take turns, so that as many as can be are asked for.

    Args:
        tools: what the assistant can do.
        graph: of the same tools; says which two go together.
        count: topics wanted.
        rng: chance.
    """
    if not tools:
        return []
    said = [first_sentence(text) for text in list_own_descriptions(tools)]
    order = list(range(len(tools)))
    rng.shuffle(order)
    turn = 0

    def take() -> int:
        nonlocal turn
        turn += 1
        return order[(turn - 1) % len(order)]

    topics: list[str] = []
    kinds = [kind for kind, share in _FORMS for _ in range(share)]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        if kind == "beyond":
            topics.append(
                f"ask for something close by that the assistant has no tool for yet, near this: {said[take()]}"
            )
            continue
        one = take()
        after = sorted(graph.successors[one])
        if kind == "two" and after:
            topics.append(
                f"ask for these two, the second with what the first gives: {said[one]}; {said[rng.choice(after)]}"
            )
        elif kind == "two":
            topics.append(f"ask for these two in one message: {said[one]}; {said[take()]}")
        elif kind == "edge":
            topics.append(f"ask for this and get one detail wrong or leave it open: {said[one]}")
        elif kind == "expert":
            topics.append(f"ask for this as someone who knows exactly what they want, with every detail: {said[one]}")
        elif kind == "short":
            topics.append(f"ask for this in a few words: {said[one]}")
        else:
            topics.append(f"ask for this: {said[one]}")
    rng.shuffle(topics)
    return topics
