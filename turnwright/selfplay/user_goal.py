"""The goal of a simulated user, taken apart: what is wanted, piece by piece, with the values marked.

A description tells in the third person what someone wants (the forms stand in task_writer.py; prose of another form is
kept whole). Values are replaced by marks `⟦0⟧`, `⟦1⟧`, … before anything is read or worded, so that no rule mistakes a
name for a word and nothing ever changes a value.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from turnwright.selfplay.words import say_value

Kind = Literal["find", "change", "add", "remove", "errand", "other"]
MARK = re.compile(r"⟦(\d+)⟧")
_WANT = re.compile(
    r"(?:(?:also |still )?(?:wants?|would (?:also )?like|needs?|hopes?|intends?|plans?|is looking|are looking|(?:is|"
    r"are) hoping|"
    r"(?:is|are) trying))(?: also)? to (?P<phrase>.+?)(?=\.(?:\s|$)|$)"
)
_FIND = re.compile(
    r"^(?:find out|know|learn|be told|get) (?P<labels>(?:the|what) .+?) of (?P<entity>(?:the|that|those) .+)$"
)
_CHANGE = re.compile(
    r"^(?:change|update|set|correct|have) (?P<label>the .+?) of (?P<entity>(?:the|that) .+?) (?:changed |"
    r"set )?to (?P<value>⟦\d+⟧|the .+?)"
    r"(?P<more>(?:, and the .+? to (?:⟦\d+⟧|the .+?))*)$"
)
_ADD = re.compile(
    r"^(?:add|create|register) (?P<article>an? new|a|"
    r"an) (?P<noun>.+?)(?: with (?P<details>.+?))?(?:, for (?P<owners>.+))?$"
)
_REMOVE = re.compile(r"^(?:remove|delete) (?P<entity>.+)$")
_ERRAND = re.compile(
    r"^(?P<head>[^,⟦]+)(?P<details>, with the [^,⟦]+? ⟦\d+⟧(?:(?:, | and )the [^,⟦]+? ⟦\d+⟧)*)?"
    r"(?P<links>, using the [^⟦]+ from before)?$"
)
_LOOKING = re.compile(
    r"(?:see|find|find out|check|look|list|show|view|search|get|know|learn|estimate|compare|calculate|compute|convert|"
    r"predict|locate|verify|count|determine|analy[sz]e|describe|generate|evaluate|simulate|read)\b"
)
"""First words of errands that change nothing."""
_CLAUSES = re.compile(r"^(?P<head>.+?)(?P<clauses>, for .+|, only .+|, with .+|, leaving .+)$")
_MORE = re.compile(r", and (?P<label>the .+?) to (?P<value>⟦\d+⟧|the .+?)(?=, and the |$)")


@dataclass(frozen=True)
class Detail:
    """Something that the person knows."""

    mark: int
    label: str
    value: Any
    text: str
    """The value as it is written in a message."""


@dataclass(frozen=True)
class Want:
    """One thing that the person wants, values marked."""

    task: int
    kind: Kind
    phrase: str
    """The whole verb phrase, usable after `I want to`."""
    labels: tuple[str, ...] = ()
    """find: what is to be told, with `the`."""
    entity: str = ""
    """What it is about, with `the` or `that`."""
    changes: tuple[tuple[str, str], ...] = ()
    """change: label with `the`, new value as a mark or an entity."""
    noun: str = ""
    """add: what is added, with its article. errand: what is to be done, as a verb phrase without any value."""
    parts: tuple[str, ...] = ()
    """add and errand: the pieces `the LABEL ⟦n⟧`."""
    owners: str = ""
    """add: what it is added for."""
    clauses: str = ""
    """other: trailing clauses, from the comma on. errand: what it points at, `, using the LABEL from before`."""

    @property
    def marks(self) -> tuple[int, ...]:
        """Marks of the values in the phrase, in order."""
        return tuple(int(mark) for mark in MARK.findall(self.phrase))

    @property
    def writes(self) -> bool:
        """Whether something is to be changed."""
        if self.kind == "errand":
            return not _LOOKING.match(self.phrase)
        return self.kind in ("change", "add", "remove") or bool(
            re.match(
                r"(?:update|set|rename|move|mark|increase|decrease|assign|transfer|create|register|book|record|"
                r"enrol|cancel|exchange|swap|return|pay|upgrade|have)\b",
                self.phrase,
            )
        )


@dataclass(frozen=True)
class UserGoal:
    """Everything that the person pursues."""

    wants: tuple[Want, ...]
    details: tuple[Detail, ...]
    """By mark."""

    def fill(self, text: str, quoted: bool = False) -> str:
        """The text with the values in place of the marks."""

        def put(match: re.Match[str]) -> str:
            value = self.details[int(match.group(1))].text
            return f'"{value}"' if needs_quotes(value, quoted) else value

        return MARK.sub(put, text)


_PLAIN_VALUE = re.compile(r"[-+]?[\d][\d.,:/ -]*|\d{4}-\d\d-\d\d.*|\S+@\S+|https?://\S+")


def needs_quotes(value: str, anyway: bool) -> bool:
    """Whether a person would put the value in quotes so that it stands out; numbers, dates and addresses never."""
    if _PLAIN_VALUE.fullmatch(value) or '"' in value:
        return False
    words = value.split()
    named = all(re.fullmatch(r"[A-ZÀ-ÖØ-ÞŠŽŁĐŚİ][\w'’-]*", word) for word in words)
    coded = re.fullmatch(r"(?=.*\d)[A-Za-z0-9][\w-]*", value) is not None
    return anyway or not (named or coded)


def read_goal(goal: dict[str, Any]) -> UserGoal:
    """The goal block of the request, taken apart."""
    details: list[Detail] = []
    wants: list[Want] = []
    tasks: Sequence[dict[str, Any]] = goal.get("tasks") or []
    for number, task in enumerate(tasks):
        own: list[Detail] = []
        known_details: list[dict[str, Any]] = task.get("known_details") or []
        for known in known_details:
            text = say_value(known["value"])
            if text:
                own.append(Detail(len(details) + len(own), str(known["label"]), known["value"], text))
        details += own
        masked = _mask(str(task.get("description") or ""), own)
        phrases = [match.group("phrase").strip().rstrip(".") for match in _WANT.finditer(masked)]
        wants += [read_want(number, phrase) for phrase in phrases or [f"get help with this: {masked.rstrip('.')}"]]
    return UserGoal(tuple(wants), tuple(details))


def _mask(text: str, details: Sequence[Detail]) -> str:
    """The text with marks for values, longest values first."""
    for detail in sorted(details, key=lambda detail: -len(detail.text)):
        if detail.text not in text:
            continue
        pattern = rf"(?<![\w⟦])[\"“']?{re.escape(detail.text)}[\"”']?(?![\w⟧])"
        text = re.sub(pattern, f"⟦{detail.mark}⟧", text)
    return text


def _split_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r",\s+(?:and )?|\s+and\s+(?=the |of )", text) if part.strip())


def read_want(task: int, phrase: str) -> Want:
    """One verb phrase, taken apart where it has a known form."""
    if (match := _ERRAND.match(phrase)) and (match.group("details") or match.group("links")):
        told = (match.group("details") or "").removeprefix(", with ")
        parts = tuple(re.findall(r"the [^,⟦]+? ⟦\d+⟧", told))
        return Want(task, "errand", phrase, noun=match.group("head"), parts=parts, clauses=match.group("links") or "")
    if (match := _FIND.match(phrase)) and not re.search(r"\b(?:for|whose|with|in|by)\b", match.group("labels")):
        return Want(task, "find", phrase, labels=_split_list(match.group("labels")), entity=match.group("entity"))
    if match := _CHANGE.match(phrase):
        more = tuple((found.group("label"), found.group("value")) for found in _MORE.finditer(match.group("more")))
        changes = ((match.group("label"), match.group("value")), *more)
        return Want(task, "change", phrase, entity=match.group("entity"), changes=changes)
    if (match := _ADD.match(phrase)) and (match.group("details") or "⟦" not in match.group("noun")):
        parts = _split_list(match.group("details") or "")
        if all(MARK.search(part) for part in parts):
            noun = f"{match.group('article')} {match.group('noun')}"
            return Want(task, "add", phrase, noun=noun, parts=parts, owners=match.group("owners") or "")
    if match := _REMOVE.match(phrase):
        return Want(task, "remove", phrase, entity=match.group("entity"))
    match = _CLAUSES.match(phrase)
    if match and MARK.search(match.group("clauses")) and not MARK.search(match.group("head")):
        return Want(task, "other", phrase, entity=match.group("head"), clauses=match.group("clauses"))
    return Want(task, "other", phrase)
