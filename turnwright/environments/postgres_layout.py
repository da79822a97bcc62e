"""What an environment has to know of a PostgreSQL database before its first statement."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.sql import SQL, Identifier

from turnwright.environments.postgres_roles import can_make_role
from turnwright.environments.postgres_statements import ColumnDefault, judge_default
from turnwright.sources.postgres_reader import WITHOUT_EQUALITY, PostgresReader
from turnwright.sources.postgres_server import Connection
from turnwright.sources.structure import FoundTable

_DEFAULTS = """
SELECT c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  AND (d.adbin IS NOT NULL OR a.attidentity <> '')
ORDER BY c.relname, a.attnum
"""


@dataclass(frozen=True)
class Layout:
    """Tables, defaults that need pinning, and what the login may do."""

    tables: Mapping[str, FoundTable]
    """Tables and views of the schema by name."""
    defaults: Mapping[str, tuple[ColumnDefault, ...]]
    """Table -> defaults that are not the same each time."""
    compared_as_text: Mapping[str, frozenset[str]]
    """Table -> columns whose type has no equality."""
    superuser: bool
    makes_roles: bool
    """The login can make a role, become it and give it rights on the tables."""
    given_role: str | None
    """Role that the config names."""
    open_schema: bool
    """Everybody may look into the schema."""


def read_layout(connection: Connection, reader: PostgresReader, schema: str, role: str | None) -> Layout:
    """Reads the layout in the open transaction, which is ended.

    Raises:
        psycopg.Error: the catalogue cannot be read, or the role of the config cannot be assumed.
    """
    tables = {table.name: table for table in reader.list_tables()}
    defaults: dict[str, list[ColumnDefault]] = {}
    for table, column, expression, identity in reader.rows(_DEFAULTS, (schema,)):
        default = judge_default(column, expression, identity)
        if default is not None:
            defaults.setdefault(table, []).append(default)
    texts: dict[str, set[str]] = {}
    for (table, column), stored in reader.types.items():
        if stored in WITHOUT_EQUALITY:
            texts.setdefault(table, set()).add(column)
    superuser, maker = connection.execute(
        "SELECT rolsuper, rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchall()[0]
    opened = connection.execute("SELECT has_schema_privilege('public', %s, 'USAGE')", (schema,)).fetchall()[0][0]
    connection.rollback()
    if role is not None:
        connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(role)))
        connection.rollback()
    named = next((table for table in sorted(tables)), None)
    return Layout(
        tables=tables,
        defaults={name: tuple(found) for name, found in defaults.items()},
        compared_as_text={name: frozenset(found) for name, found in texts.items()},
        superuser=bool(superuser),
        makes_roles=bool(maker) and role is None and can_make_role(connection, schema, named),
        given_role=role,
        open_schema=bool(opened),
    )
