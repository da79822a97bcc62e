"""Values that are looked for in several texts at once: most stand in none of them, and that is told quickly."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from turnwright.validation.readings import read_text, read_value
from turnwright.validation.values import names_in

_DIGITS = re.compile(r"\d+")
_LONG = re.compile(r"\d(?:[,.\u00a0\u202f\u2019' ]?\d){15}")
"""A number with more digits than a float tells apart."""
_LEAST, _MOST = 100, 10**15
"""Whole numbers that nothing but their digits tells: smaller ones are spelled out too."""


class Texts:
    """Texts that values are looked for in."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._readings = [read_text(text) for text in texts]

    def names(self, value: Any) -> bool:
        """Whether one of the texts holds a value, as `turnwright.validation.values.names` says it."""
        return self._may_name(value) and any(names_in(value, reading) for reading in self._readings)

    def _may_name(self, value: Any) -> bool:
        if isinstance(value, str):
            wording = read_value(value)
            return not wording.is_literal or wording.plain in self._plain
        if isinstance(value, bool) or not isinstance(value, int) or not _LEAST <= abs(value) < _MOST:
            return True
        # However a number is parted or scaled, its digits but for zeros at the end stand there in a row.
        return self._digits is None or str(abs(value)).rstrip("0") in self._digits

    @cached_property
    def _plain(self) -> str:
        return "\n".join([reading.plain for reading in self._readings])

    @cached_property
    def _digits(self) -> str | None:
        """All digits of the texts; none where they may stand for numbers that others are written for."""
        digits = "".join(_DIGITS.findall(self._plain))
        return None if not digits.isascii() or _LONG.search(self._plain) else digits
