"""Prefix reuse: how much of the prompts an ideal prefix cache would have served, and how much the server's own did.

Each journal entry has `(bytes, digest)` of its prompt up to some message boundaries, tools first. A digest stands for
everything before it, so the digests of all calls are the nodes of a prefix tree: the longest one that an earlier call
has as well is what a cache without limits would have known. Dialogues are taken in the order of the tables, the calls
of each in the order in which they were made.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from schemas.closed import Closed
from turnwright.models.entry import JournalEntry
from turnwright.models.journal import Journal
from turnwright.statistics.dialogue_pass import Source, read_table

_TABLES = ("questions", "tool_specs", "dialogue_tasks", "dialogues", "verdicts")
_MOST_ROWS = 2000
"""Rows of each table that are looked at: enough for a share, and memory and time stay bounded."""


class PrefixReuse(Closed):
    """The prompts of one role."""

    role: str
    calls: int
    """Calls that were looked at."""
    prompt_tokens: int
    ideal_share: float
    """Share of these tokens that a prefix cache without limits would have served."""
    served_share: float | None
    """Share that the server says its cache served; None where it does not say."""


@dataclass
class _RoleCount:
    calls: int = 0
    tokens: int = 0
    ideal: float = 0.0
    told_tokens: int = 0
    told_cached: int = 0


@dataclass
class PrefixTree:
    """Counts calls one at a time."""

    _known: set[int] = field(default_factory=set[int])
    _roles: dict[str, _RoleCount] = field(default_factory=dict[str, _RoleCount])

    def add(self, entry: JournalEntry) -> None:
        """Counts one call; entries that are no reply, or of unknown size, do not count."""
        if entry.kind != "reply" or not entry.prefixes:
            return
        count = self._roles.setdefault(entry.role, _RoleCount())
        whole = max(size for size, _ in entry.prefixes)
        shared = max((size for size, digest in entry.prefixes if int(digest, 16) in self._known), default=0)
        self._known.update(int(digest, 16) for _, digest in entry.prefixes)
        tokens = entry.prompt_tokens if entry.prompt_tokens is not None else whole // 4
        count.calls += 1
        count.tokens += tokens
        count.ideal += tokens * shared / whole if whole else 0.0
        if entry.cached_tokens is not None:
            count.told_tokens += tokens
            count.told_cached += min(tokens, entry.cached_tokens)

    def shares(self) -> list[PrefixReuse]:
        """The figures of each role, by name."""
        return [
            PrefixReuse(
                role=role,
                calls=count.calls,
                prompt_tokens=count.tokens,
                ideal_share=round(count.ideal / count.tokens, 4) if count.tokens else 0.0,
                served_share=round(count.told_cached / count.told_tokens, 4) if count.told_tokens else None,
            )
            for role, count in sorted(self._roles.items())
        ]


def measure_prefixes(tables: Mapping[str, Source], journal: Path) -> list[PrefixReuse]:
    """Prefix reuse of the calls that a run's tables rest on, by role; nothing where there is no journal.

    Raises:
        TableError: a table cannot be read.
        SegmentError: the journal is damaged.
        OSError: the journal cannot be read.
    """
    if not journal.is_dir():
        return []
    tree = PrefixTree()
    with Journal(journal) as calls:
        for key in _list_calls(tables):
            entry = calls.get(key)
            if entry is not None:
                tree.add(entry)
    return tree.shares()


def _list_calls(tables: Mapping[str, Source]) -> Iterator[str]:
    """Keys of the calls, each once, in the order of the tables."""
    seen: set[bytes] = set()
    for table in _TABLES:
        for row in islice(read_table(tables, table, "model_calls"), _MOST_ROWS):
            yield from _unseen(row["model_calls"], seen)


def _unseen(keys: Iterable[str], seen: set[bytes]) -> Iterator[str]:
    for key in keys:
        short = bytes.fromhex(key[:16])
        if short not in seen:
            seen.add(short)
            yield key
