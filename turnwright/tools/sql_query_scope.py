"""Resolves the names of a query: tables, aliases, subqueries, common table expressions, outer references."""

from collections.abc import Iterable
from typing import cast

from sqlglot import exp

from schemas.databases import Database, Table
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_key_paths import follow_keys, merge_origins
from turnwright.tools.sql_names import Names, Origin, OutputColumn, Source, list_nodes, walk_local
from turnwright.tools.sql_statement import quote_identifier


class QueryScope:
    """Resolves queries and expressions of one statement into `names`; nodes are respelled in place."""

    def __init__(self, names: Names, database: Database) -> None:
        self.names = names
        self.database = database

    def query(self, node: exp.Expr, tables: dict[str, Source], outer: tuple[Source, ...]) -> tuple[OutputColumn, ...]:
        """Resolves a whole query.

        Args:
            node: SELECT, set operation, or either in brackets.
            tables: common table expressions in sight, by lower-case name.
            outer: sources of the queries around it, the nearest first.

        Raises:
            Rejection: a name stands for nothing, or for more than one thing.
        """
        tables = self.common_tables(node, tables, outer)
        if isinstance(node, exp.Subquery):
            outputs = self.query(node.this, tables, outer)
        elif isinstance(node, exp.SetOperation):
            outputs = self._set_operation(node, tables, outer)
        elif isinstance(node, exp.Select):
            outputs = self._select(node, tables, outer)
        else:
            raise Rejection("construct", f"{node.key.upper()} is not allowed in a tool.")
        self.names.query_outputs[id(node)] = outputs
        return outputs

    def common_tables(self, node: exp.Expr, tables: dict[str, Source], outer: tuple[Source, ...]) -> dict[str, Source]:
        """`tables` and those that the WITH of `node` adds."""
        clause = node.args.get("with_")
        if not isinstance(clause, exp.With):
            return tables
        known = dict(tables)
        for cte in clause.expressions:
            name = str(cte.alias)
            known[name.lower()] = self._derived(name, cte, self.query(cte.this, known, outer))
        return known

    def _derived(self, name: str, node: exp.Expr, outputs: tuple[OutputColumn, ...], outer: bool = False) -> Source:
        alias = node.args.get("alias")
        renamed = [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
        columns: dict[str, tuple[str, Origin | None]] = {}
        for position, output in enumerate(outputs):
            column = renamed[position] if position < len(renamed) else output.name
            if column is None:
                continue
            columns[column.lower()] = (column, output.origin)
        return Source(name, columns, None, outer)

    def _set_operation(
        self, node: exp.SetOperation, tables: dict[str, Source], outer: tuple[Source, ...]
    ) -> tuple[OutputColumn, ...]:
        left, right = self.query(node.left, tables, outer), self.query(node.right, tables, outer)
        if len(left) != len(right):
            raise Rejection("set_operation", f"Both sides of {node.key.upper()} must have the same number of columns.")
        outputs = tuple(
            OutputColumn(a.name, merge_origins((a.origin, b.origin)), a.expression, a.nullable_join or b.nullable_join)
            for a, b in zip(left, right, strict=True)
        )
        order = node.args.get("order")
        if isinstance(order, exp.Order):
            for column in list(order.find_all(exp.Column)):
                if column.name.lower() not in {(output.name or "").lower() for output in outputs}:
                    raise Rejection(
                        "unknown_column", f"ORDER BY {column.name} after {node.key.upper()} must name an output column."
                    )
                self.names.aliases.add(id(column))
        return outputs

    def _select(
        self, node: exp.Select, tables: dict[str, Source], outer: tuple[Source, ...]
    ) -> tuple[OutputColumn, ...]:
        sources: list[Source] = []
        clause = node.args.get("from_")
        if isinstance(clause, exp.From):
            sources.append(self._source(clause.this, tables, outer, nullable=False))
        for join in list_nodes(node, "joins"):
            side = str(join.args.get("side") or "").upper()
            if side in {"RIGHT", "FULL"}:
                sources = [Source(item.name, item.columns, item.table, True) for item in sources]
            sources.append(self._source(join.this, tables, outer, nullable=side in {"LEFT", "FULL"}))
        lower = [source.name.lower() for source in sources]
        twice = sorted({name for name in lower if lower.count(name) > 1})
        if twice:
            raise Rejection("ambiguous", f"{twice[0]} stands twice in FROM; give each its own alias.")
        found = follow_keys(node, tuple(sources), outer, self.names, self.database)
        self.names.sources[id(node)] = found
        self._expand_stars(node, found)
        shared = self._join_columns(node, found)
        aliases = {item.alias.lower() for item in node.expressions if isinstance(item, exp.Alias)}
        for key, value in node.args.items():
            if key == "with_":
                continue
            may_alias = "first" if key == "order" else "last" if key in {"group", "having"} else "no"
            for child in cast("list[object]", value if isinstance(value, list) else [value]):
                if isinstance(child, exp.Expr):
                    self.expression(child, found, tables, outer, shared, aliases, may_alias)
        return tuple(self._output(item, found) for item in node.expressions)

    def _source(
        self, node: exp.Expr, tables: dict[str, Source], outer: tuple[Source, ...], *, nullable: bool
    ) -> Source:
        if isinstance(node, exp.Subquery):
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier("derived")))
            return self._derived(node.alias, node, self.query(node, tables, outer), nullable)
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
        """The table or view that a node names.

        Raises:
            Rejection: there is none.
        """
        table = self.database.table(node.name)
        if table is None:
            known = ", ".join(item.name for item in self.database.tables[:40])
            raise Rejection("unknown_table", f"There is no table {node.name}; the tables are {known}.")
        node.set("this", quote_identifier(table.name, self.database.dialect))
        # The connection already looks where the tables are; a qualifier could only reach outside.
        node.set("db", None)
        node.set("catalog", None)
        return table

    def _join_columns(self, node: exp.Select, sources: tuple[Source, ...]) -> set[str]:
        shared: set[str] = set()
        for position, join in enumerate(list_nodes(node, "joins")):
            if str(join.args.get("method") or "").upper() == "NATURAL":
                raise Rejection("construct", "NATURAL JOIN is not allowed; write JOIN ... ON.")
            fixed: list[exp.Expr] = []
            for identifier in list_nodes(join, "using"):
                name = str(identifier.name).lower()
                for side in (sources[: position + 1], sources[position + 1 : position + 2]):
                    if not any(name in source.columns for source in side):
                        raise Rejection("unknown_column", f"USING ({identifier.name}) needs that column on both sides.")
                shared.add(name)
                fixed.append(quote_identifier(sources[position + 1].columns[name][0], self.database.dialect))
            if fixed:
                join.set("using", fixed)
        return shared

    def _expand_stars(self, node: exp.Select, sources: tuple[Source, ...]) -> None:
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
                    exp.Column(
                        this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(source.name, quoted=True)
                    )
                    for name, origin in source.columns.values()
                    if not self._is_binary(origin)
                ]
        if not expanded:
            raise Rejection("empty", "The SELECT gives no columns.")
        node.set("expressions", expanded)

    def _is_binary(self, origin: Origin | None) -> bool:
        table = self.database.table(origin.table) if origin else None
        column = table.column(origin.column) if table and origin else None
        return column is not None and any(word in column.type.upper() for word in ("BLOB", "BYTEA", "BINARY", "IMAGE"))

    def _output(self, item: exp.Expr, sources: tuple[Source, ...]) -> OutputColumn:
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
                self._column(child, sources, outer, shared, aliases, may_alias)

    def _column(
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
        chosen = self._find(sources, name, qualifier, shared)
        if chosen is None and not qualifier and name in aliases and may_alias == "last":
            self.names.aliases.add(id(node))
            return
        chosen = chosen or self._find(outer, name, qualifier, set())
        if chosen is None:
            raise self._unknown(node, (*sources, *outer))
        spelled, origin = chosen.columns[name]
        if self._is_binary(origin):
            raise Rejection("binary", f"{spelled} holds binary content, which a tool cannot give or take.")
        dialect = self.database.dialect
        node.set("this", quote_identifier(spelled, dialect))
        node.set("db", None)
        node.set("catalog", None)
        if qualifier or len(sources) > 1:
            node.set("table", quote_identifier(chosen.name, dialect))
        self.names.origins[id(node)] = origin

    def _find(self, sources: Iterable[Source], name: str, qualifier: str, shared: set[str]) -> Source | None:
        fits = [s for s in sources if name in s.columns and (not qualifier or s.name.lower() == qualifier)]
        if len(fits) > 1 and not qualifier and name not in shared:
            options = " or ".join(f"{source.name}.{name}" for source in fits)
            raise Rejection("ambiguous", f"The column {name} is ambiguous; write {options}.")
        return fits[0] if fits else None

    def _unknown(self, node: exp.Column, sources: tuple[Source, ...]) -> Rejection:
        named = (
            [source for source in sources if source.name.lower() == node.table.lower()] if node.table else list(sources)
        )
        if node.table and not named:
            known = ", ".join(source.name for source in sources)
            return Rejection(
                "unknown_table", f"{node.table}.{node.name} names no table of this query; it reads {known}."
            )
        columns = "; ".join(f"{s.name} has {', '.join(c for c, _ in s.columns.values())}" for s in named[:3])
        hint = " Text values take single quotes." if node.this.args.get("quoted") and not node.table else ""
        return Rejection("unknown_column", f"There is no column {node.name}; {columns or 'there is no FROM'}.{hint}")
