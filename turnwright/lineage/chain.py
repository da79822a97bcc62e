"""The chain of one row or file: back to the seed that it rests on, and forward to all that was made from it.

Rows are linked by the parent ids that they hold themselves; this module only says which column points where. A copy of
the links in another file would be a second truth.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson

from schemas.closed import Closed
from schemas.rows import TableRef
from schemas.tables import TABLES
from turnwright.lineage.files import FileLineage, read_lineage
from turnwright.storage.run_folder import RunFolder
from turnwright.storage.tables import read_columns


@dataclass(frozen=True)
class Link:
    """A column of one table that holds ids of another."""

    child: str
    column: str
    parent: str
    key: str = ""
    """Where the column holds a JSON object or null: the field with the id."""

    def read_parents(self, row: Mapping[str, Any]) -> list[str]:
        """The ids of a row's parents; none where it has none."""
        value = row[self.column]
        if self.key:
            held: dict[str, Any] = orjson.loads(value) or {}
            value = held.get(self.key)
        if isinstance(value, list):
            return cast("list[str]", value)
        return [] if value is None else [str(value)]


LINKS: tuple[Link, ...] = (
    Link("questions", "seed_id", "seeds"),
    Link("tool_specs", "question_ids", "questions"),
    Link("tool_specs", "seed_id", "seeds"),
    Link("toolsets", "tool_ids", "tool_specs"),
    Link("toolsets", "seed_id", "seeds"),
    Link("dataflow_edges", "source_id", "tool_specs"),
    Link("dataflow_edges", "target_id", "tool_specs"),
    Link("dataflow_edges", "seed_id", "seeds"),
    Link("dialogue_tasks", "toolset_id", "toolsets"),
    Link("dialogue_tasks", "beginning", "seeds", key="seed_id"),
    Link("dialogues", "dialogue_task_id", "dialogue_tasks"),
    Link("verdicts", "dialogue_id", "dialogues"),
    Link("repaired_dialogues", "repaired_from", "dialogues"),
    Link("repaired_verdicts", "dialogue_id", "repaired_dialogues"),
    Link("dataset", "dialogue_id", "repaired_dialogues"),
    Link("dataset", "verdict_id", "repaired_verdicts"),
    Link("dataset", "dialogue_id", "dialogues"),
    Link("dataset", "verdict_id", "verdicts"),
)
"""Where a row's parents stand, nearest first."""

_LABELS = {
    "seeds": ("domain", "locator"),
    "questions": ("text",),
    "tool_specs": ("name", "accepted"),
    "toolsets": ("domain",),
    "dataflow_edges": ("source", "field", "target", "parameter"),
    "dialogue_tasks": ("domain", "difficulty", "behaviour", "slot", "beginning"),
    "dialogues": ("ending", "turns", "slot"),
    "verdicts": ("judgment", "reasons"),
    "repaired_dialogues": ("ending", "turns", "repaired_at", "repaired_because", "repair_try"),
    "repaired_verdicts": ("judgment", "reasons"),
    "dataset": ("split",),
}
"""What a person wants to see of a row."""

_PROVENANCE = ("role", "model", "prompt_digest", "model_calls")
"""Columns of rows that a role wrote."""


class IdNotFound(LookupError):
    """Nothing in the run has this id, or several things have."""

    def __init__(self, message: str, *, several: bool = False) -> None:
        super().__init__(message)
        self.several = several
        """It is the beginning of more than one id."""


class Node(Closed):
    """One row, or one file, of a chain."""

    table: str
    """Its table; `files` for a file."""
    id: str
    label: dict[str, Any]
    """A few columns that tell what it is; for a file its digest and rows."""
    model_calls: list[str] = []
    """Keys of the journal entries that it rests on."""
    role: str | None = None
    """Role that wrote it; none if code did."""
    model: str | None = None
    """Model that played the role."""
    prompt_digest: str | None = None
    """Digest of the role's prompt files."""


class Chain(Closed):
    """Where something came from and what came of it."""

    node: Node
    back: list[Node]
    """What it rests on, nearest first, ending with the seed."""
    forward: list[Node]
    """What was made from it, nearest first."""
    files: list[str]
    """Files of the run folder that hold it or were written from it."""


def trace(folder: RunFolder, wanted: str) -> Chain:
    """The chain of a row, given by its id or the beginning of one, or of a file, given by its name or digest.

    Raises:
        IdNotFound: nothing has that id, or several rows do.
        RunNotFound: the folder is not a run.
        TableError: a table cannot be read.
    """
    tables = folder.find_tables()
    files = read_lineage(folder)
    for name, file in files.items():
        if wanted in (name, file.sha256) or name.rsplit("/", 1)[-1].split(".")[0] == wanted:
            return _trace_file(name, files)
    table, row_id = _find_row(tables, wanted)
    back = _walk(tables, {row_id}, table, forward=False)
    forward = _walk(tables, {row_id}, table, forward=True)
    nodes = list(_read_nodes(tables, [(table, [row_id]), *back, *forward]))
    by_id = {node.id: node for node in nodes}
    held = [f"tables/{name}.parquet" for name in dict.fromkeys([table, *(name for name, _ in forward)])]
    if any(name == "dataset" for name, _ in forward) or table == "dataset":
        split = {node.label["split"] for node in nodes if node.table == "dataset"}
        held += [name for name in files if name.startswith("export/") and any(part in name for part in split)]
    return Chain(
        node=by_id[row_id],
        back=[by_id[item] for _, ids in back for item in ids if item in by_id],
        forward=[by_id[item] for _, ids in forward for item in ids if item in by_id],
        files=held,
    )


def _find_row(tables: Mapping[str, TableRef], wanted: str) -> tuple[str, str]:
    found: list[tuple[str, str]] = []
    for table, reference in tables.items():
        if table == "ledger":
            continue
        for row in read_columns(reference, table, ["id"]):
            if row["id"] == wanted:
                return table, wanted
            if str(row["id"]).startswith(wanted):
                found.append((table, str(row["id"])))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(row_id for _, row_id in found[:5])
        raise IdNotFound(
            f"{wanted!r} is the beginning of {len(found)} ids: {names}{', …' if len(found) > 5 else ''}", several=True
        )
    raise IdNotFound(f"no row or file of this run is called {wanted!r}; ids look like dialogue_1f0c… (see `show`)")


def _walk(tables: Mapping[str, TableRef], start: set[str], table: str, *, forward: bool) -> list[tuple[str, list[str]]]:
    """Ids by table, nearest table first. Each link is read at most once: tables form no circle."""
    reached: dict[str, set[str]] = {table: set(start)}
    for link in _order_links(forward=forward):
        source, target = (link.parent, link.child) if forward else (link.child, link.parent)
        if source not in reached or target not in TABLES or link.child not in tables:
            continue
        known, new = reached[source], reached.setdefault(target, set())
        for row in read_columns(tables[link.child], link.child, ["id", link.column]):
            parents = link.read_parents(row)
            if forward and known.intersection(parents):
                new.add(str(row["id"]))
            elif not forward and row["id"] in known:
                new.update(parents)
    order = list(TABLES) if forward else list(reversed(TABLES))
    return [(name, sorted(reached[name])) for name in order if name != table and reached.get(name)]


def _order_links(*, forward: bool) -> Iterable[Link]:
    order = list(TABLES)
    if forward:
        return sorted(LINKS, key=lambda link: order.index(link.child))
    return sorted(LINKS, key=lambda link: (-order.index(link.child), -order.index(link.parent)))


def _read_nodes(tables: Mapping[str, TableRef], wanted: Iterable[tuple[str, list[str]]]) -> Iterator[Node]:
    for table, ids in wanted:
        if table not in tables:
            continue
        chosen, labels = set(ids), _LABELS[table]
        made = [name for name in _PROVENANCE if name in TABLES[table].model_fields]
        columns = dict.fromkeys(["id", *labels, *made])
        for row in read_columns(tables[table], table, list(columns)):
            if row["id"] in chosen:
                provenance: dict[str, Any] = {name: row[name] for name in made if row[name] is not None}
                yield Node(
                    table=table,
                    id=row["id"],
                    label=dict(_label(row, labels)),
                    **provenance,
                )


def _label(row: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for name in names:
        if name != "beginning":
            yield name, row[name]
        elif (beginning := orjson.loads(row[name])) is not None:
            # Of the conversation only where it stood: its messages are in the dialogue.
            yield "goes_on_from", beginning["origin"]


def _trace_file(name: str, files: Mapping[str, FileLineage]) -> Chain:
    def node(file: str) -> Node:
        return Node(
            table="files",
            id=file,
            label={"sha256": files[file].sha256, "rows": files[file].rows, "stage": files[file].stage},
            model_calls=[],
        )

    def list_parents(file: str) -> list[str]:
        return files[file].made_from

    def list_children(file: str) -> list[str]:
        return [other for other in files if file in files[other].made_from]

    order = list(files)
    back = sorted(_follow(name, list_parents), key=order.index, reverse=True)
    forward = sorted(_follow(name, list_children), key=order.index)
    return Chain(node=node(name), back=[node(f) for f in back], forward=[node(f) for f in forward], files=[name])


def _follow(start: str, step: Callable[[str], list[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(step(start))
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting.extend(step(file))
    return seen
