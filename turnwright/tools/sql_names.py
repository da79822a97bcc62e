"""What is known of the names in a statement: for each the table and column that it stands for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from schemas.databases import Table
from schemas.tools import KeyPath


@dataclass(frozen=True)
class Origin:
    """A stored column, as the database spells it."""

    table: str
    column: str
    via: KeyPath = ()
    """The keys that tell its row from others of the table; see schemas.tools.OutputField."""


@dataclass(frozen=True)
class Source:
    """Something in FROM: its name inside the query, and where each of its columns comes from."""

    name: str
    columns: Mapping[str, tuple[str, Origin | None]]
    """Lower-case column name -> (name as written, origin; none where it is computed)."""
    table: Table | None
    """The table or view, where it is one and not a subquery."""
    outer: bool
    """Joined so that all of its columns can be NULL."""


@dataclass(frozen=True)
class OutputColumn:
    """One column of a query's result."""

    name: str | None
    """None for an expression without an alias."""
    origin: Origin | None
    expression: exp.Expr
    nullable_join: bool = False


@dataclass
class Names:
    """What `resolve_names` found. Keys are `id(node)` of nodes of the tree it was given, which must stay alive."""

    tree: exp.Expr
    origins: dict[int, Origin | None] = field(default_factory=dict[int, Origin | None])
    """Column node -> its origin."""
    aliases: set[int] = field(default_factory=set[int])
    """Column nodes that name an output column of their own query (ORDER BY total)."""
    sources: dict[int, tuple[Source, ...]] = field(default_factory=dict[int, tuple[Source, ...]])
    """SELECT, UPDATE or DELETE node -> what it reads from."""
    outputs: tuple[OutputColumn, ...] = ()
    """Result columns of the whole statement; empty for writes."""
    query_outputs: dict[int, tuple[OutputColumn, ...]] = field(default_factory=dict[int, tuple[OutputColumn, ...]])
    """SELECT or set operation node -> its result columns."""
    target: Table | None = None
    """Table that is written."""
    written: tuple[str, ...] = ()
    """Columns that are written, in the order of the statement."""


def list_nodes(node: exp.Expr, key: str) -> list[exp.Expr]:
    """The nodes that `node` holds under `key` (joins, USING columns, …); sqlglot leaves out what is not there."""
    return [item for item in node.args.get(key) or () if isinstance(item, exp.Expr)]


def walk_local(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes below `node` that belong to the same query; a nested query is given, but not entered."""
    for child in node.iter_expressions():
        yield child
        if not isinstance(child, exp.Query):
            yield from walk_local(child)
