"""One JSON type per entity: what type a column has in every parameter and every result.

(UO, output schemas: the type first given to an entity is canonical.) A reference has the type of the key that it points
at, even where it is stored as another one; a number that only identifies is an integer if all its values are whole; any
other column has the type of its values. SQLite stores any type in any
column, so where stored values would come out as another type, results cast them.
"""

from sqlglot import exp

from schemas.databases import Column, Database
from turnwright.environments.base import SqlBase
from turnwright.tools.sql_statement import quote_identifier, render_statement

_STORED = {"integer": "integer", "real": "number", "text": "string", "blob": "string"}
_CASTS = {"integer": "INTEGER", "number": "REAL", "string": "TEXT"}


class EntityTypes:
    """Types of the columns of one database. Reads a column's stored types when first asked for them; blocks then."""

    def __init__(self, database: Database, base: SqlBase | None) -> None:
        """Without a base every column is taken to be stored as its JSON type."""
        self._database = database
        self._base = base if database.dialect == "sqlite" else None
        self._known: dict[tuple[str, str], tuple[str, str | None, bool]] = {}

    def json_type(self, table: str, column: str) -> str:
        """`integer`, `number`, `string` or `boolean`: the column's type in every parameter and result."""
        return self._facts(table, column)[0]

    def needed_cast(self, table: str, column: str) -> str | None:
        """SQL type that results cast the column to, where stored values are not of its JSON type."""
        return self._facts(table, column)[1]

    def nullable(self, table: str, column: str) -> bool:
        """The column may be NULL, or is somewhere."""
        return self._facts(table, column)[2]

    def _facts(self, table: str, column: str) -> tuple[str, str | None, bool]:
        key = (table, column)
        if key not in self._known:
            self._known[key] = self._find_facts(table, column)
        return self._known[key]

    def _find_facts(self, table: str, column: str) -> tuple[str, str | None, bool]:
        found = self._database.table(table)
        described = found.column(column) if found else None
        if described is None:
            return "string", None, True
        stored, has_null = self._read_stored(table, described)
        kind = described.json_type
        if described.references is not None:
            owner, target = self._follow(described)
            # A circle of references has no end, so that each of its columns keeps its own type.
            wanted = self.json_type(owner, target.name) if target.references is None else kind
            if wanted != kind and self._casts_cleanly(table, described, wanted):
                kind = wanted
        elif described.surrogate and kind == "number" and self._casts_cleanly(table, described, "integer"):
            kind = "integer"
        fits = stored <= {kind} or (kind == "number" and stored <= {"integer", "number"}) or kind == "boolean"
        return kind, None if fits else _CASTS.get(kind), described.nullable or has_null

    def _follow(self, column: Column) -> tuple[str, Column]:
        """Table and column at the end of a chain of references; a cycle ends somewhere in it."""
        place = ""
        for _ in range(8):
            table = self._database.table(column.references[0]) if column.references else None
            target = table.column(column.references[1]) if table and column.references else None
            if table is None or target is None:
                break
            place, column = table.name, target
        return place, column

    def _read_stored(self, table: str, column: Column) -> tuple[set[str], bool]:
        if self._base is None:
            return {column.json_type}, False
        name = exp.Column(this=quote_identifier(column.name, "sqlite"))
        query = _from(exp.select(exp.alias_(exp.Typeof(this=name), "stored")).distinct(), table)
        found = {str(row["stored"]) for row in self._base.run(render_statement(query, "sqlite"), {}, limit=8).rows}
        return {_STORED[item] for item in found if item in _STORED}, "null" in found

    def _casts_cleanly(self, table: str, column: Column, kind: str) -> bool:
        """Every value of the column is a value of that type, or the text of one."""
        if self._base is None or kind not in _CASTS:
            return False
        name = exp.Column(this=quote_identifier(column.name, "sqlite"))
        number = kind == "integer" and column.json_type == "number"
        cast = exp.cast(name.copy(), _CASTS[kind])
        there_and_back = cast if number else exp.cast(cast, "TEXT")
        query = _from(exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")), table)
        query = query.where(
            exp.NEQ(this=there_and_back, expression=name.copy() if number else exp.cast(name.copy(), "TEXT"))
        )
        rows = self._base.run(render_statement(query, "sqlite"), {}, limit=1).rows
        return bool(rows) and rows[0]["n"] == 0


def _from(query: exp.Select, table: str) -> exp.Select:
    return query.from_(exp.Table(this=quote_identifier(table, "sqlite")))


def cast_type(node: exp.Expr) -> str | None:
    """The JSON type that a CAST gives, of those that results are cast to."""
    if not isinstance(node, exp.Cast):
        return None
    written = node.to.sql(dialect="sqlite").upper()
    return next((kind for kind, name in _CASTS.items() if name == written), None)
