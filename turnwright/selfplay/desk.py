"""A service desk of the simulated assistant: what its clerks share, whatever the service.

A clerk (`desk_retail`, `desk_airline`, `desk_home_network`) is a script for the tools of one stateful domain. It runs
from the start of the request each time: a call that was made before gives its recorded result, the first one that was
not made yet ends the run. So the conversation alone is the state, and a clerk sees nothing but the request.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from turnwright.selfplay import assistant_language as say
from turnwright.selfplay.changing import CONFIRMING
from turnwright.selfplay.conversation import TRANSIENT, Call, Episode
from turnwright.selfplay.errand_tools import same_arguments

READS = ("get_", "find_", "list_", "search_", "calculate", "transfer_")
"""Begins of the names of tools that change nothing."""
_QUOTES = re.compile(r"[\"“”]")
_DROPPED = re.compile(r"(?:, not| instead of) (?P<first>[^?!]+?)\.(?=\s|$)")
"""The value that a person takes back, as in `I meant May 4, not May 3.`"""
_YES = re.compile(
    r"\b(?:yes|yep|yeah|yup|sure|ok|okay|correct|right|exactly|go|do it|proceed|confirm|please|indeed|great|fine|"
    r"certainly|absolutely|agreed)\b",
    re.IGNORECASE,
)
_DETAIL = re.compile(r"\b(?:the|for the) [^.]*?(?:\b(?:is|should be)\b|, take\b)|\bmeant?\b", re.IGNORECASE)
"""Marks an answer that brings a detail and so is no plain yes."""
_NO = re.compile(r"^\W*(?:no\b(?!,? (?:idea|sorry|wait))|don't|do not|never mind|leave it|stop)", re.IGNORECASE)
_RETRY = re.compile(r"\b(?:try|trying|retry|give it another)\b", re.IGNORECASE)
_TRIES = 2


class NextCall(Exception):
    """A call that has to be made before anything can be said."""

    def __init__(self, tool: str, arguments: dict[str, Any]) -> None:
        super().__init__(tool)
        self.tool = tool
        self.arguments = arguments


class Answer(Exception):
    """What to say to the user; the script ends with it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass
class Desk:
    """One request at the desk, with the conversation before it."""

    offered: frozenset[str]
    episode: Episode
    earlier: Sequence[Episode]
    rng: random.Random
    policy: str = ""
    """The system message: the rules of the service, and the time that counts as now."""

    @cached_property
    def texts(self) -> list[str]:
        """What the user said for this request, without quotes and without values that were taken back."""
        return [clean_text(text) for text in self.episode.texts]

    @property
    def text(self) -> str:
        """All of it; what was said last stands last."""
        return " ".join(self.texts)

    @cached_property
    def history(self) -> list[str]:
        """What the user said in the whole conversation, newest request first."""
        before = [clean_text(" ".join(episode.texts)) for episode in reversed(self.earlier)]
        return [self.text, *before]

    # Calls -----------------------------------------------------------------------------------------------------------

    def look(self, tool: str, *, skip: int = 0, fresh: bool = False, **arguments: Any) -> Any:
        """The result of a read; what an earlier request brought counts as long as nothing was changed since.

        `skip` good results of this request are passed over, for a second look at what may have changed; with
        `fresh` only those count. Gives None where there is no such record.

        Raises:
            NextCall: it has to be made.
            Answer: it failed, more than once.
        """
        call = self._recall(tool, arguments, skip)
        if call is None and not skip and not fresh:
            call = self._recall_earlier(tool, arguments)
        if call is None:
            raise self._require(tool, arguments)
        return None if call.error is not None else call.result

    def read(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """As `look`, of what is one record; empty where there is none."""
        found = self.look(tool, **arguments)
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}

    def read_list(self, tool: str, **arguments: Any) -> list[dict[str, Any]]:
        """As `look`, of what is a list of records."""
        found = self.look(tool, **arguments)
        items = cast("list[Any]", found) if isinstance(found, list) else []
        return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]

    def change(self, tool: str, arguments: dict[str, Any], words: str, *, agreed: bool = False) -> dict[str, Any]:
        """The result of a write; `words` says it, usable after `I would`. `agreed`: the user need not be asked.

        Raises:
            NextCall: it has to be made.
            Answer: the user is to agree first, did not agree, or it failed.
        """
        call = self._recall(tool, arguments, 0)
        if call is None:
            if self.episode.questions and _NO.match(self.texts[-1]):
                raise Answer(say.refused(self.rng))
            if not agreed and not self.agreed:
                raise Answer(say.confirm(words, self.rng))
            raise self._require(tool, arguments)
        if call.error is not None:
            raise Answer(say.failed(call.error, "", words, self.rng))
        return call.fields

    @property
    def agreed(self) -> bool:
        """Whether the last question asked for consent and the user gave it."""
        asked = self.episode.questions
        said = self.episode.texts[-1]
        plain = _YES.search(said) is not None and not _DETAIL.search(said) and not _NO.match(said)
        return plain and bool(asked) and len(self.texts) > 1 and CONFIRMING.search(asked[-1]) is not None

    def _recall(self, tool: str, arguments: dict[str, Any], skip: int) -> Call | None:
        made = [call for call in self.episode.calls if call.tool == tool and same_arguments(call.arguments, arguments)]
        good = [call for call in made if call.error not in TRANSIENT][skip:]
        if good:
            return good[0]
        failed = [call for call in made if call.error in TRANSIENT]
        tries = _TRIES + sum(1 for text in self.texts[1:] if _RETRY.search(text))
        if len(failed) >= tries:
            action = "look that up" if tool.startswith(READS) else "make that change"
            raise Answer(say.failed(failed[-1].error or "", "", action, self.rng))
        return None

    def _recall_earlier(self, tool: str, arguments: dict[str, Any]) -> Call | None:
        for episode in reversed(self.earlier):
            for call in reversed(episode.calls):
                if call.error is not None:
                    continue
                if call.tool == tool and same_arguments(call.arguments, arguments):
                    return call
                if not call.tool.startswith(READS):
                    return None
        return None

    def _require(self, tool: str, arguments: dict[str, Any]) -> NextCall | Answer:
        return NextCall(tool, arguments) if tool in self.offered else self.decline()

    # Words -----------------------------------------------------------------------------------------------------------

    def ask(self, *labels: str) -> Answer:
        """Asks for what only the user can say."""
        return Answer(say.ask_values(list(labels), self.rng))

    def decline(self, *abilities: str) -> Answer:
        """Says that no tool does what is asked for."""
        return Answer(say.decline(list(abilities) or ["look up what is stored here"], self.rng))

    def forbid(self, action: str, reason: str, *abilities: str) -> Answer:
        """Says that the policy does not allow an action, and why."""
        return Answer(f"{say.forbid(action, list(abilities), self.rng)} The reason: {reason}.")

    def report(self, words: str, *told: str) -> Answer:
        """Says that a change was made, and what came of it."""
        lead = self.rng.choice(
            (
                f"Done. I was able to {words}.",
                f"It worked, and I could {words}.",
                f"All right, I managed to {words}.",
                f"That went through, so I was able to {words}.",
            )
        )
        return self.tell(lead, *told)

    def tell(self, *sentences: str) -> Answer:
        """Says what was found."""
        return Answer(" ".join(part for part in sentences if part) + say.offer(False, self.rng))


def clean_text(text: str) -> str:
    """A message of the user as the clerks read it: on one line, without quotes and what was taken back."""
    return " ".join(_DROPPED.sub(".", _QUOTES.sub("", text)).split())


def find_last(pattern: str, texts: Sequence[str]) -> str | None:
    """The last match of a pattern (its first group, where it has one) in the first text that has any; any case."""
    for text in texts:
        found = list(re.finditer(pattern, text, re.IGNORECASE))
        if found:
            return found[-1].group(1) if found[-1].re.groups else found[-1].group()
    return None


def find_named(names: Sequence[str], text: str) -> list[str]:
    """The names that a text holds as whole words, in its order; of names inside one another the longest."""
    spans: list[tuple[int, int, str]] = []
    for name in sorted(names, key=lambda name: (-len(name), name)):
        for match in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE):
            if not any(match.start() < end and start < match.end() for start, end, _ in spans):
                spans.append((match.start(), match.end(), name))
    return list(dict.fromkeys(name for _, _, name in sorted(spans)))


def find_card(methods: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The payment method of a profile that a text names last: a card by its last digits, others by their kind."""
    best: tuple[int, dict[str, Any]] | None = None
    for key in sorted(methods):
        method = methods[key]
        if not isinstance(method, dict):
            continue
        fields = cast("dict[str, Any]", method)
        words = {"gift_card": "gift card", "paypal": "paypal", "certificate": "travel certificate"}
        wanted = (
            f"ending in {fields.get('last_four')}" if "last_four" in fields else words.get(str(fields.get("source")))
        )
        place = text.lower().rfind(wanted) if wanted else -1
        if place >= 0 and (best is None or place > best[0]):
            best = (place, fields)
    return best[1] if best else None


def say_card(method: dict[str, Any]) -> str:
    """A payment method in a person's words."""
    match method.get("source"):
        case "credit_card":
            return f"the {method.get('brand')} card ending in {method.get('last_four')}"
        case "gift_card":
            return "the gift card"
        case "paypal":
            return "the PayPal account"
        case _:
            return "the travel certificate"
