"""What becomes of drafted specifications: names, helpers, closed sets, limits, types, near-duplicates, effects."""

from typing import Any

import pytest

from schemas.config import RunConfig
from schemas.replies import FieldDraft, OutputDraft, ParameterDraft, SpecDraft
from schemas.seeds import SeedTool
from schemas.tools import SpecTool
from tests.spec_world import LIBRARY, config, spec, tool
from turnwright.tools.effects import tell_effect
from turnwright.tools.entity_canon import EntityCanon, find_changed_inputs, name_entity
from turnwright.tools.near_duplicates import find_twins
from turnwright.tools.rejection import Rejection
from turnwright.tools.spec_drafts import build_tool
from turnwright.tools.spec_judging import Domain, clean_text
from turnwright.tools.spec_outputs import build_output
from turnwright.tools.text_vectors import vectorise_text
from turnwright.tools.tool_text import list_own_descriptions


def parameter(name: str, kind: Any = "string", **facts: Any) -> ParameterDraft:
    content: dict[str, Any] = {"name": name, "type": kind, "description": f"The {name}.", "required": True}
    return ParameterDraft.model_validate(content | facts)


def draft(name: str, *parameters: ParameterDraft, description: str = "Does something for a reader.") -> SpecDraft:
    return SpecDraft(name=name, description=description, parameters=list(parameters))


def build(name: str, *parameters: ParameterDraft, **facts: Any) -> SpecTool:
    return build_tool(draft(name, *parameters, **facts), config())


def code_of(name: str, *parameters: ParameterDraft, **facts: Any) -> str:
    with pytest.raises(Rejection) as caught:
        build(name, *parameters, **facts)
    return caught.value.code


def test_names_begin_with_a_verb_in_snake_case() -> None:
    assert build("getBook", parameter("bookId")).name == "get_book"
    assert list(build("getBook", parameter("bookId")).parameters["properties"]) == ["book_id"]
    for name in ("weather", "weather_manager", "", "!!", "get", "get_the_book_that_the_reader_wants_now"):
        assert code_of(name, parameter("book_id")) == "name"


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("calculate_sum", "Calculate the sum of numbers."),
        ("add_numbers", "Add two numbers."),
        ("get_average", "Get the average of a list of values."),
        ("sort_list", "Sort the items of a list."),
        ("format_date", "Format a date."),
        ("convert_to_uppercase", "Convert."),
    ],
)
def test_helpers_are_refused(name: str, description: str) -> None:
    assert code_of(name, parameter("values", "array", items="number"), description=description) == "trivial"


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("get_average_rating", "Get the average rating of a book."),
        ("count_loans", "Count the loans of a reader."),
        ("calculate_late_fee", "Calculate the fee of a late loan."),
        ("add_book_to_list", "Put a book on a reading list."),
    ],
)
def test_what_only_the_service_knows_is_no_helper(name: str, description: str) -> None:
    assert build(name, parameter("book_id"), description=description).name == name


def test_a_closed_set_is_small_and_no_list_of_names() -> None:
    def enum(name: str, *values: str) -> Any:
        made = build("search_books", parameter(name, values=list(values)))
        return made.parameters["properties"][name].get("enum")

    assert enum("condition", "new", "worn") == ["new", "worn"]
    assert enum("loan_status", "Open", "Returned") == ["Open", "Returned"]
    assert enum("currency", "EUR", "USD") == ["EUR", "USD"]
    assert enum("city", "oslo", "graz") is None
    assert enum("publisher_label", "Holm", "Aurora") is None
    assert enum("condition", *(f"grade_{number}" for number in range(11))) is None
    assert enum("condition", "only") is None


def test_lists_have_limits_both_ways() -> None:
    made = build("list_loans", parameter("member_ids", "array", items="integer"))
    given = made.parameters["properties"]
    assert given["member_ids"]["maxItems"] == 10
    assert given["limit"]["maximum"] == config().tools.list_limit
    assert "limit" not in made.parameters["required"]
    own = build("search_books", parameter("query"), parameter("max_results", "number"))
    assert list(own.parameters["properties"]) == ["query", "max_results"]
    assert own.parameters["properties"]["max_results"]["type"] == "integer"
    assert own.parameters["required"] == ["query"]
    assert "limit" not in build("get_book", parameter("book_id")).parameters["properties"]


def test_only_the_essential_is_required() -> None:
    made = build("get_book", parameter("book_id"), parameter("edition", description="Optional: which edition."))
    assert made.parameters["required"] == ["book_id"]
    assert code_of("create_book", *(parameter(f"part_{number}") for number in range(6))) == "too_many_required"
    assert code_of("delete_book") == "parameter"
    assert code_of("get_book", parameter("book_id"), parameter("bookId")) == "parameter"
    assert code_of("get_book", parameter("book_id", description=" ")) == "parameter"


def test_hostile_drafts_are_refused_or_made_harmless() -> None:
    for name in ("get_\ud800", "💥" * 500, "get_" + "x" * 500, "get\x00book\n"):
        try:
            assert len(build(name, parameter("\ud800", description="\ud800")).name) <= 64
        except Rejection as rejection:
            assert clean_text(rejection.reason)
    assert clean_text("a\ud800\n b") == "a? b"


@pytest.mark.parametrize(
    ("name", "description", "effect"),
    [
        ("get_book", "", "read"),
        ("book_flight", "Books a flight.", "write"),
        ("get_book_order", "Get an order.", "read"),
        ("core_memory_add", "Add a key.", "write"),
        ("hospital_locate", "Locate nearby hospitals.", "read"),
        ("cat", "Display the contents of a file.", "read"),
        ("mv", "Move a file.", "write"),
        ("lockDoors", "Locks the doors.", "write"),
        ("sports_match_schedule", "Retrieve the match schedule.", "read"),
        ("frobnicate", "Frobs.", "write"),
        ("", "", "write"),
    ],
)
def test_the_verb_tells_the_effect(name: str, description: str, effect: str) -> None:
    assert tell_effect(name, description) == effect


def test_an_entity_keeps_the_type_that_it_was_given_first() -> None:
    canon = EntityCanon()
    canon.note(tool("get_user", {"user_id": "integer"}, {"timestamp": "string", "name": "string"}))
    assert not canon.find_conflicts(tool("rate_user", {"user_id": "number", "name": "integer"}))
    (problem,) = canon.find_conflicts(tool("delete_user", {"user_id": "string"}))
    assert problem == "delete_user.user_id is string, but get_user.user_id is integer; write integer"
    assert canon.find_conflicts(tool("get_log", {}, {"timestamp": "integer"}))
    several = tool("delete_users", {"user_ids": "array"})
    several.parameters["properties"]["user_ids"]["items"] = {"type": "string"}
    assert canon.find_conflicts(several)
    assert canon.list_types() == {"timestamp": "string", "user_id": "integer"}


def test_a_bare_id_is_of_what_the_tool_is_about() -> None:
    assert name_entity("id", "list_user_orders") == "order id"
    assert name_entity("orderId", "get_order") == name_entity("order_ids", "x") == "order id"
    assert name_entity("name", "get_order") is None
    assert find_changed_inputs(tool("get_user", {"user_id": "integer"}, {"user_id": "string"}))


def test_near_duplicates_name_their_twin_and_look_alikes_do_not() -> None:
    said = "Get the weather forecast of a city for the next days."
    tools = [
        tool("get_weather_forecast", {"city": "string"}, description=said),
        tool("fetch_weather_forecast", {"city": "string"}, description=f"{said} Returns it."),
        tool("core_memory_add", {"key": "string"}, description="Add a key to the core memory of the agent."),
        tool("archival_memory_add", {"key": "string"}, description="Add a key to the archival memory of the agent."),
        tool("lock_doors", {"door": "string"}, description="Lock a door of the car, by its name."),
        tool("unlock_doors", {"door": "string"}, description="Unlock a door of the car, by its name."),
    ]
    twins = find_twins(tools, 0.6, vectorise_text)
    assert {later: twin.other for later, twin in twins.items()} == {1: 0}
    assert not find_twins(tools[:1], 0.1, vectorise_text)


def test_what_all_descriptions_say_is_not_compared() -> None:
    about = "This tool belongs to the car. "
    tools = [tool(f"get_{name}", description=f"{about}Reads the {name}.") for name in ("speed", "fuel", "oil", "date")]
    assert list_own_descriptions(tools)[0] == "Reads the speed."


def judge(given: list[SeedTool], *drafts: SpecDraft, settings: RunConfig | None = None) -> Domain:
    domain = Domain(settings or config(), vectorise_text)
    domain.take_given(given)
    domain.take_drafts(drafts, "tool_writer", ["key"], [], {"question": "q"})
    return domain


def test_drafts_are_held_against_what_is_there() -> None:
    domain = judge(
        LIBRARY,
        draft("get_book", parameter("book_id"), description="Anything at all about it."),
        draft("cancel_reservation", parameter("reservation_id"), parameter("member_id")),
        draft("find_titles", parameter("title"), description="Search the catalogue by title. Returns ids and titles."),
        draft("renew_loan", parameter("loan_id")),
        draft("update_loan", parameter("loan_id"), description="Make a loan longer by two weeks."),
    )
    codes = [candidate.reasons[0].split(":")[0] if candidate.reasons else "" for candidate in domain.candidates]
    assert codes[4:] == ["duplicate_name", "entity_type", "near_duplicate", "name", ""]
    assert "search_books" in domain.candidates[6].reasons[0]
    assert "find_members.member_id is integer" in domain.candidates[5].reasons[0] or (
        "create_reservation.member_id is integer" in domain.candidates[5].reasons[0]
    )
    assert [candidate.name for candidate in domain.accepted][-1] == "update_loan"


def test_given_tools_keep_their_names_and_no_more_are_used_than_asked_for() -> None:
    camel = SeedTool(spec=spec("lockDoors", "Locks the doors of the car.", {}), origin="car.jsonl:1")
    domain = judge([camel, *LIBRARY], settings=config(given=2))
    assert [candidate.name for candidate in domain.accepted] == ["lockDoors", "search_books"]
    assert all(candidate.reasons[0].startswith("enough: ") for candidate in domain.candidates[2:])
    assert [one.effect for one in domain.tools] == ["write", "read"]
    told = judge([camel.model_copy(update={"effect": "read"})])
    assert told.tools[0].effect == "read"


@pytest.mark.parametrize(
    "hostile", [None, 7, "text", [], {"function": None}, {"function": {"name": 5}}, {"name": "\ud800"}]
)
def test_what_is_no_specification_is_a_rejected_candidate(hostile: Any) -> None:
    (candidate,) = judge([SeedTool(spec=hostile, origin="bad.jsonl:1")]).candidates
    assert candidate.reasons
    assert candidate.name


def test_results_are_lists_where_the_name_says_so() -> None:
    field = FieldDraft(name="bookId", type="string", description="Identifies the book.")
    many = build_output(OutputDraft(kind="object", fields=[field]), tool("search_books"), 25)
    assert (many["type"], many["maxItems"]) == ("array", 25)
    assert many["items"]["properties"]["book_id"]["description"]
    one = build_output(OutputDraft(kind="array", fields=[field]), tool("delete_book", effect="write"), 25)
    assert one["type"] == "object"
    with pytest.raises(Rejection):
        build_output(OutputDraft(kind="object", fields=[field, field]), tool("get_book"), 25)
    with pytest.raises(Rejection):
        build_output(OutputDraft(kind="object", fields=[field.model_copy(update={"description": " "})]), tool("a"), 25)


def test_a_look_up_that_only_repeats_what_it_was_given_is_rejected() -> None:
    drafted = OutputDraft(kind="object", fields=[FieldDraft(name="bookTitle", type="string", description="A title.")])
    with pytest.raises(Rejection, match="found out"):
        build_output(drafted, tool("get_book", {"book_title": "string"}), 25)
    assert build_output(drafted, tool("get_book", {"isbn": "string"}), 25)
    # What a write returns is true afterwards, and may be what was given.
    assert build_output(drafted, tool("delete_book", {"book_title": "string"}, effect="write"), 25)
