"""What people call a row that a foreign key points at: `from club` and `to club` where a transfer has two clubs.

A table with one key into another needs no role: its club is the club. With two keys, or with a key into the table
itself, only the key tells which row is meant, and so every label of that row's columns begins with the key's role.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.databases import Column, Database, Table
from schemas.tools import KeyPath
from turnwright.goals.words import name_column, name_detail, name_entity
from turnwright.tools.naming import singular, to_words

_KEY_WORDS = frozenset("id ids code no nr num number key fk fkey ref pk".split())
"""Words that say only that a column is a key."""
_PREPOSITIONS = frozenset("by to from for of in at on with".split())
_NUMBERED = re.compile(r"([^\W\d]+)(\d+)")
_AGENT = re.compile(r"\w{3,}(?:er|or|ee|ist|ian)$")
_PEOPLE = frozenset("boss chief head coach captain spouse wife husband mother father friend mate assistant".split())
_NO_AGENTS = frozenset(
    "former latter other older newer upper lower outer inner larger smaller higher prior major minor exterior interior"
    " over under after center centre order number".split()
)


@dataclass(frozen=True)
class Key:
    """One foreign key of a table."""

    columns: tuple[str, ...]
    target: str
    referred: tuple[str, ...]
    telling: str
    """The column by which it differs from the table's other keys into `target`; its only one, mostly."""
    rivals: tuple[str, ...]
    """The telling columns of all keys of the table into `target`, in the order of the table."""
    own: str
    """The table that has the key."""

    @property
    def needs_role(self) -> bool:
        """Whether the table that it points at does not say which row is meant."""
        return len(self.rivals) > 1 or self.target.lower() == self.own.lower()

    @property
    def role(self) -> str:
        """See `name_role`."""
        return name_role(self.own, self.telling, self.target, self.rivals)


def list_keys(table: Table) -> list[Key]:
    """The different foreign keys of a table; one that is declared twice counts once."""
    found: dict[tuple[tuple[str, ...], str], tuple[tuple[str, ...], str, tuple[str, ...]]] = {}
    pairs = [(key.columns, key.table, key.referred) for key in table.foreign_keys]
    declared = {(name.lower(), target.lower()) for columns, target, _ in pairs for name in columns}
    pairs += [
        ((column.name,), column.references[0], (column.references[1],))
        for column in table.columns
        if column.references and (column.name.lower(), column.references[0].lower()) not in declared
    ]
    for columns, target, referred in pairs:
        lower = tuple(sorted(name.lower() for name in columns))
        found.setdefault((lower, target.lower()), (columns, target, referred))
    order = {column.name.lower(): position for position, column in enumerate(table.columns)}
    keys: list[Key] = []
    for columns, target, referred in found.values():
        siblings = [other for other, there, _ in found.values() if there.lower() == target.lower()]
        telling = [_tell_apart(sibling, siblings) for sibling in siblings]
        telling.sort(key=lambda name: (order.get(name.lower(), len(order)), name))
        rivals = tuple(dict.fromkeys(telling))
        keys.append(Key(columns, target, referred, _tell_apart(columns, siblings), rivals, table.name))
    return keys


def _tell_apart(columns: Sequence[str], siblings: Sequence[Sequence[str]]) -> str:
    """The first column of a key that not all of its siblings have; of a key without siblings its last."""
    lower = [{name.lower() for name in sibling} for sibling in siblings]
    return next((name for name in columns if not all(name.lower() in other for other in lower)), columns[-1])


def find_key(table: Table, column: str) -> Key | None:
    """The key of a table that a column tells, else one that it is part of."""
    keys = list_keys(table)
    name = column.lower()
    exact = [key for key in keys if key.telling.lower() == name]
    parts = [key for key in keys if name in {part.lower() for part in key.columns}]
    return next(iter(sorted(exact, key=lambda key: len(key.columns)) or parts), None)


def name_reference(table: Table, column: str) -> str:
    """The role of the row that a column points at, empty where its table says enough; see `name_role`."""
    key = find_key(table, column)
    return key.role if key is not None else ""


def name_path(path: KeyPath, database: Database) -> str:
    """What the row at the end of a path of keys is called, empty where its table says enough.

    `from club` for `transfer.from_club_id`; its city is the `from club city`. Where no key of a path needs a role, the
    row is called after the one that it belongs to: the `customer's city` beside the `store city`.
    """
    said, noun, owner = "", "", ""
    for step, column in path:
        table = database.table(step)
        key = find_key(table, column) if table is not None else None
        if key is None:
            return ""
        noun, owner = name_entity(key.target), name_entity(step)
        role = key.role
        said = name_owned(said, role or noun) if said else role
    return said or (name_owned(owner, noun) if len(path) > 1 else "")


def name_field(table: Table, column: Column, role: str) -> str:
    """A column as a label that says whose it is, of a row in a role: `from club name`, `manager's date of birth`.

    Without a role it is that of `name_detail`. This is the one place where columns of joined rows get their labels.
    """
    if not role:
        return name_detail(table, column)
    noun, label = name_entity(table.name), name_column(table, column)
    if label == noun or label in role.split():
        return role
    return name_owned(role, label.removeprefix(f"{noun} "))


def name_whole(table: str, label: str) -> str:
    """A label that is clear without its row: `transfer from club name`. Most are so already, as `home club name`."""
    return f"{name_entity(table)} {label}" if label.split()[0].split("-")[0] in _PREPOSITIONS else label


def name_owned(owner: str, thing: str) -> str:
    """`from club` and `name` give `from club name`, `manager` and `name` give `manager's name`."""
    return f"{owner}'s {thing}" if _is_person(owner) else f"{owner} {thing}"


def _is_person(role: str) -> bool:
    """Whether a role stands for somebody by itself, as `manager` and `boss` do, so that it owns things."""
    last = role.split()[-1] if role else ""
    return last in _PEOPLE or bool(_AGENT.match(last) and last not in _NO_AGENTS)


def name_role(table: str, column: str, target: str, rivals: Sequence[str]) -> str:
    """What the row of `target` that a key points at is called, empty where it is simply that table's row.

    Args:
        table: that has the key.
        column: of the key; of a composite key the one that tells it from the others.
        target: table that it points at.
        rivals: such columns of all keys of `table` into `target`, this one among them, in a fixed order.

    `from_club_id` gives `from club`, `homeTeamID` `home team`, `manager_id` into `employees` `manager`, `reports_to`
    `reports-to employee`, `FK1` into clubs `club 1`. Of `club_id` and `loan_club_id` the first is simply the club.
    """
    looped = table.lower() == target.lower()
    if len(rivals) < 2 and not looped:
        return ""
    role = _say_role(table, column, target, looped)
    others = [_say_role(table, rival, target, looped) for rival in rivals]
    if role is not None and others.count(role) == 1:
        return role
    place = [rival.lower() for rival in rivals].index(column.lower()) + 1
    return f"{name_entity(target)} {place}" if len(rivals) > 1 else f"related {name_entity(target)}"


def _say_role(table: str, column: str, target: str, looped: bool) -> str | None:
    """The words of a key as a role; none where they say nothing."""
    noun = name_entity(target)
    nouns = noun.lower().split()
    words = _tell_words(column, [] if looped else name_entity(table).lower().split())
    if not words:
        return None
    if words[-1] not in _PREPOSITIONS:
        words[-1] = singular(words[-1])
    if words == nouns:
        return None if looped else ""
    if all(word.isdigit() for word in words):
        return f"{noun} {' '.join(words)}"
    if words[0] == nouns[-1] and not words[-1].isdigit():
        # `club_from` is the from club; `club_1` stays club 1.
        words = [*words[1:], words[0]]
    if nouns[-1] in words or _is_person(words[-1]):
        return " ".join(words)
    hyphenated = len(words) > 1 and words[-1] in _PREPOSITIONS
    return f"{'-'.join(words) if hyphenated else ' '.join(words)} {noun}"


def _tell_words(column: str, table: Sequence[str]) -> list[str]:
    """The words of a column's name that say more than that it is a key, without those of its own table in front."""
    words: list[str] = []
    for word in to_words(column).lower().split():
        numbered = _NUMBERED.fullmatch(word)
        words += numbered.groups() if numbered else [word]
    telling = [word for word in words if word not in _KEY_WORDS]
    telling = [word for word in telling if len(word) > 1 or word.isdigit()] or telling
    shorter = telling[len(table) :]
    return shorter if shorter and telling[: len(table)] == list(table) else telling
