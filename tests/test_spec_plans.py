import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from travel_world import TRAVEL, read_seed_tools, spec_tool

from schemas.tools import SpecTool
from turnwright.goals.difficulty import weigh_objective
from turnwright.goals.drafts import Draft
from turnwright.goals.field_matching import find_feeders, list_output_fields
from turnwright.goals.literal_cues import read_options
from turnwright.goals.literals import Cast
from turnwright.goals.patterns import draw_matching
from turnwright.goals.plans import PlanRejected
from turnwright.goals.slots import Slot
from turnwright.goals.spec_parameters import label_parameter, list_parameters
from turnwright.goals.spec_phrases import phrase_tool
from turnwright.goals.spec_plans import draw_spec_plan
from turnwright.goals.spec_proof import check_spec_plan
from turnwright.goals.words import say_value

MIXED = ("none", "missing_parameter", "changed_mind", "parallel_calls", "tool_fault", "out_of_scope")


def slot(number: int, **changes: Any) -> Slot:
    fields: dict[str, Any] = {
        "number": number,
        "toolset_id": "t",
        "domain": "travel",
        "paradigm": "user_oriented",
        "difficulty": ("easy", "medium", "hard")[number % 3],
        "task_count": 1 + number % 3,
        "behaviour": "none",
        "seed": f"7:{number}",
    }
    return Slot(**{**fields, **changes})


def plans(count: int = 60, **changes: Any) -> list[tuple[Slot, Draft[SpecTool]]]:
    slots = [slot(number, **changes) for number in range(count)]
    return [(each, draw_spec_plan(each, TRAVEL, 0)) for each in slots]


def draw(schema: dict[str, Any], name: str = "value", seed: int = 0) -> Any:
    tool = spec_tool("get_thing", "Gets a thing.", {name: schema}, {})
    return Cast(random.Random(seed)).draw(list_parameters(tool)[0])


def test_plans_have_the_objectives_asked_for_and_hold_what_is_proved_of_them():
    for each, draft in plans():
        assert len(draft.objectives) == each.task_count
        assert check_spec_plan(draft) is None
        assert all(not objective.facts for objective in draft.objectives)
        assert all(call.result is None for call in draft.calls)


def test_the_same_slot_gives_the_same_plan_and_another_draw_another():
    assert [draft for _, draft in plans(20)] == [draft for _, draft in plans(20)]
    again = [draw_spec_plan(slot(number), TRAVEL, 1) for number in range(20)]
    assert sum(one != other for one, (_, other) in zip(again, plans(20), strict=True)) > 10


def test_difficulty_is_met_where_the_tools_have_chains():
    met = Counter(each.difficulty == draft.difficulty for each, draft in plans(90))
    assert met[True] >= 60
    assert any(weigh_objective(objective) >= 2 for _, draft in plans() for objective in draft.objectives)


def test_ids_are_looked_up_or_stand_on_papers_and_purposes_say_every_detail():
    looked_up = 0
    for _, draft in plans(90):
        for objective in draft.objectives:
            assert all(say_value(known.value) in objective.purpose for known in objective.known)
            assert "_" not in objective.purpose
            assert not any(tool.name in objective.purpose for tool in TRAVEL)
            for call in objective.calls:
                for name, source in call.sources.items():
                    assert (call.arguments[name] is None) == (source.kind == "result")
                    looked_up += source.kind == "result" and call.tool.name == "book_flight" and name == "traveller_id"
    assert looked_up


def test_an_extension_says_what_it_goes_on_with():
    found = [objective for _, draft in plans(90) for objective in draft.objectives if objective.relation == "extension"]
    assert len(found) >= 10
    for objective in found:
        assert ", using the " in objective.purpose
        own = {call.id for call in objective.calls}
        linked = [source.call for call in objective.calls for source in call.sources.values() if source.call]
        assert any(name not in own for name in linked)


@pytest.mark.parametrize("behaviour", MIXED)
def test_behaviours_that_need_no_rows_are_carried(behaviour: str):
    for each, draft in plans(18, behaviour=behaviour):
        assert (draft.behaviour.name if draft.behaviour else "none") == behaviour == each.behaviour
    if behaviour == "changed_mind":
        details = [draft.behaviour.detail for _, draft in plans(18, behaviour=behaviour) if draft.behaviour]
        assert all(detail["from"] != detail["to"] for detail in details)
    if behaviour == "parallel_calls":
        for _, draft in plans(18, behaviour=behaviour):
            assert any(
                len(objective.goals) == 2 and "and again with" in objective.purpose for objective in draft.objectives
            )


def test_a_behaviour_about_data_and_tools_nobody_can_call_give_no_plan():
    with pytest.raises(PlanRejected, match="behaviour_not_supported"):
        draw_spec_plan(slot(0, behaviour="wrong_premise"), TRAVEL, 0)
    hopeless = spec_tool("put_blob", "Stores a blob.", {"blob": {"type": "object", "minProperties": 3}}, {})
    with pytest.raises(PlanRejected, match="no_plan"):
        draw_spec_plan(slot(0), [hopeless], 0)


def test_the_proof_sees_what_is_wrong():
    hard = plans(30, task_count=1, difficulty="hard")
    draft = next(draft for _, draft in hard if any(call.lookup for call in draft.calls))
    (objective,) = draft.objectives
    goal = objective.calls[-1]
    backwards = replace(draft, objectives=(replace(objective, calls=objective.calls[::-1]),))
    assert str(check_spec_plan(backwards)).startswith("forward_reference")
    twice = replace(draft, objectives=(replace(objective, calls=(*objective.calls, replace(goal, id="c9"))),))
    assert str(check_spec_plan(twice)).startswith("repeated_call")
    silent = replace(draft, objectives=(replace(objective, purpose="do something"),))
    assert str(check_spec_plan(silent)).startswith("unsaid")
    arguments = {name: 7 for name, source in goal.sources.items() if source.kind == "user"}
    wrong = replace(goal, arguments={**goal.arguments, **arguments})
    spoilt = replace(draft, objectives=(replace(objective, calls=(*objective.calls[:-1], wrong)),))
    assert str(check_spec_plan(spoilt)).startswith("invalid_arguments")


@pytest.mark.parametrize(
    ("name", "schema", "fits"),
    [
        ("when", {"type": "string", "format": "date"}, lambda v: len(v) == 10 and v[4] == "-"),
        ("mail", {"type": "string", "format": "email"}, lambda v: "@" in v),
        ("plate", {"type": "string", "pattern": r"^[A-Z]{2}-\d{3}$"}, lambda v: len(v) == 6 and v[2] == "-"),
        ("level", {"type": "integer", "minimum": 900, "maximum": 905}, lambda v: 900 <= v <= 905),
        ("share", {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}, lambda v: 0 < v <= 0.5),
        ("size", {"enum": ["small", "large"]}, lambda v: v in ("small", "large")),
        (
            "mode",
            {"type": "string", "description": "One of: 'auto', 'cool', 'heat'."},
            lambda v: v in ("auto", "cool", "heat"),
        ),
        ("tags", {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}, lambda v: len(v) == 2),
        ("speed", {"type": "number", "description": "From 0 to 100."}, lambda v: 0 <= v <= 100),
        ("city", {"type": ["string", "null"]}, lambda v: v.isalpha()),
        ("step", {"type": "integer", "multipleOf": 25}, lambda v: v % 25 == 0),
    ],
)
def test_literals_fit_the_schema(name: str, schema: dict[str, Any], fits: Any):
    assert all(fits(draw(schema, name, seed)) for seed in range(30))


def test_what_no_person_could_say_is_not_drawn():
    assert draw({"type": "string", "pattern": "(?=never)x"}) is None
    assert draw({"type": "string", "minLength": 500}) is None
    assert draw({"type": "array", "items": {"type": "object"}}) is None
    assert draw({"type": "nonsense"}) is None
    assert draw({"enum": []}) is None


def test_a_dialogue_calls_the_same_thing_by_the_same_value():
    tool = spec_tool("get_weather", "Gets the weather.", {"city": {"type": "string"}}, {})
    cast = Cast(random.Random(3))
    drawn = [cast.draw(list_parameters(tool)[0]) for _ in range(12)]
    assert len(set(drawn)) < len(drawn)
    assert cast.draw(list_parameters(tool)[0], fresh=True) != drawn[-1]


@pytest.mark.parametrize("pattern", ["((((a{9}){9}){9}){9})", "(" * 400, "[", "x{2", "a|(?P<b>c)", "\\", "[z-a]", ""])
def test_hostile_patterns_end(pattern: str):
    drawn = draw_matching(pattern, random.Random(1))
    assert drawn is None or len(drawn) <= 200


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": None, "b": 3, "c": {"type": []}}, "required": "a"},
        {"properties": {"x" * 400: {"type": "string"}}, "required": [None, {"a": 1}, "x" * 400]},
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "integer"}]}}, "required": ["a"]},
    ],
)
def test_hostile_specifications_cost_a_plan_at_most(parameters: dict[str, Any]):
    function = {"name": "get_it", "description": "Get \u202e it 😀 now.", "parameters": parameters}
    tool = SpecTool(
        name="get_it",
        spec={"type": "function", "function": function},
        output_schema={"items": {"items": 3}},
        effect="read",
    )
    try:
        draft = draw_spec_plan(slot(0, task_count=1), [tool], 0)
    except PlanRejected:
        return
    assert check_spec_plan(draft) is None


def test_labels_are_words_for_people():
    text = {"type": "string"}
    assert label_parameter(("file_name2",), text) == "second file name"
    assert label_parameter(("cityA",), text) == "first city"
    assert label_parameter(("travel_from",), text) == "travel origin"
    assert label_parameter(("dir_name",), text) == "directory name"
    assert (
        label_parameter(("k",), {"type": "integer", "description": "The number of results to return."})
        == "number of results"
    )
    assert label_parameter(("unlock",), {"type": "boolean"}) == "unlock option"


@pytest.mark.parametrize(
    ("description", "phrase"),
    [
        ("Cancels a booking.", "cancel a booking"),
        (
            "This tool belongs to the file system. Tool description: Remove a file or directory.",
            "remove a file or directory",
        ),
        ("Retrieve statistics for a specific user.", "see statistics for a user"),
        ("This function sends a message (as text) to a user, and returns the message ID.", "send a message to a user"),
        ("Asynchronously stores a value in the cache.", "store a value in the cache"),
        ("Calculate the area of a circle given its radius.", "find out the area of a circle"),
        ("Current weather of a city", "see current weather of a city"),
    ],
)
def test_phrases_say_what_is_done_without_names_of_tools(description: str, phrase: str):
    assert phrase_tool(spec_tool("do_it_now", description, {}, {})) == phrase


def test_tools_that_do_the_same_are_told_apart():
    one = spec_tool("get_temperature_from_north", "Gets the temperature.", {}, {})
    other = spec_tool("get_temperature_by_south", "Gets the temperature.", {}, {})
    assert phrase_tool(one, (one, other)) == "see the temperature from north"
    assert phrase_tool(other, (one, other)) == "see the temperature by south"


def test_fields_feed_parameters_of_the_same_thing_and_type_only():
    feeders = find_feeders(TRAVEL)
    assert [feeder.tool for feeder in feeders["book_flight", "traveller_id"]] == ["find_traveller"]
    assert feeders["book_flight", "flight_id"][0].field.is_listed
    assert [feeder.tool for feeder in feeders["cancel_booking", "booking_id"]] == ["book_flight"]
    assert ("cancel_booking", "reason") not in feeders
    assert ("get_baggage_allowance", "cabin") not in feeders
    numbered = spec_tool("find_traveller", "Finds.", {}, {"traveller_id": "integer"})
    assert ("book_flight", "traveller_id") not in find_feeders([numbered, *TRAVEL[1:]])


def test_output_fields_are_labelled_by_what_they_belong_to():
    tool = spec_tool(
        "get_user_tweets",
        "Gets tweets.",
        {},
        {
            "user_tweets": {"type": "array", "items": {"properties": {"id": {"type": "integer"}, "content": {}}}},
            "api_token": "string",
        },
    )
    assert [(field.label, field.is_listed) for field in list_output_fields(tool)] == [
        ("user tweet ID", True),
        ("content", True),
    ]


def test_options_are_read_where_a_description_lists_them():
    assert read_options('The mode. [Enum]: ["engage", "release"]') == ("engage", "release")
    assert read_options("Options are: economy, business, first.") == ("economy", "business", "first")
    assert read_options("The name of the city.") == ()


def test_every_class_of_the_shared_seed_tools_has_plans():
    classes = read_seed_tools()
    if not classes:
        pytest.skip("TURNWRIGHT_TEST_DATA has no seed_tools")
    planned = Counter[str]()
    for name, tools in classes.items():
        for number in range(6):
            draft = draw_spec_plan(slot(number, seed=f"7:{name}:{number}"), tools, 0)
            assert check_spec_plan(draft) is None
            assert json.dumps([call.arguments for call in draft.calls])
            planned[name] += len(draft.objectives)
    assert len(planned) >= 8
