"""What is counted in one dialogue: provenance, dependency graph, hidden calls, recovery, consistency."""

import itertools
import json
import os
import random
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow.parquet as pq
import pytest

from tests.fidelity_world import World, play
from turnwright.statistics.fidelity.features import MIXES, RATES, SPREADS, measure_trajectory
from turnwright.statistics.fidelity.graph import MOTIFS, measure_graph
from turnwright.statistics.fidelity.hidden_calls import find_hidden_calls
from turnwright.statistics.fidelity.provenance import trace_arguments
from turnwright.statistics.fidelity.recovery import Recovery, find_recoveries
from turnwright.statistics.fidelity.tool_words import is_asked_for, read_words
from turnwright.statistics.fidelity.trajectory import Trajectory, read_trajectory
from turnwright.statistics.fidelity.values import is_weak, make_key, parse_json, read_leaves
from turnwright.validation.documents import is_error

_NUMBERS = itertools.count()


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def says(text: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": text}]


def calls(*made: tuple[str, dict[str, Any], Any]) -> list[dict[str, Any]]:
    """One assistant message with these calls, and their results."""
    ids = [f"call_{next(_NUMBERS)}" for _ in made]
    functions = [{"name": tool, "arguments": json.dumps(arguments)} for tool, arguments, _ in made]
    return [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": i, "type": "function", "function": f} for i, f in zip(ids, functions, strict=True)],
        },
        *(
            {"role": "tool", "tool_call_id": i, "content": json.dumps(result)}
            for i, (_, _, result) in zip(ids, made, strict=True)
        ),
    ]


def dialogue(*parts: list[dict[str, Any]], **more: Any) -> Trajectory:
    return read_trajectory([message for part in parts for message in part], identity="d", **more)


def provenances(trajectory: Trajectory) -> list[tuple[str, str, int | None]]:
    return [(item.name, item.provenance, item.source) for item in trace_arguments(trajectory).arguments]


def tool(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": name, "description": "", "parameters": {"type": "object", "properties": properties}},
    }


def test_values_come_from_whoever_brought_them_first() -> None:
    played = dialogue(
        [{"role": "system", "content": "Today is 2026-03-02. The branch is Northgate."}],
        user("Send Priya the total for order W1200, she's in Leeds."),
        calls(("find_employee", {"name": "Priya", "city": "Leeds"}, [{"employee_id": "E7715", "name": "Priya"}])),
        calls(("get_order", {"order": "W1200"}, {"order": "W1200", "total": 345.5})),
        calls(("send_note", {"to": "E7715", "amount": 345.50, "branch": "Northgate", "tone": "kind"}, {"sent": True})),
        says("Sent."),
        user("And tell her it is due in May."),
        calls(("send_note", {"to": "E7715", "text": "due on the 31st"}, {"sent": True})),
    )
    assert provenances(played) == [
        ("name", "user", None),
        ("city", "user", None),
        ("order", "user", None),
        ("to", "result_same_turn", 0),
        ("amount", "result_same_turn", 1),
        ("branch", "system", None),
        ("tone", "unknown", None),
        ("to", "result_earlier_turn", 0),
        ("text", "unknown", None),
    ]
    assert trace_arguments(played).edges == {(0, 2), (1, 2), (0, 3)}


def test_an_echo_is_no_source() -> None:
    played = dialogue(
        user("Look up something."),
        calls(("get_thing", {"code": "ZX-99812"}, {"code": "ZX-99812", "owner": "OW-55510"})),
        calls(("get_owner", {"owner": "OW-55510", "code": "ZX-99812"}, {})),
    )
    assert provenances(played) == [
        ("code", "unknown", None),
        ("owner", "result_same_turn", 0),
        ("code", "unknown", None),
    ]


@pytest.mark.parametrize(
    ("field", "argument", "linked"),
    [
        ("pilot_id", "pilot_id", True),
        ("id", "pilot_id", True),
        ("pilot_id", "id", True),
        ("pilot_id", "winning_pilot", True),
        ("pilot_id", "order_id", False),
        ("count", "limit", False),
    ],
)
def test_small_numbers_need_agreeing_names(field: str, argument: str, linked: bool) -> None:
    played = dialogue(user("Go."), calls(("find", {}, {field: 3})), calls(("get_more", {argument: 3}, {})))
    assert trace_arguments(played).edges == ({(0, 1)} if linked else set())


@pytest.mark.parametrize("value", [None, True, False, ""])
def test_trivial_values_link_nothing(value: Any) -> None:
    played = dialogue(user("Go."), calls(("find", {}, {"state": value})), calls(("get_more", {"state": value}, {})))
    assert trace_arguments(played).edges == set()


def test_a_key_that_the_user_said_is_the_users_however_small() -> None:
    played = dialogue(
        user("Cancel order 7 please."),
        calls(("get_order", {"order_id": 7}, {"order_id": 7, "state": "open"})),
        calls(("cancel_order", {"order_id": 7}, {"done": True})),
    )
    assert {item[1] for item in provenances(played)} == {"user"}


def test_a_key_that_was_returned_is_the_results_even_if_the_user_said_the_number() -> None:
    played = dialogue(
        user("Give me 3 tickets for the show Hamlet."),
        calls(("find_show", {"title": "Hamlet"}, [{"show_id": 3, "title": "Hamlet"}])),
        calls(("book_tickets", {"show_id": 3, "count": 3}, {"booked": True})),
    )
    assert provenances(played)[1:] == [("show_id", "result_same_turn", 0), ("count", "user", None)]


def test_calls_made_together_do_not_see_each_other() -> None:
    played = dialogue(
        user("Go."),
        calls(("find_it", {}, {"code": "A7781X"}), ("get_it", {"code": "A7781X"}, {})),
    )
    assert provenances(played) == [("code", "unknown", None)]


def test_a_failed_call_brings_nothing() -> None:
    played = dialogue(
        user("Go."),
        calls(("find_it", {}, {"error": "busy", "code": "A7781X"})),
        calls(("get_it", {"code": "A7781X"}, {})),
    )
    assert trace_arguments(played).edges == set()


def test_defaults_enums_and_flags_are_offered_by_the_specification() -> None:
    specs = [
        tool(
            "list",
            order={"enum": ["newest", "oldest"]},
            limit={"type": "integer", "default": 10},
            all={"type": "boolean"},
        )
    ]
    played = dialogue(
        user("Go."), calls(("list", {"order": "newest", "limit": 10, "all": True, "page": 4}, [])), tools=specs
    )
    assert [item[1] for item in provenances(played)] == ["default", "default", "default", "unknown"]


def test_distance_and_sharing_of_a_reference() -> None:
    played = dialogue(
        user("Go."),
        calls(("find_it", {}, {"code": "A7781X"})),
        calls(("list_other", {}, [])),
        calls(("get_it", {"code": "A7781X"}, {})),
        user("Again."),
        calls(("get_it", {"code": "A7781X"}, {})),
    )
    measured = measure_trajectory(played)
    assert measured.spreads["reference_distance"] == [2, 3]
    assert measured.rates["argument_from_result_same_turn"] == (1, 2)
    assert measured.rates["argument_from_result_earlier_turn"] == (1, 2)
    assert measured.rates["call_with_reference"] == (2, 4)


@pytest.mark.parametrize("seed", range(20))
def test_graph_figures_agree_with_networkx(seed: int) -> None:
    rng = random.Random(f"graph:{seed}")
    nodes = rng.randrange(1, 12)
    edges = [(a, b) for a in range(nodes) for b in range(a + 1, nodes) if rng.random() < 0.25]
    graph: Any = nx.DiGraph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges)
    measured = measure_graph(nodes, edges)
    assert measured.edges == graph.number_of_edges()
    assert measured.depth == nx.dag_longest_path_length(graph)
    assert measured.components == nx.number_weakly_connected_components(graph)
    levels = [len(level) for level in nx.topological_generations(graph.subgraph({n for edge in edges for n in edge}))]
    assert measured.width == max(levels, default=0)
    census = nx.triadic_census(graph) if nodes > 2 else {}
    names = {"chain": "021C", "fan_out": "021D", "fan_in": "021U", "triangle": "030T"}
    assert measured.motifs == {name: census.get(names[name], 0) for name in MOTIFS}


@pytest.mark.parametrize(
    ("nodes", "edges", "shape"),
    [
        (0, [], "no_call"),
        (1, [], "one_call"),
        (3, [], "unlinked"),
        (3, [(0, 1), (1, 2)], "chain"),
        (5, [(0, 1), (2, 3)], "chain"),
        (3, [(0, 1), (0, 2)], "fan_out"),
        (3, [(0, 2), (1, 2)], "fan_in"),
        (4, [(0, 1), (1, 2), (1, 3)], "tree"),
        (4, [(0, 1), (0, 2), (1, 3), (2, 3)], "dag"),
    ],
)
def test_shapes_have_names(nodes: int, edges: list[tuple[int, int]], shape: str) -> None:
    assert measure_graph(nodes, edges).shape == shape


def test_hidden_calls_are_needed_and_not_asked_for() -> None:
    look_up = calls(("find_employee", {"name": "Priya"}, {"employee_id": "E7715"}))
    send = calls(("send_message", {"to": "E7715"}, {}))

    def hidden(text: str, *parts: list[dict[str, Any]]) -> list[int]:
        played = dialogue(user(text), *parts)
        return find_hidden_calls(played, trace_arguments(played))

    assert hidden("Send Priya a message.", look_up, send) == [0]
    assert hidden("Find the employee Priya and send a message.", look_up, send) == []
    # Nobody needs what it returns, so it is no look-up for another call.
    assert hidden("Send Priya a message.", look_up) == []


def test_words_ask_for_what_they_name() -> None:
    assert is_asked_for("cancel_order", read_words("Please cancel my orders."))
    assert not is_asked_for("get_order", read_words("Please cancel my order."))
    assert is_asked_for("getOrderDetails", read_words("Show me the order."))
    assert not is_asked_for("find_employee", read_words("Send Priya the total for order W12."))


def test_the_effect_of_a_foreign_tool_is_told_by_its_name_and_description() -> None:
    effects = {
        "get_x": "read",
        "SendEmail": "write",
        "book_reservation": "write",
        "list_books": "read",
        "calculate": "read",
        "follow_user": "write",
        "future_value": "read",  # no verb at all: mostly look-ups and sums
        "memory_append": "write",
        "cat": "read",
        "mv": "write",
    }
    tools = [
        {"type": "function", "function": {"name": name, "description": text}}
        for name, text in (("cat", "Display a file."), ("mv", "Move a file."), ("memory_append", "Append a text."))
    ]
    played = dialogue(user("Go."), calls(*((name, {}, {}) for name in effects)), tools=tools)
    assert {call.tool: call.effect for call in played.calls} == effects


def test_errors_and_their_corrections() -> None:
    bad = {"error": "timeout", "message": "later"}
    played = dialogue(
        user("Go."),
        calls(("get_a", {}, bad)),
        calls(("get_b", {}, {"ok": 1})),
        calls(("get_a", {}, bad)),
        calls(("get_a", {}, {"ok": 1})),
        calls(("get_c", {}, bad)),
        user("Forget it."),
        says("As you like."),
        user("One more."),
        calls(("get_c", {}, {"ok": 1})),
    )
    assert find_recoveries(played) == [Recovery(True, 3), Recovery(False, 0)]
    measured = measure_trajectory(played)
    assert measured.rates["error"] == (3, 6)
    assert measured.rates["error_corrected"] == (1, 2)


@pytest.mark.parametrize(
    ("value", "failed"),
    [
        ({"error": "x"}, True),
        ({"error": None, "rows": []}, False),
        ({"error": False}, False),
        ({"errors": [], "rows": [1]}, False),
        ({"error": []}, False),
        ({"errors": ["not found"]}, True),
        ("Failed to connect", True),
        ("Error: user not found", True),
        ('"error while reading"', True),
        ("No errors were found", False),
        ([{"error": "x"}], False),
        (None, False),
    ],
)
def test_what_counts_as_an_error(value: Any, failed: bool) -> None:
    assert is_error(value) is failed


def consistency(*parts: list[dict[str, Any]]) -> tuple[tuple[int, int], tuple[int, int]]:
    measured = measure_trajectory(dialogue(user("Go."), *parts))
    return measured.rates["read_after_write_agrees"], measured.rates["contradiction"]


def test_reads_after_writes() -> None:
    write = calls(("update_client", {"client_id": 4, "city": "Leeds"}, {"rows_changed": 1}))
    read = calls(("get_client", {"client_id": 4}, {"client_id": 4, "city": "leeds", "age": 9}))
    stale = calls(("get_client", {"client_id": 4}, {"client_id": 4, "city": "York"}))
    bare = calls(("get_client", {"client_id": 4}, {"id": 4, "city": "York"}))
    other = calls(("get_order", {"order_id": 4}, {"order_id": 4, "city": "York"}))
    assert consistency(write, read)[0] == (1, 1)
    assert consistency(write, stale)[0] == (0, 1)
    assert consistency(write, bare)[0] == (0, 1)
    assert consistency(write, other)[0] == (0, 0)
    remove = calls(("delete_client", {"client_id": 4}, {"rows_changed": 1}))
    assert consistency(remove, stale)[0] == (0, 1)
    # A booking was removed by its client's id, not the client.
    assert consistency(calls(("delete_booking", {"client_id": 4}, {})), stale)[0] == (0, 0)


def test_contradictions() -> None:
    def record(city: str) -> dict[str, Any]:
        return {"client_id": 4, "name": "Ada Byron", "city": city}

    first = calls(
        ("find_client", {"name": "Ada"}, [record("York"), {"client_id": 5, "name": "Ada Lang", "city": "Hull"}])
    )
    same = calls(("get_client", {"client_id": 4}, record("York")))
    different = calls(("get_client", {"client_id": 4}, record("Leeds")))
    write = calls(("update_order", {"order_id": 1, "state": "x"}, {}))
    assert consistency(first, same)[1] == (0, 2)
    assert consistency(first, different)[1] == (1, 2)
    # A write may have changed it.
    assert consistency(first, write, different)[1] == (0, 0)
    # The same call with another answer: the whole result and the fact in it.
    assert consistency(same, different)[1] == (2, 3)


def test_what_an_argument_may_have_shaped_is_no_contradiction() -> None:
    def fare(date: str, price: int) -> list[dict[str, Any]]:
        return calls(("find_fare", {"flight_id": "F119", "date": date}, {"flight_id": "F119", "price": price}))

    assert consistency(fare("2026-05-01", 90), fare("2026-05-02", 120))[1] == (0, 0)
    assert consistency(fare("2026-05-01", 90), fare("2026-05-01", 120))[1] == (2, 2)


def test_a_world_is_measured_as_it_was_made() -> None:
    world = World(requests=(2,), depth=(2,), errors=0.0, writes=1.0)
    measured = measure_trajectory(read_trajectory(play(world, "x"), identity="x"))
    assert measured.spreads["requests"] == [3]
    assert measured.spreads["steps"] == [4, 4]
    assert measured.spreads["graph_depth"] == [2]
    assert measured.mixes["graph_shape"] == {"tree": 1}
    assert measured.rates["read_after_write_agrees"] == (2, 2)
    assert measured.rates["write"] == (2, 8)
    assert measured.rates["error"] == (0, 8)


def test_every_statistic_is_described() -> None:
    measured = measure_trajectory(read_trajectory(play(World(), "x"), identity="x"))
    assert (set(measured.spreads), set(measured.rates), set(measured.mixes)) == (set(SPREADS), set(RATES), set(MIXES))


def test_equal_values_have_equal_keys() -> None:
    assert make_key(25) == make_key(25.0) == make_key("25") == make_key(" 25 ")
    assert make_key("0049") != make_key(49)
    assert make_key("Ada  Lovelace") == make_key("ada lovelace")
    assert make_key(float("nan")) is None
    assert make_key(10**400) is None
    assert [is_weak(key) for key in (3.0, 300.0, "ab", "abc")] == [True, False, True, False]


def test_hostile_messages_are_measured_without_a_word() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    huge = {"rows": [{"id": n, "name": "n" * 50} for n in range(20_000)]}
    strange: list[Any] = [
        {"role": "tool", "tool_call_id": None, "content": None},
        {"role": "user", "content": "\ud800 \u202e odd"},
        {"role": "assistant", "content": None, "tool_calls": "none"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": 1}, None, {"id": "a", "function": {"name": None}}],
        },
        {
            "role": "assistant",
            "content": 5,
            "tool_calls": [{"id": "b", "function": {"name": "x", "arguments": "[" * 9999}}],
        },
        {"role": "tool", "tool_call_id": "b", "content": "[" * 100_000},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "get", "arguments": deep}}]},
        {"role": "tool", "tool_call_id": "c", "content": huge},
        {
            "role": "assistant",
            "tool_calls": [{"id": "d", "function": {"name": "get", "arguments": {"a": "\ud800", "n": 1e999}}}],
        },
        {"role": "tool", "tool_call_id": "d", "content": {"id": "\ud800", "x": float("inf")}},
        {"role": None},
        {},
    ]
    measured = measure_trajectory(
        read_trajectory(strange, identity="x", tools=[{}, {"function": {"parameters": deep}}])
    )
    assert measured.spreads["calls"] == [5]
    assert parse_json("{not json") == "{not json"
    assert len(list(read_leaves(list(range(10_000))))) == 4000


def test_the_sql_runs_of_a_folder_hold_no_contradiction() -> None:
    """The database answers truly, so whatever is found here is a mistake of the measure."""
    folder = os.environ.get("TURNWRIGHT_TEST_RUNS")
    if not folder:
        pytest.skip("TURNWRIGHT_TEST_RUNS names no folder of runs")
    seen = 0
    for file in sorted(Path(folder).glob("*/tables/dialogues.parquet")):
        for row in pq.read_table(file, columns=["id", "messages"]).to_pylist():  # type: ignore[no-untyped-call]
            measured = measure_trajectory(read_trajectory(json.loads(row["messages"]), identity=row["id"]))
            contradicting, compared = measured.rates["contradiction"]
            agreeing, read_back = measured.rates["read_after_write_agrees"]
            assert contradicting == 0, row["id"]
            assert agreeing == read_back, row["id"]
            seen += compared
    assert seen
