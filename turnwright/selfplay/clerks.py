"""Which clerk serves: the one whose tools are all offered."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import prompts
from turnwright.selfplay import desk_airline, desk_home_network, desk_retail
from turnwright.selfplay.conversation import Episode
from turnwright.selfplay.desk import Answer, Desk, NextCall
from turnwright.selfplay.request import Request

Clerk = Callable[[Desk], Answer]
_CLERKS: tuple[tuple[frozenset[str], Clerk], ...] = (
    (desk_retail.SIGNATURE, desk_retail.serve),
    (desk_airline.SIGNATURE, desk_airline.serve),
    (desk_home_network.SIGNATURE, desk_home_network.serve),
)


def choose_clerk(request: Request) -> Clerk | None:
    """The clerk for the tools of a request, or none; without a policy of the domain's own nobody is a clerk."""
    if _read_policy(request).startswith(_general_advice()):
        return None
    offered = list_names(request.tools)
    return next((clerk for signature, clerk in _CLERKS if signature <= offered), None)


@cache
def _general_advice() -> str:
    """How the system prompt of an assistant without a policy begins."""
    return prompts.render("assistant", "system", domain="|", now="").split("|")[0]


def _read_policy(request: Request) -> str:
    first = request.messages[0]
    return str(first.get("content") or "") if first["role"] == "system" else ""


def list_names(tools: Sequence[dict[str, Any]]) -> frozenset[str]:
    """The names of the tools of a request."""
    return frozenset(str(tool["function"]["name"]) for tool in tools)


def serve_request(
    clerk: Clerk, request: Request, current: Episode, earlier: Sequence[Episode]
) -> tuple[str, dict[str, Any]] | str:
    """The call to be made next (one at a time, as the policies want), or what to say to the user."""
    desk = Desk(list_names(request.tools), current, earlier, request.rng, _read_policy(request))
    try:
        return clerk(desk).text
    except NextCall as call:
        return call.tool, call.arguments
    except Answer as answer:
        return answer.text
