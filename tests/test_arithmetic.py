"""The calculating tool: exact, and never more than arithmetic."""

import pytest

from turnwright.domains.arithmetic import calculate
from turnwright.environments.domain import Refusal


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 2", 4),
        ("0.1 + 0.2", 0.3),
        ("2 * ((350 - 122) + (499 - 127))", 1200),
        ("3131.1 + 4777.75 + 367.38", 8276.23),
        ("-3 - -4 * +2", 5),
        ("10 / 4 / 5", 0.5),
        ("2 - 3 - 4", -5),
        ("1/3", 0.33),
        (".5 + 1.", 1.5),
    ],
)
def test_expressions_have_their_value(expression: str, value: float):
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "2 +",
        "2 2",
        "(2",
        "2)",
        "2 ** 3",
        "__import__('os')",
        "1e9",
        "x",
        "1 / 0",
        "1 / (2 - 2)",
        "(" * 200 + "1" + ")" * 200,
        "-" * 400 + "1",
        "9" * 300 + "*" + "9" * 100,
        "1+" * 400 + "1",
        "٣ + 1",
    ],
)
def test_everything_else_is_refused(expression: str):
    with pytest.raises(Refusal) as caught:
        calculate(expression)
    assert caught.value.kind == "invalid_arguments"
