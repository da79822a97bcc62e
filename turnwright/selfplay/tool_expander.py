"""The embedded tool expander: what is asked for and cannot be found, what is made and cannot be looked at or undone."""

from collections.abc import Iterator
from typing import Any

from turnwright.selfplay.request import Request
from turnwright.selfplay.service_view import ServiceView, article, draft, parameter, read_service
from turnwright.selfplay.tool_writer import find_lookup, identify, mend_or_spoil
from turnwright.selfplay.words import CREATE_VERBS, DELETE_VERBS
from turnwright.tools.naming import singular, snake_case, split_words

_MOST = 4
"""Fewer is better."""
_NOBODYS = frozenset("user session access account client request transaction api".split())
"""Ids that are known from elsewhere, or belong to the service itself."""


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.SpecDrafts. At the mistake rate one of its tools breaks a rule."""
    view = read_service(request)
    made: dict[str, dict[str, Any]] = {}
    for tool in (*_find_searches(view), *_find_undoing(view)):
        if tool["name"] not in view.names:
            made.setdefault(tool["name"], tool)
    most = min(_MOST, int(request.blocks["wanted"]))
    return {"tools": mend_or_spoil(request, list(made.values())[:most])}


def _find_searches(view: ServiceView) -> Iterator[dict[str, Any]]:
    """A search for each id that some tool asks for and none finds."""
    for tool in view.tools:
        for part in tool.required:
            words = split_words(str(part["name"]))
            if len(words) > 1 and words[-1] == "id" and words[0] not in _NOBODYS:
                yield from find_lookup(view, " ".join(words[:-1]))


def _find_undoing(view: ServiceView) -> Iterator[dict[str, Any]]:
    """For each thing that can be created: a look at it, and a way to take it back."""
    for tool in view.tools:
        if tool.verb not in CREATE_VERBS or tool.verb in {"log", "enter", "new"}:
            continue
        if tool.thing is None:
            continue
        noun = singular(tool.noun)
        if not any(True for _ in view.finders(tool.noun)):
            yield draft(
                snake_case(f"get_{noun}"),
                f"Get the details of one {noun}, as it stands at the moment.",
                identify(view, noun),
            )
        undone = any(
            other.verb in DELETE_VERBS and set(split_words(noun)) & set(split_words(other.name)) for other in view.tools
        )
        if not undone:
            yield draft(
                snake_case(f"cancel_{noun}"),
                f"Cancel {article(noun)} that is not wanted any more. Returns whether it could be cancelled.",
                identify(view, noun),
                parameter("cancel_reason", "string", "Why, in a person's words.", required=False),
            )
