"""Operations of OpenAPI documents as tools: names, arguments, results, effects, and what cannot be used."""

import copy
import json
import random
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI, Header, Query
from pydantic import BaseModel

from schemas.seeds import SeedTool, ToolSeed
from schemas.sources import OpenApiSource
from schemas.tools import SpecTool
from turnwright.sources.collection import check_source, collect_seeds
from turnwright.sources.errors import SourceError
from turnwright.storage.store import Store
from turnwright.tools.spec_check import check_spec

SECRET = "hunter2-and-more"
SHOP: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Book shop", "version": "1", "description": "Orders\nof books."},
    "servers": [{"url": "https://shop.example"}],
    "security": [{"key": []}],
    "paths": {
        "/orders/{id}": {
            "parameters": [{"$ref": "#/components/parameters/id"}],
            "get": {
                "operationId": "getOrder",
                "summary": "Gets an order.",
                "description": "Gets an order. With its lines.\n\nLong talk.",
                "parameters": [
                    {"name": "fields[]", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "X-Api-Key", "in": "header", "required": True, "schema": {"type": "string"}},
                    {"name": "Authorization", "in": "header", "schema": {"type": "string"}},
                    {"name": "signature_key", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Branch", "in": "header", "description": "Branch.", "schema": {"type": "string"}},
                    {"name": "session", "in": "cookie", "schema": {"type": "string"}},
                ],
                "responses": {
                    "404": {"description": "No order."},
                    "201": {"description": "Other."},
                    "200": {"$ref": "#/components/responses/order"},
                },
            },
            "put": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                "responses": {"204": {"description": "Done."}},
            },
            "delete": {"operationId": "getOrder", "responses": {}},
        },
        "/orders": {
            "post": {
                "operationId": "place order!",
                "description": "Places orders.",
                "requestBody": {
                    "required": True,
                    "description": "The lines.",
                    "content": {
                        "text/plain": {"schema": {"type": "string"}},
                        "application/json; charset=utf-8": {
                            "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}}
                        },
                    },
                },
                "responses": {"2XX": {"description": "ok", "content": {"application/json": {"schema": {}}}}},
            },
            "get": {
                "operationId": "search",
                "parameters": [
                    {"name": "filter", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 0,
                                                               "exclusiveMinimum": True, "example": 5}},
                ],
                "responses": {"default": {"description": "d", "content": {"application/json": {"schema": {}}}}},
            },
        },
        "/far": {"get": {"operationId": "far", "parameters": [{"$ref": "https://x.example/p.yaml#/p"}]}},
        "/gone": {"post": {"requestBody": {"$ref": "#/components/requestBodies/gone"}}},
        "/odd": 7,
        "/tree": {"$ref": "#/components/pathItems/tree"},
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "signature_key"}},
        "parameters": {"id": {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}},
        "responses": {
            "order": {
                "description": "An order.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
            }
        },
        "pathItems": {
            "tree": {
                "get": {
                    "operationId": "tree",
                    "responses": {
                        "200": {
                            "description": "t",
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Shelf"}}},
                        }
                    },
                }
            }
        },
        "schemas": {
            "Base": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "integer", "readOnly": True}, "note": {"type": "string", "nullable": True}}},
            "Order": {
                "allOf": [
                    {"$ref": "#/components/schemas/Base"},
                    {
                        "type": "object",
                        "required": ["lines"],
                        "properties": {
                            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                            "pin": {"type": "string", "writeOnly": True},
                            "id": {"type": "integer", "readOnly": True},
                        },
                    },
                ]
            },
            "Line": {"type": "object", "xml": {"name": "l"}, "title": "L",
                     "properties": {"isbn": {"type": "string"}, "state": {"type": "string", "enum": ["new"],
                                                                          "nullable": True}}},
            "Shelf": {"type": "object", "properties": {
                "name": {"type": "string"},
                "shelves": {"type": "array", "items": {"$ref": "#/components/schemas/Shelf"}}}},
        },
    },
}  # fmt: skip
"""Has what real documents have: shared parts, references of all kinds, keys, clashes, mistakes."""


BOMB = "a: &a [1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 60)}]\n"
    for name, before in zip("bcdefghij", "abcdefghi", strict=True)
)


def write(folder: Path, document: Any, name: str = "shop.json") -> OpenApiSource:
    path = folder / name
    text = json.dumps(document) if name.endswith(".json") else yaml.safe_dump(document, sort_keys=False)
    path.write_text(document if isinstance(document, str) else text, encoding="utf-8")
    return OpenApiSource(kind="openapi", path=str(path))


def read(source: OpenApiSource, folder: Path) -> ToolSeed:
    (row,) = collect_seeds(source, 1, 7, Store(folder))
    return ToolSeed.model_validate_json(row.content)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SeedTool]:
    folder = tmp_path_factory.mktemp("shop")
    seed = read(write(folder, SHOP), folder)
    assert (seed.name, seed.description) == ("Book_shop", "Orders of books.")
    return {tool.origin: tool for tool in seed.tools}


def accepted(tool: SeedTool) -> SpecTool:
    checked = check_spec(tool, set())
    assert isinstance(checked, SpecTool), checked
    return checked


def test_every_operation_is_there_once(shop: dict[str, SeedTool]) -> None:
    assert list(shop) == [
        "GET /orders/{id}",
        "PUT /orders/{id}",
        "DELETE /orders/{id}",
        "GET /orders",
        "POST /orders",
        "GET /far",
        "POST /gone",
        "path /odd",
        "GET /tree",
    ]
    problems = {origin: tool.problem.split(":")[0] for origin, tool in shop.items() if tool.problem}
    assert problems == {"GET /far": "remote_reference", "POST /gone": "broken_reference", "path /odd": "unreadable"}


def test_names_are_the_operations_own_or_method_and_path(shop: dict[str, SeedTool]) -> None:
    names = [accepted(tool).name for tool in shop.values() if not tool.problem]
    assert names == ["getOrder", "put_orders_by_id", "delete_orders_by_id", "search", "place_order", "tree"]


def test_reading_and_writing(shop: dict[str, SeedTool]) -> None:
    effects = {origin: tool.effect for origin, tool in shop.items() if not tool.problem}
    assert {origin for origin, effect in effects.items() if effect == "read"} == {
        "GET /orders/{id}", "GET /orders", "GET /tree"
    }  # fmt: skip


def test_arguments_come_from_all_places_but_those_of_keys(shop: dict[str, SeedTool]) -> None:
    tool = accepted(shop["GET /orders/{id}"])
    assert tool.description == "Gets an order. With its lines."
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "fields": {"type": "array", "items": {"type": "string"}},
            "X-Branch": {"type": "string", "description": "Branch."},
        },
        "required": ["id"],
    }


def test_fields_of_a_body_stand_beside_parameters_without_a_clash(tmp_path: Path, shop: dict[str, SeedTool]) -> None:
    parameters = accepted(shop["PUT /orders/{id}"]).parameters
    assert list(parameters["properties"]) == ["id", "note", "lines", "pin"]
    assert parameters["required"] == ["id", "lines"]
    assert parameters["properties"]["note"] == {"type": ["string", "null"]}
    document = copy.deepcopy(SHOP)
    del document["components"]["schemas"]["Base"]["properties"]["id"]["readOnly"]
    del document["components"]["schemas"]["Order"]["allOf"][1]["properties"]["id"]["readOnly"]
    document["paths"]["/orders/{id}"]["put"]["requestBody"]["required"] = False
    seed = read(write(tmp_path, document), tmp_path)
    parameters = accepted(seed.tools[1]).parameters
    assert list(parameters["properties"]) == ["id", "body_id", "note", "lines", "pin"]
    assert parameters["required"] == ["id"]


def test_a_body_that_is_no_object_is_one_argument(shop: dict[str, SeedTool]) -> None:
    tool = accepted(shop["POST /orders"])
    line = {
        "type": "object",
        "properties": {"isbn": {"type": "string"}, "state": {"type": ["string", "null"], "enum": ["new", None]}},
    }
    assert tool.parameters["properties"] == {"body": {"type": "array", "items": line, "description": "The lines."}}
    assert tool.parameters["required"] == ["body"]
    assert tool.output_schema == {}


def test_draft_words_of_openapi_become_json_schema(shop: dict[str, SeedTool]) -> None:
    properties = accepted(shop["GET /orders"]).parameters["properties"]
    assert properties == {
        "filter": {"type": "object"},
        "limit": {"type": "integer", "exclusiveMinimum": 0, "examples": [5]},
    }


def test_the_first_success_is_the_result(shop: dict[str, SeedTool]) -> None:
    output = accepted(shop["GET /orders/{id}"]).output_schema
    assert list(output["properties"]) == ["id", "note", "lines"]
    assert output["required"] == ["id", "lines"]
    assert shop["PUT /orders/{id}"].output_schema is None
    assert shop["GET /orders"].output_schema is None


def test_a_schema_inside_itself_is_cut(shop: dict[str, SeedTool]) -> None:
    output = accepted(shop["GET /tree"]).output_schema
    assert output["properties"]["shelves"]["items"] == {"type": "object"}


def test_large_results_are_cut_where_they_are_deep(tmp_path: Path) -> None:
    wide = {f"field_{number}": {"type": "string", "description": "x" * 60} for number in range(40)}
    schemas: dict[str, Any] = {
        f"S{level}": {
            "type": "object",
            "properties": {**wide, "a": {"$ref": f"#/components/schemas/S{level + 1}"}},
        }
        for level in range(12)
    }
    schemas["S12"] = {"type": "object", "properties": wide}
    response = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}}
    document = {
        "openapi": "3.1.0",
        "paths": {"/a": {"get": {"description": "Deep.", "responses": response}}},
        "components": {"schemas": schemas},
    }
    output = accepted(read(write(tmp_path, document), tmp_path).tools[0]).output_schema
    assert len(json.dumps(output)) < 17_500
    assert output["properties"]["a"]["properties"]["a"]["type"] == "object"


def test_yaml_gives_the_same_tools_as_json(tmp_path: Path, shop: dict[str, SeedTool]) -> None:
    assert [tool.origin for tool in read(write(tmp_path, SHOP, "shop.yaml"), tmp_path).tools] == list(shop)
    text = yaml.safe_dump(SHOP).replace("'200'", "200")
    seed = read(write(tmp_path, text, "shop.yml"), tmp_path)
    assert {tool.origin: tool for tool in seed.tools} == shop


def test_a_document_of_3_1_as_a_framework_writes_it(tmp_path: Path) -> None:
    class Item(BaseModel):
        name: str
        price: float | None = None

    app = FastAPI(title="Stock")

    @app.post("/items/{item_id}", response_model=list[Item], summary="Puts an item.")
    def put(item_id: int, item: Item, q: str = Query("x", max_length=3), x_token: str = Header()) -> Any: ...

    (tool,) = [accepted(tool) for tool in read(write(tmp_path, app.openapi()), tmp_path).tools]
    assert list(tool.parameters["properties"]) == ["item_id", "q", "name", "price"]
    assert tool.parameters["required"] == ["item_id", "name"]
    assert tool.parameters["properties"]["q"] == {"type": "string", "maxLength": 3, "default": "x"}
    assert tool.output_schema["items"]["properties"]["price"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"swagger": "2.0", "paths": {}}', "is Swagger 2.0"),
        ("swagger: '2.0'\npaths: {}\n", "is Swagger 2.0"),
        ("openapi: 4.0.0\npaths: {}\n", "says OpenAPI 4.0.0"),
        ("openapi: 3.0.0\npaths: {}\n", "no operation"),
        ("openapi: 3.0.0\npaths:\n  /a: 3\n", "no operation that can be read; path /a: unreadable"),
        ("openapi: 3.0.0\npaths: {\n", "is not YAML"),
        ('{"openapi": "3.0.0", "paths": {}', "is not JSON"),
        ("just some words\n", "is no OpenAPI document"),
        ("", "is empty"),
        ("\0\0", "is not UTF-8 text"),
        ("openapi: 3.0.0\npaths: " + "[" * 100 + "]" * 100, "levels deep"),
        ("openapi: 3.0.0\npaths: " + "[" * 300_000, "levels deep"),
        ("openapi: 3.0.0\npaths: &a [*a]\n", "levels deep"),
        (BOMB, "more values than can be read"),
        ("openapi: 3.0.0\npaths: .inf\n", "not a number"),
        ("openapi: 3.0.0\npaths: !!binary aGFsbG8=\n", "holds a bytes"),
        ("openapi: 3.0.0\npaths: !!python/name:os.system\n", "is not YAML"),
    ],
)  # fmt: skip
def test_documents_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    source = write(tmp_path, text, "it.yaml")
    for look in (lambda: collect_seeds(source, 1, 7, Store(tmp_path)), lambda: check_source(source, 1)):
        with pytest.raises(SourceError) as caught:
            look()
        assert words in caught.value.message
        assert caught.value.message.startswith("source 1 (")
        assert caught.value.hint


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "gone.yaml", "no such file"), (tmp_path, "has no .json or .yaml or .yml file")):
        with pytest.raises(SourceError, match=words):
            check_source(OpenApiSource(kind="openapi", path=str(path)))


@pytest.mark.parametrize("seed", range(150))
def test_no_mistake_in_a_document_ends_in_a_traceback(seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"openapi:{seed}")
    document = copy.deepcopy(SHOP)
    places: list[tuple[Any, Any]] = []

    def find(value: Any) -> None:
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            find(value[key])

    find({key: document[key] for key in ("paths", "components", "info")})
    junk: list[Any] = [
        None,
        7,
        "text",
        [],
        {},
        True,
        ["a"],
        {"$ref": 3},
        {"$ref": "#/paths"},
        {"type": []},
        [[]],
        "\u0000",
    ]
    for holder, key in rng.sample(places, 12):
        holder[key] = copy.deepcopy(rng.choice(junk))
    try:
        seed_row = read(write(tmp_path, document), tmp_path)
    except SourceError:
        return
    for tool in seed_row.tools:
        check_spec(tool, set())


class _Quiet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        served = self.server.answers.get(self.path)  # pyright: ignore
        if self.headers.get("Authorization") != f"Bearer {SECRET}":
            served = (403, b"", {})
        status, body, headers = served or (404, b"", {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def serving(answers: dict[str, tuple[int, bytes, dict[str, str]]]) -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Quiet) as server:
        server.answers = answers  # pyright: ignore
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_documents_that_are_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: dict[str, SeedTool]) -> None:
    answers: dict[str, tuple[int, bytes, dict[str, str]]] = {
        "/api.json": (200, json.dumps(SHOP).encode(), {}),
        "/moved": (302, b"", {"Location": "/api.json"}),
        "/broken": (500, b"", {}),
        "/page": (200, b"<html></html>", {}),
        "/large": (200, b"x" * (33 * 2**20), {}),
    }
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    with serving(answers) as url:

        def source(path: str, **settings: Any) -> OpenApiSource:
            return OpenApiSource.model_validate(
                {"kind": "openapi", "url": url + path, "token_env": "SHOP_TOKEN", **settings}
            )

        (row,) = collect_seeds(source("/api.json"), 1, 7, Store(tmp_path))
        assert {tool.origin: tool for tool in ToolSeed.model_validate_json(row.content).tools} == shop
        assert row.locator == f"{url}/api.json"
        for given, words in (
            (source("/api.json", token_env=None), "refuses access (HTTP 403)"),
            (source("/moved"), "is elsewhere (HTTP 302)"),
            (source("/broken"), "HTTP 500"),
            (source("/gone"), "nothing at this address"),
            (source("/page"), "is no OpenAPI document"),
            (source("/large"), "larger than 32 MiB"),
            (source("/api.json", token_env="GONE"), "GONE is not set"),
        ):
            with pytest.raises(SourceError) as caught:
                check_source(given, 1)
            assert words in caught.value.message
            assert SECRET not in f"{caught.value!r} {caught.value}"


def test_addresses_that_do_not_answer() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        with pytest.raises(SourceError, match=r"did not answer within 0\.3 s"):
            check_source(OpenApiSource(kind="openapi", url=url, timeout_seconds=0.3))
    with pytest.raises(SourceError, match="cannot be reached"):
        check_source(OpenApiSource(kind="openapi", url=url))
