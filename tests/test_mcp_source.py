"""What servers of the Model Context Protocol list, and what becomes of servers that do not behave."""

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvicorn

from schemas.rows import SeedRow
from schemas.seeds import ToolSeed
from schemas.sources import McpSource
from schemas.tools import SpecTool
from tests import mcp_servers
from turnwright.sources.collection import check_source, collect_seeds
from turnwright.sources.errors import SourceError
from turnwright.storage.store import Store
from turnwright.tools.spec_check import check_spec

PROGRAM = Path(mcp_servers.__file__)
SECRET = "hunter2-and-more"


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that do not end by themselves are ended sooner than the SDK would."""
    monkeypatch.setattr("mcp.client.stdio.PROCESS_TERMINATION_TIMEOUT", 0.2)
    monkeypatch.setattr("mcp.client.stdio.FORCE_KILL_TIMEOUT", 0.2)


def started(kind: str, **settings: Any) -> McpSource:
    return McpSource(kind="mcp", command=[sys.executable, str(PROGRAM), kind], **settings)


def collect(source: McpSource, folder: Path) -> tuple[SeedRow, ToolSeed]:
    (row,) = collect_seeds(source, 2, 7, Store(folder))
    return row, ToolSeed.model_validate_json(row.content)


def fails(source: McpSource, tmp_path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        collect(source, tmp_path)
    assert caught.value.message.startswith("source 2 (")
    assert caught.value.hint
    assert SECRET not in f"{caught.value} {caught.value!r}"
    assert caught.value.__cause__ is None
    return caught.value


@contextlib.contextmanager
def serving(app: Any) -> Generator[str]:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = threading.Thread(target=server.run, args=([place],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{place.getsockname()[1]}/mcp"
        server.should_exit = True
        thread.join(10)


@contextlib.contextmanager
def answering(handle: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            handle(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/mcp"
        server.shutdown()


def assert_library(row: SeedRow, seed: ToolSeed) -> None:
    assert (row.kind, row.domain, row.source, row.dialect) == ("mcp", "City_library", 2, "")
    assert seed.description == "Loans of the city library."
    assert [tool.spec["function"]["name"] for tool in seed.tools] == ["get_loan", "renew_loan", "list_branches"]
    assert [tool.effect for tool in seed.tools] == ["read", "write", None]
    assert seed.tools[0].output_schema == mcp_servers.TOOLS[0]["outputSchema"]
    assert list(seed.tools[0].spec["function"]["parameters"]["properties"]) == ["number", "branch"]
    assert seed.tools[1].output_schema is None
    assert all(isinstance(check_spec(tool, set()), SpecTool) for tool in seed.tools)


def test_a_server_over_standard_input_and_output_with_pages(tmp_path: Path) -> None:
    row, seed = collect(started("good", timeout_seconds=60), tmp_path)
    assert_library(row, seed)
    assert row.locator.endswith("mcp_servers.py good")


def test_a_server_over_http_gives_the_same_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = mcp_servers.build_server().streamable_http_app()
    seen: list[str] = []

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            seen.append(headers.get(b"authorization", b"").decode())
            if headers.get(b"x-branch") != b"north":
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b"no"})
                return
        await app(scope, receive, send)

    monkeypatch.setenv("LIBRARY_TOKEN", SECRET)
    monkeypatch.setenv("BRANCH", "north")
    with serving(guarded) as url:
        source = McpSource(kind="mcp", url=url, token_env="LIBRARY_TOKEN", headers_env={"X-Branch": "BRANCH"})
        row, seed = collect(source, tmp_path)
        assert_library(row, seed)
        assert row.locator == url
        assert SECRET not in row.model_dump_json()
        assert set(seen) == {f"Bearer {SECRET}"}
        assert check_source(source).summary == "3 tools in 1 domain City_library"
        error = fails(source.model_copy(update={"headers_env": {}}), tmp_path)
        assert "HTTP 401" in error.message
        assert "token_env" in error.hint
        monkeypatch.delenv("LIBRARY_TOKEN")
        assert "LIBRARY_TOKEN is not set" in fails(source, tmp_path).message


def test_the_same_server_gives_the_same_row(tmp_path: Path) -> None:
    assert collect(started("plain"), tmp_path) == collect(started("plain"), tmp_path)


def test_a_server_without_the_handshake(tmp_path: Path) -> None:
    row, seed = collect(started("later"), tmp_path)
    assert row.domain == "mcp"
    assert len(seed.tools) == 3


def test_bad_tools_are_kept_beside_good_ones(tmp_path: Path) -> None:
    _, seed = collect(started("bad_tools"), tmp_path)
    assert len(seed.tools) == len(mcp_servers.BAD_TOOLS)
    checked = [check_spec(tool, set()) for tool in seed.tools]
    assert [isinstance(tool, SpecTool) for tool in checked] == [False] * 5 + [True]
    assert [tool[0].split(":")[0] for tool in checked[:5] if isinstance(tool, tuple)] == [
        "illegal_name",
        "illegal_name",
        "not_a_function",
        "not_a_function",
        "unknown_type",
    ]
    (warning,) = check_source(started("bad_tools")).warnings
    assert warning.startswith("5 tools cannot be used (illegal_name 2, not_a_function 2, unknown_type 1)")


def test_what_a_server_prints_besides_messages_is_passed_over(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, seed = collect(started("junk"), tmp_path)
    assert len(seed.tools) == 3
    assert "Traceback" not in capfd.readouterr().err


def test_a_tool_that_is_too_deep_is_a_problem_of_its_own(tmp_path: Path) -> None:
    _, seed = collect(started("deep"), tmp_path)
    assert [tool.problem is None for tool in seed.tools] == [False, True]
    assert "levels deep" in str(seed.tools[0].problem)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("dies", "it wrote: cannot open the catalogue with ***"),
        ("refuses", "wrong key ***"),
        ("circle", "goes round in a circle"),
        ("endless", "more than 200 pages"),
        ("nothing", "lists no tool"),
        ("no_list", "no list of tools"),
    ],
)
def test_servers_that_do_not_behave(kind: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRARY_KEY", SECRET)
    assert words in fails(started(kind, env=["LIBRARY_KEY"]), tmp_path).message


def test_a_server_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PID_FILE", str(tmp_path / "pids"))
    error = fails(started("stubborn", env=["PID_FILE"], timeout_seconds=0.5), tmp_path)
    assert "did not answer within 0.5 s" in error.message
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


def test_tools_that_are_listed_stay_listed_when_closing_takes_too_long(tmp_path: Path) -> None:
    _, seed = collect(started("stays", timeout_seconds=5.0), tmp_path)
    assert len(seed.tools) == 3


@pytest.mark.parametrize("command", [["no-such-program-at-all"], ["/"], [os.devnull]])
def test_programs_that_cannot_be_started(command: list[str], tmp_path: Path) -> None:
    message = fails(McpSource(kind="mcp", command=command), tmp_path).message
    assert "no such program" in message or "cannot be started" in message


def test_only_named_variables_reach_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRARY_KEY", SECRET)
    assert "with None" in fails(started("dies"), tmp_path).message
    monkeypatch.delenv("LIBRARY_KEY")
    assert "LIBRARY_KEY is not set" in fails(started("dies", env=["LIBRARY_KEY"]), tmp_path).message


def _html(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.end_headers()
    request.wfile.write(b"<html>hello</html>")


def _not_found(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_error(404)


def _broken(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_error(500)


def _elsewhere(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_response(302)
    request.send_header("Location", "http://192.0.2.1/mcp")
    request.end_headers()


def _bad_json(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    request.wfile.write(b'{"jsonrpc": "2.0", "id": ')


def _flood(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(200):
            request.wfile.write(b"[" * 2**20)


@pytest.mark.parametrize(
    ("handle", "words"),
    [
        (_html, "no MCP server answers: Unexpected content type"),
        (_not_found, "nothing at this address (HTTP 404)"),
        (_broken, "answers with HTTP 500"),
        (_elsewhere, "is elsewhere (HTTP 302)"),
        (_bad_json, "no MCP server answers"),
        (_flood, "larger than 32 MiB"),
    ],
)
def test_addresses_where_something_else_answers(handle: Any, words: str, tmp_path: Path) -> None:
    with answering(handle) as url:
        assert words in fails(McpSource(kind="mcp", url=url, timeout_seconds=10), tmp_path).message


def test_addresses_where_nothing_answers(tmp_path: Path) -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        assert "cannot be reached" in fails(McpSource(kind="mcp", url=f"http://127.0.0.1:{port}/"), tmp_path).message
        place.listen()
        error = fails(McpSource(kind="mcp", url=f"http://127.0.0.1:{port}/", timeout_seconds=0.5), tmp_path)
        assert "did not answer within 0.5 s" in error.message
