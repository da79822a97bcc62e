"""What the simulated assistant tells of results: values exactly as they came back, in sentences."""

import random
from typing import Any

from turnwright.selfplay import assistant_language as say
from turnwright.selfplay.conversation import Call
from turnwright.selfplay.offered_tools import OfferedTool
from turnwright.selfplay.steps import Outcome
from turnwright.selfplay.wanted_labels import label_fits
from turnwright.selfplay.words import join_words, say_name, say_value, split_name, start_sentence, stem

_MOST_FIELDS = 7
"""Fields told of each row where the request names none."""


def is_hidden(name: str, value: Any) -> bool:
    """Whether a field is only an identifier, which nobody wants read out."""
    words = split_name(name)
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return bool(words) and words[-1] in {"id", "ids"} and (plain or str(value).isdigit())


def choose_fields(outcome: Outcome, row: dict[str, Any]) -> list[str]:
    """The fields of a row that answer the request, in the order of the row."""
    usable = [name for name, value in row.items() if not isinstance(value, dict | list)]
    asked = [name for name in usable if any(label_fits(name, label, outcome.nouns) for label in outcome.wanted)]
    matched = sum(1 for label in outcome.wanted if any(label_fits(name, label, outcome.nouns) for name in asked))
    if asked and matched == len(outcome.wanted):
        return asked
    asked += [name for name in usable if name not in asked and any(label <= _stems(name) for label in outcome.wanted)]
    shown = [name for name in usable if not is_hidden(name, row[name])] or usable
    return shown if len(shown) <= 12 else list(dict.fromkeys([*asked, *shown]))[:12]


def _stems(name: str) -> frozenset[str]:
    return frozenset(stem(word) for word in split_name(name))


def _tell_row(outcome: Outcome, row: dict[str, Any], rng: random.Random) -> str:
    names = choose_fields(outcome, row)
    subject = outcome.subject
    parts = [(say_name(name), say_value(row[name])) for name in names]
    if subject and len(parts) > 1:
        told = [part for part in parts if part[1].lower() != subject.lower()] or parts
        parts = told
    return say.tell_fields(parts, subject, rng)


def _name_field(rows: list[dict[str, Any]], names: list[str]) -> str:
    for name in names:
        words = split_name(name)
        if words and words[-1] in {"name", "title"} and isinstance(rows[0].get(name), str):
            return name
    return next((name for name in names if isinstance(rows[0].get(name), str)), names[0])


def _tell_rows(outcome: Outcome, rng: random.Random) -> str:
    rows = outcome.rows
    first = rows[0]
    names = [name for name, value in first.items() if not isinstance(value, dict | list)]
    shown = [name for name in names if not all(is_hidden(name, row.get(name)) for row in rows)] or names
    head = _name_field(rows, shown)
    others = [name for name in shown if name != head]
    asked = [name for name in others if any(label_fits(name, label, outcome.nouns) for label in outcome.wanted)]
    if len(others) > _MOST_FIELDS:
        others = list(dict.fromkeys([*asked, *others]))[:_MOST_FIELDS]
        others.sort(key=names.index)
    items: list[str] = []
    for row in rows:
        label = say_value(row.get(head))
        if len(others) == 1:
            items.append(f"{label} ({say_name(others[0])} {say_value(row.get(others[0]))})")
        elif others:
            details = ", ".join(f"{say_name(name)} {say_value(row.get(name))}" for name in others)
            items.append(f"{label} ({details})")
        else:
            items.append(label)
    return say.tell_list(items, long=bool(others) or len(items) > 6, rng=rng)


def tell_read(outcome: Outcome, rng: random.Random) -> str:
    """The outcome of a read in words."""
    text = _tell_found(outcome, rng)
    if outcome.beside:
        text += " " + say.tell_fields([(say_name(name), say_value(value)) for name, value in outcome.beside], "", rng)
    return text


def _tell_found(outcome: Outcome, rng: random.Random) -> str:
    call = outcome.call
    if call.error is not None:
        return tell_error(call, outcome.tool, outcome.subject, rng)
    if not outcome.rows:
        if isinstance(call.result, list | dict):
            return say.nothing_found(outcome.subject, rng)
        return say.tell_fields([("answer", say_value(call.result))], outcome.subject, rng)
    if len(outcome.rows) == 1:
        return _tell_row(outcome, outcome.rows[0], rng)
    return _tell_rows(outcome, rng)


def tell_error(call: Call, tool: OfferedTool, subject: str, rng: random.Random) -> str:
    """A failed call, truthfully, with a next step."""
    kind = call.error or "database"
    if kind == "not_found":
        return say.nothing_found(subject, rng)
    message = str(call.fields.get("message") or "")
    return say.failed(kind, message, say_action(tool), rng)


def say_action(tool: OfferedTool) -> str:
    """What a tool does, as a phrase without its name: `change the earnings of a player`."""
    words = split_name(tool.name)
    kind = {"create": "add the", "update": "change the", "delete": "remove the", "read": "look up the"}[tool.verb]
    rest = " ".join(word for word in words[1:] if word not in {"by", "id"}) or "record"
    return f"{kind} {rest}"


def say_change(tool: OfferedTool, arguments: dict[str, Any], subject: str) -> str:
    """A write in words, as in `change the earnings of Nick Price to 1500`."""
    told = [
        (parameter.label, say_value(arguments[parameter.name]))
        for parameter in tool.parameters
        if parameter.name in arguments
        and not (parameter.identifies and is_hidden(parameter.name, arguments[parameter.name]))
    ]
    told = [(label, value) for label, value in told if value != subject]
    noun = " ".join(word for word in split_name(tool.name)[1:] if word not in {"by", "id", "new"}) or "record"
    if tool.verb == "delete":
        return f"remove {subject or ('the ' + noun)}"
    details = join_words([f"the {label} {value}" for label, value in told])
    if tool.verb == "create":
        about = f" for {subject}" if subject and subject not in details else ""
        return f"add a new {noun}{about}{' with ' + details if details else ''}"
    if told:
        changes = join_words([f"the {label} to {value}" for label, value in told])
        return f"set {changes}{' for ' + subject if subject else ''}"
    return f"change {subject or ('the ' + noun)}"


def tell_write(outcome: Outcome, rng: random.Random) -> str:
    """The outcome of a write in words."""
    call = outcome.call
    if call.error is not None:
        return tell_error(call, outcome.tool, outcome.subject, rng)
    changed = call.fields.get("rows_changed", 1)
    if not changed:
        return say.unchanged(outcome.subject, rng)
    text = say.done(outcome.tool.verb, say_change(outcome.tool, call.arguments, outcome.subject), rng)
    if outcome.check is not None and len(outcome.check.rows) == 1:
        row = outcome.check.rows[0]
        written = {parameter for parameter in outcome.tool.parameters if not parameter.identifies}
        shown = [name for name in row if any(parameter.squeezed == "".join(split_name(name)) for parameter in written)]
        if shown:
            text += " " + say.read_back([(say_name(name), say_value(row[name])) for name in shown], rng)
    return text


def tell_outcomes(outcomes: list[Outcome], rng: random.Random) -> str:
    """All outcomes of a request in one message."""
    parts = [
        tell_read(outcome, rng) if outcome.tool.verb == "read" else tell_write(outcome, rng) for outcome in outcomes
    ]
    return " ".join(start_sentence(part) for part in parts)
