"""Runs of words that one text takes over from another."""

import re
from collections.abc import Sequence
from functools import lru_cache

Run = tuple[str, ...]
"""Words in a row."""

_WORD = re.compile(r"\w+")


def list_spoken(text: str) -> list[str]:
    """The words of a text, whatever their case."""
    return _WORD.findall(text.casefold())


def join_spoken(text: str) -> str:
    """The same with one space between them; lines of prompts come back in dialogue after dialogue."""
    return " ".join(joined for line in text.split("\n") if (joined := _join_line(line)))


@lru_cache(maxsize=2048)
def _join_line(line: str) -> str:
    return " ".join(list_spoken(line))


def list_runs(words: Sequence[str], size: int) -> set[Run]:
    """All runs of `size` words."""
    return set(zip(*(words[start:] for start in range(size)), strict=False))


def may_share(words: Sequence[str], other: str, size: int) -> bool:
    """Whether some run of `size` words may stand in `other`, which is words with a space between them.

    Few texts share any, and this is told by a few probes: half a run every few words, so that each run holds a probe.
    """
    probe = (size + 1) // 2
    step = size - probe + 1
    return any(" ".join(words[start : start + probe]) in other for start in range(0, len(words) - probe + 1, step))
