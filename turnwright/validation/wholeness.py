"""The rule about whole messages: each says something, and says it to its end."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from schemas.findings import Finding
from turnwright.validation.readings import MOST_CHARACTERS
from turnwright.validation.trajectory import Trajectory

_DANGLING = re.compile(
    r"(?:[,;:(\[{]|\b(?:and|or|the|a|an|of|to|with|for|is|are|was|were|that|because))\s*$", re.IGNORECASE
)
_OPEN = ",;:([{"
_TAIL = 12
"""Characters at the end of a message in which it can dangle."""
_UNFINISHED = re.compile(r"[.!?][\"')]*\s+[A-Z][^.!?\n]*\w\Z")
_ENTRY = re.compile(r"\s*(?:[-•*+|#>]|\d{1,3}[.)])|[^\n]{0,60}:\s")
_LEAST_WORDS = 4
_WORDS = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"(?<![\w@./:-])[^\W\d_]{1,15}\Z")
_COMMON = frozenset(
    "about after again also always and another any anything are available because been before below best can cannot "
    "change check could currently day days details did different does done each else enjoy entry every everything few "
    "find first following for found free from further gladly going good great had happy has have help here how "
    "however information instead into its just know last later like list look made make many may mean might more most "
    "much name need never new next not nothing now number off once one only other otherwise our out over please "
    "possible provide question record records right same see set shall should show since some something soon still "
    "such sure take team tell than thank that the their them then there these they thing this those through time "
    "today too under until update updated very wait want was way week weekend well were what when where whether which "
    "while who will with within without would year yes yet you your".split()
)
"""Words of any conversation: their beginnings are taken for what is left of them."""
_LEAST_OTHERS = 2


def check_wholeness(trajectory: Trajectory) -> Iterator[Finding]:
    """`empty_message`, `truncated_message`, `overlong_message`."""
    talk = _Talk(trajectory)
    for index, message in enumerate(trajectory.messages):
        role, content = message["role"], (message["content"] or "").strip()
        if role in ("system", "tool") or message.get("tool_calls"):
            continue
        if len(content) > MOST_CHARACTERS:
            yield _find("overlong_message", f"{len(content):,} characters", index, role)
        elif not content:
            yield _find("empty_message", f"an empty {role} message", index, role)
        elif _dangles(content) or content.count("```") % 2:
            yield _find("truncated_message", f"breaks off: …{content[-40:]}", index, role)
        elif role == "assistant" and _breaks_off(content, talk):
            yield _find("truncated_message", f"has no end: …{content[-40:]}", index, role)


def _dangles(content: str) -> bool:
    """Whether the last word or mark of a message waits for more."""
    last = content[-1]
    if not (last.isalpha() or last in _OPEN):
        return False
    return _DANGLING.search(content, max(0, len(content) - _TAIL)) is not None


class _Talk:
    """What one message is held against: the words of its dialogue, and how the assistant ends its others."""

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory = trajectory

    @cached_property
    def answers(self) -> list[str]:
        """The assistant's messages without calls."""
        messages = self._trajectory.messages
        return [
            (message["content"] or "").strip()
            for message in messages
            if message["role"] == "assistant" and not message.get("tool_calls") and message["content"]
        ]

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of the dialogue and its tools but the last ones of its answers."""
        found = set(_COMMON)
        for message in self._trajectory.messages:
            if message["role"] != "assistant":
                found.update(_WORDS.findall((message["content"] or "").lower()))
        for answer in self.answers:
            found.update(_WORDS.findall(_LAST_WORD.sub("", answer).lower()))
        for tool in self._trajectory.tools:
            told = [
                tool.name,
                str(tool.spec["function"].get("description", "")),
                *tool.parameters.get("properties", {}),
            ]
            found.update(_WORDS.findall(" ".join(told).replace("_", " ").lower()))
        return frozenset(found)

    def ends_others(self, content: str) -> bool:
        """Whether the assistant gives all its other answers an end."""
        others = [answer for answer in self.answers if answer != content]
        return len(others) >= _LEAST_OTHERS and not any(answer[-1].isalnum() for answer in others)


def _breaks_off(content: str, talk: _Talk) -> bool:
    """Whether an answer stops before its end.

    Most that end in a letter or digit do not: the entries of a list need no mark. It breaks off inside a bracket; in
    the last of several sentences; in what is only the beginning of a word; or in a sentence without a mark where all
    other answers of the dialogue have one.
    """
    if not content[-1].isalnum():
        return False
    line = content[content.rfind("\n") + 1 :][-600:]
    if line.count("(") > line.count(")") or line.count("[") > line.count("]"):
        return True
    match = None if _ENTRY.match(line) else _UNFINISHED.search(line)
    if match is not None and len(match[0].split()) > _LEAST_WORDS:
        return True
    last = _LAST_WORD.search(content)
    if last is None:
        return False
    word = last[0].lower()
    if word not in talk.words and any(known.startswith(word) for known in talk.words):
        return True
    listed = "\n" in content or _ENTRY.match(line) is not None
    return not listed and last[0].islower() and len(line.split()) > _LEAST_WORDS and talk.ends_others(content)


def _find(code: str, explanation: str, message: int, role: str) -> Finding:
    fault: Literal["user_simulator", "assistant"] = "user_simulator" if role == "user" else "assistant"
    return Finding(layer="rules", code=code, explanation=explanation, message=message, fault=fault, blocks=True)
