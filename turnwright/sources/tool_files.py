"""Tools in files: function specifications in JSON or JSON Lines, grouped into domains."""

from typing import Any, cast

from schemas.seeds import SeedTool, ToolSeed
from schemas.sources import ToolsSource
from turnwright.sources.documents import Entry, read_items
from turnwright.sources.errors import SourceError
from turnwright.sources.locators import clean_name
from turnwright.sources.seed_rows import Found
from turnwright.sources.specifications import read_specification, spread_tools

SUFFIXES = (".json", ".jsonl")


def read_tool_files(source: ToolsSource, position: int) -> Found:
    """The tools of a file or folder, one domain for each file or each value of `group_by`.

    No item of a file is lost: what cannot be read stands in its domain with a problem.

    Raises:
        SourceError: a file cannot be read at all, or none holds anything.
    """
    title = f"source {position} ({source.path})"
    domains: dict[str, list[SeedTool]] = {}
    described: dict[str, str] = {}
    about = ""

    def spread(document: Any) -> list[Any] | None:
        nonlocal about
        about = _describe(document)
        return spread_tools(document)

    for file, entries in read_items(source.path, SUFFIXES, title, spread):
        own = clean_name(source.name or file.path.stem)
        groups = [_name_group(entry, source.group_by) or own for entry in entries]
        # What could not be read names no domain: it goes where the first that could be read goes.
        home = next((group for entry, group in zip(entries, groups, strict=True) if entry.problem is None), own)
        for entry, group in zip(entries, groups, strict=True):
            tool = read_specification(entry, (source.output_schema_field,))
            domains.setdefault(home if entry.problem is not None else group, []).append(tool)
        if about:
            described.setdefault(own, about)
            about = ""
    if not any(tool.problem is None for tools in domains.values() for tool in tools):
        raise _nothing(title, domains)
    return Found(
        source.path,
        tuple(
            ToolSeed(name=name, description=described.get(name, ""), tools=tuple(tools))
            for name, tools in domains.items()
        ),
    )


def _name_group(entry: Entry, field: str | None) -> str | None:
    """The domain that an item names itself, beside the function or in it."""
    if field is None or entry.problem is not None or not isinstance(entry.value, dict):
        return None
    given = cast("dict[str, Any]", entry.value)
    inner = given.get("function")
    value = given.get(field, cast("dict[str, Any]", inner).get(field) if isinstance(inner, dict) else None)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        return None
    return clean_name(str(value))


def _describe(document: Any) -> str:
    """What a document that holds a list of tools says about itself."""
    if not isinstance(document, dict):
        return ""
    text = cast("dict[str, Any]", document).get("description")
    return " ".join(text.split())[:1000] if isinstance(text, str) and spread_tools(document) is not None else ""


def _nothing(title: str, domains: dict[str, list[SeedTool]]) -> SourceError:
    problems = [f"{tool.origin}: {tool.problem}" for tools in domains.values() for tool in tools]
    detail = f"; {problems[0]}" if problems else ""
    return SourceError(
        f"{title}: holds no tool that can be read{detail}",
        "give OpenAI function specifications: a JSON list, {tools: […]}, or one object a line",
    )
