"""From what the user said to the arguments of a call."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from turnwright.selfplay.offered_tools import OfferedTool, Parameter
from turnwright.selfplay.spoken_values import NAMING, SpokenValue, find_labelled
from turnwright.selfplay.wanted_labels import DIRECTIONS
from turnwright.selfplay.words import fold, stem

_NAMELIKE = frozenset(stem(word) for word in "name title query keyword term search text pattern subject label".split())
_IDENTIFYING = frozenset({"id", "ids", "nr", "numb", "number", "no", "cod", "code", "key", "identifi", "uid"})
_GENERIC = frozenset({"new", "valu", "value", "first", "the", "to", "from", "min", "max", "minimum", "maximum"})


@dataclass
class Filling:
    """Arguments found so far."""

    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    used: dict[str, SpokenValue] = field(default_factory=dict[str, SpokenValue])
    """By parameter, the value in the user's words that fills it."""
    from_records: int = 0
    """Arguments taken from known records."""
    strength: float = 0.0
    """How well the words around the values fit the parameters."""

    def missing(self, tool: OfferedTool) -> list[Parameter]:
        """Required parameters without an argument."""
        return [parameter for parameter in tool.required if parameter.name not in self.arguments]


def convert_value(parameter: Parameter, text: str) -> Any:
    """`text` as an argument of the parameter's type, or none where it cannot be one."""
    if parameter.choices:
        folded = fold(text).strip()
        exact = [choice for choice in parameter.choices if fold(str(choice)) == folded]
        if exact:
            return exact[0]
        if folded in {"yes", "true", "no", "false"}:
            wanted = {"1", "t", "y", "yes", "true"} if folded in {"yes", "true"} else {"0", "f", "n", "no", "false"}
            return next((choice for choice in parameter.choices if fold(str(choice)) in wanted), None)
        number = _to_number(text)
        return next((choice for choice in parameter.choices if number is not None and choice == number), None)
    if parameter.kind == "integer":
        number = _to_number(text)
        return int(number) if number is not None and float(number).is_integer() else None
    if parameter.kind == "number":
        return _to_number(text)
    if parameter.kind == "boolean":
        return {"yes": True, "true": True, "no": False, "false": False}.get(fold(text).strip())
    return text


def _to_number(text: str) -> int | float | None:
    plain = text.replace(",", "").strip().lstrip("$€£").rstrip("%")
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        return float(plain)
    except ValueError:
        return None


def score_label(parameter: Parameter, value: SpokenValue, tool: OfferedTool) -> float:
    """How well what is said of a value fits a parameter: 0 not at all, 2 and more beyond doubt."""
    generic = _GENERIC - {"first"} if "name" in parameter.words else _GENERIC  # a first name is not a last name
    words = frozenset(parameter.words - generic) or parameter.words
    catches_all = bool(words & _NAMELIKE) and not words - _NAMELIKE - tool.name_words
    if not value.label:
        near = [value.before.index(word) for word in words if word in value.before]
        score = 0.6 / (1.0 + 0.15 * min(near)) if near else 0.0
        return max(score, 0.35 if catches_all and value.kind in ("text", "code") else 0.0)
    label, noun = value.label, value.noun
    if value.role == "bare":
        # `the club Arsenal`: the words may be a label or the thing whose name follows.
        if not words & label and not words - NAMING <= label:
            return 0.0
        label, noun = label | NAMING, value.label
    side = _read_side(value, label | noun)
    if side and parameter.words & DIRECTIONS and side not in parameter.words:
        return 0.0
    shared = words & label
    rest = words - label
    if value.role == "identifies" and rest and noun and noun <= parameter.described:
        # `other details of the resident`, whatever the parameter is called.
        said = label & parameter.described
        if said and (label == NAMING or label <= parameter.described):
            return 1.8
    if rest and noun and not rest <= noun | generic and value.role == "identifies":
        return 0.0
    if noun and not rest and value.role == "identifies" and not noun & (tool.words | words):
        return 0.2
    if shared and rest <= noun | tool.name_words:
        beyond = label - words - noun - tool.words - parameter.described - NAMING
        exact = 2.0 + 0.2 * len(shared & value.label) - 0.5 * len(beyond)
        return exact - (0.6 if value.role == "bare" and not shared & value.label else 0.0)
    if rest and label - words - noun - tool.words - parameter.described - NAMING:
        return 0.0
    if shared & value.label:
        return 0.3 + len(shared) / len(words | label)
    if value.role != "bare" and value.label <= parameter.described and not value.label <= tool.name_words | noun:
        return 1.2
    return 0.5 if catches_all and value.kind in ("text", "code") and not words & label else 0.0


def _read_side(value: SpokenValue, thing: frozenset[str]) -> str:
    """`from` where a value is said to be of the `from club`; empty where nothing is said of a side."""
    sides = (earlier for word, earlier in pairwise(value.before) if word in thing and earlier in DIRECTIONS)
    return next(sides, "")


def _fits_bound(parameter: Parameter, value: SpokenValue) -> bool:
    said = f"{parameter.name} {parameter.description}".lower()
    low = bool(re.search(r"\bmin|lowest|earliest|lower bound|at least|\bfrom\b|_from|after|above|start", said))
    high = bool(re.search(r"\bmax|highest|latest|upper bound|at most|\buntil\b|before|below|\bto_|_to\b|end_", said))
    if value.bound == "min":
        return low or not high
    if value.bound == "max":
        return high or not low
    return True


def find_written(tool: OfferedTool) -> frozenset[str]:
    """Names of the parameters that a tool writes, as opposed to those that say which record is meant."""
    if tool.verb == "create":
        return frozenset(parameter.name for parameter in tool.parameters)
    if tool.verb != "update":
        return frozenset()
    told = [
        parameter.name
        for parameter in tool.parameters
        if re.match(r"(?:the )?new\b", parameter.description, re.IGNORECASE) or parameter.name.startswith("new_")
    ]
    return frozenset(told or [parameter.name for parameter in tool.parameters if not parameter.identifies])


def fits_type(parameter: Parameter, value: SpokenValue, labelled: float) -> bool:
    """Whether a value can be an argument of the parameter at all."""
    if convert_value(parameter, value.text) is None:
        return False
    if parameter.choices:
        return True
    if parameter.kind == "string" and value.kind == "number":
        return labelled > 0.4
    if parameter.kind == "string" and parameter.format in ("date", "date-time"):
        return value.kind == "date" or labelled > 0.6
    return True


def _allow_identifier(parameter: Parameter, value: SpokenValue) -> bool:
    """Whether a value is meant as an identifier: its label says so."""
    return bool(parameter.words & _IDENTIFYING & value.label) or (
        bool(value.label) and parameter.words <= value.label | value.noun and not parameter.words & {"id"}
    )


def _allow_role(tool: OfferedTool, written: frozenset[str], parameter: Parameter, value: SpokenValue) -> bool:
    """Whether a value can be meant for this side of a change: what is written, or which record it is."""
    if tool.verb == "update":
        if parameter.name in written:
            return value.role != "identifies" and not value.bound
        return value.role != "new"
    return not (tool.verb == "create" and (value.role == "identifies" or value.bound))


def fill_arguments(
    tool: OfferedTool,
    values: Sequence[SpokenValue],
    texts: Iterable[str],
    *,
    skip: frozenset[str] = frozenset(),
) -> Filling:
    """The arguments of a call that the user's words give.

    Args:
        tool: the tool to call.
        values: what the user named, corrections last.
        texts: the user's messages, for values without capitals or quotes that follow their label.
        skip: names of parameters that are found another way.
    """
    filling = Filling()
    written = find_written(tool)
    pairs: list[tuple[float, int, int, Parameter, SpokenValue]] = []
    for order, parameter in enumerate(tool.parameters):
        if parameter.name in skip or parameter.counts_rows:
            continue
        for value in values:
            if value.negated:
                continue
            label = score_label(parameter, value, tool)
            if parameter.identifies and not parameter.choices and not _allow_identifier(parameter, value):
                continue
            if not _allow_role(tool, written, parameter, value) or not _fits_bound(parameter, value):
                continue
            if not fits_type(parameter, value, label):
                continue
            score = label + (0.6 if parameter.choices else 0.0) + (0.5 if value.bound else 0.0)
            if parameter.format in ("date", "date-time", "time") and value.kind == "date":
                score += 0.5
            if value.role == "new" and parameter.name in written:
                score += 0.3
            score += 0.02 * value.message
            pairs.append((score, -order, value.message * 100 + value.position, parameter, value))
    taken: set[tuple[int, int]] = set()
    for score, _, _, parameter, value in sorted(pairs, key=lambda pair: pair[:3], reverse=True):
        key = value.key
        if score < 0.3 or parameter.name in filling.arguments or key in taken:
            continue
        taken.add(key)
        filling.arguments[parameter.name] = convert_value(parameter, value.text)
        filling.used[parameter.name] = value
        filling.strength += min(score, 2.0)
    _fill_labelled(tool, filling, list(texts), skip)
    _fill_last_one(tool, filling, values, taken, skip)
    return filling


def _fill_labelled(tool: OfferedTool, filling: Filling, texts: list[str], skip: frozenset[str]) -> None:
    for parameter in tool.parameters:
        if (
            parameter.name in filling.arguments
            or parameter.name in skip
            or parameter.counts_rows
            or parameter.identifies
        ):
            continue
        for text in reversed(texts):
            found = find_labelled(text, parameter.label)
            value = None if found is None else convert_value(parameter, found)
            if value is None and parameter.choices:
                value = _find_choice(parameter, text)
            if value is not None and (parameter.choices or parameter.kind != "string" or len(str(value)) < 40):
                filling.arguments[parameter.name] = value
                filling.strength += 0.7
                break


def _find_choice(parameter: Parameter, text: str) -> Any:
    """A value of the parameter's closed set that the text names as a word; short codes only in their own spelling."""
    padded = f" {text} "
    for choice in sorted(parameter.choices, key=lambda choice: -len(str(choice))):
        said = str(choice)
        if len(said) >= 3 and any(f" {fold(said)}{end}" in fold(padded) for end in " .,;?!\n"):
            return choice
    return None


def _fill_last_one(
    tool: OfferedTool,
    filling: Filling,
    values: Sequence[SpokenValue],
    taken: set[tuple[int, int]],
    skip: frozenset[str],
) -> None:
    """One parameter open and one fitting value left: they belong together (`change the fee of X to 20`)."""
    open_ones = [
        parameter
        for parameter in tool.required
        if parameter.name not in filling.arguments
        and parameter.name not in skip
        and not parameter.identifies
        and not parameter.counts_rows
    ]
    if len(open_ones) != 1:
        return
    written = find_written(tool)
    parameter = open_ones[0]
    left = [
        value
        for value in values
        if value.key not in taken
        and not value.negated
        and fits_type(parameter, value, 0.5)
        and _allow_role(tool, written, parameter, value)
        and (not value.label or score_label(parameter, value, tool) > 0.25)
    ]
    targets = [value for value in left if value.role == "new"]
    chosen = targets[-1:] or (left[-1:] if len(left) == 1 else [])
    if chosen:
        filling.arguments[parameter.name] = convert_value(parameter, chosen[0].text)
        filling.used[parameter.name] = chosen[0]
        filling.strength += 0.3
        taken.add(chosen[0].key)


def fill_row_count(tool: OfferedTool, filling: Filling, values: Sequence[SpokenValue]) -> None:
    """Sets a `limit` from `top 3` or `the 5 largest`; otherwise ten rows."""
    taken = {value.key for value in filling.used.values()}
    for parameter in tool.parameters:
        if not parameter.counts_rows or parameter.name in filling.arguments:
            continue
        numbers = [value for value in values if value.kind == "number" and value.key not in taken and not value.negated]
        chosen = [
            value
            for value in numbers
            if parameter.words & value.label
            or {"top", "first", stem("highest"), stem("lowest")} & {*value.before[:2], *value.after[:1]}
        ]
        if parameter.required:
            chosen = chosen or numbers
        if chosen and chosen[-1].number is not None:
            filling.arguments[parameter.name] = int(chosen[-1].number)
            filling.used[parameter.name] = chosen[-1]
        elif parameter.required:
            filling.arguments[parameter.name] = parameter.default if parameter.default is not None else 10
