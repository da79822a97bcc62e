"""OpenAPI 3.0 and 3.1 documents: each operation is a tool."""

import re
from typing import Any, cast

from schemas.seeds import ToolSeed
from schemas.sources import OpenApiSource
from turnwright.sources.documents import check_text, find_files, read_content
from turnwright.sources.errors import SourceError
from turnwright.sources.json_text import DocumentProblem, parse_json
from turnwright.sources.locators import clean_name
from turnwright.sources.openapi_operations import Operations
from turnwright.sources.remote import fetch
from turnwright.sources.seed_rows import Found
from turnwright.sources.yaml_text import parse_yaml

_SUFFIXES = (".json", ".yaml", ".yml")
_WANTED = "give an OpenAPI 3.0 or 3.1 document, in JSON or YAML"


def read_openapi(source: OpenApiSource, position: int, longest: float | None = None) -> Found:
    """The operations of a document as the tools of one domain.

    An operation that cannot be described (a reference that leads out of the document, a schema without an end) keeps
    its place with a problem.

    Args:
        source: the source of the config.
        position: its position there, for messages.
        longest: most seconds that a request may take, where that is less than the source allows.

    Raises:
        SourceError: the document cannot be had or read, is of another kind, or has no operation.
    """
    locator = source.path if source.path is not None else str(source.url)
    title = f"source {position} ({locator})"
    if source.path is not None:
        files = find_files(source.path, _SUFFIXES, title)
        if len(files) > 1:
            raise SourceError(f"{title}: the folder has {len(files)} documents", "give the path of one of them")
        content = read_content(files[0].path, title)
    else:
        content = check_text(fetch(str(source.url), source, title, longest), title)
    document = _read_document(content, title)
    tools = tuple(Operations(document).list_tools())
    if all(tool.problem is not None for tool in tools):
        detail = f"; {tools[0].origin}: {tools[0].problem}" if tools else ""
        raise SourceError(f"{title}: has no operation that can be read{detail}", "give a document with `paths`")
    info = document.get("info")
    told = cast("dict[str, Any]", info) if isinstance(info, dict) else {}
    name = source.name or told.get("title")
    description = told.get("description")
    return Found(
        locator,
        (
            ToolSeed(
                name=clean_name(name) if isinstance(name, str) else "api",
                description=" ".join(description.split())[:1000] if isinstance(description, str) else "",
                tools=tools,
            ),
        ),
    )


def _read_document(content: bytes, title: str) -> dict[str, Any]:
    looks_like_json = content.lstrip()[:1] in (b"{", b"[")
    try:
        document = parse_json(content) if looks_like_json else parse_yaml(content)
    except DocumentProblem as problem:
        raise SourceError(f"{title}: {problem}", _WANTED) from None
    if not isinstance(document, dict):
        raise SourceError(f"{title}: is no OpenAPI document", _WANTED)
    own = cast("dict[str, Any]", document)
    if "swagger" in own:
        raise SourceError(
            f"{title}: is Swagger {str(own['swagger'])[:20]}",
            "convert it to OpenAPI 3, as swagger2openapi and editor.swagger.io do",
        )
    version = str(own.get("openapi", ""))[:20]
    if not re.match(r"3\.[01](\.|$)", version):
        what = f"says OpenAPI {version}" if version else "is no OpenAPI document: it has no field `openapi`"
        raise SourceError(f"{title}: {what}", _WANTED)
    return own
