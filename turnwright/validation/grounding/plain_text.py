"""Prose and evidence in one plain form: one case, one kind of mark and space, and every position the same."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_SAME = str.maketrans(
    {
        **dict.fromkeys("’‘ʼ`´", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("–—‑‐−", "-"),
        **dict.fromkeys("\u00a0\u202f\u2009\u2007\u3000", " "),
        "*": " ",
    }
)
_SHORT = 80
"""Characters up to which a phrase is taken apart only once: names come back in dialogue after dialogue."""
_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])|\n+")
_LINE_END = re.compile(r"(?<=[a-z)][.:;?!])\n+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def fold(text: str) -> str:
    """`text` in lower case and with plain marks, character for character: a position in one is one in the other."""
    if text.isascii():
        return text.replace("*", " ").replace("`", "'").lower()
    plain = text.translate(_SAME)
    lower = plain.lower()
    if len(lower) == len(plain):
        return lower
    return "".join(each if len(each) == 1 else old for old, each in ((c, c.lower()) for c in plain))


def compose(text: str) -> str:
    """`text` with composed letters: `é` is one character, however it was written."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def list_words(folded: str) -> list[str]:
    """The words of a folded text; letters and digits only."""
    return _WORD.findall(folded)


def place_words(folded: str) -> list[tuple[int, int]]:
    """Start and end of each word of a folded text."""
    return [match.span() for match in _WORD.finditer(folded)]


@lru_cache(maxsize=4096)
def _key_of_short(text: str) -> str:
    return " ".join(_WORD.findall(fold(compose(text))))


def key_of(text: str) -> str:
    """What a phrase is looked up by: its words, one space between them."""
    if len(text) <= _SHORT:
        return _key_of_short(text)
    return " ".join(_WORD.findall(fold(compose(text))))


@lru_cache(maxsize=4096)
def label_of(name: str) -> str:
    """The name of a field or parameter as words: `home_town`, `homeTown` and `Home Town` are one."""
    return " ".join(_WORD.findall(_CAMEL.sub(" ", name).lower()))


def split_apart(text: str) -> list[str]:
    """The lines of a text, which read one by one say what the text says: nothing goes on over their ends.

    A line that does not end as a sentence stays together with the next, for a number may be on one and its unit on the
    other; so does a text with letters that look different beside others.
    """
    if not text.isascii():
        return [text]
    return [line for line in _LINE_END.split(text) if line]


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence; a line break ends one too."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.start() > start:
            yield start, match.start()
        start = match.end()
    if start < len(text):
        yield start, len(text)
