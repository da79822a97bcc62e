"""The suite that every table has: ids, parents, values that must be there, closed sets, JSON."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

import typing
from collections.abc import Collection, Mapping
from typing import Any

import great_expectations.expectations as gxe

from data_checks.expectations import ExpectRowsToObeyRule, expect
from data_checks.frames import Record, RowChecks, Rule, find_broken_json, json_columns
from data_checks.gate import Level
from data_checks.parents import Parents
from schemas.tables import TABLES

ID_PREFIXES = {
    "seeds": "seed",
    "questions": "question",
    "tool_specs": "tool",
    "toolsets": "toolset",
    "dataflow_edges": "edge",
    "dialogue_tasks": "task",
    "dialogues": "dialogue",
    "verdicts": "verdict",
    "repaired_dialogues": "dialogue",
    "repaired_verdicts": "verdict",
    "dataset": "example",
    "ledger": "ledger",
}


def check_rows(table: str, references: Mapping[str, str], parents: Parents, own: RowChecks) -> RowChecks:
    """What is found out about each row: the table's own rules and figures, its JSON, and its references.

    Args:
        table: name of the table.
        references: column that holds ids (one or a list) -> table that they are ids of.
        parents: tables that may be looked up.
        own: the rules and figures of this table.
    """
    rules: dict[str, Rule] = {"json_is_valid": find_broken_json(table)} if json_columns(table) else {}
    for column, parent in references.items():
        if parents.has(parent):
            rules[f"{column}_exists"] = _find_missing(column, parent, parents)
    return RowChecks(rules={**rules, **own.rules}, figures=own.figures)


def list_shape_expectations(
    table: str, checks: RowChecks, *, empty: Level = "fail", only_warn: Collection[str] = ()
) -> list[Any]:
    """The expectations of every table, one for each rule included.

    Args:
        table: name of the table.
        checks: the rules of the table.
        empty: level of a table without rows.
        only_warn: rules that do not stop the run.
    """
    kind = TABLES[table]
    expectations: list[Any] = [
        expect(gxe.ExpectTableRowCountToBeBetween, "has_rows", empty, min_value=1),
        expect(gxe.ExpectColumnValuesToBeUnique, "id_is_unique", column="id"),
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "id_has_prefix",
            column="id",
            regex=f"^{ID_PREFIXES[table]}_[0-9a-f]{{16}}$",
        ),
    ]
    for name, field in kind.model_fields.items():
        options = typing.get_args(field.annotation)
        if name not in json_columns(table) and type(None) not in options:
            expectations.append(expect(gxe.ExpectColumnValuesToNotBeNull, f"{name}_is_there", column=name))
        values = _list_words(field.annotation)
        if values:
            expectations.append(
                expect(gxe.ExpectColumnValuesToBeInSet, f"{name}_is_known", column=name, value_set=values)
            )
    expectations.extend(
        expect(ExpectRowsToObeyRule, name, "warn" if name in only_warn else "fail", column=name)
        for name in checks.rules
    )
    return expectations


def list_missing_parents(references: Mapping[str, str], parents: Parents) -> list[str]:
    """Which references could not be looked up."""
    return [
        f"{column}: table {parent} was not given" for column, parent in references.items() if not parents.has(parent)
    ]


def _find_missing(column: str, parent: str, parents: Parents) -> Rule:
    def find(record: Record) -> str | None:
        value = record[column]
        ids: list[str] = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]
        missing = [identifier for identifier in ids if identifier not in parents.ids(parent)]
        return f"{column} {', '.join(missing[:3])} is not in {parent}" if missing else None

    return find


def _list_words(annotation: Any) -> list[str]:
    """The words of a Literal, wherever it stands in the annotation."""
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return [word for part in typing.get_args(annotation) for word in _list_words(part)]
