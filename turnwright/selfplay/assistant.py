"""The player of the assistant: by rules, from the system prose, the conversation and the offered tools alone.

It works on the last request of the conversation (`conversation.read_episodes`), finds the tool that is meant
(`tool_choice`), fills its arguments from the user's words and from records it looks up (`pursuit`), and says what came
back (`reporting`). In a share of dialogues it makes one real mistake (`mistakes`).
"""

import hashlib
import random
import re
from typing import Any

from turnwright.selfplay import assistant_language as say
from turnwright.selfplay import mistakes
from turnwright.selfplay.beliefs import Belief, confirm, correct, drop_beliefs, find_false, split_beliefs
from turnwright.selfplay.changing import Change
from turnwright.selfplay.clerks import Clerk, choose_clerk, serve_request
from turnwright.selfplay.conversation import TRANSIENT, Episode, read_episodes, write_arguments
from turnwright.selfplay.errand import Errand
from turnwright.selfplay.errand_tools import are_foreign, read_errand_tools
from turnwright.selfplay.house_rules import read_rules
from turnwright.selfplay.offered_tools import Toolbox, read_tools
from turnwright.selfplay.reach import is_beyond, misses_the_point
from turnwright.selfplay.reading import Reading
from turnwright.selfplay.reporting import say_action, say_change, tell_outcomes
from turnwright.selfplay.request import NotUnderstood, Request
from turnwright.selfplay.spoken_values import read_values
from turnwright.selfplay.steps import (
    Declined,
    Forbidden,
    NeedCalls,
    NeedConfirmation,
    NeedRest,
    NeedValues,
    NotFound,
    Refused,
    Unclear,
)
from turnwright.selfplay.tool_choice import REQUESTING

_THANKS = re.compile(
    r"\b(?:thank(?:s| you)|cheers|that(?:'s| is| was) (?:all|everything)|bye|appreciate|all i needed|nothing else)\b",
    re.IGNORECASE,
)
_GREETING = re.compile(r"^\s*(?:hi|hello|hey|good (?:morning|afternoon|evening))[\w ,]{0,12}[.!]?\s*$", re.IGNORECASE)


def reply(request: Request) -> dict[str, Any]:
    """The next assistant message: `content`, `tool_calls`, or both.

    Raises:
        NotUnderstood: there is nothing of a user to answer.
    """
    messages = request.messages
    if messages[-1]["role"] not in ("user", "tool"):
        raise NotUnderstood("the last message must be of a user or a tool")
    episodes = read_episodes(drop_beliefs(messages))
    if not episodes:
        raise NotUnderstood("there is no user message to answer")
    dialogue = _dialogue_rng(request)
    toolbox = read_tools(request.tools)
    drawn = _dialogue_rng(request, request.body.get("seed")).random()
    mistake = mistakes.draw_mistake(dialogue, request.mistake_rate, drawn)
    current = episodes[-1]
    last = current.texts[-1]
    if messages[-1]["role"] == "user":
        if not toolbox.tools:
            return {
                "content": say.decline(["only talk about it"], request.rng)
                if asks_something(last)
                else say.greet(request.rng)
            }
        if _GREETING.match(last):
            return {"content": say.greet(request.rng)}
        if _THANKS.search(last) and not asks_something(_THANKS.sub("", last)):
            return {"content": say.close(request.rng)}
    clerk = choose_clerk(request)
    if clerk is not None:
        return _run_desk(request, clerk, current, episodes[:-1], mistake)
    if are_foreign(request.tools):
        return _run_errand(request, current, episodes[:-1], dialogue, mistake)
    return _work(request, toolbox, current, episodes[:-1], dialogue, mistake)


def _run_desk(
    request: Request, clerk: Clerk, current: Episode, earlier: list[Episode], mistake: mistakes.Mistake | None
) -> dict[str, Any]:
    """Serves a stateful domain by its script; a call is made without words beside it, as the policies want."""
    outcome = serve_request(clerk, request, current, earlier)
    if isinstance(outcome, str):
        return {"content": outcome if mistake is None else mistake.spoil_desk_report(current, outcome)}
    if mistake is not None and mistake.pretends(outcome[0]):
        return {"content": "That is done and saved."}
    return {**_call_tools(request, [outcome], request.rng), "content": None}


def _run_errand(
    request: Request,
    current: Episode,
    earlier: list[Episode],
    dialogue: random.Random,
    mistake: mistakes.Mistake | None,
) -> dict[str, Any]:
    """Works with tools that turnwright did not write, by their words alone."""
    rng = request.rng
    errand = Errand(read_errand_tools(request.tools), current, earlier, dialogue.random() < 0.4, rng)
    outcome = errand.run()
    if isinstance(outcome, str):
        return {"content": outcome if mistake is None else mistake.spoil_errand_report(errand, outcome)}
    if mistake is not None:
        pretended = mistake.pretend_errand(errand, outcome)
        if pretended is not None:
            return {"content": pretended}
        outcome = mistake.spoil_errand_calls(errand, outcome)
    return _call_tools(request, outcome, rng)


def asks_something(text: str) -> bool:
    """Whether a message asks for something or names a value, and does not only close the conversation."""
    return bool(REQUESTING.search(text)) or bool(read_values(text))


def _dialogue_rng(request: Request, *parts: Any) -> random.Random:
    """Chance that is the same in all calls of a dialogue."""
    system = next((message.get("content") for message in request.messages if message["role"] == "system"), "")
    first = next((message.get("content") for message in request.messages if message["role"] == "user"), "")
    return request.rng_for("assistant", system, first, *parts)


def _work(
    request: Request,
    toolbox: Toolbox,
    current: Episode,
    earlier: list[Episode],
    dialogue: random.Random,
    mistake: mistakes.Mistake | None,
) -> dict[str, Any]:
    rng = request.rng
    careful, looks_after = dialogue.random() < 0.7, dialogue.random() < 0.7
    pursuit: Reading | Change = Reading(toolbox, current, earlier, careful, looks_after)
    if pursuit.verb != "read":
        rules = read_rules(str(request.messages[0].get("content") or "")) if mistake is None else []
        pursuit = Change(toolbox, current, earlier, careful, looks_after, tuple(rules))
    try:
        outcomes = pursuit.run()
    except NeedCalls as step:
        calls = step.calls
        if mistake is not None:
            pretended = mistake.pretend(pursuit, calls)
            if pretended is not None:
                return {"content": pretended}
            calls = mistake.spoil_calls(pursuit, calls)
        return _call_tools(request, calls, rng)
    except Unclear as step:
        if mistake is not None:
            return {"content": mistake.invent_around(pursuit)}
        return {"content": say.ask_which(step.names, rng)}
    except Forbidden as step:
        return {"content": say.forbid(step.action, _say_readable(toolbox, rng), rng)}
    except NeedValues as step:
        if pursuit.verb == "read" and not step.tool.name_words & pursuit.words and mistake is None:
            return {"content": say.decline(_say_readable(toolbox, rng), rng)}
        return {"content": say.ask_values([parameter.label for parameter in step.parameters], rng)}
    except NeedRest:
        return {"content": say.ask_rest(rng)}
    except NeedConfirmation as step:
        return {"content": say.confirm(say_change(step.tool, step.arguments, step.subject), rng)}
    except NotFound as step:
        if mistake is not None and step.failed is not None and step.failed.error in TRANSIENT:
            return {"content": mistake.invent_around(pursuit)}
        if step.failed is not None and step.failed.error not in (None, "not_found"):
            tool = toolbox.get(step.failed.tool)
            if tool is not None:
                return {"content": say.failed(step.failed.error or "", "", say_action(tool), rng)}
        if is_beyond(toolbox, current.calls, pursuit.naming()):
            return {"content": say.decline(_say_readable(toolbox, rng), rng)}
        return {"content": say.nothing_found(step.subject, rng)}
    except Declined:
        if mistake is not None:
            return {"content": mistake.play_along(current.texts[-1])}
        return {"content": say.decline(_say_abilities(toolbox, rng), rng)}
    except Refused:
        return {"content": say.refused(rng)}
    if mistake is not None and any(outcome.call.error in TRANSIENT for outcome in outcomes):
        return {"content": mistake.invent_around(pursuit)}
    if mistake is None and isinstance(pursuit, Reading) and misses_the_point(current.texts[0], pursuit.words, outcomes):
        return {"content": say.decline(_say_readable(toolbox, rng), rng)}
    unshown = pursuit.find_unshown(outcomes) if isinstance(pursuit, Reading) else []
    if unshown and len(unshown) >= len(pursuit.wanted):
        if mistake is not None:
            return {"content": mistake.invent_around(pursuit)}
        return {"content": say.not_shown(unshown, _say_readable(toolbox, rng), rng)}
    text = tell_outcomes(outcomes, rng)
    beliefs = _read_beliefs(request, current)
    if false := find_false(beliefs, outcomes):
        text = say.join_sentences(confirm(beliefs) if mistake is not None else correct(false, rng), text)
    if unshown:
        text = say.join_sentences(text, say.not_shown(unshown, _say_readable(toolbox, rng), rng))
    if mistake is not None:
        text = mistake.spoil_report(pursuit, text)
    return {"content": text + say.offer("\n" in text, rng)}


def _call_tools(request: Request, calls: list[tuple[str, dict[str, Any]]], rng: random.Random) -> dict[str, Any]:
    made: list[dict[str, Any]] = []
    for number, (name, arguments) in enumerate(calls):
        text = write_arguments(arguments)
        key = hashlib.sha256(f"{request.digest}:{number}:{name}:{text}".encode()).hexdigest()[:16]
        made.append({"id": f"call_{key}", "type": "function", "function": {"name": name, "arguments": text}})
    return {"content": say.announce(rng), "tool_calls": made}


def _read_beliefs(request: Request, current: Episode) -> list[Belief]:
    """What the user said in this request that they take for true."""
    said = [str(message.get("content") or "") for message in request.messages if message["role"] == "user"]
    return [belief for text in said[-len(current.texts) :] for belief in split_beliefs(text)[1]]


def _say_readable(toolbox: Toolbox, rng: random.Random) -> list[str]:
    """One or two things that can be looked up, in words; what changes something may be what was just refused."""
    tools = [tool for tool in toolbox.tools if tool.verb == "read"]
    return [say_action(tool) for tool in rng.sample(tools, min(2, len(tools)))]


def _say_abilities(toolbox: Toolbox, rng: random.Random) -> list[str]:
    """Two or three things that the tools can do, in words."""
    tools = rng.sample(toolbox.tools, min(2, len(toolbox.tools)))
    return [say_action(tool) for tool in tools]
