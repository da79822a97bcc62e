"""What a PostgreSQL server says of a database, and of its values."""

from collections.abc import Sequence
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.sql import SQL, Composable, Identifier

from schemas.content import digest
from schemas.databases import Database, ForeignKey
from schemas.sources import SqlSource
from turnwright.environments.values import json_value
from turnwright.sources.columns import ColumnFacts, Kind
from turnwright.sources.errors import SourceError
from turnwright.sources.locators import Location
from turnwright.sources.postgres_server import Connection, borrow, open_engine
from turnwright.sources.structure import FoundColumn, FoundTable, UnreadableTableError, describe_database

_MOST_STUDIED = 100_000
_MOST_SEEN = 400
_SECONDS = 60
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), "integer"),
    **dict.fromkeys(("float4", "float8", "numeric", "money"), "number"),
    "bool": "boolean",
    "bytea": "binary",
}
WITHOUT_EQUALITY = frozenset(["json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle"])
"""Types whose values can only be compared as text."""

_TABLES = """
SELECT c.oid, c.relname, c.relkind IN ('v', 'm') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND has_table_privilege(c.oid, 'SELECT')
  AND NOT EXISTS (SELECT FROM pg_depend d
    WHERE d.objid = c.oid AND d.deptype = 'e' AND d.classid = 'pg_class'::regclass)
ORDER BY c.relname COLLATE "C"
"""
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typname, a.attnotnull, a.attidentity, a.attgenerated,
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indpred IS NULL
          AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum),
  CASE t.typtype WHEN 'e' THEN
    (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) END
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEYS = """
SELECT k.contype::text, p.relname,
  (SELECT array_agg(a.attname::text ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number),
  (SELECT array_agg(a.attname::text ORDER BY u.place) FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number)
FROM pg_constraint k LEFT JOIN pg_class p ON p.oid = k.confrelid
LEFT JOIN pg_namespace n ON n.oid = p.relnamespace
WHERE k.conrelid = %s AND (k.contype = 'p' OR k.contype = 'f' AND n.nspname = %s AND k.conparentid = 0)
ORDER BY k.conname COLLATE "C"
"""


class PostgresReader:
    """Reads one schema in a read-only transaction that somebody else ends."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self.types: dict[tuple[str, str], str] = {}
        """(table, column) -> name of the stored type; filled by list_tables."""

    def list_tables(self) -> Sequence[FoundTable]:
        """Tables, views and partitioned tables that the login may read; without partitions and extensions' own."""
        return [self._find_table(*row) for row in self.rows(_TABLES, (self._schema,))]

    def count_rows(self, table: FoundTable) -> int:
        """Rows of a table or view."""
        return int(self._select(SQL("SELECT count(*) FROM {}").format(self.name(table)))[0][0])

    def study_columns(self, table: FoundTable) -> dict[str, ColumnFacts]:
        """Facts of each column, over the first rows."""
        facts: dict[str, ColumnFacts] = {}
        origin = SQL("(SELECT * FROM {} LIMIT {}) AS t").format(self.name(table), sql.Literal(_MOST_STUDIED))
        for column in table.columns:
            value = self._comparable(table, column.name)
            query = SQL("SELECT count(*), count({0}), count(DISTINCT {0}) FROM {1}").format(value, origin)
            rows, filled, distinct = map(int, self._select(query)[0])
            kind = self._kind(table, column)
            seen: tuple[Any, ...] = ()
            if kind != "binary":
                query = SQL("SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL ORDER BY 1 LIMIT {2}").format(
                    value, origin, sql.Literal(_MOST_SEEN)
                )
                seen = tuple(_sort_key_free(json_value(row[0]) for row in self._select(query)))
            facts[column.name] = ColumnFacts(rows, filled, distinct, {kind: filled}, seen)
        return facts

    def list_values(self, table: FoundTable, column: str, most: int) -> list[Any]:
        """Distinct values over all rows, sorted, at most `most` + 1."""
        query = SQL("SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL LIMIT {2}").format(
            self._comparable(table, column), self.name(table), sql.Literal(most + 1)
        )
        return _sort_key_free(json_value(row[0]) for row in self._select(query))

    def read_row(self, table: FoundTable, position: int) -> tuple[Any, ...]:
        """The row at a position of the order by primary key, or by content where there is none."""
        names = SQL(", ").join(Identifier(column.name) for column in table.columns)
        order: Composable = SQL(", ").join(map(Identifier, table.primary_key))
        if not table.primary_key:
            order = SQL('t::text COLLATE "C"')
        query = SQL("SELECT {} FROM {} AS t ORDER BY {} LIMIT 1 OFFSET {}").format(
            names, self.name(table), order, sql.Literal(position)
        )
        rows = self._select(query)
        if not rows:
            raise UnreadableTableError(f"{table.name} has no row {position}")
        return tuple(rows[0])

    def digest_rows(self, table: FoundTable) -> str:
        """Count and an order-free sum over all rows, computed by the server."""
        query = SQL(
            "SELECT count(*)::text || ':' || coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0)::text"
            " || ':' || coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0)::text"
            " FROM (SELECT md5(t::text) AS h FROM {} AS t) AS hashed"
        ).format(self.name(table))
        return str(self._select(query)[0][0])

    def name(self, table: FoundTable) -> Composable:
        """The table's qualified name."""
        return Identifier(self._schema, table.name)

    def rows(self, query: LiteralString, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Rows of a catalogue query."""
        return self._connection.execute(query, values).fetchall()

    def _select(self, query: Composable) -> list[tuple[Any, ...]]:
        try:
            with self._connection.transaction():
                return self._connection.execute(SQL("{}").format(query)).fetchall()
        except psycopg.OperationalError as problem:
            if isinstance(problem, psycopg.errors.QueryCanceled):
                raise UnreadableTableError("it takes too long to read") from None
            raise
        except psycopg.Error as problem:
            raise UnreadableTableError(str(problem).splitlines()[0]) from None

    def _find_table(self, oid: int, name: str, view: bool) -> FoundTable:
        columns: list[FoundColumn] = []
        for column, declared, stored, required, identity, generated, unique, labels in self.rows(_COLUMNS, (oid,)):
            self.types[name, column] = stored
            columns.append(
                FoundColumn(
                    name=column,
                    type=declared,
                    nullable=not required,
                    unique=bool(unique),
                    writable=not view and not generated and identity != "a" and stored != "bytea",
                    labels=tuple(labels or ()),
                )
            )
        keys = self.rows(_KEYS, (oid, self._schema))
        primary = next((tuple(row[2]) for row in keys if row[0] == "p"), ())
        foreign = tuple(
            ForeignKey(columns=tuple(row[2]), table=row[1], referred=tuple(row[3])) for row in keys if row[0] == "f"
        )
        return FoundTable(name, view, tuple(columns), primary, foreign)

    def _kind(self, table: FoundTable, column: FoundColumn) -> Kind:
        kind = _KINDS.get(self.types[table.name, column.name], "string")
        whole = kind == "number" and column.type.startswith("numeric(") and column.type.endswith(",0)")
        return "integer" if whole else kind

    def _comparable(self, table: FoundTable, column: str) -> Composable:
        value: Composable = Identifier(column)
        return SQL("{}::text").format(value) if self.types[table.name, column] in WITHOUT_EQUALITY else value


def _sort_key_free(values: Any) -> list[Any]:
    """Sorted here and not by the server, whose order depends on its locale."""
    return sorted(values, key=lambda value: (value if isinstance(value, int | float) else 0, str(value)))


def find_schema(connection: Connection, source: SqlSource, place: Location) -> str:
    """The schema to read: the config's, or the connection's own.

    Raises:
        SourceError: there is none of that name.
    """
    wanted = source.schema_name
    if wanted is None:
        row = connection.execute("SELECT current_schema()").fetchone()
        return str(row[0]) if row and row[0] else "public"
    found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (wanted,)).fetchone()
    if not found:
        raise SourceError(f"{place.title}: there is no schema {wanted}", "correct `schema_name` of this source")
    return wanted


def describe_server(place: Location, name: str, source: SqlSource, seed: int) -> tuple[Database, str]:
    """Structure, sample and digest of a database, in one read-only transaction.

    Raises:
        SourceError: the server cannot be reached or read.
    """
    engine = open_engine(place, source.schema_name, 1)
    try:
        held, connection = borrow(engine, place)
        try:
            _begin_reading(connection)
            schema = find_schema(connection, source, place)
            reader = PostgresReader(connection, schema)
            database = describe_database(reader, name, "postgres", source.tables, source.sample_rows, seed)
            return database, digest_content(reader, database)
        except psycopg.Error as problem:
            text = str(problem).splitlines()[0]
            raise SourceError(f"{place.title}: cannot be read: {text}", "check the login's rights") from None
        finally:
            connection.rollback()
            held.close()
    finally:
        engine.dispose()


def digest_content(reader: PostgresReader, database: Database) -> str:
    """Digest over the structure and all rows of a database's tables; of its views where it has no tables."""
    found = {table.name: table for table in reader.list_tables()}
    tables = [table for table in database.tables if not table.view] or list(database.tables)
    structure = [table.model_dump(exclude={"sample", "rows"}) for table in database.tables]
    rows = {table.name: reader.digest_rows(found[table.name]) for table in tables if table.name in found}
    return digest({"structure": structure, "rows": rows})


def _begin_reading(connection: Connection) -> None:
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(cast(LiteralString, f"SET LOCAL statement_timeout = '{_SECONDS}s'"))


def check_server(place: Location, source: SqlSource) -> tuple[str, int, tuple[str, ...]]:
    """Version, number of readable tables, and warnings about the login's rights.

    Raises:
        SourceError: the server cannot be reached or read.
    """
    engine = open_engine(place, source.schema_name, 1)
    try:
        held, connection = borrow(engine, place)
        try:
            _begin_reading(connection)
            version = str(connection.execute("SHOW server_version").fetchall()[0][0])
            schema = find_schema(connection, source, place)
            tables = connection.execute(_TABLES, (schema,)).fetchall()
            return version, len(tables), _find_warnings(connection, source, [row[0] for row in tables])
        finally:
            connection.rollback()
            held.close()
    finally:
        engine.dispose()


def _find_warnings(connection: Connection, source: SqlSource, tables: list[int]) -> tuple[str, ...]:
    warnings: list[str] = []
    superuser, maker = connection.execute(
        "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchall()[0]
    if source.role is not None:
        usable = connection.execute(
            "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = %s", (source.role,)
        ).fetchone()
        if not usable:
            warnings.append(f"there is no role {source.role}")
        elif not usable[0]:
            warnings.append(f"the login may not become the role {source.role}")
    elif not superuser and not maker:
        warnings.append("the login cannot make a role for tools, so tools run with its own rights")
    fired = connection.execute(
        "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgrelid = ANY(%s)", (tables,)
    ).fetchall()[0][0]
    if fired:
        warnings.append(f"{fired} triggers run on writes; what they take from the clock or from chance is not pinned")
    return tuple(warnings)
