"""From what the user said to the arguments of a call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from turnwright.selfplay.offered_tools import OfferedTool, Parameter
from turnwright.selfplay.spoken_values import SpokenValue, find_labelled
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


def score_label(parameter: Parameter, value: SpokenValue, noun: frozenset[str] = frozenset()) -> float:
    """How well the words around a value fit a parameter's name: 0 not at all, 1 and more for the whole name close by.

    Args:
        parameter: the parameter.
        value: the value.
        noun: stems of what the tool is about; as parts of a parameter's name they tell less (`singer_name`).
    """
    words = [word for word in parameter.words if word not in _GENERIC] or list(parameter.words)
    telling = [word for word in words if word not in noun] or words
    total = 0.0
    for word in words:
        share = 1.0 if word in telling else 0.35
        if word in value.before:
            total += share / (1.0 + 0.12 * value.before.index(word))
        elif word in value.after and not value.quoted:
            total += 0.45 * share
    total /= len(telling) + 0.35 * (len(words) - len(telling))
    if parameter.format in ("date", "date-time", "time") and value.kind == "date":
        total += 0.5
    return total


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
    """Whether a value is meant as an identifier: one of the words for it stands right beside it."""
    last = next((word for word in ("id", "nr", "code", "number", "no", "key") if parameter.squeezed.endswith(word)), "id")
    near = value.before[:3]
    return stem(last) in near or last in near or (last == "no" and "number" in near)


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
    pairs: list[tuple[float, int, int, Parameter, SpokenValue]] = []
    for order, parameter in enumerate(tool.parameters):
        if parameter.name in skip or parameter.counts_rows:
            continue
        for value in values:
            if value.negated:
                continue
            label = score_label(parameter, value, tool.name_words)
            if parameter.identifies and not parameter.choices and not _allow_identifier(parameter, value):
                continue
            if not fits_type(parameter, value, label):
                continue
            score = label + (0.6 if parameter.choices else 0.0)
            if parameter.kind == "string" and parameter.words & _NAMELIKE and value.kind in ("text", "code"):
                score += 0.35 if value.quoted or value.kind == "text" else 0.15
            score += 0.02 * value.message
            if value.target and tool.verb == "update":
                score += 0.3
            pairs.append((score, -order, value.message * 100 + value.position, parameter, value))
    taken: set[tuple[int, int]] = set()
    for score, _, _, parameter, value in sorted(pairs, key=lambda pair: pair[:3], reverse=True):
        key = (value.message, value.position)
        if score < 0.3 or parameter.name in filling.arguments or key in taken:
            continue
        taken.add(key)
        filling.arguments[parameter.name] = convert_value(parameter, value.text)
        filling.used[parameter.name] = value
        filling.strength += min(score, 1.5)
    _fill_labelled(tool, filling, list(texts), skip)
    _fill_last_one(tool, filling, values, taken, skip)
    return filling


def _fill_labelled(tool: OfferedTool, filling: Filling, texts: list[str], skip: frozenset[str]) -> None:
    for parameter in tool.parameters:
        if parameter.name in filling.arguments or parameter.name in skip or parameter.counts_rows or parameter.identifies:
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
    parameter = open_ones[0]
    left = [
        value
        for value in values
        if (value.message, value.position) not in taken and not value.negated and fits_type(parameter, value, 0.5)
    ]
    targets = [value for value in left if value.target]
    chosen = targets[-1:] or (left[-1:] if len(left) == 1 or tool.verb != "update" else [])
    if chosen:
        filling.arguments[parameter.name] = convert_value(parameter, chosen[0].text)
        filling.used[parameter.name] = chosen[0]
        filling.strength += 0.3
        taken.add((chosen[0].message, chosen[0].position))


def fill_row_count(tool: OfferedTool, filling: Filling, values: Sequence[SpokenValue]) -> None:
    """Sets a `limit` from `top 3` or `the 5 largest`; otherwise ten rows."""
    taken = {(value.message, value.position) for value in filling.used.values()}
    for parameter in tool.parameters:
        if not parameter.counts_rows or parameter.name in filling.arguments:
            continue
        numbers = [
            value
            for value in values
            if value.kind == "number" and (value.message, value.position) not in taken and not value.negated
        ]
        chosen = [
            value
            for value in numbers
            if score_label(parameter, value) > 0 or {"top", "first", stem("highest"), stem("lowest")} & {*value.before[:2], *value.after[:1]}
        ]
        if parameter.required:
            chosen = chosen or numbers
        if chosen and chosen[-1].number is not None:
            filling.arguments[parameter.name] = int(chosen[-1].number)
        elif parameter.required:
            filling.arguments[parameter.name] = parameter.default if parameter.default is not None else 10
