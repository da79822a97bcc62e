"""The requester: a user's words for a plan, with some of its calls hidden (TC, request)."""

from collections.abc import Mapping, Sequence
from typing import Any

import prompts
from schemas.goals import Persona, PlannedCall
from schemas.messages import Message
from schemas.tools import Tool
from turnwright.stateless.views import view_details, view_exchanges, view_wish


def ask_for_request(
    explicit: Sequence[PlannedCall],
    hidden: Sequence[PlannedCall],
    tools: Mapping[str, Tool],
    persona: Persona,
    now: str,
    earlier: Sequence[tuple[str, str]],
    *,
    reactive: bool = False,
) -> list[Message]:
    """The request for the words of one plan: no tool by its name, and of hidden calls nothing but their literals.

    Args:
        explicit: the calls that the user asks for, what they are after first.
        hidden: the other ones.
        tools: those that are offered, by name.
        persona: who speaks.
        now: ISO 8601 time that counts as now.
        earlier: requests and answers so far.
        reactive: whether the person takes up what the assistant said last; with `earlier` alone.
    """
    own_turn = {call.id for call in (*explicit, *hidden)}
    wishes = [view_wish(call, tools, own_turn) for call in explicit]
    mentions = [detail for call in hidden for detail in view_details(call, tools[call.tool])]
    return _ask(wishes, mentions, persona, now, earlier, reactive=reactive)


def ask_for_wish(
    wish: str, persona: Persona, now: str, earlier: Sequence[tuple[str, str]], *, reactive: bool = False
) -> list[Message]:
    """The request for the words of a wish that no tool has to do with: a verb phrase, without details."""
    return _ask([{"does": wish, "details": [], "takes": []}], [], persona, now, earlier, reactive=reactive)


def ask_for_answer(request: str, question: str, label: str, value: Any, persona: Persona) -> list[Message]:
    """The request for the answer to a question back."""
    user = prompts.render(
        "requester",
        "answer_user",
        persona=persona.model_dump(),
        request=prompts.data_block("request", request),
        question=prompts.data_block("question", question),
        detail={"label": label, "value": value},
    )
    return prompts.begin_messages(prompts.render("requester", "answer_system"), user)


def ask_for_farewell(persona: Persona, earlier: Sequence[tuple[str, str]]) -> list[Message]:
    """The request for the user's last words."""
    user = prompts.render("requester", "closing_user", persona=persona.model_dump(), earlier=view_exchanges(earlier))
    return prompts.begin_messages(prompts.render("requester", "closing_system"), user)


def _ask(
    wishes: Sequence[Mapping[str, Any]],
    mentions: Sequence[Mapping[str, Any]],
    persona: Persona,
    now: str,
    earlier: Sequence[tuple[str, str]],
    *,
    reactive: bool,
) -> list[Message]:
    values: dict[str, Any] = {
        "persona": persona.model_dump(),
        "now": prompts.data_block("now", now),
        "earlier": view_exchanges(earlier),
        "asks_for": list(wishes),
        "mentions": list(mentions),
    }
    if not (reactive and earlier):
        system, user = prompts.render("requester", "system"), prompts.render("requester", "user", **values)
    else:
        answer = prompts.data_block("answer", earlier[-1][1])
        system = prompts.render("requester", "reactive_system")
        user = prompts.render("requester", "reactive_user", answer=answer, **values)
    return prompts.begin_messages(system, user)
