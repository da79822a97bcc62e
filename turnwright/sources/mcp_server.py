"""Servers of the Model Context Protocol: what tools they list. No tool is ever called.

A server is a program of somebody else: it may hang, die, print what is no message, or list what are no tools. The time
of all it does together is bounded, a process that was started is gone afterwards with all that it started itself, and
what it says reaches messages only shortened and without the values that it was given.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final, TextIO, cast

import anyio
import httpx2
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import MCPError
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.transport_context import TransportContext
from mcp_types import INVALID_REQUEST, METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION, PaginatedRequestParams
from pydantic import ValidationError

from schemas.seeds import SeedTool, ToolSeed
from schemas.sources import McpSource
from turnwright.sources.documents import MOST_BYTES, Entry
from turnwright.sources.errors import SourceError
from turnwright.sources.json_text import DocumentProblem, check_value, excerpt
from turnwright.sources.locators import clean_name
from turnwright.sources.remote import explain_status, read_headers, read_variable
from turnwright.sources.seed_rows import Found
from turnwright.sources.specifications import read_specification

MOST_PAGES: Final = 200
"""Pages of tools/list that are asked for: a server whose list never ends is cut off with an error."""
MOST_TOOLS: Final = 5_000
"""Tools of one server."""
_MOST_TOLD = 300
_LOGGERS = ("mcp", "client", "httpx2", "httpcore2")
"""Loggers of the SDK: each line that is no message would be a traceback."""
_OTHER_REVISION = frozenset({METHOD_NOT_FOUND, INVALID_REQUEST, UNSUPPORTED_PROTOCOL_VERSION, -32602})
"""Errors with which a server of a revision without `initialize` answers it."""


def read_mcp_server(source: McpSource, position: int, longest: float | None = None) -> Found:
    """The tools that a server lists, all pages of them, as one domain. Must be called outside of an event loop.

    Args:
        source: the source of the config.
        position: its position there, for messages.
        longest: most seconds that it may take, where that is less than the source allows.

    Raises:
        SourceError: the server cannot be started or reached, does not answer in time, dies, or lists nothing.
    """
    seconds = min(source.timeout_seconds, longest or source.timeout_seconds)
    locator = source.url if source.url is not None else " ".join(source.command or ())
    visit = _Visit(source, f"source {position} ({locator})", seconds)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # A loop of asyncio's own, whatever the process uses elsewhere: the SDK watches its child process with it.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner, visit:
        runner.run(visit.list_tools())
    tools = tuple(_read_tool(item, number) for number, item in enumerate(visit.listed))
    if all(tool.problem is not None for tool in tools):
        detail = f"; {tools[0].origin}: {tools[0].problem}" if tools else ""
        raise SourceError(f"{visit.title}: lists no tool that can be read{detail}", "give a server that offers tools")
    name = clean_name(source.name or visit.name or "mcp")
    return Found(locator, (ToolSeed(name=name, description=visit.description, tools=tools),))


class _Listing(JSONRPCDispatcher[TransportContext]):
    """Keeps the tools of each page as the server sent them: the SDK would refuse a page for one bad tool in it."""

    tools: list[Any]

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None, **related: Any
    ) -> dict[str, Any]:
        result = await super().send_raw_request(method, params, opts, **related)
        listed = result.get("tools")
        if method == "tools/list" and isinstance(listed, list):
            self.tools.extend(cast("list[Any]", listed))
            return {**result, "tools": []}
        return result


@dataclass
class _Visit:
    """One look at one server."""

    source: McpSource
    title: str
    seconds: float
    listed: list[Any] = field(default_factory=list[Any])
    complete: bool = False
    """All pages are there."""
    name: str = ""
    description: str = ""
    secrets: list[str] = field(default_factory=list[str])
    """What must not be repeated."""
    status: int | None = None
    """Of the last HTTP answer that was no success."""
    errors: IO[str] | None = None
    """What a started server writes on its standard error."""

    def __enter__(self) -> None:
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")

    def __exit__(self, *_: object) -> None:
        if self.errors is not None:
            self.errors.close()

    async def list_tools(self) -> None:
        """Asks the server.

        Raises:
            SourceError: it cannot be asked, or does not answer as it should.
        """
        try:
            # anyio's own timeout, because the SDK shields the ending of a server from it, and from nothing else.
            with anyio.fail_after(self.seconds):
                async with self._connect() as session:
                    await self._introduce(session)
                    await self._turn_pages(session)
                    self.complete = True
        except Exception as error:  # noqa: BLE001 what a server makes the SDK raise has no bounds
            # Once all is listed, a server that does not let itself be closed in time has lost nothing.
            if not self.complete:
                raise self._explain(error) from None

    @asynccontextmanager
    async def _connect(self) -> AsyncGenerator[ClientSession]:
        transport = self._start() if self.source.command is not None else self._reach()
        async with transport as (read, write):
            dispatcher = _Listing(read, write)
            dispatcher.tools = self.listed
            async with ClientSession(dispatcher=dispatcher) as session:
                yield session

    def _start(self) -> Any:
        command = self.source.command or []
        values = {name: read_variable(name, self.title) for name in self.source.env}
        self.secrets += values.values()
        server = StdioServerParameters(
            command=command[0], args=command[1:], env=values, encoding_error_handler="replace"
        )
        return stdio_client(server, errlog=cast("TextIO", self.errors))

    @asynccontextmanager
    async def _reach(self) -> AsyncGenerator[Any]:
        headers = read_headers(self.source, self.title)
        self.secrets += headers.values()
        timeout = httpx2.Timeout(self.seconds)
        async with (
            httpx2.AsyncClient(headers=headers, timeout=timeout, event_hooks={"response": [self._watch]}) as client,
            streamable_http_client(str(self.source.url), http_client=client, max_sse_event_size=MOST_BYTES) as streams,
        ):
            yield streams

    async def _watch(self, response: httpx2.Response) -> None:
        """Ends an answer after `MOST_BYTES`, and remembers a status that is no success."""
        # A server may refuse the stream of a GET or the DELETE at the end; only POST carries messages.
        if response.request.method == "POST":
            self.status = response.status_code if response.status_code >= 300 else None
        response.stream = _BoundedStream(cast("httpx2.AsyncByteStream", response.stream))

    async def _introduce(self, session: ClientSession) -> None:
        """The handshake of revisions up to 2025-11-25; servers that know only later ones are asked what they are."""
        try:
            await session.initialize()
        except MCPError as error:
            if error.code not in _OTHER_REVISION:
                raise
            await session.discover()
        self.name = session.server_info.name if session.server_info is not None else ""
        self.description = " ".join((session.instructions or "").split())[:1000]

    async def _turn_pages(self, session: ClientSession) -> None:
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            params = PaginatedRequestParams(cursor=cursor) if cursor is not None else None
            cursor = (await session.list_tools(params=params)).next_cursor
            if len(self.listed) > MOST_TOOLS:
                raise SourceError(f"{self.title}: lists more than {MOST_TOOLS:,} tools", "give a smaller server")
            if cursor is None:
                return
            if cursor in seen:
                raise SourceError(f"{self.title}: its list of tools goes round in a circle", "correct its paging")
            seen.add(cursor)
        raise SourceError(f"{self.title}: its list of tools has more than {MOST_PAGES} pages", "correct its paging")

    def _explain(self, error: BaseException) -> SourceError:
        """What went wrong, as the user can mend it."""
        cause = _find_cause(error)
        told = self._read_errors()
        look = "run the command by hand and look at what it prints" if self.source.command else "check the address"
        match cause:
            case SourceError():
                return cause
            case _ if self.status is not None and self.status >= 300:
                return explain_status(self.status, self.title)
            case TimeoutError():
                return SourceError(f"{self.title}: did not answer within {self.seconds:g} s{told}", look)
            case FileNotFoundError() | PermissionError() | NotADirectoryError():
                program = (self.source.command or [""])[0]
                reason = "there is no such program" if isinstance(cause, FileNotFoundError) else "cannot be started"
                return SourceError(f"{self.title}: {program}: {reason}", "install it, or give its whole path")
            case httpx2.TransportError():
                return SourceError(f"{self.title}: cannot be reached: {type(cause).__name__}", look)
            case ValidationError():
                return SourceError(f"{self.title}: answers with something that is no list of tools{told}", look)
            case _:
                said = self._hide(" ".join(str(cause).split()))[:_MOST_TOLD] or type(cause).__name__
                return SourceError(f"{self.title}: no MCP server answers: {said}{told}", look)

    def _read_errors(self) -> str:
        """The last line of what a started server wrote on its standard error, for messages."""
        if self.source.command is None or self.errors is None:
            return ""
        self.errors.seek(0, 2)
        self.errors.seek(max(0, self.errors.tell() - 8192))
        lines = [line.strip() for line in self.errors.read().splitlines() if line.strip()]
        if not lines:
            return ""
        printable = "".join(character for character in self._hide(lines[-1]) if character.isprintable())
        return f"; it wrote: {printable[:_MOST_TOLD]}"

    def _hide(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            for part in (secret, secret.removeprefix("Bearer ")):
                text = text.replace(part, "***") if part else text
        return text


class _BoundedStream(httpx2.AsyncByteStream):
    """An answer that is an error after `MOST_BYTES`."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        total = 0
        async for chunk in self._stream:
            total += len(chunk)
            if total > MOST_BYTES:
                raise httpx2.StreamError(f"the answer is larger than {MOST_BYTES // 2**20} MiB")
            yield chunk

    async def aclose(self) -> None:
        """Gives the connection back."""
        await self._stream.aclose()


def _find_cause(error: BaseException) -> BaseException:
    """The error inside groups of errors; one of ours before all others."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    causes = [_find_cause(inner) for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions]
    return next((cause for cause in causes if isinstance(cause, SourceError)), causes[0])


def _read_tool(item: Any, number: int) -> SeedTool:
    name = cast("dict[str, Any]", item).get("name") if isinstance(item, dict) else None
    origin = f"tools/list[{number}]" + (f" {excerpt(name)[:64]}" if isinstance(name, str) else "")
    try:
        check_value(item)
    except DocumentProblem as problem:
        return SeedTool(spec=excerpt(repr(cast("Any", item))), origin=origin, problem=f"unreadable: it {problem}")
    return read_specification(Entry(origin, item))
