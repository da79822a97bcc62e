"""What follows from a toolset alone is worked out once, and not for each of its dialogues."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import wraps
from threading import Lock
from typing import TypeVar

from schemas.tools import Tool

Result = TypeVar("Result")
_MOST_KEPT = 64
"""Toolsets that a function remembers; the one that was asked for longest ago goes first."""


def once_per_toolset(compute: Callable[[Sequence[Tool]], Result]) -> Callable[[Sequence[Tool]], Result]:
    """`compute`, remembering what it gave for the same tools in the same order. What it gives must never be changed.

    Tools are told apart by identity: they are frozen, the dialogues of a toolset share them (`read_tools`), and
    comparing them by value costs more than most of what is computed. They are kept as long as the result, so that no
    other tool can take the place of one.
    """
    kept: OrderedDict[tuple[int, ...], tuple[tuple[Tool, ...], Result]] = OrderedDict()
    lock = Lock()

    @wraps(compute)
    def remember(tools: Sequence[Tool]) -> Result:
        key = tuple(map(id, tools))
        with lock:
            found = kept.get(key)
            if found is not None:
                kept.move_to_end(key)
                return found[1]
        held = tuple(tools)
        result = compute(held)
        with lock:
            kept[key] = (held, result)
            if len(kept) > _MOST_KEPT:
                kept.popitem(last=False)
        return result

    return remember
