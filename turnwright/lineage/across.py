"""One row or file across all runs: who else holds it, and what became of it in each of them.

The catalog says which runs there are and which of them share files; the links between rows are read from the tables
themselves, as in `chain.py`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from schemas.closed import Closed
from schemas.content import digest
from schemas.tables import TABLES
from turnwright.lineage.catalog import Catalog
from turnwright.lineage.chain import Chain, IdNotFound, Node, trace
from turnwright.lineage.entries import Holding
from turnwright.storage.run_folder import RunFolder, RunNotFound
from turnwright.storage.tables import TableError


class SharedNode(Node):
    """A row or file of a chain, and the runs in whose chains it stands."""

    runs: list[str]


class ChainAcross(Closed):
    """Where something came from and what came of it, in all runs together."""

    node: SharedNode
    back: list[SharedNode]
    forward: list[SharedNode]
    holdings: list[Holding]
    """Runs and versions of datasets with a file of the same digest, for a file."""
    unreadable: list[str]
    """Runs that could not be looked into, with the reason."""


def trace_across(catalog: Catalog, wanted: str, versions: Mapping[str, RunFolder] | None = None) -> ChainAcross:
    """The chain of a row, given by its whole id or the beginning of one, or of a file, in every run that is there.

    Args:
        catalog: says which runs there are.
        wanted: the row or file.
        versions: versions of datasets to look into as well, by name.

    Raises:
        IdNotFound: no run has it, or it is the beginning of several ids.
        CatalogError: the catalog cannot be read.
    """
    chains: dict[str, Chain] = {}
    same: dict[str, Chain | None] = {}
    unreadable: list[str] = []
    folders = {run.run_id: RunFolder(Path(run.place) / run.run_id) for run in catalog.list_runs()}
    for name, folder in {**folders, **(versions or {})}.items():
        try:
            content = _identify(folder)
            if content not in same:
                same[content] = None
                same[content] = trace(folder, wanted)
            chain = same[content]
            if chain is not None:
                chains[name] = chain
        except IdNotFound as error:
            if error.several:
                raise
        except RunNotFound:
            continue  # its folder is gone; the catalog learns that when it is synchronised
        except (TableError, OSError, ValueError) as error:
            unreadable.append(f"{name}: {error}")
    found = sorted({chain.node.id for chain in chains.values()})
    if not found:
        raise IdNotFound(f"no row or file of any run is called {wanted!r}")
    if len(found) > 1:
        raise IdNotFound(f"{wanted!r} is the beginning of several ids: {', '.join(found[:5])}", several=True)
    node = next(iter(chains.values())).node
    return ChainAcross(
        node=_share([(name, chain.node) for name, chain in chains.items()])[0],
        back=_share([(name, one) for name, chain in chains.items() for one in chain.back], forward=False),
        forward=_share([(name, one) for name, chain in chains.items() for one in chain.forward]),
        holdings=catalog.find_holdings(_find_digest(chains.values(), node)) if node.table == "files" else [],
        unreadable=unreadable,
    )


def _identify(folder: RunFolder) -> str:
    """What two runs have in common whose chains are the same: a run from the cache has the tables of the first."""
    tables = {name: reference.sha256 for name, reference in folder.find_tables().items() if name != "ledger"}
    exports = sorted(path.relative_to(folder.root).as_posix() for path in (folder.root / "export").rglob("*.jsonl"))
    return digest([tables, exports])


def _share(nodes: Iterable[tuple[str, Node]], *, forward: bool = True) -> list[SharedNode]:
    """Each node once with its runs, nearest table first, in the order in which runs have them."""
    shared: dict[tuple[str, str], tuple[Node, list[str]]] = {}
    for run, node in nodes:
        shared.setdefault((node.table, node.id), (node, []))[1].append(run)
    order = ["files", *(TABLES if forward else reversed(TABLES))]
    merged = [SharedNode(**_fields(node), runs=list(dict.fromkeys(runs))) for node, runs in shared.values()]
    return sorted(merged, key=lambda node: order.index(node.table))


def _fields(node: Node) -> dict[str, Any]:
    return {name: getattr(node, name) for name in Node.model_fields}


def _find_digest(chains: Iterable[Chain], node: Node) -> str:
    return next((str(chain.node.label.get("sha256", "")) for chain in chains if chain.node.id == node.id), "")
