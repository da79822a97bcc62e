"""Every kind of source in one place: what it holds as seeds, and a quick look whether it can be read.

A kind of source has a class in the config, a reader here, and a class of content in schemas/seeds.py (databases:
schemas/databases.py).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.rows import SeedRow
from schemas.seeds import DialogueSeed, SeedTool, ToolSeed
from schemas.sources import DialoguesSource, DomainSource, McpSource, OpenApiSource, Source, SqlSource, ToolsSource
from schemas.tools import SpecTool
from turnwright.sources.seed_rows import Found, count_words, list_words, make_seed_rows
from turnwright.storage.store import Store
from turnwright.tools.spec_check import check_spec

LONGEST_LOOK = 15.0
"""Seconds that a look before a run may take with one server, whatever its source allows: all are looked at within 30 s,
and a server that hangs still has to be ended."""


@dataclass(frozen=True)
class SourceReport:
    """What a quick look at a source told."""

    position: int
    locator: str
    summary: str
    """What was found, in a few words."""
    warnings: tuple[str, ...] = ()
    """What works, but less safely or less completely than it could."""


def collect_seeds(source: Source, position: int, seed: int, store: Store) -> list[SeedRow]:
    """The seeds of a source, one for each domain in it, in an order that only its content decides. Blocks.

    Args:
        source: the source of the config.
        position: its position there, for messages.
        seed: draws the sample rows of databases.
        store: where content is kept that does not stand in the row.

    Raises:
        SourceError: the source is missing, unreachable, refused, damaged or empty.
        OSError: the store cannot be written.
    """
    match source:
        case SqlSource():
            from turnwright.sources.sql import collect_seed

            return [collect_seed(source, position, seed, store)]
        case DomainSource():
            from turnwright.sources.domain import collect_domain_seed

            return [collect_domain_seed(source, position, seed, store)]
        case _:
            return make_seed_rows(source.kind, position, _read(source, position))


def check_source(source: Source, position: int = 0) -> SourceReport:
    """A quick look: can the source be reached and read, and what about it deserves a warning.

    Raises:
        SourceError: it cannot.
    """
    match source:
        case SqlSource():
            from turnwright.sources import sql

            report = sql.check_source(source, position)
            return SourceReport(position, report.locator, report.summary, report.warnings)
        case DomainSource():
            from turnwright.sources.domain import check_domain

            name, tools = check_domain(source, position)
            return SourceReport(position, source.module, f"{name}, {count_words(tools, 'tool')}", ())
        case _:
            found = _read(source, position, LONGEST_LOOK)
            return SourceReport(position, found.locator, _summarise(found), tuple(_warn(found)))


def _read(
    source: ToolsSource | McpSource | OpenApiSource | DialoguesSource, position: int, longest: float | None = None
) -> Found:
    # Imported where they are needed: a run on a database loads neither the SDK of MCP nor an HTTP client.
    match source:
        case ToolsSource():
            from turnwright.sources.tool_files import read_tool_files

            return read_tool_files(source, position)
        case McpSource():
            from turnwright.sources.mcp_server import read_mcp_server

            return read_mcp_server(source, position, longest)
        case OpenApiSource():
            from turnwright.sources.openapi import read_openapi

            return read_openapi(source, position, longest)
        case DialoguesSource():
            from turnwright.sources.dialogue_files import read_dialogue_files

            return read_dialogue_files(source, position)


def _summarise(found: Found) -> str:
    tools = sum(len(content.tools) for content in found.contents if isinstance(content, ToolSeed))
    openings = sum(len(content.openings) for content in found.contents if isinstance(content, DialogueSeed))
    counted = [count_words(tools, "tool")] if tools else []
    counted += [count_words(openings, "conversation")] if openings else []
    domains = count_words(len(found.contents), f"domain {found.contents[0].name}", "domains")
    return f"{' and '.join(counted)} in {domains}"


def _warn(found: Found) -> Iterator[str]:
    """What of the source will be rejected later, counted by code with a few examples."""
    tools: list[str] = []
    openings: list[str] = []
    for content in found.contents:
        match content:
            case ToolSeed():
                tools += _list_rejected(content.tools)
            case DialogueSeed():
                openings += [f"{item.origin}: {item.problem}" for item in content.openings if item.problem is not None]
    for problems, what in ((tools, "tool"), (openings, "conversation")):
        if problems:
            codes = Counter(problem.split(": ")[1] for problem in problems)
            counts = ", ".join(f"{code} {number}" for code, number in sorted(codes.items()))
            yield f"{count_words(len(problems), what)} cannot be used ({counts}): {list_words(problems)}"


def _list_rejected(tools: tuple[SeedTool, ...]) -> Iterator[str]:
    taken: set[str] = set()
    for tool in tools:
        checked = check_spec(tool, taken)
        if isinstance(checked, SpecTool):
            taken.add(checked.name)
        else:
            yield f"{tool.origin}: {checked[0]}"
