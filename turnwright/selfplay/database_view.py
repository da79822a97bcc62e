"""A `database` block as the writing players read it: which columns name a row, measure it, or group it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from turnwright.tools.naming import plural, singular, snake_case, split_words, to_words

_NAMING = {
    "name": 6,
    "title": 6,
    "label": 4,
    "fname": 4,
    "lname": 4,
    "surname": 4,
    "bezeichnung": 4,
    "model": 3,
    "subject": 3,
    "details": 1,
}
_GROUPING = frozenset(
    "country city region state type status category color colour nationality position language gender sex class"
    " genre theme town district department location level grade kontinent farbe bundesland role medium format"
    " county continent industry range family brand maker occupation residence origin destination sponsor"
    " manufacturer source".split()
)
_NO_MEASURE = frozenset(
    "id year code zip zipcode postcode phone fax number no nr num ssn isbn rank month day season round jahr".split()
)
_LONG = frozenset(
    "description comment comments note notes text details address bio content summary url website photo picture".split()
)
_TECHNICAL = ("ref ", "tbl ", "tb ")
_TEXT = ("string", "email", "uri")


@dataclass(frozen=True)
class ViewColumn:
    """One column of the block."""

    table: str
    name: str
    type: str
    """JSON type, or the format of a text (`date`, `email`, …)."""
    nullable: bool
    primary_key: bool
    surrogate: bool
    references: tuple[str, str] | None
    values: tuple[Any, ...]
    samples: tuple[Any, ...]
    """Values in the sample rows, NULL left out."""

    @cached_property
    def words(self) -> list[str]:
        """Its name in lower-case words."""
        return split_words(self.name)

    @property
    def text(self) -> bool:
        """Plain text, and no reference."""
        return self.type in _TEXT and not self.surrogate and self.references is None

    @property
    def long(self) -> bool:
        """Prose: nothing to search a row by or to group by."""
        texts = [str(value) for value in self.samples]
        most = 30 if _LONG & set(self.words) else 60
        return any(len(text) > most for text in texts) or (not texts and bool(_LONG & set(self.words)))

    @property
    def measure(self) -> bool:
        """A number that can be compared and averaged."""
        if self.type not in ("integer", "number") or self.surrogate or self.primary_key or self.references is not None:
            return False
        return not _NO_MEASURE & set(self.words) and (not self.values or not set(self.values) <= {0, 1})

    @property
    def date(self) -> bool:
        """A date or a time with a date."""
        return self.type in ("date", "date-time")

    @property
    def grouping(self) -> bool:
        """Rows fall into few groups by it."""
        if self.surrogate or self.primary_key or self.references or self.type not in (*_TEXT, "boolean", "integer"):
            return False
        return bool(self.values) or (self.type == "string" and bool(_GROUPING & set(self.words)) and not self.long)


@dataclass(frozen=True)
class ViewTable:
    """One table of the block."""

    name: str
    view: bool
    rows: int
    columns: tuple[ViewColumn, ...]
    sample: tuple[dict[str, Any], ...]

    @cached_property
    def entity(self) -> str:
        """One of its rows as a noun."""
        words = to_words(self.name)
        for prefix in _TECHNICAL:
            words = words.removeprefix(prefix)
        return singular(words)

    @property
    def entities(self) -> str:
        """Several of its rows."""
        return plural(self.entity)

    @property
    def single(self) -> str:
        """`entity` as part of a function name."""
        return snake_case(self.entity, "item")

    @property
    def many(self) -> str:
        """`entities` as part of a function name."""
        return snake_case(self.entities, "items")

    @cached_property
    def key(self) -> tuple[ViewColumn, ...]:
        """The primary key, possibly empty."""
        return tuple(column for column in self.columns if column.primary_key)

    @cached_property
    def references(self) -> tuple[ViewColumn, ...]:
        """Columns that point at another table."""
        return tuple(column for column in self.columns if column.references)

    @cached_property
    def junction(self) -> bool:
        """It only joins other tables: two references or more, and hardly anything of its own."""
        return len(self.references) >= 2 and len(self.columns) - len(self.references) <= 1 and not self.labels

    @cached_property
    def labels(self) -> tuple[ViewColumn, ...]:
        """What people tell its rows apart by: one column, first and last name, or nothing."""
        texts = [
            column
            for column in self.columns
            if column.text and not column.values and not column.long and column.samples
        ]
        first = next((c for c in texts if {"first", "fname", "firstname", "forename"} & set(c.words)), None)
        last = next((c for c in texts if {"last", "lname", "lastname", "surname"} & set(c.words)), None)
        if first and last:
            return (first, last)
        ranked = sorted(texts, key=lambda column: -self._telling(column))
        return (ranked[0],) if ranked and self._telling(ranked[0]) > 0 else ()

    def _telling(self, column: ViewColumn) -> int:
        score = max((_NAMING.get(word, 0) for word in column.words), default=0)
        if column.words and column.words[-1] in ("name", "title"):
            score += 2
        if " ".join(column.words) == self.entity:
            score += 5
        score += 2 * (self.columns.index(column) <= 2) - 3 * bool(_GROUPING & set(column.words))
        return score

    def label(self, column: ViewColumn) -> str:
        """A column in words, without the name of its own table."""
        words = to_words(column.name)
        shorter = words.removeprefix(f"{self.entity} ")
        return shorter if shorter not in ("", "ID") else words

    def parameter(self, column: ViewColumn) -> str:
        """A column as a parameter's name; a bare `id` says whose it is."""
        name = snake_case(column.name)
        return f"{self.single}_{name}" if name in ("id", "nr", "no", "name", "code", "number") else name

    def find(self, name: str) -> ViewColumn | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class DatabaseView:
    """The whole block."""

    name: str
    dialect: str
    tables: tuple[ViewTable, ...]

    def table(self, name: str) -> ViewTable | None:
        """The table of that name."""
        return next((table for table in self.tables if table.name == name), None)

    def parent(self, column: ViewColumn) -> tuple[ViewTable, ViewColumn] | None:
        """Table and column that a reference points at, where it is another table."""
        if column.references is None:
            return None
        table = self.table(column.references[0])
        target = table.find(column.references[1]) if table else None
        return (table, target) if table and target and table.name != column.table else None

    @cached_property
    def ranked(self) -> tuple[ViewTable, ...]:
        """The tables with rows, those that people care most about first."""
        inbound = [column.references[0] for table in self.tables for column in table.references if column.references]

        def weight(table: ViewTable) -> float:
            score = min(table.rows, 40) / 10 + 2 * bool(table.labels) + 1.5 * inbound.count(table.name)
            score += len(table.references) + 0.5 * sum(column.measure for column in table.columns)
            score -= 4 * table.view + 3 * table.junction + 3 * (len(table.columns) <= 2)
            score -= 3 * to_words(table.name).startswith(_TECHNICAL)
            return score - 3 * (not table.key)

        filled = [table for table in self.tables if table.rows > 0]
        return tuple(sorted(filled, key=lambda table: (-weight(table), table.name)))


def read_view(block: dict[str, Any]) -> DatabaseView:
    """Reads a `database` block."""
    tables: list[ViewTable] = []
    for table in block["tables"]:
        sample = tuple(table["sample"])
        columns = tuple(
            ViewColumn(
                table=table["name"],
                name=column["name"],
                type=column["type"],
                nullable=column.get("nullable", True),
                primary_key=column.get("primary_key", False),
                surrogate=column.get("surrogate", False),
                references=tuple(column["references"]) if column.get("references") else None,
                values=tuple(column.get("values", ())),
                samples=tuple(row[column["name"]] for row in sample if row.get(column["name"]) is not None),
            )
            for column in table["columns"]
        )
        tables.append(ViewTable(table["name"], table.get("view", False), table["rows"], columns, sample))
    return DatabaseView(block["name"], block["dialect"], tuple(tables))
