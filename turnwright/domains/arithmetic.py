"""Arithmetic on exact decimals, for tools that calculate. Nothing of the text is ever executed."""

import re
from decimal import Context, Decimal, DecimalException, localcontext

from turnwright.environments.domain import Refusal

_LONGEST = 500
_DEEPEST = 40
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)|([-+*/()]))")
_CONTEXT = Context(prec=40, Emax=60, Emin=-60)


def calculate(expression: str) -> int | float:
    """The value of an expression of numbers, `+ - * /` and parentheses, rounded to two decimals.

    Raises:
        Refusal: it is no such expression, divides by zero, or is too long, too deep or too large.
    """
    if len(expression) > _LONGEST:
        raise _refuse(f"is longer than {_LONGEST} characters")
    try:
        with localcontext(_CONTEXT):
            value = _Parser(_split(expression)).parse().quantize(Decimal("0.01"))
    except ZeroDivisionError:
        raise _refuse("divides by zero") from None
    except DecimalException:
        raise _refuse("gives a number that is too large") from None
    return int(value) if value == value.to_integral_value() else float(value)


def _refuse(why: str) -> Refusal:
    return Refusal("invalid_arguments", f"The expression {why}.")


def _split(expression: str) -> list[str]:
    tokens: list[str] = []
    position, text = 0, expression.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _refuse(f"has something other than numbers, + - * / and parentheses at character {position + 1}")
        tokens.append(found[1] or found[2])
        position = found.end()
    return tokens


class _Parser:
    """Sum of products of signed factors, each read once from left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def parse(self) -> Decimal:
        value = self._sum()
        if self._peek():
            raise _refuse(f"cannot be read from {self._peek()!r} on")
        return value

    def _peek(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._position += 1
        return token

    def _sum(self) -> Decimal:
        value = self._product()
        while self._peek() in ("+", "-"):
            value = value + self._product() if self._take() == "+" else value - self._product()
        return value

    def _product(self) -> Decimal:
        value = self._factor()
        while self._peek() in ("*", "/"):
            if self._take() == "*":
                value *= self._factor()
            else:
                divisor = self._factor()
                if not divisor:
                    raise ZeroDivisionError
                value /= divisor
        return value

    def _factor(self) -> Decimal:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _refuse("is nested too deeply")
        token = self._take()
        if token in ("+", "-"):
            value = self._factor() if token == "+" else -self._factor()
        elif token == "(":
            value = self._sum()
            if self._take() != ")":
                raise _refuse("has a parenthesis that is not closed")
        elif token and token[0] in ".0123456789":
            value = Decimal(token)
        else:
            raise _refuse("ends too early" if not token else f"has {token!r} where a number should be")
        self._depth -= 1
        return value
