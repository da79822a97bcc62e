"""The embedded question writer for a domain without a database: one message for each topic, from the tools' view."""

import random
import re
from typing import Any

from turnwright.selfplay.invented_values import invent_value, is_nameable
from turnwright.selfplay.request import Request
from turnwright.selfplay.service_view import ViewTool, read_service
from turnwright.tools.naming import plural, to_words

_LEADS = (
    "Could you {do}?",
    "I'd like to {do}.",
    "Please {do}.",
    "Can someone {do} for me?",
    "I need to {do} today.",
    "We have to {do}, can you help?",
    "Hi, how do I {do}?",
    "My boss asked me to {do}.",
)
_BEYOND = (
    "Could you set a reminder about my {noun} for {date}?",
    "Where can I see the history of my {noun} since {date}?",
    "Can you share my {noun} with {person}?",
    "I'd like to rate my {noun}, it deserves a 4. Can you note that?",
    "Is there a way to add a note to my {noun}? It should say: ask {person} first.",
    "Please put my {noun} on my list of favourites.",
)
_THIRD = re.compile(r"^(\w+?)(?:s)\b")
_AFTER = re.compile(r"^(?:this (?:tool|function|api)|it)\s+", re.IGNORECASE)
_KEEP = frozenset({"access", "process", "address", "press", "pass", "discuss", "assess", "bypass"})
_MOST_DETAILS = 4


def reply(request: Request) -> dict[str, Any]:
    """A reply of the form schemas.replies.Questions. At the mistake rate one of its questions names a tool."""
    view = read_service(request)
    topics: list[str] = request.blocks.get("topics") or []
    count = int(request.blocks["count"])
    rng = request.rng_for(request.messages[-1]["content"], len(request.messages), request.body.get("seed"))
    asked = [_ask(topic, view.tools, rng) for topic in topics[:count]]
    if asked and rng.random() < request.mistake_rate and view.tools:
        asked[-1] = f"Call {rng.choice(view.tools).name}_now for me."
    return {"questions": asked or [f"What can you do for me around {to_words(view.name)}?"]}


def _ask(topic: str, tools: tuple[ViewTool, ...], rng: random.Random) -> str:
    _, _, rest = topic.partition(": ")
    found = [tool for part in rest.split("; ") for tool in tools if part.strip() == tool.description][:2]
    if "no tool" in topic.split(":")[0]:
        nouns = [thing for tool in found if (thing := tool.thing) is not None]
        nouns = nouns or [thing for tool in tools if (thing := tool.thing) is not None]
        noun = rng.choice(nouns) if nouns else "request"
        return rng.choice(_BEYOND).format(
            noun=noun,
            date=invent_value({"name": "date", "type": "string"}, rng),
            person=invent_value({"name": "person", "type": "string"}, rng),
        )
    if not found:
        return f"Can you help me with this: {_to_phrase(rest or topic)}?"
    lead = rng.choice(_LEADS).format(do=" and then ".join(_to_phrase(tool.description) for tool in found))
    details = [_describe(part, rng) for tool in found for part in tool.required if is_nameable(part)][:_MOST_DETAILS]
    if "few words" in topic:
        details = details[:1]
    elif "left open" in topic or "leave it open" in topic:
        details = details[1:]
    return f"{lead} {_join(details)}".strip()


def _join(details: list[str]) -> str:
    text = "; ".join(details)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _describe(part: dict[str, Any], rng: random.Random) -> str:
    words = to_words(str(part["name"])).removesuffix(" ID").removesuffix(" IDs")
    value = invent_value(part, rng)
    return f"{words.lower()} {value}" if part.get("type") != "array" else f"{plural(words.lower())} like {value}"


def _to_phrase(description: str) -> str:
    """`Retrieves the balance of a card` as what somebody can be asked to do: `retrieve the balance of a card`."""
    text = _AFTER.sub("", description.strip().rstrip(".")).replace("_", " ")
    text = text.split(". ")[0].split(", given")[0]
    first = text.split(" ")[0]
    if first.lower() not in _KEEP and not first.endswith("ss"):
        text = _THIRD.sub(lambda match: _base(match.group(1)), text, count=1)
    return text[:1].lower() + text[1:]


def _base(stem: str) -> str:
    if stem.endswith(("che", "she", "sse", "xe")):
        return stem[:-1]
    return f"{stem[:-2]}y" if stem.endswith("ie") else stem
