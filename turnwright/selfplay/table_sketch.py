"""What the drafts of one table are made of: its quoted names, select lists and joins."""

from dataclasses import dataclass, field

from turnwright.selfplay.database_view import DatabaseView, ViewColumn, ViewTable
from turnwright.tools.key_roles import name_role
from turnwright.tools.naming import snake_case
from turnwright.tools.sql_statement import quote_identifier

_MOST_SHOWN = 9


@dataclass(frozen=True)
class ToolDraft:
    """One tool, as it would be written without a mistake."""

    name: str
    description: str
    sql: str
    words: frozenset[str] = field(default=frozenset())
    """Words of the tables it is about, to find tools that fit a question."""


class TableSketch:
    """One table of a database, and the pieces of SQL that drafts about it share."""

    def __init__(self, view: DatabaseView, table: ViewTable) -> None:
        self.view = view
        self.table = table
        self.measures = [column for column in table.columns if column.measure]
        self.groups = [column for column in table.columns if column.grouping]
        self.parents = [
            (column, *parent) for column in table.references if (parent := view.parent(column)) and parent[0].rows > 0
        ]
        looped = [column for column in table.references if column.references and column.references[0] == table.name]
        self.superiors = [
            (column, table, target)
            for column in looped
            if column.samples and (target := table.find((column.references or ("", ""))[1])) is not None
        ]
        """References of the table to itself, as of an employee to their manager, like `parents`."""

    def quote(self, name: str) -> str:
        """A name as the dialect writes it."""
        return quote_identifier(name, self.view.dialect).sql(dialect=self.view.dialect)

    def at(self, column: ViewColumn, alias: str = "t") -> str:
        """A column of the table, or of the one under another alias."""
        return f"{alias}.{self.quote(column.name)}"

    def draft(self, name: str, description: str, sql: str, *others: ViewTable) -> ToolDraft:
        """A draft about this table and `others`."""
        words = {word for table in (self.table, *others) for word in table.entity.lower().split()}
        return ToolDraft(name[:64].rstrip("_"), description, sql, frozenset(words))

    @property
    def source(self) -> str:
        """The table in FROM, as `t`."""
        return f"{self.quote(self.table.name)} AS t"

    def shown(self, most: int = _MOST_SHOWN) -> list[ViewColumn]:
        """Key, names, then the rest as it comes; prose last."""
        table = self.table
        first = [*table.key, *(column for column in table.labels if column not in table.key)]
        rest = sorted((column for column in table.columns if column not in first), key=lambda column: column.long)
        return [*first, *rest][: max(most, len(first))]

    def selected(self, most: int = _MOST_SHOWN) -> tuple[str, str, list[ViewTable]]:
        """Select list with the names of what the rows refer to, FROM with its joins, and the joined tables."""
        items = [self.at(column) for column in self.shown(most)]
        joins, joined = self.source, list[ViewTable]()
        for number, (column, parent, target) in enumerate([*self.parents[:2], *self.superiors[:1]]):
            if not parent.labels:
                continue
            alias = f"p{number}"
            items += [
                f"{self.at(label, alias)} AS {self.parent_name(column, parent, label)}" for label in parent.labels
            ]
            joins += f" LEFT JOIN {self.quote(parent.name)} AS {alias} ON {self.at(target, alias)} = {self.at(column)}"
            joined.append(parent)
        return ", ".join(items), joins, joined

    def role(self, column: ViewColumn, parent: ViewTable) -> str:
        """What a row calls the one that its reference points at: the parent's noun, of two clubs the `from club`."""
        # Columns of one key point at different columns, those of two keys at the same.
        rivals = [other.name for other in self.table.references if other.references == column.references]
        return name_role(self.table.name, column.name, parent.name, rivals) or parent.entity

    def parent_name(self, column: ViewColumn, parent: ViewTable, label: ViewColumn) -> str:
        """`club_name`; by the reference's own words where it says more (`home_team_name`)."""
        role = self.role(column, parent)
        if role != parent.entity:
            return snake_case(f"{role} {parent.label(label)}")
        owner = snake_case(column.name).removesuffix("_id").removesuffix("_code")
        owner = owner if owner not in ("id", parent.single) and len(owner) > 3 else parent.single
        name = snake_case(parent.label(label))
        return name if name.startswith(owner) else f"{owner}_{name}"

    def by_key(self, alias: str = "t") -> str:
        """The condition that picks out one row."""
        prefix = f"{alias}." if alias else ""
        return " AND ".join(
            f"{prefix}{self.quote(column.name)} = :{self.table.parameter(column)}" for column in self.table.key
        )

    def key_words(self) -> str:
        """The key in words."""
        return " and ".join(self.table.label(column) for column in self.table.key)
