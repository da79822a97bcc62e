"""What a tool statement may be on PostgreSQL, and how an INSERT is kept from clock, chance and sequences.

A statement is parsed, judged by its syntax tree, and written anew from that tree: what runs is what was judged. Rights,
read-only transactions and timeouts stand behind this; the tree is judged because a role without rights may still call
`set_config` or `pg_sleep`, and because the clock is open to everybody.
"""

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from schemas.messages import ToolError

_FUNCTIONS = frozenset(
    """
    abs and anyvalue ascii avg arrayagg booland boolor logicaland logicalor case cast cbrt ceil coalesce concat
    concatws corr cos count countif covarpop covarsamp cumedist date dateadd datebin datediff datetrunc day
    dayofmonth dayofweek dayofyear degrees denserank exists exp extract factorial first firstvalue floor greatest
    groupconcat grouping hour if initcap isnan jsonarray jsonarrayagg jsonbcontains jsonbexists jsonbextract
    jsonbextractscalar jsonextract jsonextractscalar jsonobject jsonobjectagg jsonbobjectagg lag last lastvalue lead
    least left length ln log lower max median min minute mode month nthvalue ntile nullif numbertostr or
    percentilecont percentiledisc percentrank pi pow power quarter radians rank regexplike regexpilike replace
    reverse right round rownumber second sign sin split splitpart sqrt stddev stddevpop stddevsamp strposition
    strtodate strtotime stuff substring substringindex sum tan timestamptrunc timetostr tochar tonumber todays trim
    trunc trycast upper variance variancepop week weekofyear xor year
    """.split()
)
_NAMED_FUNCTIONS = frozenset(
    """
    age btrim char_length character_length date_part date_trunc div every json_agg jsonb_agg json_build_object
    jsonb_build_object json_array_length jsonb_array_length ltrim make_date make_interval mod octet_length position
    rtrim string_agg strpos substr timezone to_char to_date to_number to_timestamp translate width_bucket
    array_length cardinality array_position jsonb_typeof json_typeof quote_literal regexp_replace regexp_match
    similarity unaccent
    """.split()
)
_TIMES: dict[type[exp.Expr], str] = {
    exp.CurrentTimestamp: "TIMESTAMPTZ",
    exp.Localtimestamp: "TIMESTAMP",
    exp.CurrentDate: "DATE",
    exp.CurrentTime: "TIMETZ",
    exp.Localtime: "TIME",
}
_NAMED_TIMES = frozenset(["now", "clock_timestamp", "transaction_timestamp", "statement_timestamp"])
_NAMED_UUIDS = frozenset(["gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1", "uuid_generate_v1mc", "uuidv4"])
_CLOCK_WORDS = frozenset(["now", "today", "tomorrow", "yesterday"])
_SYSTEM_COLUMNS = frozenset(["xmin", "xmax", "cmin", "cmax", "ctid", "tableoid"])
_FORBIDDEN = (exp.Command, exp.Into, exp.Parameter, exp.Lateral, exp.Unnest, exp.Lock, exp.Dot, exp.Introducer)
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)


class RefusedError(Exception):
    """A statement that may not run. The message is for the model that made the call."""

    @property
    def error(self) -> ToolError:
        """The same as a tool error."""
        return ToolError(kind="refused", message=f"The statement is not allowed: {self}.")


@dataclass(frozen=True)
class Statement:
    """A statement that may run."""

    tree: exp.Expr
    tables: tuple[str, ...]
    """Tables and views that it names, sorted."""
    target: str | None
    """Table that it writes."""
    verb: Literal["select", "insert", "update", "delete"]


@dataclass(frozen=True)
class ColumnDefault:
    """What a column is given when an INSERT leaves it out, where that is not the same each time."""

    column: str
    kind: Literal["counter", "always", "expression", "unknown"]
    """`counter`: a sequence; `always`: one that wants to be overridden; `unknown`: cannot be pinned."""
    expression: str
    """The default as the catalogue spells it."""


def parse_statement(sql: str, *, writes: bool, readable: frozenset[str], schema: str) -> Statement:
    """Judges one statement.

    Raises:
        RefusedError: it is not one statement, does what it may not, or names something out of bounds.
    """
    if "\x01" in sql or "\x02" in sql:
        raise RefusedError("it holds control characters")
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect="postgres") if tree is not None]
    except (SqlglotError, RecursionError):
        raise RefusedError("it cannot be read") from None
    if len(trees) != 1:
        raise RefusedError("it must be one statement")
    tree = trees[0]
    verb = _find_verb(tree, writes)
    nodes = list(tree.walk())
    if any(isinstance(node, _WRITES) for node in nodes if node is not tree):
        raise RefusedError("a statement may not write inside another")
    if any(isinstance(node, _FORBIDDEN) for node in nodes):
        raise RefusedError("it uses something that is out of bounds")
    for node in nodes:
        _check_node(node)
    target_node = tree.this.find(exp.Table) if verb != "select" else None
    target = _real_name(target_node) if target_node is not None else None
    tables = _check_tables(tree, readable, schema)
    if target is not None and target not in tables:
        raise RefusedError(f"{target} is out of bounds")
    return Statement(tree, tuple(sorted(tables)), target, verb)


def _find_verb(tree: exp.Expr, writes: bool) -> Literal["select", "insert", "update", "delete"]:
    if not writes and isinstance(tree, exp.Query):
        return "select"
    if writes:
        if isinstance(tree, exp.Insert):
            return "insert"
        if isinstance(tree, exp.Update):
            return "update"
        if isinstance(tree, exp.Delete):
            return "delete"
    raise RefusedError("it is of the wrong kind")


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.Anonymous):
        if node.name.lower() not in _NAMED_FUNCTIONS:
            raise RefusedError(f"the function {node.name.lower()} is out of bounds")
    elif isinstance(node, exp.Func) and node.key not in _FUNCTIONS:
        raise RefusedError(f"the function {node.sql_name().lower()} is out of bounds")
    elif isinstance(node, exp.Literal) and node.is_string and node.name.strip().lower() in _CLOCK_WORDS:
        raise RefusedError(f"'{node.name}' would be read from the clock")
    elif isinstance(node, exp.Column) and node.name.lower() in _SYSTEM_COLUMNS:
        raise RefusedError(f"the column {node.name} is out of bounds")


def _real_name(table: exp.Table) -> str:
    identifier = table.this
    quoted = isinstance(identifier, exp.Identifier) and bool(identifier.args.get("quoted"))
    return table.name if quoted else table.name.lower()


def _check_tables(tree: exp.Expr, readable: frozenset[str], schema: str) -> set[str]:
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    tables: set[str] = set()
    for table in tree.find_all(exp.Table):
        name = _real_name(table)
        if not isinstance(table.this, exp.Identifier) or table.catalog or table.db not in ("", schema):
            raise RefusedError("it reads from something that is out of bounds")
        if name in readable:
            tables.add(name)
        elif table.db or name.lower() not in named:
            raise RefusedError(f"{name} is out of bounds")
    return tables


def render_statement(tree: exp.Expr) -> str:
    """The statement as psycopg takes it: `%(name)s` for parameters, other percent signs doubled."""

    def mark(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            return exp.Var(this=f"\x01{node.name}\x02")
        return node

    text = tree.copy().transform(mark).sql(dialect="postgres", comments=False)
    return text.replace("%", "%%").replace("\x01", "%(").replace("\x02", ")s")


def check_clock_words(parameters: Mapping[str, Any]) -> str | None:
    """Name of a parameter whose text PostgreSQL would read from the clock, were it compared with a date; or none."""
    for name, value in parameters.items():
        if isinstance(value, str) and value.strip().lower() in _CLOCK_WORDS:
            return name
    return None


def judge_default(column: str, expression: str | None, identity: str) -> ColumnDefault | None:
    """What has to be done about a column's default; none where it is the same each time."""
    if identity == "a":
        return ColumnDefault(column, "always", "")
    if identity == "d":
        return ColumnDefault(column, "counter", "")
    if expression is None:
        return None
    try:
        tree = sqlglot.parse_one(expression, dialect="postgres")
    except SqlglotError:
        return ColumnDefault(column, "unknown", expression)
    inner = tree
    while isinstance(inner, exp.Cast | exp.Paren):
        inner = inner.this
    if isinstance(inner, exp.Anonymous) and inner.name.lower() == "nextval":
        return ColumnDefault(column, "counter", expression)
    pinned = _pin_tree(tree.copy(), "2000-01-01T00:00:00", random.Random(0))
    try:
        for node in pinned.walk():
            _check_node(node)
    except RefusedError:
        return ColumnDefault(column, "unknown", expression)
    return None if pinned == tree else ColumnDefault(column, "expression", expression)


def _pin_tree(tree: exp.Expr, reference_time: str, rng: random.Random) -> exp.Expr:
    """Replaces clock and chance in an expression."""

    def replace(node: exp.Expr) -> exp.Expr:
        kind = next((name for known, name in _TIMES.items() if isinstance(node, known)), None)
        name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        if kind is None and name in _NAMED_TIMES:
            kind = "TIMESTAMPTZ"
        if kind is not None:
            moment: exp.Expr = exp.cast(exp.Literal.string(reference_time), "TIMESTAMPTZ")
            return moment if kind == "TIMESTAMPTZ" else exp.cast(moment, kind)
        if isinstance(node, exp.Literal) and node.is_string and node.name.strip().lower() == "now":
            return exp.Literal.string(reference_time)
        if isinstance(node, exp.Uuid) or name in _NAMED_UUIDS:
            return exp.cast(exp.Literal.string(str(uuid.UUID(int=rng.getrandbits(128), version=4))), "UUID")
        if isinstance(node, exp.Rand):
            return exp.Literal.number(f"{rng.random():.15f}")
        return node

    return tree.transform(replace)


@dataclass(frozen=True)
class Pinning:
    """What stands in for clock, chance and sequences while one INSERT is written."""

    reference_time: str
    rng: random.Random
    counters: Mapping[str, int]
    """Largest value of each counted column before the statement."""


def pin_insert(
    statement: Statement, columns: Sequence[str], defaults: Sequence[ColumnDefault], pinning: Pinning
) -> exp.Expr:
    """The INSERT with an explicit value for every column whose default is not the same each time.

    Args:
        statement: the judged INSERT.
        columns: all columns of its table, in order.
        defaults: those of its table that need pinning.
        pinning: what the values are made of.

    Raises:
        RefusedError: a default cannot be pinned and the statement gives no value.
    """
    tree = statement.tree.copy()
    source = tree.args.get("expression")
    given = _list_given(tree, source, columns)
    wanted = [default for default in defaults if default.column not in given]
    rows = _value_rows(source)
    _fill_default_words(rows, given, defaults, pinning)
    if not wanted and not any(default.kind == "always" for default in defaults if default.column in given):
        return tree
    if rows is None and source is not None:
        raise RefusedError("an INSERT from a query must give a value to " + ", ".join(d.column for d in wanted))
    if rows is None:
        rows = [exp.Tuple(expressions=[])]
        tree.set("default", None)
    for index, row in enumerate(rows):
        for default in wanted:
            row.append("expressions", _pinned_value(default, pinning, index))
    names = [*given, *(default.column for default in wanted)]
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    listed = ", ".join(exp.to_identifier(name, quoted=True).sql(dialect="postgres") for name in names)
    overriding = " OVERRIDING SYSTEM VALUE" if any(d.kind == "always" for d in defaults) else ""
    tree.set("this", exp.Var(this=f"{table.sql(dialect='postgres')} ({listed}){overriding}"))
    tree.set("expression", exp.Values(expressions=rows))
    return tree


def _list_given(tree: exp.Expr, source: Any, columns: Sequence[str]) -> list[str]:
    if isinstance(tree.this, exp.Schema):
        return [
            item.name if item.args.get("quoted") else item.name.lower()
            for item in cast(list[exp.Expr], tree.this.expressions)
        ]
    if source is None:
        return []
    rows = _value_rows(source)
    width = len(rows[0].expressions) if rows else len(cast(list[Any], source.expressions))
    return list(columns[:width])


def _value_rows(source: Any) -> list[exp.Tuple] | None:
    if not isinstance(source, exp.Values):
        return None
    return [row if isinstance(row, exp.Tuple) else exp.Tuple(expressions=[row]) for row in source.expressions]


def _fill_default_words(
    rows: list[exp.Tuple] | None, given: Sequence[str], defaults: Sequence[ColumnDefault], pinning: Pinning
) -> None:
    """Replaces the word DEFAULT where the default is not the same each time."""
    by_column = {default.column: default for default in defaults}
    for index, row in enumerate(rows or ()):
        for name, value in zip(given, list(row.expressions), strict=False):
            if name in by_column and value.sql(dialect="postgres").upper() == "DEFAULT":
                value.replace(_pinned_value(by_column[name], pinning, index))


def _pinned_value(default: ColumnDefault, pinning: Pinning, index: int) -> exp.Expr:
    if default.kind == "unknown":
        raise RefusedError(f"the default of {default.column} is not the same each time; give a value")
    if default.kind != "expression":
        return exp.Literal.number(pinning.counters[default.column] + 1 + index)
    tree = sqlglot.parse_one(default.expression, dialect="postgres")
    return _pin_tree(tree, pinning.reference_time, pinning.rng)
