"""prepare-tools for tool specifications: from given tools to toolsets, by scripted models and embedded players."""

import asyncio
import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from schemas.config import RunConfig
from schemas.replies import Questions
from schemas.rows import SeedRow
from schemas.seeds import SeedTool
from schemas.tools import TOOLS, SpecTool
from tests.spec_world import LIBRARY, PlayedModels, config, seed_of, spec
from turnwright.models.errors import MalformedReply
from turnwright.models.scripted import ScriptedModels
from turnwright.tools.entity_canon import EntityCanon, find_changed_inputs
from turnwright.tools.given_tools import read_given_tools
from turnwright.tools.preparation import PreparedTools
from turnwright.tools.spec_preparation import prepare_spec_tools

BARE = {"asked_questions": 0, "expansion": 0}


def prepare(seed: SeedRow, models: Any, settings: RunConfig, **given: Any) -> PreparedTools:
    return asyncio.run(prepare_spec_tools(seed, models, settings, **given))


def asked(count: int = 20) -> list[Questions]:
    texts = [f"Could I borrow the book number {number} today?" for number in range(count)]
    return [Questions(questions=texts[start : start + 8]) for start in range(0, count, 8)]


def output(*fields: tuple[str, str], kind: str = "object") -> dict[str, Any]:
    made = [{"name": name, "type": one, "items": "none", "description": f"The {name}."} for name, one in fields]
    return {"kind": kind, "fields": made}


def drafted(name: str, **parameters: str) -> dict[str, Any]:
    made: list[dict[str, Any]] = [
        {"name": key, "type": one, "items": "none", "description": f"The {key}.", "required": True, "values": []}
        for key, one in parameters.items()
    ]
    return {"name": name, "description": "Does what a reader of the library may want.", "parameters": made}


def accepted(made: PreparedTools) -> dict[str, SpecTool]:
    found: dict[str, SpecTool] = {}
    for row in made.tool_specs:
        if row.accepted:
            (one,) = TOOLS.validate_json(f"[{row.tool}]")
            assert isinstance(one, SpecTool)
            found[one.name] = one
    return found


def balance(made: PreparedTools) -> None:
    """Every row is accounted for, once."""
    assert len({row.id for row in made.tool_specs}) == len(made.tool_specs)
    units = [(row.unit, row.unit_id) for row in made.ledger]
    assert len(set(units)) == len(units)
    told = {row.unit_id: row.outcome for row in made.ledger if row.unit == "tool" and row.outcome != "failed"}
    assert told == {row.id: "accepted" if row.accepted else "rejected" for row in made.tool_specs}
    assert all(row.reasons for row in made.tool_specs if not row.accepted)


def test_the_players_complete_a_small_service() -> None:
    models = PlayedModels()
    made = prepare(seed_of(), models, config())
    balance(made)
    tools = accepted(made)
    assert {"search_books", "get_book", "create_reservation", "find_members"} <= set(tools)
    assert 20 <= len(made.questions) <= 30
    assert any(row.role == "tool_writer" for row in made.tool_specs if row.accepted)
    assert all(one.output_schema.get("type") in ("array", "object") for one in tools.values())
    assert models.calls["tool_expander"] == 1
    assert models.calls["tool_writer"] <= 16
    covered = {identifier for row in made.toolsets for identifier in row.tool_ids}
    assert covered == {row.id for row in made.tool_specs if row.accepted}
    edges = {(row.source, row.field, row.target, row.parameter) for row in made.edges}
    assert {("search_books", "book_id", "get_book", "book_id")} <= edges
    assert ("find_members", "member_id", "create_reservation", "member_id") in edges


def test_the_same_inputs_give_the_same_rows() -> None:
    first, second = (prepare(seed_of(), PlayedModels(0.2), config()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("seed", range(3))
def test_mistaken_players_lose_no_unit_and_break_no_rule(seed: int) -> None:
    made = prepare(seed_of(), PlayedModels(0.6, seed), config())
    balance(made)
    for one in accepted(made).values():
        assert not find_changed_inputs(one)
    canon = EntityCanon()
    for one in accepted(made).values():
        assert not canon.find_conflicts(one)
        canon.note(one)


def test_given_schemas_are_kept_and_the_others_are_asked_for_in_one_conversation() -> None:
    script = {
        "question_writer": asked(),
        "schema_writer": [output(("author", "string")), output(("reservation_id", "string"))],
    }
    models = ScriptedModels(script)  # pyright: ignore[reportArgumentType]
    made = prepare(
        seed_of(),
        models,
        RunConfig.model_validate(
            config().model_dump(mode="json") | {"tools": {"questions_per_domain": 20, "synthesise": BARE}}
        ),
    )
    tools = accepted(made)
    assert tools["search_books"].output_schema == LIBRARY[0].output_schema
    assert list(tools["get_book"].output_schema["properties"]) == ["author"]
    first, second = models.requests_of("schema_writer")
    assert list(second.messages[: len(first.messages)]) == list(first.messages)
    assert [row.role for row in made.tool_specs] == [None, "schema_writer", "schema_writer", None]
    assert made.tool_specs[0].model_calls == []
    assert made.tool_specs[1].model_calls == ["scripted-schema_writer-0"]


def test_a_type_conflict_is_named_once_and_then_rejected() -> None:
    wrong = output(("member_id", "string"), ("author", "string"))
    script = {
        "question_writer": asked(),
        "schema_writer": [wrong, output(("member_id", "integer")), wrong, wrong],
    }
    models = ScriptedModels(script)  # pyright: ignore[reportArgumentType]
    made = prepare(seed_of(), models, config(**BARE), questions=[])
    balance(made)
    tools = accepted(made)
    assert "get_book" in tools
    assert "create_reservation" not in tools
    (reason,) = made.tool_specs[2].reasons
    assert reason.startswith("entity_type: ")
    assert "write integer" in reason
    told = models.requests_of("schema_writer")[1].messages[-1]["content"] or ""
    assert "get_book.member_id is string" in told


def test_a_draft_is_mended_once() -> None:
    script = {
        "tool_expander": [
            {
                "tools": [
                    drafted("reservation_undo", reservation_id="string"),
                    drafted("delete_reservation", member_id="string"),
                ]
            },
            {
                "tools": [
                    drafted("cancel_reservation", reservation_id="string"),
                    drafted("delete_reservation", member_id="string"),
                ]
            },
        ],
        "schema_writer": [
            output(("author", "string")),
            output(("reservation_id", "string")),
            output(("done", "boolean")),
        ],
    }
    models = ScriptedModels(script)  # pyright: ignore[reportArgumentType]
    made = prepare(seed_of(), models, config(asked_questions=0), questions=[])
    balance(made)
    written = [(row.name, row.accepted, row.reasons[:1]) for row in made.tool_specs if row.role == "tool_expander"]
    assert [(name, right) for name, right, _ in written] == [
        ("reservation_undo", False),
        ("delete_reservation", False),
        ("cancel_reservation", True),
        ("delete_reservation", False),
    ]
    problems = models.requests_of("tool_expander")[1].messages[-1]["content"] or ""
    assert "reservation_undo" in problems
    assert "write integer" in problems


def test_a_written_tool_that_stands_alone_is_rejected() -> None:
    script = {
        "tool_expander": [{"tools": [drafted("get_weather", moon_phase="string")]}] * 2,
        "schema_writer": [
            output(("author", "string")),
            output(("reservation_id", "string")),
            output(("wind", "number")),
        ]
        * 2,
    }
    models = ScriptedModels(script)  # pyright: ignore[reportArgumentType]
    made = prepare(seed_of(), models, config(asked_questions=0), questions=[])
    assert made.tool_specs[-1].reasons[0].startswith("unchained: ")
    kept = prepare(seed_of(), models, config(asked_questions=0, chained=False), questions=[])
    assert kept.tool_specs[-1].accepted


def test_calls_are_bounded_by_the_config() -> None:
    models = PlayedModels()
    made = prepare(seed_of(), models, config(asked_questions=2, expansion=0, output_schemas=1, written=1))
    balance(made)
    assert models.calls["tool_writer"] <= 4
    assert models.calls["schema_writer"] <= 2
    assert any("no_output_schema" in row.reasons[0] for row in made.tool_specs if not row.accepted)


def test_a_writer_that_cannot_be_understood_costs_its_round_alone() -> None:
    broken = MalformedReply("tool_expander: it is not JSON", problem="it is not JSON", text="?", replies=())
    script = {"tool_expander": [broken], "schema_writer": [output(("author", "string")), broken]}
    models = ScriptedModels(script)  # pyright: ignore[reportArgumentType]
    made = prepare(seed_of(), models, config(asked_questions=0), questions=[])
    balance(made)
    (failed,) = [row for row in made.ledger if row.outcome == "failed"]
    assert (failed.unit, failed.boundary) == ("tool", "endpoint")
    assert made.tool_specs[2].reasons[0].startswith("no_output_schema: malformed_reply")


def test_bad_tools_are_rejected_row_by_row_and_a_seed_of_them_alone_is_no_error() -> None:
    bad: list[Any] = [None, {"name": "no description"}, spec("legal", "Says something.", {"x": "whole number"})]
    tools = [SeedTool(spec=one, origin=f"bad.jsonl:{line}") for line, one in enumerate(bad, 1)]
    tools.append(SeedTool(spec="{", origin="bad.jsonl:4", problem="unreadable: The line is no JSON."))
    made = prepare(seed_of(tools), PlayedModels(), config())
    balance(made)
    assert not any(row.accepted for row in made.tool_specs)
    assert not made.toolsets
    assert [row.outcome for row in made.ledger if row.unit == "toolset"] == ["rejected"]


# --- starting from given tables


def test_questions_that_are_there_are_kept_and_none_are_asked() -> None:
    given = prepare(seed_of(), PlayedModels(), config()).questions[:5]
    models = PlayedModels()
    made = prepare(seed_of(), models, config(), questions=given)
    assert made.questions == given
    assert not models.calls["question_writer"]
    assert models.calls["tool_writer"] >= 1


def test_tools_with_schemas_need_no_model_at_all() -> None:
    first = prepare(seed_of(), PlayedModels(), config())
    content = read_given_tools(first.tool_specs, "library")
    models = PlayedModels()
    made = prepare(seed_of(content.tools), models, config(**BARE), questions=[])
    assert not models.calls
    assert accepted(made) == accepted(first)
    assert made.toolsets


def test_a_table_of_other_tools_is_no_beginning() -> None:
    (row, *_) = prepare(seed_of(), PlayedModels(), config(**BARE), questions=[]).tool_specs
    domain_tool = json.loads(row.tool) | {"kind": "domain"}
    with pytest.raises(ValueError, match="specifications"):
        read_given_tools([row.model_copy(update={"tool": json.dumps(domain_tool)})], "library")


# --- real inputs


def read_bfcl() -> dict[str, list[SeedTool]]:
    folder = Path(os.environ.get("TURNWRIGHT_TEST_DATA", "")) / "seed_tools"
    if "TURNWRIGHT_TEST_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("TURNWRIGHT_TEST_DATA names no folder with seed_tools")
    groups: dict[str, list[SeedTool]] = defaultdict(list)
    for file, most in (("bfcl_multi_turn.jsonl", 1000), ("bfcl_simple.jsonl", 100)):
        for number, line in enumerate((folder / file).read_text(encoding="utf-8").splitlines()[:most]):
            content = json.loads(line)
            group = content["x_category"] if most > 100 else "simple"
            schema = content.get("x_response")
            groups[group].append(SeedTool(spec=content, output_schema=schema, origin=f"{file}:{number + 1}"))
    return groups


def test_all_classes_and_a_hundred_simple_tools_are_prepared() -> None:
    groups = read_bfcl()
    assert len(groups) == 9
    for name, tools in groups.items():
        models = PlayedModels(0.03)
        made = prepare(seed_of(tools, name), models, config())
        balance(made)
        given = [row for row in made.tool_specs[: len(tools)] if row.accepted]
        assert len(given) >= 0.85 * len(tools), name
        assert len(made.questions) >= 20, name
        kinds = Counter(row.sampler for row in made.toolsets)
        assert kinds[None] >= 1, name
        assert all(row.effect in ("read", "write") for row in given)
        assert sum(models.calls.values()) <= len(tools) + 60, name


def test_the_chains_of_a_travel_service_are_found() -> None:
    made = prepare(seed_of(read_bfcl()["TravelAPI"], "travel"), PlayedModels(), config(**BARE), questions=[])
    edges = {(row.source, row.target, row.parameter) for row in made.edges}
    assert ("authenticate_travel", "book_flight", "access_token") in edges
    assert ("book_flight", "cancel_booking", "booking_id") in edges
    assert ("purchase_insurance", "retrieve_invoice", "insurance_id") in edges
    assert ("get_flight_cost", "cancel_booking", "booking_id") not in edges
