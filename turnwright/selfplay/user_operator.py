"""The player of the user's hands: finds the action whose words the assistant's message shares most."""

import re
from typing import Any

from turnwright.selfplay.request import Request
from turnwright.selfplay.words import stems

_ASKING = re.compile(
    r"\b(?:please|could you|can you|would you|you (?:can|need to|should|have to)|have a look|tell me what|"
    r"check whether)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?;:])\s+|\n+")
_LEAST_SHARED = 2
"""Words that an action and a sentence must share: with one word alone anything could be meant."""


def reply(request: Request) -> dict[str, Any]:
    """The next action that the message asks for and that was not done for it, or `none`."""
    blocks = request.blocks
    done = {step["action"] for step in blocks["done"]}
    asked = list_asked(str(blocks["answer"]), blocks["actions"])
    for action in asked:
        if action["name"] not in done:
            return {
                "action": action["name"],
                "arguments": _fill(action, blocks["known_details"], str(blocks["answer"])),
            }
    return {"action": "none", "arguments": []}


def list_asked(answer: str, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions that a message asks for, in the order of its sentences."""
    found: list[dict[str, Any]] = []
    for sentence in _SENTENCES.split(answer):
        if not _ASKING.search(sentence):
            continue
        words = set(stems(sentence))
        if not actions:
            continue
        best, action = max(((len(words & _words(action)), action) for action in actions), key=lambda entry: entry[0])
        if best >= _LEAST_SHARED and action not in found:
            found.append(action)
    return found


def _words(action: dict[str, Any]) -> set[str]:
    return set(stems(str(action["name"]))) | set(stems(str(action["description"])))


def _fill(action: dict[str, Any], known: list[dict[str, Any]], answer: str) -> list[dict[str, str]]:
    """Each parameter from the detail whose label shares most with it, else from what the message has in quotes."""
    filled: list[dict[str, str]] = []
    for name, schema in action["parameters"].items():
        words = set(stems(name)) | set(stems(str(schema.get("description", ""))))
        scored = [(len(words & set(stems(str(detail["label"])))), str(detail["value"])) for detail in known]
        best, value = max(scored, key=lambda entry: entry[0], default=(0, ""))
        quoted = re.findall(r"[\"“']([^\"”']+)[\"”']", answer)
        if best:
            filled.append({"name": name, "value": value})
        elif quoted:
            filled.append({"name": name, "value": quoted[0]})
    return filled
