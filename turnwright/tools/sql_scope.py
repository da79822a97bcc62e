"""Which table and column each name of a statement stands for.

`resolve_names` walks a statement once, refuses every table or column that the database does not have, replaces `*` by
the columns it stands for, and writes all names the way the database spells them. What it found is kept by node: a
column's origin is followed through aliases, subqueries and common table expressions down to the table that stores it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from sqlglot import exp

from schemas.databases import Database, Table
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_statement import quote_identifier


@dataclass(frozen=True)
class Origin:
    """A stored column, as the database spells it."""

    table: str
    column: str


@dataclass(frozen=True)
class Source:
    """Something in FROM: its name inside the query, and where each of its columns comes from."""

    name: str
    columns: dict[str, tuple[str, Origin | None]]
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


def walk_local(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes below `node` that belong to the same query; a nested query is given, but not entered."""
    for child in node.iter_expressions():
        yield child
        if not isinstance(child, exp.Query):
            yield from walk_local(child)


def resolve_names(tree: exp.Expr, database: Database) -> Names:
    """Resolves all names of a statement, and spells them as the database does (the tree is changed in place).

    Raises:
        Rejection: a table or column does not exist or is ambiguous, or the statement writes what cannot be written.
    """
    return _Resolver(tree, database).resolve()


class _Resolver:
    def __init__(self, tree: exp.Expr, database: Database) -> None:
        self.names = Names(tree)
        self.database = database

    def resolve(self) -> Names:
        tree = self.names.tree
        if isinstance(tree, exp.Query):
            self.names.outputs = self.query(tree, {}, ())
        elif isinstance(tree, exp.Insert):
            self.insert(tree)
        elif isinstance(tree, exp.Update):
            self.update(tree)
        elif isinstance(tree, exp.Delete):
            self.delete(tree)
        return self.names

    # Queries

    def query(self, node: exp.Expr, tables: dict[str, Source], outer: tuple[Source, ...]) -> tuple[OutputColumn, ...]:
        tables = self.common_tables(node, tables, outer)
        if isinstance(node, exp.Subquery):
            outputs = self.query(node.this, tables, outer)
        elif isinstance(node, exp.SetOperation):
            outputs = self.set_operation(node, tables, outer)
        elif isinstance(node, exp.Select):
            outputs = self.select(node, tables, outer)
        else:
            raise Rejection("construct", f"{node.key.upper()} is not allowed in a tool.")
        self.names.query_outputs[id(node)] = outputs
        return outputs

    def common_tables(self, node: exp.Expr, tables: dict[str, Source], outer: tuple[Source, ...]) -> dict[str, Source]:
        clause = node.args.get("with_")
        if not isinstance(clause, exp.With):
            return tables
        known = dict(tables)
        for cte in clause.expressions:
            name = str(cte.alias)
            known[name.lower()] = self.derived(name, cte, self.query(cte.this, known, outer))
        return known

    def derived(self, name: str, node: exp.Expr, outputs: tuple[OutputColumn, ...], outer: bool = False) -> Source:
        alias = node.args.get("alias")
        renamed = [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
        columns: dict[str, tuple[str, Origin | None]] = {}
        for position, output in enumerate(outputs):
            column = renamed[position] if position < len(renamed) else output.name
            if column is None:
                continue
            columns[column.lower()] = (column, output.origin)
        return Source(name, columns, None, outer)

    def set_operation(
        self, node: exp.SetOperation, tables: dict[str, Source], outer: tuple[Source, ...]
    ) -> tuple[OutputColumn, ...]:
        left, right = self.query(node.left, tables, outer), self.query(node.right, tables, outer)
        if len(left) != len(right):
            raise Rejection("set_operation", f"Both sides of {node.key.upper()} must have the same number of columns.")
        outputs = tuple(
            OutputColumn(a.name, a.origin if a.origin == b.origin else None, a.expression, a.nullable_join or b.nullable_join)
            for a, b in zip(left, right, strict=True)
        )
        order = node.args.get("order")
        if isinstance(order, exp.Order):
            for column in list(order.find_all(exp.Column)):
                if column.name.lower() not in {(output.name or "").lower() for output in outputs}:
                    raise Rejection("unknown_column", f"ORDER BY {column.name} after {node.key.upper()} must name an output column.")
                self.names.aliases.add(id(column))
        return outputs

    def select(self, node: exp.Select, tables: dict[str, Source], outer: tuple[Source, ...]) -> tuple[OutputColumn, ...]:
        sources: list[Source] = []
        clause = node.args.get("from_")
        if isinstance(clause, exp.From):
            sources.append(self.source(clause.this, tables, outer, nullable=False))
        for join in node.args.get("joins") or []:
            side = str(join.args.get("side") or "").upper()
            if side in {"RIGHT", "FULL"}:
                sources = [Source(item.name, item.columns, item.table, True) for item in sources]
            sources.append(self.source(join.this, tables, outer, nullable=side in {"LEFT", "FULL"}))
        lower = [source.name.lower() for source in sources]
        twice = sorted({name for name in lower if lower.count(name) > 1})
        if twice:
            raise Rejection("ambiguous", f"{twice[0]} stands twice in FROM; give each its own alias.")
        found = tuple(sources)
        self.names.sources[id(node)] = found
        self.expand_stars(node, found)
        shared = self.join_columns(node, found)
        aliases = {item.alias.lower() for item in node.expressions if isinstance(item, exp.Alias)}
        for key, value in node.args.items():
            if key == "with_":
                continue
            may_alias = "first" if key == "order" else "last" if key in {"group", "having"} else "no"
            for child in cast("list[object]", value if isinstance(value, list) else [value]):
                if isinstance(child, exp.Expr):
                    self.expression(child, found, tables, outer, shared, aliases, may_alias)
        return tuple(self.output(item, found) for item in node.expressions)

    def source(self, node: exp.Expr, tables: dict[str, Source], outer: tuple[Source, ...], *, nullable: bool) -> Source:
        if isinstance(node, exp.Subquery):
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier("derived")))
            return self.derived(node.alias, node, self.query(node, tables, outer), nullable)
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise Rejection("construct", "FROM may hold tables, views and subqueries only.")
        if node.args.get("joins"):
            raise Rejection("construct", "Write joins without brackets.")
        alias = node.alias
        common = tables.get(node.name.lower())
        if common is not None and not node.db:
            return Source(alias or node.name, common.columns, None, nullable)
        table = self.table(node)
        columns = {c.name.lower(): (c.name, Origin(table.name, c.name)) for c in table.columns}
        return Source(alias or table.name, columns, table, nullable)

    def table(self, node: exp.Table) -> Table:
        table = self.database.table(node.name)
        if table is None:
            known = ", ".join(item.name for item in self.database.tables[:40])
            raise Rejection("unknown_table", f"There is no table {node.name}; the tables are {known}.")
        node.set("this", quote_identifier(table.name, self.database.dialect))
        # The connection already looks where the tables are; a qualifier could only reach outside.
        node.set("db", None)
        node.set("catalog", None)
        return table

    def join_columns(self, node: exp.Select, sources: tuple[Source, ...]) -> set[str]:
        shared: set[str] = set()
        for position, join in enumerate(node.args.get("joins") or []):
            if str(join.args.get("method") or "").upper() == "NATURAL":
                raise Rejection("construct", "NATURAL JOIN is not allowed; write JOIN ... ON.")
            fixed: list[exp.Expr] = []
            for identifier in join.args.get("using") or []:
                name = str(identifier.name).lower()
                for side in (sources[: position + 1], sources[position + 1 : position + 2]):
                    if not any(name in source.columns for source in side):
                        raise Rejection("unknown_column", f"USING ({identifier.name}) needs that column on both sides.")
                shared.add(name)
                fixed.append(quote_identifier(sources[position + 1].columns[name][0], self.database.dialect))
            if fixed:
                join.set("using", fixed)
        return shared

    def expand_stars(self, node: exp.Select, sources: tuple[Source, ...]) -> None:
        expanded: list[exp.Expr] = []
        for item in node.expressions:
            if isinstance(item, exp.Star):
                chosen = sources
            elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
                chosen = tuple(source for source in sources if source.name.lower() == item.table.lower())
                if not chosen:
                    raise Rejection("unknown_table", f"{item.table}.* names nothing in FROM.")
            else:
                expanded.append(item)
                continue
            for source in chosen:
                expanded += [
                    exp.Column(this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(source.name, quoted=True))
                    for name, origin in source.columns.values()
                    if not self.is_binary(origin)
                ]
        if not expanded:
            raise Rejection("empty", "The SELECT gives no columns.")
        node.set("expressions", expanded)

    def is_binary(self, origin: Origin | None) -> bool:
        table = self.database.table(origin.table) if origin else None
        column = table.column(origin.column) if table and origin else None
        return column is not None and any(word in column.type.upper() for word in ("BLOB", "BYTEA", "BINARY", "IMAGE"))

    def output(self, item: exp.Expr, sources: tuple[Source, ...]) -> OutputColumn:
        inner = item.unalias()
        while isinstance(inner, exp.Paren):
            inner = inner.this
        name = item.alias if isinstance(item, exp.Alias) else inner.name if isinstance(inner, exp.Column) else None
        origin: Origin | None = None
        nullable = False
        if isinstance(inner, exp.Column):
            origin = self.names.origins.get(id(inner))
            nullable = any(source.outer and source.name.lower() == inner.table.lower() for source in sources)
        elif isinstance(inner, exp.Subquery):
            nested = self.names.query_outputs.get(id(inner), ())
            origin, nullable = (nested[0].origin if nested else None), True
        return OutputColumn(name or None, origin, inner, nullable)

    # Expressions

    def expression(
        self,
        node: exp.Expr,
        sources: tuple[Source, ...],
        tables: dict[str, Source],
        outer: tuple[Source, ...],
        shared: set[str],
        aliases: set[str],
        may_alias: str,
    ) -> None:
        """Resolves the columns of one clause. Sources of FROM were resolved before: they are not entered again."""
        for child in [node, *walk_local(node)] if not isinstance(node, exp.Query) else [node]:
            if isinstance(child, exp.Query):
                if id(child) not in self.names.query_outputs:
                    self.query(child, tables, (*sources, *outer))
            elif isinstance(child, exp.Column):
                self.column(child, sources, outer, shared, aliases, may_alias)

    def column(
        self,
        node: exp.Column,
        sources: tuple[Source, ...],
        outer: tuple[Source, ...],
        shared: set[str],
        aliases: set[str],
        may_alias: str,
    ) -> None:
        name, qualifier = node.name.lower(), node.table.lower()
        if isinstance(node.this, exp.Star):
            raise Rejection("construct", "Write COUNT(*) instead of counting the columns of a table.")
        if not qualifier and name in aliases and may_alias == "first":
            self.names.aliases.add(id(node))
            return
        chosen = self.find(sources, name, qualifier, shared)
        if chosen is None and not qualifier and name in aliases and may_alias == "last":
            self.names.aliases.add(id(node))
            return
        chosen = chosen or self.find(outer, name, qualifier, set())
        if chosen is None:
            raise self.unknown(node, (*sources, *outer))
        spelled, origin = chosen.columns[name]
        if self.is_binary(origin):
            raise Rejection("binary", f"{spelled} holds binary content, which a tool cannot give or take.")
        dialect = self.database.dialect
        node.set("this", quote_identifier(spelled, dialect))
        node.set("db", None)
        node.set("catalog", None)
        if qualifier or len(sources) > 1:
            node.set("table", quote_identifier(chosen.name, dialect))
        self.names.origins[id(node)] = origin

    def find(self, sources: Iterable[Source], name: str, qualifier: str, shared: set[str]) -> Source | None:
        fits = [s for s in sources if name in s.columns and (not qualifier or s.name.lower() == qualifier)]
        if len(fits) > 1 and not qualifier and name not in shared:
            options = " or ".join(f"{source.name}.{name}" for source in fits)
            raise Rejection("ambiguous", f"The column {name} is ambiguous; write {options}.")
        return fits[0] if fits else None

    def unknown(self, node: exp.Column, sources: tuple[Source, ...]) -> Rejection:
        named = [source for source in sources if source.name.lower() == node.table.lower()] if node.table else list(sources)
        if node.table and not named:
            known = ", ".join(source.name for source in sources)
            return Rejection("unknown_table", f"{node.table}.{node.name} names no table of this query; it reads {known}.")
        columns = "; ".join(f"{s.name} has {', '.join(c for c, _ in s.columns.values())}" for s in named[:3])
        hint = " Text values take single quotes." if node.this.args.get("quoted") and not node.table else ""
        return Rejection("unknown_column", f"There is no column {node.name}; {columns or 'there is no FROM'}.{hint}")

    # Writes

    def write_target(self, node: exp.Expr | None) -> tuple[Table, Source]:
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise Rejection("construct", "A write names one table.")
        table = self.table(node)
        if table.view:
            raise Rejection("view", f"{table.name} is a view and cannot be written.")
        self.names.target = table
        columns = {c.name.lower(): (c.name, Origin(table.name, c.name)) for c in table.columns}
        return table, Source(node.alias or table.name, columns, table, outer=False)

    def written_column(self, table: Table, name: str) -> str:
        column = table.column(name)
        if column is None:
            known = ", ".join(item.name for item in table.columns)
            raise Rejection("unknown_column", f"There is no column {name}; {table.name} has {known}.")
        if not column.writable:
            raise Rejection("not_writable", f"The column {column.name} cannot be written.")
        return column.name

    def insert(self, node: exp.Insert) -> None:
        if node.args.get("alternative") or node.args.get("conflict") or node.args.get("overwrite"):
            raise Rejection("construct", "INSERT must only add rows: no OR REPLACE, no ON CONFLICT.")
        node.set("returning", None)
        schema = node.this
        table, _ = self.write_target(schema.this if isinstance(schema, exp.Schema) else schema)
        given = [item.name for item in schema.expressions] if isinstance(schema, exp.Schema) else [c.name for c in table.columns]
        written = tuple(self.written_column(table, name) for name in given)
        if len({name.lower() for name in written}) != len(written):
            raise Rejection("insert", "A column is named twice in INSERT.")
        dialect = self.database.dialect
        target = schema.this if isinstance(schema, exp.Schema) else schema
        node.set("this", exp.Schema(this=target, expressions=[quote_identifier(name, dialect) for name in written]))
        self.names.written = written
        tables = self.common_tables(node, {}, ())
        body = node.expression
        if isinstance(body, exp.Values):
            if len(body.expressions) != 1 or len(body.expressions[0].expressions) != len(written):
                raise Rejection("insert", f"INSERT needs one row of {len(written)} values for {', '.join(written)}.")
            for value in body.expressions[0].expressions:
                self.expression(value, (), tables, (), set(), set(), "no")
        elif isinstance(body, exp.Query):
            if len(self.query(body, tables, ())) != len(written):
                raise Rejection("insert", f"The SELECT of the INSERT must give {len(written)} columns.")
        else:
            raise Rejection("insert", "INSERT needs VALUES or a SELECT.")

    def update(self, node: exp.Update) -> None:
        if node.args.get("from_") or node.args.get("order") or node.args.get("limit"):
            raise Rejection("construct", "UPDATE may use SET and WHERE only; put other tables into subqueries.")
        node.set("returning", None)
        table, source = self.write_target(node.this)
        self.names.sources[id(node)] = (source,)
        tables = self.common_tables(node, {}, ())
        written: list[str] = []
        for item in node.expressions:
            if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
                raise Rejection("construct", "SET takes column = value.")
            name = self.written_column(table, item.this.name)
            if name in table.primary_key:
                raise Rejection("key_change", f"{name} is part of the key of {table.name}; it must not be changed.")
            written.append(name)
            item.this.set("this", quote_identifier(name, self.database.dialect))
            item.this.set("table", None)
            self.names.origins[id(item.this)] = Origin(table.name, name)
            self.expression(item.expression, (source,), tables, (), set(), set(), "no")
        self.names.written = tuple(written)
        self.condition(node, source, tables)

    def delete(self, node: exp.Delete) -> None:
        if node.args.get("using") or node.args.get("order") or node.args.get("limit") or node.args.get("tables"):
            raise Rejection("construct", "DELETE may use FROM and WHERE only; put other tables into subqueries.")
        node.set("returning", None)
        _, source = self.write_target(node.this)
        self.names.sources[id(node)] = (source,)
        self.condition(node, source, self.common_tables(node, {}, ()))

    def condition(self, node: exp.Expr, source: Source, tables: dict[str, Source]) -> None:
        where = node.args.get("where")
        if not isinstance(where, exp.Where):
            raise Rejection("no_where", f"{node.key.upper()} needs a WHERE that picks out the rows.")
        self.expression(where.this, (source,), tables, (), set(), set(), "no")
        if not any(id(column) in self.names.origins for column in where.find_all(exp.Column)):
            raise Rejection("no_where", f"The WHERE of {node.key.upper()} must compare a column, so that it picks out rows.")
