"""What parameters and result fields are called in words, for a model that never saw the database."""

import re

from schemas.databases import Column, Database
from schemas.tools import KeyPath, ParameterBinding
from turnwright.tools.key_roles import name_owned, name_path, name_reference
from turnwright.tools.naming import singular, split_words, to_words

_TECHNICAL = ("ref ", "tbl ", "tb ")
_STATEMENT = re.compile(
    r"\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|JOIN|WHERE|ORDER BY|GROUP BY|LIMIT|VALUES|CASE WHEN|CAST)\b"
    r"|\bwhere \S+ (?:=|LIKE|like) |(?<!\w):[a-z_]+\b|\|\|"
)
_FORMATS = {
    "date": " Written as YYYY-MM-DD.",
    "date-time": " Written as YYYY-MM-DD HH:MM:SS.",
    "time": " Written as HH:MM:SS.",
}


def name_entity(table: str) -> str:
    """One row of a table as a noun: `Ref_Payment_Methods` gives `payment method`."""
    words = to_words(table)
    for prefix in _TECHNICAL:
        words = words.removeprefix(prefix)
    return singular(words)


def name_possession(database: Database, table: str, column: str, via: KeyPath = ()) -> str:
    """A column as something of its row: `home town of the player`, `ID of the club`, `name of the from club`.

    A reference is called after the table that it points at, because that is whose id it is.
    """
    found = database.table(table)
    described = found.column(column) if found else None
    entity = name_path(via, database) or name_entity(table)
    if described is not None and described.surrogate:
        if described.references is None:
            return f"ID of the {entity}"
        owner = name_entity(described.references[0])
        same = _same_words(column, f"{owner} id") or split_words(column) in (["id"], ["nr"], ["no"])
        if via:
            return f"ID of the {name_owned(entity, name_reference(found, column) or owner)}" if found else entity
        return f"ID of the {owner}" if same else f"ID of the {owner} ({to_words(column)})"
    words = to_words(column)
    noun = name_entity(table)
    shorter = words.removeprefix(f"{noun} ")
    return entity if shorter == noun else f"{shorter} of the {entity}"


def _same_words(left: str, right: str) -> bool:
    return split_words(left) == split_words(right)


def capitalise(text: str) -> str:
    """`text` with a capital first letter; the rest stays."""
    return text[:1].upper() + text[1:]


def drop_statement(description: str) -> str:
    """A writer's description without the SQL that it was copied from: what stands before it, where that says enough.

    `List the cities, ORDER BY population DESC` gives `List the cities`.
    """
    found = _STATEMENT.search(description)
    return description if found is None else description[: found.start()].rstrip(" ,;:(-")


def describe_parameter(
    binding: ParameterBinding, column: Column | None, database: Database, *, optional: bool, list_limit: int
) -> str:
    """The description of one parameter, from what it is bound to."""
    if binding.operator == "limit":
        return f"Most results to return, from 1 to {list_limit}."
    if binding.operator == "offset":
        return "How many results to skip, to read on after an earlier call."
    if binding.table is None or binding.column is None or column is None:
        if binding.operator == "like":
            return f"{capitalise(to_words(binding.name))}: text found anywhere, in any case of letters, no wildcards."
        return f"{capitalise(to_words(binding.name))}."
    thing = name_possession(database, binding.table, binding.column, binding.via)
    text = {
        "=": f"{capitalise(thing)}.",
        "!=": f"Leaves out this {thing}.",
        "<": f"Upper bound, not reached: {thing}.",
        "<=": f"Highest {thing}.",
        ">": f"Lower bound, exceeded: {thing}.",
        ">=": f"Lowest {thing}.",
        "like": f"Text to find in the {thing}: a word or part of one, in any case of letters, no wildcards.",
        "in": f"One or more values: {thing}.",
        "set": f"New {thing}.",
        "values": f"{capitalise(thing)} to be added." if not column.surrogate else f"{capitalise(thing)}.",
    }.get(binding.operator, f"{capitalise(to_words(binding.name))}.")
    if binding.operator in {"<=", ">="} and column.format in {"date", "date-time", "time"}:
        text = f"{'Latest' if binding.operator == '<=' else 'Earliest'} {thing}."
    if column.surrogate and binding.operator in {"=", "in", "values", "set"}:
        text += " Other tools return it."
    if binding.operator != "like":
        text += _FORMATS.get(column.format or "", "")
    if optional:
        text += {"set": " Left out: stays as it is.", "values": " Left out: unknown."}.get(
            binding.operator, " Left out: does not matter."
        )
    return text


def describe_field(name: str, table: str | None, column: str | None, database: Database, via: KeyPath = ()) -> str:
    """The description of one result field."""
    if table is None or column is None:
        return f"{capitalise(to_words(name))}, computed."
    return f"{capitalise(name_possession(database, table, column, via))}."
