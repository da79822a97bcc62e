"""The embedded tool writer: the tools that a question needs and the view does not have, look-ups included."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

from turnwright.selfplay.request import Request, read_blocks
from turnwright.selfplay.service_view import ServiceView, article, draft, parameter, read_service
from turnwright.tools.naming import plural, singular, snake_case

_Build = Callable[[ServiceView, str], list[dict[str, Any]]]


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.SpecDrafts. At the mistake rate one of its tools breaks a rule."""
    view = read_service(request)
    (question,) = request.blocks["question"]
    drafts = think_of(view, str(question))[: int(request.blocks["wanted"])]
    return {"tools": mend_or_spoil(request, drafts)}


def think_of(view: ServiceView, question: str) -> list[dict[str, Any]]:
    """The tools that are missing for a question; none where no known wish is in it."""
    for pattern, build in _WISHES:
        match = pattern.search(question)
        if match is not None:
            noun = match.group("noun").strip()
            made = [*find_lookup(view, noun), *build(view, noun)]
            return [tool for tool in made if tool["name"] not in view.names]
    return []


def find_lookup(view: ServiceView, noun: str) -> list[dict[str, Any]]:
    """A search that gives the id of a thing, where no tool finds it."""
    if any(True for _ in view.finders(noun)):
        return []
    words = noun.lower()
    return [
        draft(
            snake_case(f"search_{plural(noun)}"),
            f"Search {plural(words)} by part of what they are called. Returns their ids and what they are about.",
            parameter("query", "string", f"Part of what the {words} is called."),
            parameter("limit", "integer", f"Most {plural(words)} to return.", required=False),
        )
    ]


def identify(view: ServiceView, noun: str) -> dict[str, Any]:
    """The parameter that says which thing is meant."""
    name = snake_case(f"{singular(noun)}_id")
    return parameter(name, view.type_of(name), f"Which {noun.lower()}, by its id.")


def mend_or_spoil(request: Request, drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The drafts as they go out: at the mistake rate one breaks a rule; asked again, only those that were refused."""
    problems = read_blocks(request.messages[-1]["content"]).get("problems")
    if problems is not None:
        said = [
            tool["name"] for message in request.messages if message["role"] == "assistant" for tool in _read(message)
        ]
        refused = {problem["name"] for problem in problems}
        return [tool for name, tool in zip(said, drafts, strict=False) if name in refused or tool["name"] in refused]
    rng = request.rng_for(request.messages[-1]["content"], request.body.get("seed"))
    if drafts and rng.random() < request.mistake_rate:
        position = rng.randrange(len(drafts))
        drafts = [*drafts[:position], _spoil(drafts[position], rng), *drafts[position + 1 :]]
    return drafts


def _read(message: dict[str, Any]) -> list[dict[str, Any]]:
    return json.loads(message["content"])["tools"]


def _spoil(tool: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A draft with a mistake that writers make: a name without a verb, no description, another type, a helper."""
    _, _, rest = tool["name"].partition("_")
    spoilt: list[dict[str, Any]] = [
        {**tool, "name": f"{rest}_manager"},
        {**tool, "description": ""},
        draft(
            "calculate_sum",
            "Calculate the sum of numbers.",
            {**parameter("numbers", "array", "Numbers to add."), "items": "number"},
        ),
    ]
    if tool["parameters"]:
        first = tool["parameters"][0]
        other = "integer" if first["type"] == "string" else "string"
        spoilt.append({**tool, "parameters": [{**first, "type": other}, *tool["parameters"][1:]]})
    return rng.choice(spoilt)


def _remind(view: ServiceView, noun: str) -> list[dict[str, Any]]:
    return [
        draft(
            snake_case(f"create_{noun}_reminder"),
            f"Set a reminder about {article(noun)}. Returns the id of the reminder.",
            identify(view, noun),
            parameter("remind_on", "string", "Day of the reminder, as YYYY-MM-DD."),
            parameter("channel", "string", "How to be reminded.", required=False, values=("email", "sms", "push")),
        ),
        draft(
            "delete_reminder",
            "Delete a reminder that is no longer wanted.",
            parameter("reminder_id", view.type_of("reminder_id"), "The reminder to delete."),
        ),
    ]


def _tell_history(view: ServiceView, noun: str) -> list[dict[str, Any]]:
    return [
        draft(
            snake_case(f"list_{noun}_history"),
            f"List what happened to {article(noun)} and when, the latest first.",
            identify(view, noun),
            parameter("since", "string", "Only from this day on, as YYYY-MM-DD.", required=False),
            parameter("limit", "integer", "Most entries to return.", required=False),
        )
    ]


def _share(view: ServiceView, noun: str) -> list[dict[str, Any]]:
    return [
        draft(
            snake_case(f"share_{noun}"),
            f"Share {article(noun)} with another person, who is told by email.",
            identify(view, noun),
            parameter("recipient_email", "string", "Email address of the person."),
            parameter("permission", "string", "What the person may do.", required=False, values=("view", "edit")),
        )
    ]


def _rate(view: ServiceView, noun: str) -> list[dict[str, Any]]:
    return [
        draft(
            snake_case(f"create_{noun}_rating"),
            f"Rate {article(noun)} with one to five stars. Returns the id of the rating.",
            identify(view, noun),
            parameter("stars", "integer", "Stars, from 1 to 5."),
            parameter("comment", "string", "Why, in a person's words.", required=False),
        )
    ]


def _note(view: ServiceView, noun: str) -> list[dict[str, Any]]:
    return [
        draft(
            snake_case(f"add_{noun}_note"),
            f"Add a note to {article(noun)} that everybody who sees it can read.",
            identify(view, noun),
            parameter("note_text", "string", "What the note says."),
        )
    ]


def _favour(view: ServiceView, noun: str) -> list[dict[str, Any]]:
    return [
        draft(
            snake_case(f"add_{noun}_to_favourites"),
            f"Put {article(noun)} on the person's list of favourites.",
            identify(view, noun),
        ),
        draft(
            "list_favourites",
            "List what the person has marked as a favourite, with its id and kind.",
            parameter("limit", "integer", "Most favourites to return.", required=False),
        ),
    ]


_WISHES: tuple[tuple[re.Pattern[str], _Build], ...] = (
    (re.compile(r"reminder about (?:my|the) (?P<noun>[\w ]+?) for\b", re.IGNORECASE), _remind),
    (re.compile(r"history of (?:my|the) (?P<noun>[\w ]+?)(?: since\b|[?.!,])", re.IGNORECASE), _tell_history),
    (re.compile(r"\bshare (?:my|the) (?P<noun>[\w ]+?) with\b", re.IGNORECASE), _share),
    (re.compile(r"\brate (?:my|the) (?P<noun>[\w ]+?)[?.!,]", re.IGNORECASE), _rate),
    (re.compile(r"\bnote to (?:my|the) (?P<noun>[\w ]+?)[?.!,]", re.IGNORECASE), _note),
    (re.compile(r"\bput (?:my|the) (?P<noun>[\w ]+?) on (?:my|the) list of favou?rites", re.IGNORECASE), _favour),
)
"""What people ask for that services often lack, and the tools for it. The noun comes from the question."""
