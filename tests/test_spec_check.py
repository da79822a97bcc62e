"""Which specifications from outside become tools, what is mended in them, and why the others do not."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from data_checks.schema_consistency import find_schema_problem, find_spec_problem
from schemas.seeds import SeedTool
from schemas.tools import SpecTool
from turnwright.tools.json_schema import ReferenceProblem, inline_references, walk_schema
from turnwright.tools.spec_check import MOST_REASONS, check_spec

TEXT = {"type": "string", "description": "A word."}


def spec(**changes: Any) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": "find_book",
        "description": "Finds a book by its title.",
        "parameters": {"type": "object", "properties": {"title": TEXT}, "required": ["title"]},
    }
    function.update(changes)
    return {"type": "function", "function": {key: value for key, value in function.items() if value is not ...}}


def check(given: Any, taken: set[str] | None = None, **fields: Any) -> SpecTool | tuple[str, ...]:
    return check_spec(SeedTool(spec=given, origin="books.json:1", **fields), taken or set())


def accepted(given: Any, **fields: Any) -> SpecTool:
    tool = check(given, **fields)
    assert isinstance(tool, SpecTool), tool
    assert find_spec_problem(tool.spec) is None
    assert find_schema_problem(tool.output_schema, "output") is None
    return tool


def codes(given: Any, taken: set[str] | None = None, **fields: Any) -> list[str]:
    reasons = check(given, taken, **fields)
    assert isinstance(reasons, tuple), reasons
    assert all(": " in reason and len(reason) < 400 for reason in reasons)
    return [reason.split(":")[0] for reason in reasons]


def test_a_good_specification_stays_as_it_is() -> None:
    tool = accepted(spec(), output_schema={"type": "array", "items": {"type": "string"}}, effect="write")
    assert tool.spec == spec()
    assert tool.output_schema == {"type": "array", "items": {"type": "string"}}
    assert tool.effect == "write"
    assert accepted(spec()["function"]).spec == spec()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (..., {"type": "object", "properties": {}}),
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"properties": {"a": TEXT}}, {"type": "object", "properties": {"a": TEXT}}),
        (
            {"type": "object", "x_origin": "dict", "properties": {"x_axis": {**TEXT, "x-order": 1}}},
            {"type": "object", "properties": {"x_axis": TEXT}},
        ),
        (
            {
                "$schema": "http://json-schema.org/draft-04/schema#",
                "type": "object",
                "properties": {
                    "n": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                    "m": {"type": "number", "maximum": 9, "exclusiveMaximum": False},
                    "p": {"type": "array", "items": [TEXT, {"type": "integer"}], "additionalItems": False},
                },
            },
            {
                "type": "object",
                "properties": {
                    "n": {"type": "number", "exclusiveMinimum": 0},
                    "m": {"type": "number", "maximum": 9},
                    "p": {"type": "array", "prefixItems": [TEXT, {"type": "integer"}], "items": False},
                },
            },
        ),
        (
            {
                "type": "object",
                "properties": {"to": {"$ref": "#/$defs/place"}},
                "$defs": {
                    "place": {"type": "object", "properties": {"$ref": {"$ref": "#/$defs/city"}}},
                    "city": TEXT,
                },
            },
            {"type": "object", "properties": {"to": {"type": "object", "properties": {"$ref": TEXT}}}},
        ),
        ({"$ref": "#/$defs/all", "$defs": {"all": {"type": "object", "properties": {"a": TEXT}}}},
         {"type": "object", "properties": {"a": TEXT}}),
    ],
)  # fmt: skip
def test_what_has_one_reading_is_mended(parameters: Any, expected: Any) -> None:
    assert accepted(spec(parameters=parameters)).parameters == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ["not_a_function"]),
        ("find_book", ["not_a_function"]),
        ({"type": "retrieval"}, ["not_a_function"]),
        ({"type": "function", "function": "find_book"}, ["not_a_function"]),
        (spec(name="bad \ud800"), ["not_a_function"]),
        (spec(name=...), ["missing_name"]),
        (spec(name="hospital.locate"), ["illegal_name"]),
        (spec(name="a" * 65), ["illegal_name"]),
        (spec(name="find_book\n"), ["illegal_name"]),
        (spec(name="büch"), ["illegal_name"]),
        (spec(name=7), ["illegal_name"]),
        (spec(description=...), ["missing_description"]),
        (spec(description="  "), ["missing_description"]),
        (spec(description="long " * 1000), ["too_large"]),
        (spec(parameters=[]), ["invalid_parameters"]),
        (spec(parameters={"type": "array"}), ["invalid_parameters"]),
        (spec(parameters={"anyOf": [{"type": "object"}]}), ["invalid_parameters"]),
        (spec(parameters={"city": TEXT}), ["invalid_parameters"]),
        (spec(parameters={"type": "dict", "properties": {"a": TEXT}}), ["unknown_type"]),
        (spec(parameters={"type": "object", "properties": []}), ["invalid_schema"]),
        (spec(parameters={"type": "object", "properties": {"a": "string"}}), ["invalid_schema"]),
        (spec(parameters={"type": "object", "properties": {"a": {"type": "float"}}}), ["unknown_type"]),
        (spec(parameters={"type": "object", "properties": {"a": {"type": ["string", "any"]}}}), ["unknown_type"]),
        (
            spec(parameters={"type": "object", "properties": {"a": {"type": "array", "items": {"type": "tuple"}}}}),
            ["unknown_type"],
        ),
        (spec(parameters={"type": "object", "properties": {"a b": TEXT}}), ["illegal_parameter"]),
        (spec(parameters={"type": "object", "properties": {"$ref": TEXT}}), ["illegal_parameter"]),
        (spec(parameters={"type": "object", "properties": {"a": TEXT}, "required": ["b"]}), ["unknown_required"]),
        (spec(parameters={"type": "object", "properties": {"a": {**TEXT, "required": True}}}), ["invalid_schema"]),
        (spec(parameters={"type": "object", "properties": {"a": {"type": 7}}}), ["invalid_schema"]),
        (spec(parameters={"type": "object", "properties": {"a": {**TEXT, "pattern": "("}}}), ["invalid_schema"]),
        (spec(parameters={"type": "object", "properties": {"a": {"$ref": "#/$defs/gone"}}}), ["broken_reference"]),
        (
            spec(parameters={"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}),
            ["remote_reference"],
        ),
        (spec(name="a.b", description=""), ["illegal_name", "missing_description"]),
        (spec(parameters={"type": "object", "properties": {f"p{i}": TEXT for i in range(2000)}}), ["too_large"]),
    ],
)
def test_why_a_specification_is_rejected(given: Any, expected: list[str]) -> None:
    assert codes(given) == expected


def test_reasons_say_where_and_what_to_write_instead() -> None:
    nested = {"type": "object", "properties": {"where": {"type": "object", "properties": {"lat": {"type": "float"}}}}}
    (reason,) = check(spec(parameters=nested))  # pyright: ignore
    assert "where.lat" in reason
    assert "'float'" in reason
    assert "number" in reason
    many = {"type": "object", "properties": {f"p{i}": {"type": "any"} for i in range(50)}}
    assert len(codes(spec(parameters=many))) == MOST_REASONS


def test_the_first_of_a_name_is_kept_and_what_could_not_be_read_keeps_its_reason() -> None:
    assert codes(spec(), {"find_book"}) == ["duplicate_name"]
    assert check("{", problem="unreadable: not JSON") == ("unreadable: not JSON",)


def test_output_schemas_are_held_to_the_same_rules() -> None:
    assert codes(spec(), output_schema={"type": "dict"}) == ["output_unknown_type"]
    assert codes(spec(), output_schema={"type": "object", "properties": {"a": {"enum": 3}}}) == [
        "output_invalid_schema"
    ]
    assert accepted(spec()).output_schema == {}


@pytest.mark.parametrize(
    ("name", "effect"),
    [("get_order", "read"), ("searchFlights", "read"), ("book_flight", "write"), ("ls", "write"), ("isOpen", "read")],
)
def test_the_effect_where_the_source_does_not_tell(name: str, effect: str) -> None:
    assert accepted(spec(name=name, description="Of the club.")).effect == effect


def test_a_reference_into_itself_is_cut_and_an_explosion_is_refused() -> None:
    tree = {
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}},
        "$defs": {
            "node": {
                "type": "object",
                "description": "A node.",
                "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            }
        },
    }
    root = accepted(spec(parameters=tree)).parameters["properties"]["root"]
    assert root["properties"]["children"]["items"] == {"type": "object", "description": "A node."}
    assert inline_references({"$ref": "#"}, {"$ref": "#"}) == {}
    bomb = {"$defs": {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 8} for i in range(20)} | {"d20": {}}}
    with pytest.raises(ReferenceProblem, match="too_large"):
        inline_references({"$ref": "#/$defs/d0"}, bomb)
    assert codes(spec(parameters={"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, **bomb})) == [
        "too_large"
    ]


def test_data_inside_a_schema_is_no_schema() -> None:
    parameters = {
        "type": "object",
        "properties": {"a": {"enum": [{"type": "float"}, {"$ref": "x"}], "default": {"$ref": "y"}}},
    }
    assert accepted(spec(parameters=parameters)).parameters == parameters
    assert [place for place, _ in walk_schema(parameters)] == ["", "a"]


@pytest.mark.parametrize("value", [{}, [], "", 0, None, {"a": []}, {"type": None}, {"type": {}}, {"properties": None}])
def test_no_value_anywhere_ends_in_a_traceback(value: Any) -> None:
    for given in (
        value,
        {"type": "function", "function": value},
        spec(name=value),
        spec(description=value),
        spec(parameters=value),
        spec(parameters={"type": "object", "properties": value}),
        spec(parameters={"type": "object", "properties": {"a": value}}),
        spec(parameters={"type": "object", "properties": {"a": TEXT}, "required": value}),
        spec(parameters={"type": "object", "properties": {"a": {"$ref": value}}}),
    ):
        result = check(given)
        if isinstance(result, SpecTool):
            jsonschema_rs.validator_for(result.parameters)


def test_most_of_the_collected_specifications_hold() -> None:
    data = os.environ.get("TURNWRIGHT_TEST_DATA")
    if not data:
        pytest.skip("TURNWRIGHT_TEST_DATA is not set")
    for name, least in (("bfcl_multi_turn.jsonl", 102), ("bfcl_simple.jsonl", 660)):
        taken: set[str] = set()
        rejected: list[tuple[str, ...]] = []
        for line in (Path(data) / "seed_tools" / name).read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            tool = check(record, taken, output_schema=record.get("x_response"))
            if isinstance(tool, SpecTool):
                assert "x_" not in json.dumps([*tool.parameters, *tool.output_schema])
                taken.add(tool.name)
            else:
                rejected.append(tool)
        assert len(taken) >= least, rejected
