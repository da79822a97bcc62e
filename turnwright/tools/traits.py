"""What the columns of a table are good for: to name a row, to order and average rows, to group them, to join them."""

from schemas.databases import Column, Database, Table
from turnwright.goals.words import naming_column
from turnwright.tools.naming import split_words

MAIN_TABLES = 6
"""Tables that questions and tools are about first; the smaller ones of a large database come by themselves."""
_NO_MEASURE = frozenset(
    "id year code zip zipcode postcode phone fax number no nr num ssn isbn rank month day round".split()
)
_PROSE = frozenset("description comment comments note notes text details address summary url photo bio".split())
_GROUPS = frozenset(
    "country city town region state type status category colour color nationality position language gender genre"
    " theme department level class role format continent location year season".split()
)
_LONG = 40


class Traits:
    """One table, as far as its shape tells."""

    def __init__(self, database: Database, table: Table) -> None:
        self.table = table
        columns = [column for column in table.columns if column.writable or column.primary_key]
        own = [column for column in columns if not column.surrogate and not column.references]
        self.key = tuple(column for name in table.primary_key if (column := table.column(name)))
        self.parents = tuple(
            (column, parent)
            for column in columns
            if column.references
            and (parent := database.table(column.references[0])) is not None
            and parent.name != table.name
            and parent.rows > 0
        )
        """Columns that point at another table that has rows, with that table."""
        named = table.column(naming_column(table) or "")
        few = len(own) <= 1 and len(self.parents) > 1
        self.name = None if few or named is None or _is_prose(named, table) else named
        """The column by which people tell its rows apart, where there is one."""
        self.junction = self.name is None and len(self.parents) > 1 and len(own) <= 1
        """It only joins other tables."""
        self.measures = tuple(column for column in own if _is_measure(column) and not _tells_years(column, table))
        """Numbers worth comparing and averaging."""
        self.groups = tuple(column for column in own if column is not self.name and _is_group(column, table))
        """Columns by which rows fall into a few groups."""
        self.changeable = tuple(
            column
            for column in (*self.measures, *self.groups, *own)
            if column.writable and not column.primary_key and column is not self.name
        )
        """What may be corrected in a row, numbers and groups first."""
        self.referred = any(
            column.references and column.references[0].lower() == table.name.lower()
            for other in database.tables
            for column in other.columns
        )
        """Another table points at it, so that its rows are not free to be removed."""

    def shown(self, most: int = 5) -> tuple[Column, ...]:
        """The columns worth returning: key, name, then the others as they come."""
        first = [*self.key, *([self.name] if self.name and self.name not in self.key else [])]
        others = [column for column in self.table.columns if column not in first and not _is_prose(column, self.table)]
        return (*first, *others)[: max(most, len(first))]


def rank_tables(database: Database) -> list[Traits]:
    """The tables with rows that can be written to, those that people care most about first."""
    inbound = [column.references[0] for table in database.tables for column in table.columns if column.references]
    ranked = [Traits(database, table) for table in database.tables if table.rows > 0 and not table.view]

    def weigh(traits: Traits) -> float:
        table = traits.table
        weight = min(table.rows, 40) / 10 + 2 * (traits.name is not None) + 1.5 * inbound.count(table.name)
        return weight + len(traits.parents) + len(traits.measures) / 2 - 4 * traits.junction - 3 * (not traits.key)

    return sorted(ranked, key=lambda traits: (-weigh(traits), traits.table.name))


def _is_prose(column: Column, table: Table) -> bool:
    texts = [value for row in table.sample if isinstance(value := row.get(column.name), str)]
    return any(len(text) > _LONG for text in texts) or bool(_PROSE & set(split_words(column.name)))


def _is_measure(column: Column) -> bool:
    if column.json_type not in ("integer", "number") or column.primary_key:
        return False
    return not _NO_MEASURE & set(split_words(column.name)) and not (column.values and set(column.values) <= {0, 1})


def _tells_years(column: Column, table: Table) -> bool:
    values = [value for row in table.sample if (value := row.get(column.name)) is not None]
    return bool(values) and all(isinstance(value, int) and 1500 <= value <= 2100 for value in values)


def _is_group(column: Column, table: Table) -> bool:
    if column.primary_key or column.unique or column.format or _is_measure(column):
        return False
    return bool(column.values) or (bool(_GROUPS & set(split_words(column.name))) and not _is_prose(column, table))
