"""The command `lineage`: where a row or file came from, and what came of it, in one run or in all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.answers import Answer
from turnwright.storage.run_folder import RunFolder

ALL = "all"
_MOST_LISTED = 12


@dataclass(frozen=True)
class Asked:
    """What the command was asked for."""

    run: str
    wanted: str
    calls: bool
    """Whether model calls are read from the journal."""


def show_lineage(answer: Answer, runs: Path, asked: Asked) -> None:
    """Prints the chain of a row or file.

    Raises:
        RunNotFound: there is no such run.
        VersionNotFound: there is no such version of a dataset.
        IdNotFound: the run has nothing of that name.
        TableError: a table cannot be read.
        CatalogError: the catalog cannot be read.
        SegmentError: the journal is damaged.
    """
    from rich.text import Text

    from turnwright.datasets.versions import find_runs
    from turnwright.lineage.chain import trace

    if asked.run == ALL and not (runs / ALL).is_dir():
        _show_across(answer, runs, asked)
        return
    folder = find_place(runs, asked.run)
    chain = trace(folder, asked.wanted)
    runs = find_runs(folder)
    answer.fields = {"run_dir": str(folder.root), **chain.model_dump(mode="json")}
    answer.fields["prompts"] = _list_prompts(runs, [chain.node, *chain.back, *chain.forward])
    answer.fields["versions"] = _list_versions(runs, folder, chain.node)
    lines = [
        _describe(chain.node),
        "rests on",
        *_describe_all(chain.back),
        "made from it",
        *_describe_all(chain.forward),
        "files",
        *(f"  {file}" for file in chain.files),
        *(["datasets", *(f"  {name}" for name in answer.fields["versions"])] if answer.fields["versions"] else []),
        *_describe_prompts(answer.fields["prompts"]),
    ]
    if asked.calls:
        lines += _add_calls(answer, runs, [chain.node, *chain.back])
    answer.say(Text("\n".join(lines)))


def find_place(runs: Path, name: str) -> RunFolder:
    """A run, or a version of a dataset given as `club@v2`.

    Raises:
        RunNotFound: there is no such run.
        VersionNotFound: there is no such version.
    """
    from turnwright.datasets.versions import find_version
    from turnwright.storage.run_folder import find_run

    if "@" in name and not (Path(name) / "run.json").is_file():
        return find_version(runs, name).folder
    return find_run(runs, name)


def _show_across(answer: Answer, runs: Path, asked: Asked) -> None:
    from rich.text import Text

    from turnwright.datasets.versions import list_datasets, list_versions
    from turnwright.lineage.across import trace_across
    from turnwright.lineage.catalog import Catalog
    from turnwright.lineage.registration import register_all

    with Catalog(runs) as catalog:
        register_all(catalog, runs)
        versions = {version.name: version for name in list_datasets(runs) for version in list_versions(runs, name)}
        chain = trace_across(catalog, asked.wanted, {name: version.folder for name, version in versions.items()})
    answer.fields = {"runs": chain.node.runs, **chain.model_dump(mode="json")}
    answer.fields["prompts"] = _list_prompts(runs, [chain.node, *chain.back, *chain.forward])
    lines = [
        _describe(chain.node),
        "in",
        *(f"  {name}" for name in chain.node.runs),
        "rests on",
        *_describe_all(chain.back),
        "made from it",
        *_describe_all(chain.forward),
    ]
    if chain.holdings:
        lines += ["same content", *(f"  {one.owner}  {one.name}" for one in chain.holdings)]
    lines += _describe_prompts(answer.fields["prompts"])
    if asked.calls:
        lines += _add_calls(answer, runs, [chain.node, *chain.back])
    answer.say(Text("\n".join([*lines, *(f"not looked into: {problem}" for problem in chain.unreadable)])))


def _list_versions(runs: Path, folder: RunFolder, node: Any) -> list[str]:
    """Versions of datasets that hold the row, of those that the run went into."""
    from turnwright.datasets.versions import list_datasets, list_versions
    from turnwright.storage.tables import read_columns

    found: list[str] = []
    if node.table == "files":
        return found
    for name in list_datasets(runs):
        for version in list_versions(runs, name):
            if folder.run_id not in {part.run_id for part in version.manifest.parts}:
                continue
            tables = version.folder.find_tables()
            if node.table in tables and any(
                row["id"] == node.id for row in read_columns(tables[node.table], node.table, ["id"])
            ):
                found.append(version.name)
    return found


def _list_prompts(runs: Path, nodes: Sequence[Any]) -> list[dict[str, Any]]:
    """The prompts behind the nodes, with the files that hold their words."""
    from turnwright.lineage.prompt_files import find_prompt

    used = {(node.role, node.prompt_digest) for node in nodes if node.role and node.prompt_digest}
    places = [(role, digest, find_prompt(runs, role, digest)) for role, digest in sorted(used)]
    return [{"role": role, "digest": digest, "file": str(file) if file else None} for role, digest, file in places]


def _add_calls(answer: Answer, runs: Path, nodes: Sequence[Any]) -> Iterator[str]:
    from turnwright.lineage.calls import read_calls

    calls = read_calls(runs / "store" / "journal", (key for node in nodes for key in node.model_calls))
    answer.fields["calls"] = [call.model_dump(mode="json") for call in calls]
    yield "model calls"
    for call in calls:
        if not call.found:
            yield f"  {call.key[:12]}  not in the journal"
            continue
        said = " ".join(call.text.split())[:80] or ", ".join(call.tools)
        tokens = f"{call.prompt_tokens or 0}+{call.completion_tokens or 0} tokens"
        yield f"  {call.key[:12]}  {call.role:16} {call.model}  draw {call.draw}  {tokens}  {said}"


def _describe_prompts(prompts: Sequence[dict[str, Any]]) -> Iterator[str]:
    if prompts:
        yield "prompts"
    for prompt in prompts:
        yield f"  {prompt['role']:16} {prompt['digest']}  {prompt['file'] or 'its words were not kept'}"


def _describe(node: Any) -> str:
    label = ", ".join(f"{key}={value}" for key, value in node.label.items() if value not in (None, "", []))
    made = f"  {node.role} by {node.model}" if node.role else ""
    calls = f"  [{len(node.model_calls)} model calls]" if node.model_calls else ""
    return f"{node.table:15} {node.id}  {label}{made}{calls}"


def _describe_all(nodes: Sequence[Any]) -> Iterator[str]:
    if not nodes:
        yield "  nothing"
    for table in dict.fromkeys(node.table for node in nodes):
        own = [node for node in nodes if node.table == table]
        for node in own[:_MOST_LISTED]:
            runs = getattr(node, "runs", [])
            yield f"  {_describe(node)}" + (f"  in {len(runs)} runs" if len(runs) > 1 else "")
        if len(own) > _MOST_LISTED:
            yield f"  {table:15} … and {len(own) - _MOST_LISTED} more"
