"""Whether a text states a value, as people write values."""

import pytest

from turnwright.validation.values import holds_value, names, states, values_equal

STATED = [
    (1200000, "earnings are 1,200,000."),
    (1200000, "about 1.2 million"),
    (1234567, "some 1.23 million"),
    (1200, "1 200 people"),
    (123, "45 123"),
    (25.0, "25"),
    (25, "25.00 pounds"),
    (0.25, "that is 25%"),
    (25, "25 percent"),
    (0.1234, "12.3%"),
    (3.14159, "3.14"),
    (12.49, "about 12"),
    (-5, "it fell to -5 degrees"),
    (1234, "$1,234.00"),
    (3, "there are three of them"),
    (21, "twenty-one"),
    (5, "the 5th"),
    (0, "there are no students"),
    ("2024-03-05", "March 5th, 2024"),
    ("2024-03-05", "on Tuesday, 5 March 2024."),
    ("2024-03-05", "5 Mar 2024"),
    ("2024-03-05", "03/05/2024"),
    ("2024-03-05", "2024-03-05"),
    ("2024-03-05 22:30:00", "March 5, 2024 at 10:30 PM"),
    ("10:30:00", "at 10:30"),
    ("Ann Lee", "**ann lee**'s team"),
    ("O'Brien", "O’Brien"),
    ("42", "42.0"),
    ("France", "a French goalkeeper"),
    ("United Kingdom", "She is British."),
    (None, "it is not recorded"),
    (True, "Yes, it is"),
    (False, "No, it isn't"),
]
NOT_STATED = [
    (3.4, "3"),
    (3.14159, "3.15"),
    (100, "1,100"),
    (1000, "10,000"),
    (5, "on 2024-05-05"),
    (5, "room W5"),
    (7, "at 7:30"),
    (7, "17 or 7.5"),
    (1234567, "1,234,000"),
    (25, "26"),
    ("Ann", "Annual"),
    ("2024-03-05", "March 6, 2024"),
    ("2024-03-05", "March 5"),
    ("2024-03-05 10:30:00", "March 5, 2024"),
    ("York", "New Yorkshire"),
    (None, "It is Leeds."),
    ("France", "a German goalkeeper"),
    ("Ireland", "Irishtown"),
    (False, "Yes, it is"),
]


@pytest.mark.parametrize(("value", "text"), STATED)
def test_a_value_is_found(value: object, text: str) -> None:
    assert states(value, text)


@pytest.mark.parametrize(("value", "text"), NOT_STATED)
def test_another_value_is_not_found(value: object, text: str) -> None:
    assert not states(value, text)


def test_names_guesses_nothing_from_words() -> None:
    assert not names(None, "none")
    assert not names(True, "yes")
    assert names(12, "number 12")
    assert not names(0.12, "12%")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (25, 25.0, True),
        (0.1 + 0.2, 0.3, True),
        ([1, {"a": 2}], [1.0, {"a": 2.0}], True),
        ("Leeds", "leeds", False),
        (25, "25", False),
        (None, 0, False),
        (9007199254740993, 9007199254740992, False),
        ([1, 2], [2, 1], False),
        ({"a": None}, {}, False),
    ],
)
def test_json_values_are_equal_by_value(first: object, second: object, same: bool) -> None:
    assert values_equal(first, second) is same


def test_a_document_holds_its_leaves() -> None:
    assert holds_value({"a": [{"b": "Leeds"}]}, "leeds")
    assert holds_value({"a": 5}, 5.0)
    assert not holds_value({"a": "Leeds United"}, "Leeds")


def test_several_values_are_named_together() -> None:
    assert names(["ana", "bo"], "ask ana and bo") and not names(["ana", "bo"], "ask ana")
    assert not names([], "") and not names({"a": 1}, "a 1")
