"""What is known of a relational database: the content of an `sql` seed."""

from typing import Any

from schemas.closed import Closed


class Column(Closed):
    """One column of a table or view."""

    name: str
    type: str
    """Declared type as the database spells it; empty where it declares none."""
    json_type: str
    """`integer`, `number`, `string` or `boolean`: what the values really are, whatever was declared."""
    nullable: bool
    primary_key: bool
    surrogate: bool
    """Only identifies: an integer primary key or unique id, or a reference to one. Nobody knows it by heart."""
    references: tuple[str, str] | None = None
    """Table and column that it points at."""
    unique: bool = False
    """Its values are all different (declared, or seen)."""
    format: str | None = None
    """`date`, `date-time`, `time`, `email` or `uri` where every value seen has that form."""
    values: tuple[Any, ...] = ()
    """All its values, sorted, where they form a small closed set (at most 12); otherwise empty."""
    writable: bool = True
    """False for generated columns and for binary content."""


class ForeignKey(Closed):
    """A reference of one or more columns."""

    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]


class Table(Closed):
    """One table or view."""

    name: str
    view: bool
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    rows: int
    sample: tuple[dict[str, Any], ...]
    """A few rows, drawn by the seed; all that a writer role sees of the content."""

    def column(self, name: str) -> Column | None:
        """The column of that name, compared without case, or none."""
        return next((column for column in self.columns if column.name.lower() == name.lower()), None)


class Database(Closed):
    """Structure and a limited view of the rows of one database."""

    name: str
    dialect: str
    """sqlglot's name of the dialect: `sqlite` or `postgres`."""
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table | None:
        """The table or view of that name, compared without case, or none."""
        return next((table for table in self.tables if table.name.lower() == name.lower()), None)
