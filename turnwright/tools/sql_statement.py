"""One SQL statement as a syntax tree: read from what a writer gave, written back for the engine that runs it."""

import re
from functools import cache
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from turnwright.tools.naming import snake_case
from turnwright.tools.rejection import Rejection

MAX_CHARACTERS = 8_000
"""Longest statement that is looked at; a longer one is no tool."""

_VERBS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Query, "select"),
    (exp.Insert, "insert"),
    (exp.Update, "update"),
    (exp.Delete, "delete"),
)
_FUNCTIONS = frozenset(
    "COUNT SUM AVG MIN MAX TOTAL GROUP_CONCAT STRING_AGG COALESCE IFNULL NULLIF ROUND ABS LOWER UPPER LENGTH"
    " SUBSTR SUBSTRING TRIM LTRIM RTRIM BTRIM REPLACE INSTR STRPOS POSITION STR_POSITION CAST TRY_CAST CASE IF IIF"
    " STRFTIME DATE TIME DATETIME JULIANDAY TIME_TO_STR TS_OR_DS_TO_TIMESTAMP TS_OR_DS_TO_DATE TO_CHAR TO_DATE"
    " TO_NUMBER EXTRACT DATE_PART DATE_TRUNC TIMESTAMP_TRUNC AGE YEAR MONTH DAY CEIL CEILING FLOOR SQRT POWER POW"
    " MOD SIGN CONCAT CONCAT_WS LEFT RIGHT INITCAP SPLIT_PART GREATEST LEAST PRINTF FORMAT ROW_NUMBER RANK"
    " DENSE_RANK PERCENT_RANK NTILE LAG LEAD FIRST_VALUE LAST_VALUE AND OR XOR EXISTS TIMESTAMP DATE_ADD DATE_SUB"
    " DATE_DIFF BOOL_AND BOOL_OR LOGICAL_AND LOGICAL_OR TYPEOF EXP LN LOG PI STDDEV STDDEV_POP STDDEV_SAMP"
    " VARIANCE VAR_POP VAR_SAMP MEDIAN PERCENTILE_CONT REGEXP_REPLACE LEVENSHTEIN REVERSE".split()
)
"""Functions that a tool may use: pure, and without a way out of the database. All others are refused."""
_CLOCK = {"now", "today", "tomorrow", "yesterday"}
_QUOTED_PARAMETER = re.compile(r"^(%?):([A-Za-z_]\w*)(%?)$")
_WANTED = "Parameters are written :name, letters, digits and underscores only."


def parse_statement(sql: str, dialect: str) -> exp.Expr:
    """The tree of the one SELECT, INSERT, UPDATE or DELETE in `sql`, parameters named in snake_case.

    A parameter that stands inside quotes, as in `'%:name%'`, is taken out of them: it could never be bound there.

    Raises:
        Rejection: not exactly one such statement, a function that is not allowed, or a parameter that cannot be named.
    """
    if not sql.strip():
        raise Rejection("empty", "The draft has no SQL.")
    if len(sql) > MAX_CHARACTERS or "\0" in sql:
        raise Rejection("too_long", f"The SQL must be plain text of at most {MAX_CHARACTERS} characters.")
    try:
        parsed = [
            tree
            for tree in sqlglot.parse(_mark_parameters(sql, dialect), read=dialect)
            if tree is not None and not isinstance(tree, exp.Semicolon)
        ]
    except (SqlglotError, RecursionError, ValueError) as error:
        raise Rejection("syntax", f"The SQL does not parse as {dialect}: {_first_line(error)}") from error
    if len(parsed) != 1:
        raise Rejection("statements", f"Write exactly one statement, not {len(parsed)}.")
    tree = parsed[0]
    read_verb(tree)
    _refuse_unsafe(tree)
    return _name_parameters(tree)


_MARK = "p__"


def _mark_parameters(sql: str, dialect: str) -> str:
    """Puts a mark before each parameter's name: the parser takes `:from` for a keyword, `:p__from` for a name."""
    tokens = sqlglot.tokenize(sql, read=dialect)
    places = [
        after.start
        for colon, after in pairwise(tokens)
        if colon.token_type.name == "COLON" and after.start == colon.end + 1 and re.fullmatch(r"[^\W\d]\w*", after.text)
    ]
    for place in reversed(places):
        sql = f"{sql[:place]}{_MARK}{sql[place:]}"
    return sql


def read_verb(tree: exp.Expr) -> str:
    """`select`, `insert`, `update` or `delete`.

    Raises:
        Rejection: it is another kind of statement.
    """
    for kind, verb in _VERBS:
        if isinstance(tree, kind):
            return verb
    name = str(tree.this) if isinstance(tree, exp.Command) else tree.key
    raise Rejection("statement_kind", f"Only SELECT, INSERT, UPDATE and DELETE are allowed, not {name.upper()[:40]}.")


def _first_line(error: BaseException) -> str:
    text = re.sub(r"\x1b\[\d*m", "", str(error)).strip().splitlines()
    return text[0][:200] if text else type(error).__name__


def _refuse_unsafe(tree: exp.Expr) -> None:
    refused = (
        exp.Create,
        exp.Drop,
        exp.Command,
        exp.Pragma,
        exp.Attach,
        exp.Into,
        exp.Lock,
        exp.Lateral,
        exp.UDTF,
        exp.TableSample,
    )
    for node in tree.walk():
        if isinstance(node, refused) and not isinstance(node, exp.Values):
            raise Rejection("construct", f"{node.key.upper()} is not allowed in a tool.")
        if isinstance(node, exp.With) and node.args.get("recursive"):
            raise Rejection("recursion", "WITH RECURSIVE is not allowed in a tool.")
        if node is not tree and isinstance(node, (exp.Insert, exp.Update, exp.Delete)):
            raise Rejection("construct", "A statement inside another may only be a SELECT.")
        if isinstance(node, exp.Func):
            _refuse_function(node)


def _refuse_function(node: exp.Func) -> None:
    anonymous = isinstance(node, exp.Anonymous)
    names = [str(node.this).upper()] if anonymous else [name.upper() for name in node.sql_names()]
    if not _FUNCTIONS.intersection(names):
        raise Rejection(
            "function", f"The function {names[0]} is not allowed; use plain and repeatable SQL functions only."
        )
    for literal in node.find_all(exp.Literal):
        if literal.is_string and str(literal.this).strip().lower() in _CLOCK and _is_time(node, names):
            raise Rejection("clock", "The current time is not allowed; take the date as a parameter.")
    if _is_time(node, names) and node.this is None and not node.expressions:
        raise Rejection("clock", "The current time is not allowed; take the date as a parameter.")


def _is_time(node: exp.Func, names: list[str]) -> bool:
    return isinstance(node, exp.TimeToStr) or bool(
        {"DATE", "TIME", "DATETIME", "JULIANDAY", "STRFTIME", "TIMESTAMP"}.intersection(names)
    )


def _name_parameters(tree: exp.Expr) -> exp.Expr:
    for literal in list(tree.find_all(exp.Literal)):
        match = _QUOTED_PARAMETER.match(str(literal.this)) if literal.is_string else None
        if match:
            literal.replace(_unquoted(match))
    names: dict[str, str] = {}
    for node in list(tree.find_all(exp.Placeholder, exp.Parameter)):
        if isinstance(node, exp.Parameter) or not isinstance(node.this, str) or not node.this:
            raise Rejection("parameter", _WANTED)
        given = node.this.removeprefix(_MARK)
        name = snake_case(given, fallback="parameter")
        if names.setdefault(name, given) != given:
            raise Rejection(
                "parameter", f"The parameters :{names[name]} and :{given} have the same name in snake_case."
            )
        node.set("this", name)
    return tree


def _unquoted(match: re.Match[str]) -> exp.Expr:
    parts: list[exp.Expr] = [exp.Placeholder(this=match[2])]
    if match[1]:
        parts.insert(0, exp.Literal.string("%"))
    if match[3]:
        parts.append(exp.Literal.string("%"))
    joined = parts[0]
    for part in parts[1:]:
        joined = exp.DPipe(this=joined, expression=part, safe=True)
    return joined


def render_statement(tree: exp.Expr, dialect: str) -> str:
    """The statement as text of the dialect, with `:named` parameters and without comments."""
    copy = tree.copy()
    if isinstance(copy, exp.Placeholder):
        return f":{copy.this}"
    for node in list(copy.find_all(exp.Placeholder)):
        node.replace(exp.Var(this=f":{node.this}"))
    return copy.sql(dialect=dialect, comments=False)


_RESERVED = frozenset(
    "add all alter analyse analyze and any array as asc asymmetric authorization autoincrement between binary"
    " both by case cast check collate collation column commit concurrently constraint create cross current_catalog"
    " current_date current_role current_schema current_time current_timestamp current_user database default"
    " deferrable delete desc distinct do drop else end escape except exists false fetch for foreign freeze from"
    " full glob grant group having ilike in index inner insert intersect into is isnull join lateral leading left"
    " like limit localtime localtimestamp match natural not nothing notnull null offset on only or order outer"
    " over overlaps pivot placing primary range references regexp returning right rollup row rows select"
    " session_user set similar some symmetric table tablesample temp then to trailing transaction trigger true"
    " union unique unpivot update user using values variadic verbose view when where window with".split()
)
"""Words of both dialects that a parser may take for something else; quoting one too many does no harm."""


@cache
def _is_plain(name: str, dialect: str) -> bool:
    pattern = r"[a-z_][a-z0-9_]*" if dialect == "postgres" else r"[A-Za-z_][A-Za-z0-9_]*"
    if not re.fullmatch(pattern, name) or name.lower() in _RESERVED:
        return False
    tokens = sqlglot.tokenize(name, read=dialect)
    return len(tokens) == 1 and tokens[0].token_type.name == "VAR"


def quote_identifier(name: str, dialect: str) -> exp.Identifier:
    """An identifier that stands for exactly `name`, quoted where the dialect could read it as anything else."""
    return exp.to_identifier(name, quoted=not _is_plain(name, dialect))
