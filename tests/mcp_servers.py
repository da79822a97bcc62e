"""Servers of the Model Context Protocol for tests: a good one on the SDK, and bad ones written by hand.

As a program (`python tests/mcp_servers.py KIND`) it talks over standard input and output. The bad ones know only what a
look at their tools needs, and start at once, because they import nothing of the SDK.
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

READS = {"readOnlyHint": True}
WRITES = {"readOnlyHint": False}
TOOLS: list[dict[str, Any]] = [
    {
        "name": "get_loan",
        "description": "Gets a loan by its number.",
        "inputSchema": {
            "type": "object",
            "properties": {"number": {"type": "integer"}, "branch": {"type": "string"}},
            "required": ["number"],
        },
        "outputSchema": {"type": "object", "properties": {"title": {"type": "string"}}},
        "annotations": READS,
    },
    {
        "name": "renew_loan",
        "description": "Renews a loan.",
        "inputSchema": {"type": "object", "properties": {"number": {"type": "integer"}}},
        "annotations": WRITES,
    },
    {"name": "list_branches", "description": "Lists the branches.", "inputSchema": {"type": "object"}},
]
BAD_TOOLS: list[Any] = [
    {"name": "no.schema", "description": "Its name is not legal and it has no schema."},
    {"name": 7, "inputSchema": []},
    "get_loan",
    None,
    {"name": "typo", "description": "One.", "inputSchema": {"type": "object", "properties": {"a": {"type": "str"}}}},
    TOOLS[0],
]  # fmt: skip


def build_server() -> Any:
    """A good server: one tool a page."""
    import mcp_types as types
    from mcp.server.lowlevel import Server

    async def list_tools(context: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        start = int(params.cursor) if params and params.cursor else 0
        page = [types.Tool.model_validate(tool) for tool in TOOLS[start : start + 1]]
        return types.ListToolsResult(tools=page, next_cursor=str(start + 1) if start + 1 < len(TOOLS) else None)

    return Server("City library", version="1", instructions="Loans of the city library.", on_list_tools=list_tools)


async def _serve() -> None:
    from mcp.server.stdio import stdio_server

    server = build_server()
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def answer(kind: str, request: dict[str, Any]) -> dict[str, Any] | None:
    """What a bad server of a kind answers."""
    method = request.get("method")
    if kind == "later":
        return answer_later(str(method))
    if method == "initialize":
        if kind == "refuses":
            return {"error": {"code": -32000, "message": f"wrong key {os.environ.get('LIBRARY_KEY')}"}}
        return {
            "result": {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": kind, "version": "0"},
            }
        }
    if method != "tools/list":
        return None
    match kind:
        case "bad_tools":
            return {"result": {"tools": BAD_TOOLS}}
        case "circle":
            return {"result": {"tools": TOOLS[:1], "nextCursor": "again"}}
        case "endless":
            cursor = request.get("params", {}).get("cursor", "0")
            return {"result": {"tools": TOOLS[:1], "nextCursor": str(int(cursor) + 1)}}
        case "nothing":
            return {"result": {"tools": []}}
        case "no_list":
            return {"result": {"tools": "none"}}
        case "deep":
            schema: Any = {}
            for _ in range(150):
                schema = {"items": schema}
            return {"result": {"tools": [{"name": "deep", "description": "d", "inputSchema": schema}, TOOLS[0]]}}
        case _:
            return {"result": {"tools": TOOLS}}


def answer_later(method: str) -> dict[str, Any]:
    """What a server answers that knows only the revision of 2026-07-28, which has no handshake."""
    common = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
    match method:
        case "server/discover":
            return {"result": {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, **common}}
        case "tools/list":
            return {"result": {"tools": TOOLS, **common}}
        case _:
            return {"error": {"code": -32601, "message": "Method not found"}}


def main(kind: str) -> None:
    """Plays a server of a kind until its input ends."""
    if kind == "good":
        import anyio

        anyio.run(_serve)
        return
    if kind == "dies":
        sys.exit(f"cannot open the catalogue with {os.environ.get('LIBRARY_KEY')}")
    if kind in ("hangs", "stubborn"):
        if kind == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            with open(os.environ["PID_FILE"], "w") as file:  # noqa: PTH123
                file.write(f"{os.getpid()} {child.pid}")
        time.sleep(600)
    if kind == "junk":
        sys.stdout.write('Welcome to the library!\n{"jsonrpc": "2.0", \n\x00\xff[[[[\n' + "x" * 100_000 + "\n")
    if kind == "stays":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        reply = answer(kind, request)
        if reply is not None and "id" in request:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], **reply}) + "\n")
            sys.stdout.flush()
    if kind == "stays":
        time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1])
