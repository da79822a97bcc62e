"""Which clerk serves: the one whose tools are all offered."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from turnwright.selfplay import desk_retail
from turnwright.selfplay.conversation import Episode
from turnwright.selfplay.desk import Answer, Desk, NextCall

Clerk = Callable[[Desk], Answer]
_CLERKS: tuple[tuple[frozenset[str], Clerk], ...] = ((desk_retail.SIGNATURE, desk_retail.serve),)


def choose_clerk(tools: Sequence[dict[str, Any]]) -> Clerk | None:
    """The clerk for these tools, or none."""
    offered = list_names(tools)
    return next((clerk for signature, clerk in _CLERKS if signature <= offered), None)


def list_names(tools: Sequence[dict[str, Any]]) -> frozenset[str]:
    """The names of the tools of a request."""
    return frozenset(str(tool["function"]["name"]) for tool in tools)


def serve_request(
    clerk: Clerk, tools: Sequence[dict[str, Any]], current: Episode, earlier: Sequence[Episode], rng: random.Random
) -> tuple[str, dict[str, Any]] | str:
    """The call to be made next (one at a time, as the policies want), or what to say to the user."""
    desk = Desk(list_names(tools), current, earlier, rng)
    try:
        return clerk(desk).text
    except NextCall as call:
        return call.tool, call.arguments
    except Answer as answer:
        return answer.text
