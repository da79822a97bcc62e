"""Values in the arguments of a call that nobody said and no result gave."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from turnwright.validation.grounding.arithmetic import Told, derives
from turnwright.validation.grounding.claims import Claim, read_claims
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.plain_text import compose, fold, label_of, list_words
from turnwright.validation.grounding.records import Scalar
from turnwright.validation.grounding.tracing import knows_day

_OWN_CHOICE = frozenset(
    "limit top count page offset size max maximum min minimum results per n k radius days sort order unit units "
    "language format locale timezone currency mode verbose include depth precision decimals threshold timeout version "
    "skip take start index".split()
)
_WORDED = frozenset(
    "expression formula query code content message body text subject title reason note notes comment description "
    "summary prompt keyword keywords search thought".split()
)
"""Words of parameters whose text the assistant writes."""
_AMOUNTS = frozenset("amount total price cost payment sum fee balance refund quantity value budget".split())
_COMPUTED = "total difference times per average"
"""What announces every operation: an amount may be computed without a word about it."""
_ABBREVIATION = 4
"""Words of parameters that an assistant may fill as it sees fit."""
_FREE_TEXT = 4
"""Words from which a text is a wording of the assistant's own."""
_KNOWN_SHARE = 0.5
_STEM = 4


@dataclass(frozen=True, slots=True)
class Invented:
    """An argument that rests on nothing."""

    name: str
    value: Scalar
    certain: bool
    """A number, date, code or name; a wording is only remarkable."""


def find_invented(leaves: Iterable[tuple[str, Scalar]], evidence: Evidence) -> Iterator[Invented]:
    """The invented values among the arguments of one call."""
    talk = evidence.talk
    for name, value in leaves:
        if isinstance(value, bool) or value is None or value == "":
            continue
        if isinstance(value, int | float):
            if not _knows_number(value, name, talk, evidence):
                yield Invented(name, value, certain=True)
        elif not _knows_text(value, talk, evidence):
            words = set(label_of(name).split())
            told = list_words(fold(compose(value)))
            if told and words.isdisjoint(_OWN_CHOICE):
                sure = len(told) < _FREE_TEXT and words.isdisjoint(_WORDED)
                yield Invented(name, value, certain=sure and not (value.isupper() and len(value) < _ABBREVIATION))


def _knows_number(value: float, name: str, talk: str, evidence: Evidence) -> bool:
    if evidence.has_number(value, 0.0, False):
        return True
    words = set(label_of(name).split())
    if not words.isdisjoint(_OWN_CHOICE) and float(value).is_integer() and 0 <= value <= 1000:
        return True
    if value in (0, 1, -1) or value in evidence.sizes:
        return True
    if evidence.has_number(value * 100, 0.0, False) or evidence.has_number(value / 1000, 0.0, False):
        return True  # 15% is given as 0.15, and 30 thousand as 30000
    claim = Claim("number", str(value), 0, 0, value, half=1e-9, loose=True)
    words_said = talk if words.isdisjoint(_AMOUNTS) else f"{talk}\n{_COMPUTED}"
    return derives(Told(claim, value, words_said, ()), evidence)


def _knows_text(value: str, talk: str, evidence: Evidence) -> bool:
    text = compose(value)
    folded = fold(text)
    words = [word for word in list_words(folded) if len(word) > 1 or word.isdigit()]
    if not words or evidence.has_words(words):
        return True
    claims = read_claims(text, folded, list_words(folded))
    rest = folded
    for claim in claims:
        if _is_known_claim(claim, talk, evidence):
            rest = rest.replace(folded[claim.start : claim.end], " ")
    left = [word for word in list_words(rest) if len(word) > 1 or word.isdigit()]
    unknown = [word for word in left if not _is_known(word, evidence)]
    if not unknown:
        return True
    return len(words) >= _FREE_TEXT and len(unknown) <= (1 - _KNOWN_SHARE) * len(words)


def _is_known_claim(claim: Claim, talk: str, evidence: Evidence) -> bool:
    if claim.kind == "date":
        return knows_day(claim, talk, evidence)
    if claim.kind == "number" and isinstance(claim.value, int | float):
        return evidence.has_number(claim.value, claim.half, claim.loose)
    return claim.kind == "time" and claim.value in evidence.clocks


def _is_known(word: str, evidence: Evidence) -> bool:
    """Whether a word, or another form of it, was said: `italian` after `Italy`."""
    if word in evidence.words or evidence.has_words([word]):
        return True
    if not word.isalpha() or len(word) < _STEM:
        return False
    stem = word[: max(_STEM, len(word) - 3)]
    return any(other.startswith(stem) for other in evidence.words)
