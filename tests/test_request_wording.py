"""What the embedded requester says, the embedded back-translator finds again, in every form."""

import random
from typing import Any

import pytest

from turnwright.selfplay.request_wording import (
    compile_deed,
    drop_asides,
    find_answer,
    find_asides,
    find_said,
    is_taken,
    point_at,
    say_answer,
    say_aside,
    say_details,
    say_references,
)

DEED = "find the rooms that are free in a period"
DETAILS: list[dict[str, Any]] = [
    {"label": "room city", "value": "Leeds"},
    {"label": "check in", "value": "2025-03-10"},
    {"label": "room nights", "value": 4},
    {"label": "weight kg", "value": 17.12},
    {"label": "guest comment", "value": "In good order, and as agreed."},
    {"label": "extras", "value": '["a", "b"]'},
]


@pytest.mark.parametrize("seed", range(40))
def test_every_detail_is_found_by_its_label(seed: int) -> None:
    rng = random.Random(seed)
    details = rng.sample(DETAILS, rng.randint(1, len(DETAILS)))
    tail, sentences = say_details(DEED, details, rng)
    text = " ".join([f"{DEED}{tail}.", *sentences])
    labels = [str(each["label"]) for each in details]
    for each in details:
        assert find_said(str(each["label"]), text, {}, others=labels) == str(each["value"]), text


@pytest.mark.parametrize("seed", range(20))
def test_what_is_said_in_passing_is_told_apart(seed: int) -> None:
    rng = random.Random(seed)
    text = f"Please {DEED}. {say_aside(DETAILS[:3], rng)} Thanks."
    assert find_said("room city", drop_asides(text), {}) is None
    assert find_said("room city", find_asides(text), {}, aside=True) == "Leeds"
    assert find_said("room nights", find_asides(text), {"type": "integer"}, aside=True) == "4"


@pytest.mark.parametrize(("origin", "where"), [("this request", "found"), ("earlier", "before")])
@pytest.mark.parametrize("again", [True, False])
def test_references_are_found_where_they_come_from(origin: str, where: str, again: bool) -> None:
    takes = [{"label": label, "from": origin} for label in ("from city", "to city", "quote ID")]
    for seed in range(12):
        text = f"say what it costs{say_references(takes, frozenset(), random.Random(seed), again=again)}."
        assert [is_taken(str(each["label"]), text) for each in takes] == [where] * 3, text
        assert is_taken("weight kg", text) == ""
        assert find_said("to city", text, {}) is None, text


def test_what_is_pointed_at_needs_no_more_words() -> None:
    before = point_at("show what a room has", [{"label": "room ID", "from": "earlier"}])
    assert (before.deed, before.spoken) == ("show what that room has", frozenset({"room ID"}))
    assert is_taken("room ID", before.deed) == "before"
    own = point_at("show what a room has", [{"label": "room ID", "from": "this request"}])
    assert own.deed == "show what the room has"
    for wording in (before, own):
        assert compile_deed("show what a room has").search(wording.deed)
    twice = point_at("report that a parcel came damaged", [{"label": "parcel ID", "from": "earlier"}])
    assert "that that" not in twice.deed


@pytest.mark.parametrize("register", ["casual", "neutral", "formal"])
@pytest.mark.parametrize("value", ["W12", "Ada Byron", "2025-03-10T09:30:00", 4, 17.5, "In good order, and as agreed."])
def test_answers_are_read_whatever_their_form(register: str, value: Any) -> None:
    for seed in range(10):
        text = say_answer("order code", value, register, random.Random(seed))
        assert find_answer(text, {}) == str(value), text


def test_a_value_that_does_not_fit_the_parameter_is_none() -> None:
    assert find_said("room nights", "with the room nights several.", {"type": "integer"}) is None
    assert find_said("room type", "with the room type tent.", {"enum": ["single", "double"]}) is None
    assert find_said("room type", "with the room type double.", {"enum": ["single", "double"]}) == "double"


def test_hostile_text_is_read_and_never_raises() -> None:
    for text in ('"' * 5_001, "the room city " * 500, "with " * 2_000, "For what it's worth, " * 500, "\x00\u202e"):
        find_said("room city", text, {}, others=["room nights"])
        find_answer(text, {"type": "integer"})
        find_asides(text)
        is_taken("room ID", text)
