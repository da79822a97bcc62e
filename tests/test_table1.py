"""Table 1 against counts made by hand, by the definitions of UO, appendix B."""

from typing import Any

from turnwright.reports.sections.table1 import list_lines
from turnwright.statistics.dialogue_figures import count_steps, measure_dialogue
from turnwright.statistics.table1 import Table1


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def says(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def calls(*ids: str) -> list[dict[str, Any]]:
    """One assistant message with these calls, and a result for each."""
    made = [{"id": item, "type": "function", "function": {"name": "look", "arguments": "{}"}} for item in ids]
    results = [{"role": "tool", "content": "[]", "tool_call_id": item} for item in ids]
    return [{"role": "assistant", "content": None, "tool_calls": made}, *results]


SYSTEM = {"role": "system", "content": "Be helpful."}
DIALOGUE = [
    SYSTEM,
    user("Where is order 17?"),
    *calls("a"),
    *calls("b", "c"),
    says("It left Leeds on Monday."),
    user("And who signed for it?"),
    says("Which parcel do you mean?"),
    user("The second one."),
    *calls("d"),
    says("Priya signed."),
]


def test_a_step_is_a_round_of_calls_and_parallel_calls_are_one() -> None:
    assert count_steps(DIALOGUE) == (2, 0, 1)


def test_turns_are_messages_of_user_assistant_and_tools() -> None:
    figures = measure_dialogue(DIALOGUE)
    assert figures.turns == 3 + 6 + 4
    assert figures.calls == 4
    assert figures.requests == 3
    assert figures.tool_steps == (2, 1)
    assert figures.first_user_message == "Where is order 17?"


def test_calls_before_any_request_belong_to_none() -> None:
    assert count_steps([SYSTEM, *calls("a"), user("Hello"), *calls("b")]) == (1,)


def test_table1_has_means_and_maxima_per_paradigm_and_source() -> None:
    table = Table1()
    short = [SYSTEM, user("Hello?"), *calls("x"), *calls("y"), *calls("z"), says("Nothing found.")]
    figures = {"shop": measure_dialogue(DIALOGUE), "club": measure_dialogue(short)}
    table.add(figures["shop"], paradigm="user_oriented", source="shop", task_count=3, accepted=True)
    table.add(figures["club"], paradigm="user_oriented", source="club", task_count=1, accepted=True)
    table.add(figures["club"], paradigm="user_oriented", source="club", task_count=9, accepted=False)
    rows = {(row.scope, row.source): row for row in table.rows()}
    both = rows["accepted", "all"]
    assert (both.step.mean, both.step.maximum, both.step.samples) == (2.0, 3, 3)
    assert (both.step_over_all_requests.mean, both.step_over_all_requests.samples) == (1.5, 4)
    assert (both.turn.mean, both.turn.maximum, both.turn.samples) == (10.5, 13, 2)
    assert (both.task.mean, both.task.maximum) == (2.0, 3)
    assert rows["accepted", "club"].task.maximum == 1
    assert rows["all", "club"].task.maximum == 9
    assert rows["all", "all"].samples == 3
    assert [(row.scope, row.source) for row in table.rows()][:2] == [("accepted", "all"), ("accepted", "club")]


def test_a_dialogue_without_calls_has_no_step_sample() -> None:
    table = Table1()
    chat = measure_dialogue([user("Hello"), says("Good morning.")])
    table.add(chat, paradigm="user_oriented", source="shop", task_count=1, accepted=False)
    (row,) = [row for row in table.rows() if row.source == "shop"]
    assert (row.step.samples, row.step.mean, row.samples) == (0, 0.0, 1)


def test_a_kind_of_seed_has_a_line_where_it_has_several_domains() -> None:
    figures = measure_dialogue(DIALOGUE)

    def count(*sources: tuple[str, str]) -> list[str]:
        table = Table1()
        for source, kind in sources:
            table.add(figures, paradigm="user_oriented", source=source, task_count=1, accepted=True, kind=kind)
        return [f"{line.source} {line.samples}" for line in list_lines(table.rows(), "accepted")]

    assert count(("shop", "tools")) == ["shop 1"]
    # The kind's line is the paper's, and a total that repeats it is left out.
    assert count(("shop", "tools"), ("club", "tools")) == ["tools seeds 2", "club 1", "shop 1"]
    assert count(("shop", "tools"), ("club", "tools"), ("db", "sql")) == [
        "all 3",
        "tools seeds 2",
        "club 1",
        "db 1",
        "shop 1",
    ]
