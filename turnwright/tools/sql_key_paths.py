"""Which row a source of a query is, where its table stands there twice or could be reached by another key.

In `FROM transfer t JOIN club f ON f.club_id = t.from_club_id JOIN club s ON s.club_id = t.to_club_id` both `f` and `s`
are clubs; only the keys that they are joined by tell them apart. The keys are followed through joins of any depth,
subqueries that stand for one value, and common table expressions. What only one side of an OR says tells nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from schemas.databases import Database
from schemas.tools import KeyPath
from turnwright.tools.key_roles import Key, find_key
from turnwright.tools.sql_names import Names, Origin, Source, list_nodes

_Row = tuple[int, str, KeyPath]
"""Position of a source, and the table and keys by which it knows a row; a derived source can hold several rows."""


@dataclass(frozen=True)
class _Link:
    """A row is the one that a key points at."""

    parent: _Row | None
    """The row that has the key; none where it is known by `above` alone."""
    above: KeyPath
    """Keys that lead to the row that has the key."""
    owner: str
    """Its table."""
    key: Key

    @property
    def step(self) -> tuple[str, str]:
        return self.owner, self.key.telling


def follow_keys(
    node: exp.Select, sources: tuple[Source, ...], outer: tuple[Source, ...], names: Names, database: Database
) -> tuple[Source, ...]:
    """The sources of a query with the keys that tell their rows apart.

    Args:
        node: the query, its columns not yet resolved.
        sources: what stands in its FROM.
        outer: sources of the queries around it, the nearest first; their keys are known.
        names: of the statement; target and columns of an INSERT are known.
        database: says which columns are keys.
    """
    return _Follower(node, sources, outer, names, database).follow()


class _Follower:
    def __init__(
        self,
        node: exp.Select,
        sources: tuple[Source, ...],
        outer: tuple[Source, ...],
        names: Names,
        database: Database,
    ) -> None:
        self._node = node
        self._sources = sources
        self._outer = outer
        self._names = names
        self._database = database
        self._links: dict[_Row, list[_Link]] = {}

    def follow(self) -> tuple[Source, ...]:
        for left, right in self._equalities():
            one, other = self._find(left), self._find(right)
            if one is not None and other is not None:
                self._link(one, other)
                self._link(other, one)
        self._link_value()
        if not self._links:
            return self._sources
        paths = self._tell_apart()
        return tuple(self._place(position, source, paths) for position, source in enumerate(self._sources))

    def _equalities(self) -> Iterator[tuple[exp.Column, exp.Column]]:
        joins = list_nodes(self._node, "joins")
        where = self._node.args.get("where")
        conditions = [on for join in joins if isinstance(on := join.args.get("on"), exp.Expr)]
        conditions += [where.this] if isinstance(where, exp.Where) else []
        for condition in conditions:
            for part in _conjuncts(condition):
                if isinstance(part, exp.EQ):
                    left, right = part.this.unnest(), part.expression.unnest()
                    if isinstance(left, exp.Column) and isinstance(right, exp.Column):
                        yield left, right
        for position, join in enumerate(joins, start=len(self._sources) - len(joins)):
            for identifier in list_nodes(join, "using"):
                name = identifier.name
                before = [source for source in self._sources[:position] if name.lower() in source.columns]
                if before:
                    yield exp.column(name, table=before[0].name), exp.column(name, table=self._sources[position].name)

    def _find(self, column: exp.Column) -> tuple[_Row | None, Origin] | None:
        """The row and the stored column that a column stands for; no row where it is of a query around this one."""
        found = _find_source(self._sources, column)
        around = _find_source(self._outer, column) if found is None else None
        source = self._sources[found] if found is not None else self._outer[around] if around is not None else None
        origin = source.columns[column.name.lower()][1] if source is not None else None
        if origin is None:
            return None
        return (None if found is None else (found, origin.table, origin.via)), origin

    def _link(self, child: tuple[_Row | None, Origin], parent: tuple[_Row | None, Origin]) -> None:
        """Notes that `child` is the row that the column of `parent` points at, if that column is a key into it."""
        row, origin = child
        key = self._key(parent[1], origin)
        if row is None or key is None or row == parent[0]:
            return
        # A club is there whether or not a transfer was found for it: no transfer says what it is.
        above = parent[0][0] if parent[0] is not None else -1
        if above < row[0] or not self._sources[above].outer:
            self._links.setdefault(row, []).append(_Link(parent[0], parent[1].via, parent[1].table, key))

    def _key(self, column: Origin, target: Origin) -> Key | None:
        table = self._database.table(column.table)
        key = find_key(table, column.column) if table is not None else None
        if key is None or key.telling.lower() != column.column.lower() or key.target.lower() != target.table.lower():
            return None
        return key if key.referred[key.columns.index(key.telling)].lower() == target.column.lower() else None

    def _link_value(self) -> None:
        """Links the row whose key this query gives as a value: `from_club_id = (SELECT club_id FROM club …)`."""
        given = self._node.expressions[0].unalias() if len(self._node.expressions) == 1 else None
        column = self._filled()
        child = self._find(given) if isinstance(given, exp.Column) and column is not None else None
        if child is not None and column is not None:
            self._link(child, (None, column))

    def _filled(self) -> Origin | None:
        """The stored column that this query's one value is written to or compared with."""
        node: exp.Expr = self._node
        while isinstance(node.parent, (exp.Subquery, exp.Paren)):
            node = node.parent
        parent = node.parent
        if isinstance(parent, (exp.EQ, exp.In)):
            other = parent.expression if isinstance(parent, exp.EQ) and node is parent.this else parent.this
            other = other.unnest() if isinstance(other, exp.Expr) else None
            position = _find_source(self._outer, other) if isinstance(other, exp.Column) else None
            if other is None or position is None:
                return None
            return self._outer[position].columns[other.name.lower()][1]
        if isinstance(parent, (exp.Tuple, exp.Select)) and isinstance(self._names.tree, exp.Insert):
            place = next((index for index, item in enumerate(parent.expressions) if item is node), None)
            written = self._names.written
            is_row = isinstance(parent.parent, exp.Values) or parent.parent is self._names.tree
            if is_row and place is not None and place < len(written) and self._names.target is not None:
                return Origin(self._names.target.name, written[place])
        return None

    def _tell_apart(self) -> dict[_Row, KeyPath]:
        """The keys that each linked row needs: none where its table is enough."""
        whole = {row: self._walk(row, frozenset()) for row in self._links}
        short = {row: self._shorten(path) for row, path in whole.items()}
        for row, path in list(short.items()):
            alike = [other for other in whole if other[1] == row[1] and short[other] == path]
            if len({whole[other] for other in alike}) > 1:
                short |= {other: whole[other] for other in alike}
        return short

    def _walk(self, row: _Row, seen: frozenset[_Row]) -> KeyPath:
        links = [link for link in self._links.get(row, ()) if link.parent not in seen]
        if not links or row in seen:
            return row[2]
        # A row that is reached by an only key is that key's row, whatever else points at it; one that two keys point
        # at, as the club that transfers go to and come from, is in neither role.
        link = min(links, key=lambda link: link.key.needs_role)
        if link.key.needs_role and len({one.step for one in links}) > 1:
            return row[2]
        above = self._walk(link.parent, seen | {row}) if link.parent is not None else link.above
        return (*above, link.step)

    def _shorten(self, path: KeyPath) -> KeyPath:
        for position, (name, column) in enumerate(path):
            table = self._database.table(name)
            key = find_key(table, column) if table is not None else None
            if key is not None and key.needs_role and key.role:
                return path[position:]
        return ()

    def _place(self, position: int, source: Source, paths: dict[_Row, KeyPath]) -> Source:
        def place(origin: Origin | None) -> Origin | None:
            path = paths.get((position, origin.table, origin.via)) if origin is not None else None
            return replace(origin, via=path) if origin is not None and path else origin

        columns = {name: (written, place(origin)) for name, (written, origin) in source.columns.items()}
        return replace(source, columns=columns)


def _find_source(sources: tuple[Source, ...], column: exp.Column) -> int | None:
    name, qualifier = column.name.lower(), column.table.lower()
    fits = [
        position
        for position, source in enumerate(sources)
        if name in source.columns and (not qualifier or source.name.lower() == qualifier)
    ]
    return fits[0] if fits else None


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.this)
        yield from _conjuncts(condition.expression)
    else:
        yield condition


def merge_origins(origins: Iterable[Origin | None]) -> Origin | None:
    """The one stored column that all of them are, of no row in particular where they are of several; else none."""
    distinct = list(dict.fromkeys(origins))
    first = distinct[0] if distinct else None
    if first is None or len(distinct) == 1:
        return first
    same = all(one is not None and (one.table, one.column) == (first.table, first.column) for one in distinct)
    return replace(first, via=()) if same else None
