"""One message of prose, read once: its claims, sentences, lines and names."""

import bisect
import re
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Final

from turnwright.validation.grounding.claims import Claim, read_claims
from turnwright.validation.grounding.plain_text import compose, fold, list_words, place_words, split_sentences

_ITEM = re.compile(r"^\s*(?:[-•*+]|\d{1,3}[.)]|\|(?!\s*:?-))\s*\S", re.MULTILINE)
_QUOTED = re.compile(r"\"([^\"\n]{1,120})\"|(?<!\w)'([^'\n]{2,120})'(?!\w)")
_CAPITALS = re.compile(
    r"(?<![\w'@.])[^\W\d_a-zß-öø-ÿ][\w'’&-]*(?:(?: (?:of|de|da|del|van|von|der|la|le|the|and|&))* "
    r"[^\W\d_a-zß-öø-ÿ][\w'’&-]*)*"
)
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LOWER = re.compile(r"\b[a-z]{3,}")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;•\n(\[]|- |\* |\d[.)] |[\"'“‘])[\s\"'“‘(*_#>-]*$")
_ENUMERATION = re.compile(r"[^.;\n!?]+?(?:, [^.;\n!?,]+)*,? (?:and|or) [^.;\n!?,]+")
_AROUND = 400
_SHORT = 300
"""Characters up to which a message is remembered."""


class Prose:
    """An assistant's message without its calls, whatever dialogue it stands in. Nothing of it changes."""

    def __init__(self, text: str) -> None:
        """Reads what every check asks for; the rest waits until one does."""
        self.plain: Final = compose(text)
        """The text with composed letters; spans count in it."""
        self.folded: Final = fold(self.plain)
        """The text in plain form, position for position."""
        self.words: Final = list_words(self.folded)
        """Its words."""
        self.vocabulary: Final = frozenset(self.words)
        """Its different words: a pattern that needs one of some words is only looked for where there is one."""
        self.claims: Final = self._read_claims()
        """Values, quoted texts and names, in order."""
        self.asks: Final = self.plain.rstrip().endswith("?")
        """Whether it ends in a question."""

    def _read_claims(self) -> list[Claim]:
        values = read_claims(self.plain, self.folded, self.vocabulary)
        claims = [*values, *self._quotes(), *self._names(values)]
        if "```" in self.plain:  # what stands in a block of code was asked to be written
            blocks = {place for match in _CODE.finditer(self.plain) for place in range(*match.span())}
            claims = [claim for claim in claims if claim.start not in blocks]
        return sorted(claims, key=attrgetter("start", "end"))

    def _quotes(self) -> list[Claim]:
        folded = self.folded
        if '"' not in folded and "'" not in folded:
            return []
        return [
            Claim("quoted", self.plain[m.start(g) : m.end(g)], m.start(g), m.end(g), folded[m.start(g) : m.end(g)])
            for m in _QUOTED.finditer(folded)
            for g in (1 if m[1] is not None else 2,)
        ]

    def _names(self, values: list[Claim]) -> list[Claim]:
        """Capitalised words that no sentence, line or heading begins with, and that are not part of a value."""
        names: list[Claim] = []
        taken = {place for claim in values for place in range(claim.start, claim.end)}
        for match in _CAPITALS.finditer(self.plain):
            start, end = match.span()
            if start in taken or end - 1 in taken:
                continue
            if _is_start(self.plain, start):
                # The first word would have its capital anyway.
                space = self.plain.find(" ", start, end)
                if space == -1:
                    continue
                start = space + 1
                while not self.plain[start].isupper():
                    space = self.plain.find(" ", start, end)
                    if space == -1:
                        break
                    start = space + 1
                if space == -1 or self.is_heading(start):
                    continue
            elif self.is_heading(start):
                continue
            names.append(Claim("name", self.plain[start:end], start, end, self.folded[start:end]))
        return names

    def is_heading(self, position: int) -> bool:
        """Whether a label or title stands there: up to a colon on its line, or in a line without a small word."""
        start = self.line_start(position)
        stop = self.plain.find("\n", position)
        line = self.plain[start : min(stop if stop != -1 else len(self.plain), position + 200)]
        colon = line.find(":", position - start)
        if colon != -1 and not re.search(r"[.!?] ", line[position - start : colon]) and colon - (position - start) < 60:
            return True
        return len(line) < 80 and not _LOWER.search(line)

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Start and end of each word."""
        return place_words(self.folded)

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """Start and end of each sentence."""
        return list(split_sentences(self.plain))

    def span_at(self, position: int) -> tuple[int, int]:
        """The sentence that holds a position."""
        found = bisect.bisect_right(self._ends, position)
        return self.sentences[found] if found < len(self.sentences) else (0, len(self.plain))

    @cached_property
    def _ends(self) -> list[int]:
        return [end for _, end in self.sentences]

    @cached_property
    def _numbers(self) -> tuple[list[int], list[Claim]]:
        numbers = [claim for claim in self.claims if claim.kind == "number" and not claim.rank]
        return [claim.start for claim in numbers], numbers

    def numbers_near(self, position: int, most: int) -> list[Claim]:
        """The number claims around a position, `most` of them at most."""
        starts, numbers = self._numbers
        middle = bisect.bisect_left(starts, position)
        return numbers[max(0, middle - most // 2) : middle + most // 2]

    def sentence_at(self, position: int) -> str:
        """The words of the sentence that holds a position, folded; of a very long one what stands around."""
        start, end = self.span_at(position)
        return self.folded[max(start, position - _AROUND) : min(end, position + _AROUND)]

    def line_start(self, position: int) -> int:
        """Where the line that holds a position begins."""
        return self.plain.rfind("\n", 0, position) + 1

    def begins_line(self, claim: Claim) -> bool:
        """Whether only marks stand before a claim on its line."""
        return (
            re.fullmatch(r"[\W_]*(?:step |option |#)?", self.folded[self.line_start(claim.start) : claim.start])
            is not None
        )

    @cached_property
    def items(self) -> int:
        """How many entries its list has."""
        return len(_ITEM.findall(self.plain))

    @cached_property
    def top_items(self) -> int:
        """How many of its list's entries stand at the least indentation."""
        indents = [len(line) - len(line.lstrip()) for line in self.plain.splitlines() if _ITEM.match(line)]
        return indents.count(min(indents)) if indents else 0

    @cached_property
    def enumerated(self) -> set[int]:
        """How many things its sentences list: `A, B and C` are three."""
        found: set[int] = set()
        for start, end in self.sentences:
            sentence = self.folded[start:end]
            commas = sentence.count(", ")
            joined = len(re.findall(r" (?:and|or) |/| & ", sentence))
            found |= set(range(2, commas + joined + 2)) if commas + joined else set()
        return found


def read_prose(text: str) -> Prose:
    """The reading of a message."""
    return _read_short(text) if len(text) <= _SHORT else Prose(text)


@lru_cache(maxsize=64)
def _read_short(text: str) -> Prose:
    """The same; what is said in passing comes back in dialogue after dialogue."""
    return Prose(text)


def _is_start(text: str, position: int) -> bool:
    if position > 1 and text[position - 1] == " " and text[position - 2].isalnum():
        return False
    return _SENTENCE_START.search(text, max(0, position - 12), position) is not None or position == 0
