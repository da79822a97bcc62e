"""How the embedded requester says deeds, details and references, and how the embedded back-translator finds them again.

Both sides stand here because each form is written and read by the same words. Values stand in a sentence as
`say_value` has them: in quotes where they could not be told from the words around them.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from turnwright.selfplay.plan_view import write_value
from turnwright.selfplay.words import join_words, start_sentence

ASIDES = (
    "For what it's worth,",
    "In case it matters,",
    "What I have here:",
    "As far as I know,",
    "If it helps,",
    "Just so you know,",
    "In case you need it,",
)
_FOUND = ("using the {} you find", "taking the {} from what you find", "with the {} you come across")
_BEFORE = (
    "keeping the {} from before",
    "using the {} we already have",
    "with the same {} as before",
    "with the {} from earlier",
)
_PLAIN = re.compile(r"[^\s,;\"]+(?: [^\s,;\"]+){0,3}")
_VALUE = r'(?:"(?P<quoted>(?:[^"]|(?<=[\[{:, ])"[^"]*"(?=[\]}:, ]))*)"|(?P<plain>(?:(?! and )[^",;]){1,120}?))'
_END = r"(?=, and the | and |, |[,;]|[.?!](?:\s|$)|$)"
_LABELS = r"(?P<labels>(?:(?!\b(?:with|using|keeping|taking)\b)[^\".?!;:]){1,300}?)"
_READS_FOUND = re.compile(rf"\b(?:using|taking|with) the {_LABELS} (?:you find|you come across|from what you find)")
_READS_BEFORE = re.compile(
    rf"\b(?:with the same {_LABELS} as before|"
    rf"(?:keeping|with) the {_LABELS.replace('<labels>', '<kept>')} from (?:before|earlier)|"
    rf"using the {_LABELS.replace('<labels>', '<had>')} we already have)"
)
_ASIDE = re.compile(rf'(?:{"|".join(map(re.escape, ASIDES))})(?:"[^"]*"|[^".?!]|[.?!](?!\s|$))*')
_ARTICLE = re.compile(r"\b(?:an?|the)\b")
_UNITS = frozenset("kg g km m cm mm l ml c f usd eur gbp kwh mph kmh percent seconds minutes hours".split())
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_ANSWERS = (
    rf"\bthe [^.:,]+? (?:is|are) {_VALUE}{_END}",
    rf"(?:\b(?:it's|it is|make it|that's|that would be)|:) {_VALUE}{_END}",
    rf", {_VALUE}{_END}",
    rf"^{_VALUE}{_END}",
)


@dataclass(frozen=True)
class Wording:
    """A deed as it is said, and what has to be told apart from it."""

    deed: str
    spoken: frozenset[str]
    """Labels of references that the deed itself points at: `show what that room has`."""


def say_value(value: Any) -> str:
    """A value as it stands in a sentence: in quotes where it could not be told from the words around it."""
    text = write_value(value)
    bare = isinstance(value, int | float) or (
        isinstance(value, str) and _PLAIN.fullmatch(text) and " and " not in text and not text.endswith((".", "?", "!"))
    )
    return text if bare else f'"{text}"'


def point_at(deed: str, takes: Sequence[Mapping[str, Any]]) -> Wording:
    """The deed with what it is done to pointed at, where that is all a person would say of a reference.

    `show what a room has` is `show what that room has` for a room ID from before, `the room` for one of this request.
    """
    spoken: set[str] = set()
    for each in takes:
        label = str(each["label"])
        noun = _find_noun(label)
        found = noun and re.search(rf"(?<!\bthat )\b(?:an?|the) (?={re.escape(noun)}\b)", deed)
        if found:
            deed = f"{deed[: found.start()]}{'that' if each['from'] == 'earlier' else 'the'} {deed[found.end() :]}"
            spoken.add(label)
    return Wording(deed, frozenset(spoken))


def say_references(
    takes: Sequence[Mapping[str, Any]], spoken: frozenset[str], rng: random.Random, *, again: bool
) -> str:
    """What else goes in, from this request and from before: `, using the from city and to city you find`.

    `again` where the sentence has a `with` already.
    """
    text = ""
    for origin, forms in (("this request", _FOUND), ("earlier", _BEFORE)):
        labels = list(dict.fromkeys(str(one["label"]) for one in takes if one["from"] == origin))
        left = [label for label in labels if label not in spoken]
        if left:
            forms = forms[:2] if again else forms
            text += f", {rng.choice(forms).format(join_words([_find_noun(label) or label for label in left]))}"
    return text


def say_details(deed: str, details: Sequence[Mapping[str, Any]], rng: random.Random) -> tuple[str, list[str]]:
    """What belongs to a deed: words that go on with its sentence, and sentences of their own."""
    parts: list[str] = []
    sentences: list[str] = []
    known = [str(each["label"]) for each in details]
    for each in details:
        label, value = shorten_label(str(each["label"]), deed, known), say_value(each["value"])
        form = rng.random()
        if form < 0.45 or (not sentences and not parts and form < 0.6):
            parts.append(f"the {label} {value}")
        elif form < 0.65:
            parts.append(f"{value} as the {label}")
        elif form < 0.8:
            sentences.append(f"The {label} {_be(label)} {value}.")
        elif form < 0.9:
            sentences.append(f"The {label} should be {value}.")
        else:
            sentences.append(f"Make the {label} {value}.")
    return (f", with {join_words(parts)}" if parts else ""), sentences


def shorten_label(label: str, deed: str, others: Sequence[str]) -> str:
    """`city` for `room city` beside a deed that speaks of rooms, as long as no other label ends in that word.

    A unit is said as one: `weight in kg`.
    """
    first, _, last = label.rpartition(" ")
    if first and last in _UNITS:
        return f"{first} in {last}"
    if not first or " " in first or last == "ID" or not re.search(rf"\b{re.escape(first)}s?\b", deed):
        return label
    return label if any(other != label and other.split()[-1] == last for other in others) else last


def say_aside(mentions: Sequence[Mapping[str, Any]], rng: random.Random) -> str:
    """What is mentioned in passing, in one sentence."""
    told = [f"the {each['label']} {_be(str(each['label']))} {say_value(each['value'])}" for each in mentions]
    return f"{rng.choice(ASIDES)} {', and '.join(told)}."


def say_answer(label: str, value: Any, register: str, rng: random.Random) -> str:
    """The answer to a question for one value."""
    told, be = say_value(value), _be(label)
    forms = {
        "casual": (f"Oh right, {told}.", f"It's {told}.", f"Sorry, forgot that: {told}.", f"Make it {told}."),
        "formal": (f"The {label} {be} {told}.", f"My apologies, the {label} {be} {told}.", f"That would be {told}."),
    }
    usual = (f"It's {told}.", f"The {label} {be} {told}.", f"Sure, the {label} {be} {told}.", f"Make it {told}.")
    return start_sentence(rng.choice(forms.get(register, usual)))


@lru_cache(maxsize=4096)
def compile_deed(deed: str) -> re.Pattern[str]:
    """Finds a deed whose things may be pointed at."""
    pattern = _ARTICLE.sub("(?:an?|the|that)", re.escape(deed.casefold()).replace(r"\ ", " "))
    return re.compile(rf"(?<!\w){pattern}(?!\w)")


def find_asides(text: str) -> str:
    """What a text says in passing."""
    return "\n".join(found[0] for found in _ASIDE.finditer(text))


def drop_asides(text: str) -> str:
    """A text without what it says in passing; what is left stands where it stood."""
    return _ASIDE.sub(lambda found: " " * len(found[0]), text)


def is_taken(label: str, text: str) -> str:
    """Where a text takes a reference from: `before`, `found`, or nowhere."""
    named = {label, _find_noun(label)}
    for where, pattern in (("before", _READS_BEFORE), ("found", _READS_FOUND)):
        for match in pattern.finditer(text):
            labels = next(group for group in match.groups() if group is not None)
            if named & {part.removeprefix("the ").strip() for part in re.split(r", | and ", labels)}:
                return where
    noun = _find_noun(label)
    return "before" if noun and re.search(rf"\bthat {re.escape(noun)}\b", text) else ""


def find_said(
    label: str, text: str, schema: Mapping[str, Any], *, others: Sequence[str] = (), aside: bool = False
) -> str | None:
    """The value that a text gives a label, beside a deed or, with `aside`, in passing.

    `others` are the labels of the same deed: a label that none of them is mixed up with may be said by its last word.
    """
    names = [label] if aside else list(dict.fromkeys([label, shorten_label(label, text, others)]))
    for pattern in (pattern for name in names for pattern in _compile(name, aside)):
        for match in pattern.finditer(text):
            if (value := _read_match(match, schema)) is not None:
                return value
    return None


def find_answer(text: str, schema: Mapping[str, Any]) -> str | None:
    """The value that an answer gives, whatever it calls it."""
    for form in _ANSWERS:
        match = re.search(form, text, re.IGNORECASE)
        if match is not None and (value := _read_match(match, schema)) is not None:
            return value
    return None


def _be(label: str) -> str:
    """Several things are: `beds`, `nights`; not `status` or `address`."""
    return "are" if label.endswith("s") and not label.endswith(("ss", "us", "is")) else "is"


def _find_noun(label: str) -> str:
    """What an ID is of: `room` for `room ID`; empty for other labels."""
    return label.removesuffix(" ID") if label.endswith(" ID") else ""


@lru_cache(maxsize=4096)
def _compile(label: str, aside: bool) -> tuple[re.Pattern[str], ...]:
    name = re.escape(label)
    if aside:
        return (re.compile(rf"\bthe {name} (?:is|are) {_VALUE}{_END}", re.IGNORECASE),)
    other = r"(?!(?:is|are|should|from|you|that|we|as|and) |(?:and|from)\b)"
    return (
        re.compile(rf"\bthe {name} (?:is|are|should be) {_VALUE}{_END}", re.IGNORECASE),
        re.compile(rf"\bthe {name} {other}{_VALUE}{_END}", re.IGNORECASE),
        re.compile(rf"(?:\bwith|\band|,(?! with| and)) {_VALUE} as the {name}\b", re.IGNORECASE),
    )


def _read_match(match: re.Match[str], schema: Mapping[str, Any]) -> str | None:
    """The value of a match, where it fits what the parameter takes."""
    value = str(match["quoted"] if match["quoted"] is not None else match["plain"]).strip()
    options = [write_value(option) for option in cast("list[Any]", schema.get("enum") or [])]
    kind = schema.get("type")
    if options and value not in options:
        return None
    if kind in ("integer", "number") and not _NUMBER.fullmatch(value):
        return None
    return None if kind in ("array", "object") and not _is_document(value) else value


def _is_document(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
