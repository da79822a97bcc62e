"""The role that tool statements run as on PostgreSQL: without rights, and gone when the transaction ends."""

import uuid
from collections.abc import Sequence
from typing import LiteralString, Protocol, cast

import psycopg
from psycopg.sql import SQL, Identifier

from turnwright.environments.postgres_statements import Statement
from turnwright.sources.postgres_server import Connection


class Rights(Protocol):
    """What decides how a role is come by; environments.postgres_layout.Layout is one."""

    @property
    def superuser(self) -> bool:
        """The login is one."""
        ...

    @property
    def makes_roles(self) -> bool:
        """The login can make a role and become it."""
        ...

    @property
    def given_role(self) -> str | None:
        """Role that the config names."""
        ...

    @property
    def open_schema(self) -> bool:
        """Everybody may look into the schema."""
        ...


def assume_role(connection: Connection, rights: Rights, schema: str, statements: Sequence[Statement]) -> None:
    """Gives up rights until the transaction ends: what is left is what these statements need.

    Raises:
        psycopg.Error: the role cannot be assumed.
    """
    if rights.given_role is not None:
        connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(rights.given_role)))
        return
    if not rights.makes_roles:
        return
    role = Identifier(f"turnwright_{uuid.uuid4().hex}")
    connection.execute(SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(role))
    if not rights.superuser:
        connection.execute(SQL("GRANT {} TO CURRENT_USER").format(role))
    if not rights.open_schema:
        connection.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(schema), role))
    # In one order, so that two transactions wait for each other and never in a ring.
    for name in sorted({name for item in statements for name in item.tables}):
        verbs = sorted({item.verb.upper() for item in statements if item.target == name} | {"SELECT"})
        granted = SQL(cast(LiteralString, ", ".join(verbs)))
        connection.execute(SQL("GRANT {} ON {} TO {}").format(granted, Identifier(schema, name), role))
    connection.execute(SQL("SET LOCAL ROLE {}").format(role))


def can_make_role(connection: Connection, schema: str, table: str | None) -> bool:
    """Tries it, and undoes it: the rights that it takes differ between versions of the server."""
    probe = Identifier("turnwright_probe")
    try:
        connection.execute(SQL("CREATE ROLE {} NOLOGIN").format(probe))
        connection.execute(SQL("GRANT {} TO CURRENT_USER").format(probe))
        connection.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(schema), probe))
        if table is not None:
            connection.execute(SQL("GRANT SELECT ON {} TO {}").format(Identifier(schema, table), probe))
        connection.execute(SQL("SET LOCAL ROLE {}").format(probe))
        if table is not None:
            connection.execute(SQL("SELECT FROM {} LIMIT 0").format(Identifier(schema, table)))
    except psycopg.Error:
        return False
    finally:
        connection.rollback()
    return True
