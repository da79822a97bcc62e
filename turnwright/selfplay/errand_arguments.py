"""From what a person said to the arguments of a call of a tool that is known by its specification alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from turnwright.selfplay.errand_tools import KEYS, LONG_STEMS, ORDINALS, ErrandParameter, ErrandTool
from turnwright.selfplay.pursuit import drop_corrected
from turnwright.selfplay.spoken_values import SpokenValue, find_labelled, read_values
from turnwright.selfplay.words import all_stems, fold, stem

_YES_NO = re.compile(
    r"\b(?:the|an?|my|and|with|,)\s+(?P<label>[A-Za-z][\w -]{1,60}?)\s+(?:is |should be |set to |to be |to |as )?"
    r"(?P<value>yes|no|true|false|on|off)\b(?=\s*(?:[,.;?!]|$|and\b|please\b|for\b))",
    re.IGNORECASE,
)
_WORD = re.compile(
    r"\b(?:the|an?|my|in|with|,)\s+(?P<label>(?:[A-Za-z][\w-]*\s+){1,4}?)(?:is |should be |to |as )?"
    r"(?P<value>[a-z][\w-]*)"
    r"(?=\s*(?:[,.;?!]|$|and\b|please\b|for\b))"
)
"""A plain word behind a label: a value where it is one of a closed set, else just a word."""
_AGAIN = re.compile(r",?\s+and (?:once )?again with\s+", re.IGNORECASE)
_SPLIT = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s*;\s*")
_LEAST = 0.5
_NOISE = frozenset(stem(word) for word in "option setting value should really one my your".split())


@dataclass(frozen=True)
class Told:
    """One value that was said, with the words for what it is."""

    text: str
    label: frozenset[str]
    kind: str
    key: tuple[int, int]
    """Number of the message and of the value in it: later ones are larger."""
    segment: int
    """Which of several things asked for at once it belongs to."""


@dataclass
class Filled:
    """Arguments found so far, by path."""

    values: dict[tuple[str, ...], Any] = field(default_factory=dict[tuple[str, ...], Any])
    used: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def missing(self, tool: ErrandTool) -> list[ErrandParameter]:
        """Required parameters without a value."""
        return [item for item in tool.parameters if item.required and item.path not in self.values]

    @property
    def arguments(self) -> dict[str, Any]:
        """The argument object."""
        made: dict[str, Any] = {}
        for path, value in self.values.items():
            target = made
            for key in path[:-1]:
                target = cast("dict[str, Any]", target.setdefault(key, {}))
            target[path[-1]] = value
        return made


def read_told(texts: Sequence[str]) -> list[Told]:
    """The values of a request in the order in which they were said, without those that were taken back."""
    spoken: list[tuple[SpokenValue, int]] = []
    told: list[Told] = []
    for number, text in enumerate(texts):
        segments = _AGAIN.split(text) if number == 0 else [text]
        for segment, part in enumerate(segments):
            # What follows `again with` is read as if it stood in a sentence of its own.
            values = read_values(part if segment == 0 else f"It is with {part}", number)
            spoken += [(value, segment) for value in values]
            told += [
                Told(
                    found["value"],
                    frozenset(all_stems(found["label"])) - _NOISE,
                    "boolean",
                    (number, 500 + segment * 100 + place),
                    segment,
                )
                for place, found in enumerate(_YES_NO.finditer(part))
            ]
            told += [
                Told(
                    found["value"],
                    frozenset(all_stems(found["label"])) - _NOISE,
                    "word",
                    (number, 700 + segment * 100 + place),
                    segment,
                )
                for place, found in enumerate(_WORD.finditer(part))
            ]
    kept = {id(value) for value in drop_corrected([value for value, _ in spoken])}
    told += [
        Told(
            value.text,
            (value.label | value.noun) - _NOISE,
            value.kind,
            (value.message, segment * 100 + value.position),
            segment,
        )
        for value, segment in spoken
        if id(value) in kept
    ]
    return sorted(told, key=lambda item: item.key)


def rate_label(parameter: ErrandParameter, label: frozenset[str]) -> float:
    """How well what is said of a value fits a parameter: from 0, not at all, to 2, the very words."""
    if not label:
        return 0.0
    label = frozenset(LONG_STEMS.get(word, word) for word in label)
    words = parameter.words
    if label & ORDINALS and words & ORDINALS and not label & words & ORDINALS:
        return 0.0
    shared = label & words
    if shared and shared - ORDINALS:
        return 1.0 + 2.0 * len(shared) / (len(label) + len(words)) if label != words else 2.0
    about = label & parameter.described
    return 0.8 * len(about) / len(label) if about and len(about) * 2 > len(label) else 0.0


def convert_told(parameter: ErrandParameter, text: str) -> Any:
    """`text` as a value of the parameter's type, or none where it cannot be one."""
    if parameter.choices:
        folded = _plain(text)
        return next((choice for choice in parameter.choices if _plain(_say(choice)) == folded), None)
    if parameter.kind == "array":
        items = [_convert(parameter.items, part) for part in _SPLIT.split(text.strip()) if part]
        return items if items and all(item is not None for item in items) else None
    return _convert(parameter.kind, text)


def _plain(text: str) -> str:
    """As people say the words of a closed set: without case, underscores and dashes."""
    return " ".join(re.sub(r"[_-]", " ", fold(text)).split())


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _convert(kind: str, text: str) -> Any:
    if kind == "boolean":
        return {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}.get(
            fold(text).strip()
        )
    if kind in ("integer", "number"):
        plain = text.replace(",", "").strip().lstrip("$€£").rstrip("%")
        try:
            number = float(plain)
        except ValueError:
            return None
        if number.is_integer() and abs(number) < 2**53 and (kind == "integer" or "." not in plain):
            return int(number)
        return number if kind == "number" and abs(number) < 1e300 else None
    return text if kind == "string" else None


def fill_told(
    tool: ErrandTool,
    told: Sequence[Told],
    skip: frozenset[tuple[str, ...]] = frozenset(),
    texts: Sequence[str] = (),
) -> Filled:
    """The arguments that the words themselves give: each value to the parameter whose label it fits best.

    What was said last of a parameter counts. Where `texts` say `the LABEL is …` without quotes, that fills a text. One
    value without a label fills the one parameter that is still open.
    """
    filled = Filled()
    pairs: list[tuple[float, tuple[int, int], int, ErrandParameter, Any]] = []
    for order, parameter in enumerate(tool.parameters):
        for item in told if parameter.path not in skip else ():
            rate = rate_label(parameter, item.label)
            if item.kind == "word" and not parameter.choices:
                continue
            if parameter.identifies and not item.label & KEYS and not any(map(str.isdigit, item.text)):
                continue  # `the user Maria` is no user ID
            value = convert_told(parameter, item.text) if rate >= _LEAST else None
            if value is not None:
                pairs.append((round(rate, 3), item.key, -order, parameter, value))
    best: dict[tuple[int, int], float] = {}
    for rate, key, _, _, _ in pairs:
        best[key] = max(rate, best.get(key, 0.0))
    for rate, key, _, parameter, value in sorted(pairs, key=lambda pair: pair[:3], reverse=True):
        if parameter.path in filled.values or key in filled.used or rate < best[key] - 0.6:
            continue
        filled.values[parameter.path] = value
        filled.used.add(key)
    # A later value for the same label replaces the one said first, even where the first fits the words better.
    for rate, key, _, parameter, value in sorted(pairs, key=lambda pair: pair[1]):
        if rate >= 1.0 and key[0] > 0 and key not in filled.used and rate >= best[key]:
            filled.values[parameter.path] = value
            filled.used.add(key)
    for parameter in filled.missing(tool):
        if parameter.kind == "string" and not parameter.choices and not parameter.identifies:
            said = [found for text in texts if (found := find_labelled(text, parameter.label))]
            if said and parameter.path not in skip:
                filled.values[parameter.path] = said[-1]
    _fill_last(tool, filled, told, skip)
    return filled


def _fill_last(tool: ErrandTool, filled: Filled, told: Sequence[Told], skip: frozenset[tuple[str, ...]]) -> None:
    open_ones = [item for item in filled.missing(tool) if item.path not in skip]
    free = [
        item
        for item in told
        if item.key not in filled.used
        and not item.label
        and item.kind != "word"
        and fold(item.text) not in fold(tool.description)
    ]
    if len(open_ones) != 1 or len(free) != 1:
        return
    value = convert_told(open_ones[0], free[0].text)
    if value is not None:
        filled.values[open_ones[0].path] = value
        filled.used.add(free[0].key)
