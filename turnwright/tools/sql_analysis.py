"""From a writer's SQL to a statement that can be a tool: checked, shaped, and understood.

The order matters: names are resolved on what was written, then the statement is shaped (matching by text, keys, result
names, order, limit), then it is resolved once more: what is known of a statement must be known of the one that runs.
"""

from dataclasses import dataclass
from typing import Literal, cast

from sqlglot import exp

from schemas.databases import Database
from schemas.tools import OutputField, ParameterBinding
from schemas.vocabulary import Effect
from turnwright.tools.entity_types import EntityTypes
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_bindings import Usage, find_usages, list_bindings
from turnwright.tools.sql_digest import digest_statement
from turnwright.tools.sql_names import Names, OutputColumn
from turnwright.tools.sql_ordering import gives_one_row, limit_rows, stabilise_order
from turnwright.tools.sql_results import cast_outputs, name_outputs, outputs_of
from turnwright.tools.sql_scope import resolve_names
from turnwright.tools.sql_shaping import cast_optional, compute_key, match_by_text
from turnwright.tools.sql_statement import parse_statement, read_verb, render_statement

Verb = Literal["select", "insert", "update", "delete"]
MAX_PARAMETERS = 12
"""Most parameters of one tool; more is a form, not a function."""


@dataclass(frozen=True)
class Analysis:
    """What code knows of a statement without running it."""

    sql: str
    """The statement that runs, in the dialect of the source, with `:named` parameters."""
    names: Names
    usages: tuple[Usage, ...]
    bindings: tuple[ParameterBinding, ...]
    outputs: tuple[OutputColumn, ...]
    """Result columns with their final names; empty for writes."""
    verb: Verb
    effect: Effect
    returns: Literal["rows", "row", "change"]
    target: str | None
    statement_digest: str

    @property
    def output_fields(self) -> tuple[OutputField, ...]:
        """The result columns, each with the column that it comes from."""
        return tuple(
            OutputField(
                name=output.name or "",
                table=output.origin.table if output.origin else None,
                column=output.origin.column if output.origin else None,
                via=output.origin.via if output.origin else (),
            )
            for output in self.outputs
        )


def analyse_sql(sql: str, database: Database, list_limit: int, types: EntityTypes | None = None) -> Analysis:
    """Parses, checks and shapes one statement. Without `types` the stored types of columns are not looked at.

    Raises:
        Rejection: it cannot be a tool on this database; the reason tells the writer what to change.
    """
    dialect = database.dialect
    types = types or EntityTypes(database, None)
    tree = parse_statement(sql, dialect)
    verb = cast(Verb, read_verb(tree))
    while isinstance(tree, exp.Subquery) and not tree.alias:
        tree = tree.this
    names = resolve_names(tree, database)
    match_by_text(tree, dialect)
    if isinstance(tree, exp.Insert):
        compute_key(tree, names, database)
    elif isinstance(tree, exp.Query):
        name_outputs(tree, names, database)
        cast_outputs(tree, names, types)
        stabilise_order(tree, names, dialect)
        limit_rows(tree, list_limit)
    if dialect == "postgres":
        cast_optional(tree, find_usages(names, render_statement(tree, dialect)), database)
    shaped = render_statement(tree, dialect)
    try:
        tree = parse_statement(shaped, dialect)
        names = resolve_names(tree, database)
    except Rejection as rejection:
        raise Rejection(
            "syntax", f"The statement could not be written in a stable form ({rejection.explanation})"
        ) from rejection
    usages = find_usages(names, shaped)
    _check_usages(usages, verb)
    return Analysis(
        sql=shaped,
        names=names,
        usages=usages,
        bindings=list_bindings(usages),
        outputs=outputs_of(tree, names, types) if verb == "select" else (),
        verb=verb,
        effect="read" if verb == "select" else "write",
        returns="change" if verb != "select" else "row" if gives_one_row(tree, names) else "rows",
        target=names.target.name if names.target else None,
        statement_digest=digest_statement(tree, names),
    )


def _check_usages(usages: tuple[Usage, ...], verb: Verb) -> None:
    parameters = {usage.name for usage in usages}
    if len(parameters) > MAX_PARAMETERS:
        raise Rejection("parameters", f"A tool takes at most {MAX_PARAMETERS} parameters, not {len(parameters)}.")
    if verb != "select" and not parameters:
        raise Rejection("parameters", "A tool that writes needs parameters; this one would always do the same.")
    for name in sorted(parameters):
        own = [usage for usage in usages if usage.name == name]
        if len({usage.listed for usage in own}) > 1:
            raise Rejection("parameters", f":{name} is a list in one place and a single value in another.")
        if any(usage.operator in {"limit", "offset"} for usage in own) and len({usage.operator for usage in own}) > 1:
            raise Rejection("parameters", f":{name} counts rows in one place and is a value in another.")
