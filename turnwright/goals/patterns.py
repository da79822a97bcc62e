"""A text that fits a regular expression of the plain kind that specifications have."""

import random
import re
import string

_CLASSES = {"d": string.digits, "w": string.ascii_letters + string.digits, "s": " "}
_MOST_REPEATS = 6
_LONGEST = 200
_MOST_STEPS = 2000
"""Parts written; repetitions inside repetitions multiply."""


class NotPlain(ValueError):
    """A pattern with more than groups, classes, alternatives and repetitions."""


def draw_matching(pattern: str, rng: random.Random) -> str | None:
    """A text that `pattern` matches, or none where the pattern is not a plain one.

    The pattern is never run: one from a hostile specification could keep a matcher busy for hours.
    """
    try:
        text = _Drawer(pattern, rng).draw()
    except (NotPlain, IndexError, RecursionError):
        return None
    return text if len(text) <= _LONGEST else None


class _Drawer:
    """Reads a pattern from left to right and writes what it matches."""

    def __init__(self, pattern: str, rng: random.Random) -> None:
        self._pattern = pattern
        self._rng = rng
        self._at = 0
        self._steps = 0

    def draw(self) -> str:
        text = self._alternatives()
        if self._at < len(self._pattern):
            raise NotPlain(self._pattern)
        return text

    def _alternatives(self) -> str:
        options = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            options.append(self._sequence())
        return self._rng.choice(options)

    def _sequence(self) -> str:
        parts: list[str] = []
        while self._peek() not in ("", "|", ")"):
            start = self._at
            part = self._atom()
            low, high = self._repeats()
            end = self._at
            for number in range(self._rng.randint(low, high)):
                if number == 0:
                    parts.append(part)
                    continue
                self._at = start
                parts.append(self._atom())
                self._at = end
        return "".join(parts)

    def _atom(self) -> str:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise NotPlain(self._pattern)
        sign = self._pattern[self._at]
        self._at += 1
        if sign in "^$":
            return ""
        if sign == "(":
            if self._peek() == "?":
                if self._pattern[self._at : self._at + 2] != "?:":
                    raise NotPlain(self._pattern)
                self._at += 2
            text = self._alternatives()
            if self._peek() != ")":
                raise NotPlain(self._pattern)
            self._at += 1
            return text
        if sign == "[":
            return self._rng.choice(self._members())
        if sign == ".":
            return self._rng.choice(string.ascii_lowercase)
        if sign == "\\":
            return self._rng.choice(self._escaped())
        return sign

    def _escaped(self) -> str:
        sign = self._pattern[self._at]
        self._at += 1
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign.isalnum():
            raise NotPlain(self._pattern)
        return sign

    def _members(self) -> str:
        members = ""
        negated = self._peek() == "^"
        self._at += negated
        while self._peek() != "]":
            sign = self._pattern[self._at]
            self._at += 1
            if sign == "\\":
                members += self._escaped()
                continue
            if self._peek() == "-" and self._pattern[self._at + 1] != "]":
                last = self._pattern[self._at + 1]
                self._at += 2
                if ord(last) - ord(sign) > len(string.printable):
                    raise NotPlain(self._pattern)
                members += "".join(map(chr, range(ord(sign), ord(last) + 1)))
                continue
            members += sign
        self._at += 1
        if negated:
            members = "".join(sign for sign in string.ascii_letters + string.digits if sign not in members)
        if not members:
            raise NotPlain(self._pattern)
        return members

    def _repeats(self) -> tuple[int, int]:
        sign = self._peek()
        if sign in ("?", "*", "+") and sign:
            self._at += 1
            low, high = {"?": (0, 1), "*": (0, 3), "+": (1, 4)}[sign]
        elif sign == "{":
            found = re.match(r"\{(\d+)(?:(,)(\d*))?\}", self._pattern[self._at :])
            if found is None:
                raise NotPlain(self._pattern)
            self._at += found.end()
            low = int(found[1])
            high = int(found[3]) if found[3] else low if not found[2] else low + 2
            if low > _LONGEST or high < low:
                raise NotPlain(self._pattern)
            high = min(high, max(low, _MOST_REPEATS))
        else:
            return 1, 1
        if self._peek() in ("?", "+") and self._peek():
            self._at += 1
        return low, high

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]
