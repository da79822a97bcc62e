"""Which table and column each name of a statement stands for.

`resolve_names` walks a statement once, refuses every table or column that the database does not have, replaces `*` by
the columns it stands for, and writes all names the way the database spells them. What it found is kept by node: a
column's origin is followed through aliases, subqueries and common table expressions down to the table that stores it.
"""

from sqlglot import exp

from schemas.databases import Database, Table
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_names import Names, Origin, Source
from turnwright.tools.sql_query_scope import QueryScope
from turnwright.tools.sql_statement import quote_identifier


def resolve_names(tree: exp.Expr, database: Database) -> Names:
    """Resolves all names of a statement, and spells them as the database does (the tree is changed in place).

    Raises:
        Rejection: a table or column does not exist or is ambiguous, or the statement writes what cannot be written.
    """
    return _Resolver(tree, database).resolve()


class _Resolver:
    """Resolves the parts that only writes have; queries and expressions go to the query scope."""

    def __init__(self, tree: exp.Expr, database: Database) -> None:
        self.names = Names(tree)
        self.database = database
        self.scope = QueryScope(self.names, database)

    def resolve(self) -> Names:
        tree = self.names.tree
        if isinstance(tree, exp.Query):
            self.names.outputs = self.scope.query(tree, {}, ())
        elif isinstance(tree, exp.Insert):
            self.insert(tree)
        elif isinstance(tree, exp.Update):
            self.update(tree)
        elif isinstance(tree, exp.Delete):
            self.delete(tree)
        return self.names

    def write_target(self, node: exp.Expr | None) -> tuple[Table, Source]:
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise Rejection("construct", "A write names one table.")
        table = self.scope.table(node)
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
        given = (
            [item.name for item in schema.expressions]
            if isinstance(schema, exp.Schema)
            else [c.name for c in table.columns]
        )
        given = _drop_generated_key(node, table, given)
        written = tuple(self.written_column(table, name) for name in given)
        if len({name.lower() for name in written}) != len(written):
            raise Rejection("insert", "A column is named twice in INSERT.")
        dialect = self.database.dialect
        target = schema.this if isinstance(schema, exp.Schema) else schema
        node.set("this", exp.Schema(this=target, expressions=[quote_identifier(name, dialect) for name in written]))
        self.names.written = written
        tables = self.scope.common_tables(node, {}, ())
        body = node.expression
        if isinstance(body, exp.Values):
            if len(body.expressions) != 1 or len(body.expressions[0].expressions) != len(written):
                raise Rejection("insert", f"Write one row of {len(written)} values for {', '.join(written)}.")
            for value in body.expressions[0].expressions:
                self.scope.expression(value, (), tables, (), set(), set(), "no")
        elif isinstance(body, exp.Query):
            if len(self.scope.query(body, tables, ())) != len(written):
                raise Rejection("insert", f"The SELECT of the INSERT must give {len(written)} columns.")
        else:
            raise Rejection("insert", "INSERT needs VALUES or a SELECT.")

    def update(self, node: exp.Update) -> None:
        if node.args.get("from_") or node.args.get("order") or node.args.get("limit"):
            raise Rejection("construct", "UPDATE may use SET and WHERE only; put other tables into subqueries.")
        node.set("returning", None)
        table, source = self.write_target(node.this)
        self.names.sources[id(node)] = (source,)
        tables = self.scope.common_tables(node, {}, ())
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
            self.scope.expression(item.expression, (source,), tables, (), set(), set(), "no")
        self.names.written = tuple(written)
        self.condition(node, source, tables)

    def delete(self, node: exp.Delete) -> None:
        if node.args.get("using") or node.args.get("order") or node.args.get("limit") or node.args.get("tables"):
            raise Rejection("construct", "DELETE may use FROM and WHERE only; put other tables into subqueries.")
        node.set("returning", None)
        _, source = self.write_target(node.this)
        self.names.sources[id(node)] = (source,)
        self.condition(node, source, self.scope.common_tables(node, {}, ()))

    def condition(self, node: exp.Expr, source: Source, tables: dict[str, Source]) -> None:
        where = node.args.get("where")
        if not isinstance(where, exp.Where):
            raise Rejection("no_where", f"{node.key.upper()} needs a WHERE that picks out the rows.")
        self.scope.expression(where.this, (source,), tables, (), set(), set(), "no")
        if not any(id(column) in self.names.origins for column in where.find_all(exp.Column)):
            raise Rejection(
                "no_where", f"The WHERE of {node.key.upper()} must compare a column, so that it picks out rows."
            )


def _drop_generated_key(node: exp.Insert, table: Table, given: list[str]) -> list[str]:
    """Takes a key that the database numbers by itself out of the INSERT of one row, and returns the columns left."""
    values = node.expression.expressions[0] if isinstance(node.expression, exp.Values) else None
    if not isinstance(values, exp.Tuple) or len(values.expressions) != len(given):
        return given
    keys = [column.name.lower() for column in table.columns if column.primary_key and not column.writable]
    kept = [position for position, name in enumerate(given) if name.lower() not in keys]
    values.set("expressions", [values.expressions[position] for position in kept])
    return [given[position] for position in kept]
