"""Grounding: what the assistant says is traced to results, the user, the instructions or arithmetic."""

import json
from typing import Any

import pytest

from schemas.findings import Finding
from schemas.messages import Message
from schemas.tools import SpecTool, Tool
from turnwright.validation.grounding.check import ground_dialogue

PEOPLE = [
    {"person_id": 4, "name": "Ada Bell", "age": 34, "town": "Leeds", "salary": 41250.5, "born_on": "1990-05-17"},
    {"person_id": 9, "name": "Cy Dunn", "age": 51, "town": "York", "salary": 38000, "born_on": "1973-11-02"},
    {"person_id": 12, "name": "Eve Ford", "age": 28, "town": "Bath", "salary": 52000, "born_on": "1996-01-30"},
]
ALL: tuple[str, dict[str, Any]] = ("list_people", {})
UPDATED = {"rows_changed": 1}


def make_tool(name: str, effect: str, /, **properties: str) -> Tool:
    parameters = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    function = {"name": name, "description": name.replace("_", " "), "parameters": parameters}
    spec = {"type": "function", "function": function}
    return SpecTool(name=name, spec=spec, output_schema={}, effect=effect)  # pyright: ignore


TOOLS = (
    make_tool("list_people", "read"),
    make_tool("find_person", "read", name="string"),
    make_tool("update_person", "write", person_id="integer", age="integer", town="string"),
)


def dialogue(*steps: Any) -> list[Message]:
    """A conversation: a text is the user's and the assistant's in turn, a triple a call with its result."""
    messages: list[Any] = [{"role": "system", "content": "You help. It is now 2024-05-03T10:00:00."}]
    user = True
    for number, step in enumerate(steps):
        if isinstance(step, str):
            messages.append({"role": "user" if user else "assistant", "content": step})
            user = not user
            continue
        name, arguments, result = step
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        text = result if isinstance(result, str) else json.dumps(result)
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": text})
    return messages


def ground(*steps: Any) -> list[Finding]:
    return ground_dialogue(dialogue(*steps), TOOLS)


def codes(*steps: Any) -> set[str]:
    return {finding.code for finding in ground(*steps) if finding.blocks}


def told(prose: str, ask: str = "Who works here?") -> set[str]:
    return codes(ask, (*ALL, PEOPLE), prose)


GROUNDED = [
    "I found 3 people: Ada Bell, Cy Dunn and Eve Ford.",
    "There are three of them, and all three live in different towns.",
    "- Ada Bell (age 34, town Leeds)\n- Cy Dunn (age 51, town York)\n- Eve Ford (age 28, town Bath)",
    "Ada Bell earns $41,250.50 a year.",
    "Ada Bell earns about 41,251, or some 41.3 thousand.",
    "Together they earn a total of 131,250.50.",
    "The average age is 37.7 years, and the ages range from 28 to 51.",
    "Cy is 17 years older than Ada.",
    "Ada was born on May 17th, 1990, so she is 33 years old.",
    "Eve was born on 30 January 1996.",
    "Ada's salary is 79.3% of Eve's.",
    "The age of Cy Dunn is 51 and the town is York.",
    "**Eve Ford**\n1. Age: 28\n2. Town: Bath",
    "Today is 3 May 2024, a Friday.",
    "One of them, Cy Dunn, lives in York.",
    "The youngest is Eve Ford (28), followed by Ada Bell (34).",
    "Their ids are 4, 9 and 12.",
]
UNGROUNDED = [
    ("Ada Bell earns 41,250.50, and has 73 days of leave.", "untraced_number"),
    ("The total is 131,350.50.", "untraced_number"),
    ("The average age is 38.9.", "untraced_number"),
    ("Cy is 19 years older than Ada.", "untraced_number"),
    ("Ada was born on May 18th, 1990.", "untraced_date"),
    ("She starts at 8:45.", "untraced_time"),
    ("You can write to ada@bell.example.", "untraced_address"),
    ("You find it at https://bell.example/opening-hours.", "untraced_address"),
    ("Her file is AB-7781.", "untraced_code"),
    ("Ada Bell reports to Harold Winter.", "untraced_name"),
    ("Ada is known as 'Sunny Jill'.", "untraced_quote"),
    ("Ada Bell earns 41,250.50 euros.", "untraced_unit"),
    ("The age of Ada Bell is 51.", "wrong_value"),
    ("- Ada Bell (age 34, town York)\n- Cy Dunn (age 51, town Leeds)", "wrong_value"),
    ("For Eve Ford, the age is 28 and the salary is 38000.", "wrong_value"),
    ("I found 4 entries:\n- Ada Bell\n- Cy Dunn\n- Eve Ford", "wrong_count"),
    ("Ada Bell lives in Leeds. I've also updated her town for you.", "claimed_deed"),
    ("I have booked a room for you.", "claimed_deed"),
    ("Ada Bell lives in Leeds. I have passed this on to her manager.", "claimed_deed"),
]


@pytest.mark.parametrize("prose", GROUNDED)
def test_what_follows_from_the_results_is_no_finding(prose: str) -> None:
    assert told(prose) == set()


@pytest.mark.parametrize(("prose", "code"), UNGROUNDED)
def test_what_rests_on_nothing_is_found(prose: str, code: str) -> None:
    assert code in told(prose)


def test_a_finding_has_its_span_and_message() -> None:
    prose = "Ada Bell is 34 and has 73 days of leave."
    (finding,) = ground("Who?", (*ALL, PEOPLE), prose)
    assert finding.message == 4
    assert prose[finding.start : finding.end] == "73 days"
    assert (finding.layer, finding.fault) == ("grounding", "assistant")


def test_what_the_user_said_may_be_repeated() -> None:
    assert told("So you mean 17 Elm Road, not 18.", ask="My address is 17 Elm Road, not 18. Who works here?") == set()


def test_the_adjective_of_a_country_says_the_country() -> None:
    asked = ("find_people", {}, [{"name": "Ada Bell", "nationality": "France"}])
    assert codes("Who is Ada Bell?", asked, "Ada Bell is a French analyst.") == set()
    assert codes("Who is Ada Bell?", asked, "Ada Bell is a German analyst.") == {"untraced_name"}


def test_a_value_read_before_a_write_is_outdated_after_it() -> None:
    steps = ("How old is Ada Bell?", ("find_person", {"name": "Ada Bell"}, PEOPLE[:1]), "Ada Bell is 34.")
    write = ("update_person", {"person_id": 4, "age": 35}, UPDATED)
    ask = "Make that 35."
    assert codes(*steps, ask, write, "The age of Ada Bell is 35.") == set()
    assert codes(*steps, ask, write, "The age of Ada Bell is 34.") == {"outdated_value"}
    assert codes(*steps, ask, write, "The age of Ada Bell was 34.") == set()


def test_a_deed_needs_a_write_that_came_through() -> None:
    ask = "Set the age of person 4 to 35."
    call = ("update_person", {"person_id": 4, "age": 35})
    assert codes(ask, (*call, UPDATED), "I've set the age to 35.") == set()
    locked = {"error": "database", "message": "locked"}
    assert codes(ask, (*call, locked), "I've set the age to 35.") >= {"claimed_deed"}
    assert codes(ask, (*call, {"rows_changed": 0}), "I've set the age to 35.") == {"claimed_deed"}
    assert codes(ask, "I've set the age to 35.") == {"claimed_deed"}
    assert codes(ask, "I can set the age to 35 if you like.") == set()
    assert codes(ask, (*call, UPDATED), "Nothing was changed.") == {"denied_deed"}


def test_agreeing_to_what_nothing_did_claims_it() -> None:
    asked = "Could you order a taxi for Ada Bell?"
    assert codes(asked, "Sure, your taxi is on its way.") == {"claimed_deed"}
    assert codes(asked, "No problem, I've ordered a taxi for her.") == {"claimed_deed"}
    assert codes(asked, "I'm sorry, I can't order a taxi.") == set()
    assert codes(asked, "Shall I tell you where the taxi is ordered?") == set()


def test_a_deed_of_another_request_is_no_excuse() -> None:
    done = (
        "Set Ada Bell's age to 35.",
        ("update_person", {"person_id": 4, "age": 35}, UPDATED),
        "I've set the age to 35.",
    )
    assert codes(*done, "Please cancel her parking permit.", "Sure, that is done.") >= {"claimed_deed"}
    assert "claimed_deed" not in codes(*done, "Is that saved now?", "Yes, that is saved.")
    assert "claimed_deed" not in codes(*done, "Thanks!", "All done. Bye!")


def test_a_replaced_value_is_outdated_without_a_name_beside_it() -> None:
    read = ("How old is Ada Bell?", ("find_person", {"name": "Ada Bell"}, PEOPLE[:1]), "Ada Bell is 34.")
    write = ("update_person", {"person_id": 4, "town": "York"}, UPDATED)
    assert "outdated_value" in codes(*read, "She moves. Set the town to York.", write, "Done, the town is Leeds.")
    assert "outdated_value" not in codes(*read, "She moves. Set the town to York.", write, "Done, the town is York.")


def test_a_name_in_two_fields_is_one_name() -> None:
    split = [
        {"first_name": "Ada", "last_name": "Bell", "email": "ada@bell.example"},
        {"first_name": "Cy", "last_name": "Bell", "email": "cy@bell.example"},
    ]
    asked = ("Who is called Bell?", ("find_person", {"name": "Bell"}, split))
    assert codes(*asked, "The email of Ada Bell is ada@bell.example.") == set()
    assert codes(*asked, "The email of Ada Bell is cy@bell.example.") == {"wrong_value"}


def test_an_error_must_be_told() -> None:
    failed: Any = (*ALL, {"error": "timeout", "message": "too slow"})
    assert codes("Who works here?", failed, "Everybody is well and happy today.") == {"ignored_error"}
    assert codes("Who works here?", failed, "I could not look that up: the system timed out.") == set()


def test_the_same_thing_is_not_told_in_two_ways() -> None:
    steps: Any = ("Hi", (*ALL, PEOPLE), "The bonus of Ada Bell is 51.", "Thanks")
    assert "contradiction" in codes(*steps, "As I said, the bonus of Ada Bell is 28.")
    assert codes(*steps, "As I said, the bonus of Ada Bell is 51.") == set()


def test_an_argument_that_nobody_gave_is_found() -> None:
    ask = "Please move Ada Bell to Bath."
    look = ("find_person", {"name": "Ada Bell"}, PEOPLE[:1])
    assert codes(ask, look, ("update_person", {"person_id": 4, "town": "Bath"}, UPDATED), "Done.") == set()
    wrong = ("update_person", {"person_id": 77, "town": "Bath"}, UPDATED)
    assert codes(ask, look, wrong, "Done.") == {"invented_argument"}
    town = ("update_person", {"person_id": 4, "town": "Truro"}, UPDATED)
    assert "invented_argument" in codes(ask, look, town, "Done.")


def test_a_number_derived_once_may_be_told_again() -> None:
    first = "Together they earn a total of 131,250.50."
    assert codes("Sum?", (*ALL, PEOPLE), first, "Say that again.", "It was 131,250.50.") == set()


def test_a_proposal_and_a_question_claim_nothing() -> None:
    ask = "Can you change how old Ada Bell is?"
    assert codes(ask, (*ALL, PEOPLE), "Shall I set the age of Ada Bell to 51?") == set()


def test_the_same_dialogue_gives_the_same_findings() -> None:
    steps: Any = ("Who?", (*ALL, PEOPLE), "Ada Bell is 99, Zed Quill is 98, and AB-9 is gone.")
    assert ground(*steps) == ground(*steps) != []


NUMBERS = ["NaN", "1e999", "9" * 4000, "-0", "1" * 400]
HOSTILE = [
    "[" * 100_000,
    "[" * 900 + "]" * 900,
    '{"a":' * 900 + "1" + "}" * 900,
    '{"a": 1, "a": 2}',
    '{"a": "\\ud800", "b": "x"}',
    '{"a": [null, true, {"b": []}], "": {"": ""}}',
    "\ud83d half",
    "x 12 " * 40_000,
    "a1" * 100_000,
    *(f'{{"a": {number}}}' for number in NUMBERS),
]


@pytest.mark.parametrize("result", HOSTILE, ids=range(len(HOSTILE)))
def test_no_result_breaks_it(result: str) -> None:
    found = ground("Who?", (*ALL, result), "It says 987654 and Zed Quill.")
    assert "untraced_number" in {finding.code for finding in found}


@pytest.mark.parametrize(
    "prose",
    [
        "1 " * 15_000,
        "A " * 15_000,
        '"' * 30_000,
        "age is 5, " * 3_900,
        "- 5 entries:\n" * 2_800,
        "I've also now " * 2_500,
    ],
)
def test_long_prose_is_read_in_time(prose: str) -> None:
    assert len(ground("Who?", (*ALL, PEOPLE), prose)) <= 50


def test_a_long_dialogue_is_read_once() -> None:
    step: Any = ("Who?", (*ALL, PEOPLE), "Ada Bell (age 34), Cy Dunn (age 51).")
    assert ground(*(step * 150)) == []
