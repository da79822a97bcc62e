"""Runs of words that one text takes over from another."""

import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

Run = tuple[str, ...]
"""Words in a row."""

_WORD = re.compile(r"\w+")


def list_spoken(text: str) -> list[str]:
    """The words of a text, whatever their case."""
    return _WORD.findall(text.casefold())


class Spoken(NamedTuple):
    """A text that runs of words may be taken over from."""

    text: str
    """Its words with a space between them."""
    words: frozenset[str]


def join_spoken(text: str) -> Spoken:
    """The words of a text, which other texts are held against."""
    lines = [read for line in text.split("\n") if (read := _join_line(line)).text]
    return Spoken(" ".join([line.text for line in lines]), frozenset[str]().union(*[line.words for line in lines]))


@lru_cache(maxsize=1024)
def _join_line(line: str) -> Spoken:
    """The same for one line; lines of prompts come back in dialogue after dialogue."""
    words = list_spoken(line)
    return Spoken(" ".join(words), frozenset(map(sys.intern, words)))


def list_runs(words: Sequence[str], size: int) -> set[Run]:
    """All runs of `size` words."""
    return set(zip(*(words[start:] for start in range(size)), strict=False))


def may_share(words: Sequence[str], other: Spoken, size: int) -> bool:
    """Whether some run of `size` words may stand in `other`.

    Few texts share any, and this is told by a few probes: half a run every few words, so that each run holds a probe.
    Where one is found, the runs that hold it are looked for.
    """
    probe = (size + 1) // 2
    for start in range(0, len(words) - probe + 1, size - probe + 1):
        if not other.words.issuperset(words[start : start + probe]):
            continue
        if " ".join(words[start : start + probe]) not in other.text:
            continue
        first, last = max(0, start - (size - probe)), min(start, len(words) - size)
        if any(" ".join(words[at : at + size]) in other.text for at in range(first, last + 1)):
            return True
    return False
