"""Whether a request can stand for a plan (TC, request): the goal first, details in passing, nothing from behind it."""

import datetime
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from schemas.goals import PlannedCall
from schemas.tools import Tool
from turnwright.stateless.invention import list_invented
from turnwright.stateless.plans import Problem, list_literals
from turnwright.statistics.fidelity.tool_words import fold_word, read_tool_words
from turnwright.validation.language import find_offer, find_scenes
from turnwright.validation.leakage import find_reference_syntax
from turnwright.validation.values import states

LONGEST_REQUEST = 2_000
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]+")
_NEAR = 5
"""Words between a verb and what it is done to."""
_IDENTIFIER = re.compile(r"(?<![\w@./-])[^\W\d]\w*_\w+")
_DONE = re.compile(
    r"^\W*(?:i|we)(?:'ve| have)? (?:already |just )?(?:(?!need|want|hop|wish|lik|wonder)\w+ed|"
    r"sent|made|found|got|bought|paid|did|told|put|wrote|gave)\b",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\b(?:please|can|could|would|will|want|need|like|let|help|show|tell|find|give|what|which|when|where|who|how|is|are|"
    r"does|do|has|should|must|hoping|wondering|looking|trying|wish)\b",
    re.IGNORECASE,
)
_SPAN = r"(?:week|month|year|day|quarter|weekend|time|spring|summer|autumn|fall|winter|\w+day)s?"
_AHEAD = re.compile(rf"\b(?:will be|going to|upcoming|tomorrow|from now|(?:next|coming) {_SPAN})\b", re.IGNORECASE)
_BEHIND = re.compile(
    rf"\b(?:was|were|ago|yesterday|happened|took place|(?:last|previous|past) {_SPAN})\b", re.IGNORECASE
)
_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


def check_request(
    text: str,
    explicit: Sequence[PlannedCall],
    hidden: Sequence[PlannedCall],
    tools: Mapping[str, Tool],
    *,
    first: bool,
    now: str,
    heard: Sequence[str] = (),
) -> list[Problem]:
    """Everything that forbids a request; empty where it can be used.

    Args:
        text: what the user says.
        explicit: the calls that it asks for.
        hidden: the calls that it must not speak of; their literals are said all the same.
        tools: those that are offered, by name.
        first: whether it opens the dialogue.
        now: ISO 8601 time that counts as now.
        heard: what was said before, and what is known of who speaks.
    """
    required = list_required([*explicit, *hidden])
    problems = [*check_form(text, tools, " ".join(str(value) for _, value in required))]
    missing = [f"{name} = {value!r}" for name, value in required if not is_said(value, text)]
    problems += [Problem("missing_literal", f"the request does not say {each}"[:300]) for each in missing]
    if first and hidden and not missing:
        problems += _check_order(text, explicit, hidden)
    problems += _check_hidden(text, explicit, hidden)
    problems += _check_tense(text, now)
    about = [f"{tools[call.tool].name} {tools[call.tool].description}" for call in explicit if call.tool in tools]
    known = [*(str(value) for _, value in required), now, *about, *heard]
    invented = dict.fromkeys(list_invented(text, known))
    problems += [Problem("invented_value", f"nobody said {each!r}"[:300]) for each in invented]
    return problems


def list_required(calls: Sequence[PlannedCall]) -> list[tuple[str, Any]]:
    """The literals that must be said: parameter and value of each scalar of each literal argument.

    Yes and no are said in other words, and an empty text says nothing.
    """
    return [
        (name, leaf)
        for call in calls
        for name, value in list_literals(call)
        for leaf in _list_leaves(value)
        if not isinstance(leaf, bool) and leaf is not None and str(leaf).strip()
    ]


def is_said(value: Any, text: str) -> bool:
    """Whether a text says a value, by value: 25 is said by 25.0, a closed set's `in_transit` by `in transit`."""
    if states(value, text):
        return True
    return isinstance(value, str) and "_" in value and states(value.replace("_", " "), text)


def measure_order(text: str, explicit: Sequence[Any], hidden: Sequence[Any]) -> float:
    """Kendall's tau-b between being explicit and coming later in the text: below 0 where explicit values come first.

    A value that both ask for counts as explicit. Not a number where one kind has no value with a place in the text.
    """
    from scipy.stats import kendalltau  # pyright: ignore[reportUnknownVariableType]

    asked = [place for value in explicit if (place := _find_place(value, text)) is not None]
    told = [place for value in hidden if value not in explicit and (place := _find_place(value, text)) is not None]
    if not asked or not told:
        return math.nan
    kinds = [1] * len(asked) + [0] * len(told)
    return float(cast("Any", kendalltau(kinds, [*asked, *told])).statistic)


def check_form(text: str, tools: Mapping[str, Tool], literals: str) -> Iterator[Problem]:
    """`empty_request`, `overlong_request`, `tool_name`, `identifier`, `reference_syntax`, `speaks_as_assistant`."""
    if not text.strip():
        yield Problem("empty_request", "the request says nothing")
    if len(text) > LONGEST_REQUEST:
        yield Problem("overlong_request", f"{len(text)} characters")
    named = [name for name in tools if ("_" in name or "." in name or name != name.lower()) and name in text]
    if named:
        yield Problem("tool_name", f"the request names {named[0]}")
    elif strange := [word for word in _IDENTIFIER.findall(text) if word not in literals]:
        yield Problem("identifier", f"nobody says {strange[0]!r}")
    if syntax := find_reference_syntax(text):
        yield Problem("reference_syntax", f"the request says {syntax!r}")
    if said := find_offer(text) or find_scenes(text):
        yield Problem("speaks_as_assistant", f"the request says {said!r}")


def _check_order(text: str, explicit: Sequence[PlannedCall], hidden: Sequence[PlannedCall]) -> Iterator[Problem]:
    """`undefined_order`, `hidden_first`: on the first turn the explicit literals stand before the hidden ones."""
    asked = [value for _, value in list_required(explicit)]
    told = [value for _, value in list_required(hidden)]
    tau = measure_order(text, asked, told)
    if math.isnan(tau):
        yield Problem("undefined_order", "explicit and hidden literals cannot be told apart by their places")
    elif tau > 0:
        yield Problem("hidden_first", f"details of hidden calls come before what is asked for (tau {tau:.2f})")


def _check_hidden(text: str, explicit: Sequence[PlannedCall], hidden: Sequence[PlannedCall]) -> Iterator[Problem]:
    """`hidden_named`: the request asks for a hidden call, by a verb of its kind close before what it is about."""
    done = frozenset[str]().union(*(read_tool_words(call.tool)[0] for call in explicit))
    asked = frozenset[str]().union(*(read_tool_words(call.tool)[1] for call in explicit))
    sentences = [[fold_word(word) for word in _WORD.findall(sentence.casefold())] for sentence in _SENTENCE.split(text)]
    for call in hidden:
        verbs, objects = read_tool_words(call.tool)
        said = next((words for each in sentences if (words := _find_deed(each, verbs, done, objects, asked))), None)
        if said is not None:
            yield Problem("hidden_named", f"the request asks for {call.tool}: {' '.join(said)}")


def _find_deed(
    words: Sequence[str], verbs: frozenset[str], done: frozenset[str], objects: frozenset[str], asked: frozenset[str]
) -> Sequence[str] | None:
    """The words of a sentence that ask for something.

    A thing that an explicit call is about belongs to that call, unless something else is done to it than calls like
    that do: one who has a booking cancelled does not ask to search the bookings. `done` are the verbs of such calls.
    """
    for place, word in enumerate(words):
        if place and words[place - 1] in _DETERMINERS:
            continue  # `the sum of the order` asks for nothing
        near = words[place + 1 : place + 1 + _NEAR]
        thing = next((other for other in near if other in objects | asked), None)
        own = objects if word not in done else objects - asked
        if word in verbs - _WEAK and thing in own and 2 * len(objects & set(near)) >= len(objects):
            return words[place : place + 1 + _NEAR]
    return None


_WEAK = frozenset("what which who whose when where how know see tell give".split())
"""Verbs of looking that stand in any question."""
_DETERMINERS = frozenset("a an the my our your his her its their this that these those no of with".split())
"""Words behind which a word is no verb."""


def _check_tense(text: str, now: str) -> Iterator[Problem]:
    """`tense`: the request tells what was done instead of asking, or puts a day on the wrong side of now."""
    sentences = [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]
    if sentences and _DONE.match(sentences[0]) and not any(_ASKED.search(sentence) for sentence in sentences):
        yield Problem("tense", "the request tells of something done and asks for nothing")
        return
    today = _read_day(now[:10])
    for sentence in sentences:
        days = [day for found in _DAY.finditer(sentence) if (day := _read_day(found[0])) is not None]
        if today is None or not days:
            continue
        if all(day < today for day in days) and _AHEAD.search(sentence) and not _BEHIND.search(sentence):
            yield Problem("tense", f"{days[0].isoformat()} is past, and is spoken of as to come")
            return
        if all(day > today for day in days) and _BEHIND.search(sentence) and not _AHEAD.search(sentence):
            yield Problem("tense", f"{days[0].isoformat()} is to come, and is spoken of as past")
            return


def _read_day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _find_place(value: Any, text: str) -> int | None:
    """Where a text first says a value, in characters: exactly there, or the start of the sentence that says it."""
    plain = text.casefold()
    for form in dict.fromkeys([str(value), str(value).replace("_", " ")]):
        found = re.search(rf"(?<![^\W_]){re.escape(form.casefold())}(?![^\W_])", plain)
        if found is not None:
            return found.start()
    place = 0
    for sentence in _SENTENCE.split(text):
        if is_said(value, sentence):
            return text.find(sentence, place)
        place += len(sentence)
    return None


def _list_leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | dict):
        parts = cast("list[Any]", value) if isinstance(value, list) else cast("dict[str, Any]", value).values()
        for part in parts:
            yield from _list_leaves(part)
    else:
        yield value
