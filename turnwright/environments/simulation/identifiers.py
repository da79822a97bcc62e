"""Identifiers of things that a simulated call makes: drawn by code, in the shape that the domain has."""

import random
import re
import uuid
from typing import Any, cast

from turnwright.environments.simulation.facts import Facts

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DRAWS = 50


def draw_identifier(proposed: Any, kind: str, facts: Facts, rng: random.Random) -> Any:
    """An identifier that nothing of its kind has, in the shape of `proposed`; `proposed` itself where it has none.

    A number goes on from the highest that is known. In a text the last group of digits is drawn anew and keeps its
    length, or goes on from the highest with the same beginning; texts without digits get other letters.
    """
    taken = {str(entity.key): entity.shown for entity in facts.seen if entity.kind == kind}
    if isinstance(proposed, bool) or not isinstance(proposed, int | float | str):
        return cast("Any", proposed)
    for _ in range(_DRAWS):
        drawn = _draw(proposed, list(taken.values()), rng)
        if str(drawn).casefold() not in taken:
            return drawn
    return proposed


def _draw(proposed: Any, others: list[Any], rng: random.Random) -> Any:
    if isinstance(proposed, int | float):
        numbers = [int(other) for other in others if isinstance(other, int | float) and not isinstance(other, bool)]
        if numbers:
            return max(numbers) + rng.randint(1, 3)
        size = max(4, min(len(str(abs(int(proposed)))), 9))
        return rng.randint(10 ** (size - 1), 10**size - 1)
    text = str(proposed)[:200]
    if _UUID.fullmatch(text):
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    match = _last_digits(text)
    if match is None:
        return "".join(_other_letter(letter, rng) for letter in text)
    head, digits, rest = match
    alike = [found for other in others if (found := _last_digits(str(other))) and (found[0], found[2]) == (head, rest)]
    if alike:
        number = max(int(found[1]) for found in alike) + rng.randint(1, 3)
        return f"{head}{number:0{len(digits)}d}{rest}"
    size = max(len(digits), 3)
    return f"{head}{rng.randint(10 ** (size - 1), 10**size - 1)}{rest}"


def _last_digits(text: str) -> tuple[str, str, str] | None:
    """What stands before, in and after the last group of digits."""
    groups = list(re.finditer(r"\d{1,18}", text))
    if not groups:
        return None
    last = groups[-1]
    return text[: last.start()], last[0], text[last.end() :]


def _other_letter(letter: str, rng: random.Random) -> str:
    if letter.isascii() and letter.isupper():
        return chr(ord("A") + rng.randrange(26))
    if letter.isascii() and letter.islower():
        return chr(ord("a") + rng.randrange(26))
    return letter
