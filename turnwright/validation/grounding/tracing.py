"""Holds the claims of a message against the evidence: what cannot be traced is named with its span."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from turnwright.validation.grounding.arithmetic import Told, derives, derives_day
from turnwright.validation.grounding.claims import MONTHS, Claim
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.known import Day
from turnwright.validation.grounding.plain_text import list_words
from turnwright.validation.grounding.prose import Prose
from turnwright.validation.grounding.units import is_usual

_LIST_MARK = re.compile(r"\s*(?:[-•]\s*)?(?:step |option |#)?\d{1,3}\s*(?:[.)]|:\s)")
_VAGUE = re.compile(
    r"\s*(?:(?:more|other|quick|short|main|small|simple|easy|different|possible|new) )?(?:options?|ways?|"
    r"things?|steps?|questions?|points?|details?|pieces?|moments?|minutes?|seconds?|"
    r"of (?:us|you|the (?:options|ways|things))|reasons?|cases?|sides?|parts?|choices?|(?:business|working) days?|"
    r"(?:characters?|digits?)|hours?|days?|weeks?|to\b|or\b|tries|attempts?|times?)\b"
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_ORDINAL_LIMIT = 31
_STOP = frozenset(
    "i i'm i've i'll i'd ok okay yes no hi hello dear sir madam mr mrs ms dr thank thanks please sorry note id ids am "
    "pm am/pm faq url api json csv pdf sql us usa uk eu english monday tuesday wednesday thursday friday "
    "saturday sunday "
    "ll ve re d s t m and of de da del van von der la le the name email date time total status details summary "
    "result results option step ceo tv".split()
) | frozenset(MONTHS)


_ATTRIBUTE = re.compile(
    r"\b(?:the|its|their|his|her|your|current)\s+(?:\w+\s+){0,2}?(?P<label>status|type|category|colou?r|gender|nationality|priority|grade|genre|"
    r"brand|severity|occupation)\b(?:\s+of\s+[^.,;:\n]{1,40}?)?(?:\s+(?:is|was|shows)(?:\s+(?:now|currently|"
    r"listed as|set to|actually|really|indeed|in fact|still|rather|just|only|also|probably|apparently))?|:)"
    r"\s+[\"']?(?P<value>[a-z][a-z-]+)"
)
_ATTRIBUTES = frozenset(
    "status type category color colour gender nationality priority grade genre brand severity occupation".split()
)
"""Words of which the pattern needs one."""
_NO_ATTRIBUTE = frozenset(
    "a an the not no none null unknown missing empty blank unavailable available recorded listed set shown "
    "given that this "
    "which what it correct right wrong same different updated changed done saved confirmed in on at by to for "
    "of from with "
    "as now still currently already also only one two three required needed valid invalid good fine clear okay "
    "true false "
    "yes being been more less very too so just simply based below above up down also unclear set "
    "actually really indeed rather probably apparently fact".split()
)


@dataclass(frozen=True, slots=True)
class Untraced:
    """A claim that nothing supports."""

    code: str
    claim: Claim
    why: str
    blocks: bool = True


_MOST_DERIVED = 100
"""Numbers of one message for which arithmetic is tried."""
_MOST_BESIDE = 40
_LEAST_ENDING = 3
_CODED = re.compile(r"[\w' ]{0,30}? ?\((\w{2,5})\)")
_MOST_RECORDS = 300


def trace_claims(prose: Prose, evidence: Evidence) -> Iterator[Untraced]:
    """What of a message cannot be traced. A number that follows by arithmetic becomes known to later messages."""
    tries = 0
    yield from _trace_attributes(prose, evidence)
    for claim in prose.claims:
        if claim.kind == "number":
            if knows_number(claim, evidence) or _counts(claim, prose, evidence) or _is_mark(claim, prose):
                yield from _trace_unit(claim, prose, evidence)
                continue
            tries += 1
            yield from _trace_number(claim, prose, evidence, tries <= _MOST_DERIVED)
        elif claim.kind == "date":
            if not knows_day(claim, f"{evidence.talk}\n{prose.sentence_at(claim.start)}", evidence):
                yield Untraced("untraced_date", claim, "no result, nobody and no instruction gives this date")
        elif claim.kind == "time":
            if not _knows_time(claim, evidence):
                yield Untraced("untraced_time", claim, "no result, nobody and no instruction gives this time")
        elif claim.kind == "address":
            if str(claim.value) not in evidence.addresses and not evidence.has_words(list_words(str(claim.value))):
                yield Untraced("untraced_address", claim, "nothing gives this address")
        elif claim.kind in ("code", "quoted") and prose.sentence_at(claim.start).rstrip().endswith("?"):
            continue  # a question may propose what nobody has said
        elif claim.kind == "code":
            if not evidence.has_words(list_words(str(claim.value))):
                yield Untraced("untraced_code", claim, "nothing gives this code")
        elif not evidence.has_words(word for word in list_words(str(claim.value)) if word not in _STOP):
            coded = _CODED.match(prose.folded, claim.end)
            if coded is not None and coded[1] in evidence.words:
                continue  # `Seattle (SEA)` spells a known code out
            code = "untraced_name" if claim.kind == "name" else "untraced_quote"
            yield Untraced(code, claim, "nothing gives this name")


def _is_mark(claim: Claim, prose: Prose) -> bool:
    """Whether a number states nothing: `one of them`, `the third`, the mark of a list's entry."""
    value = cast("float", claim.value)
    if (claim.spelled and value <= 1) or (claim.rank and value <= _ORDINAL_LIMIT):
        return True
    return _LIST_MARK.match(prose.folded, prose.line_start(claim.start)) is not None and prose.begins_line(claim)


def _trace_number(claim: Claim, prose: Prose, evidence: Evidence, tries: bool) -> Iterator[Untraced]:
    """A number that is not known as such: it follows by arithmetic, it is vague, or it rests on nothing."""
    value = cast("float", claim.value)
    beside = [cast("float", each.value) for each in prose.numbers_near(claim.start, _MOST_BESIDE)]
    told = Told(claim, value, prose.sentence_at(claim.start), tuple(each for each in beside if each != value))
    if tries and derives(told, evidence):
        if not prose.asks:
            evidence.numbers.setdefault(value, evidence.message)
        if claim.unit is None or claim.unit.dimension not in ("share", "time"):
            yield from _trace_unit(claim, prose, evidence)
        return
    parts = claim.text.split(" ")
    if len(parts) > 1 and all(part.isdecimal() and evidence.has_number(float(part), 0, False) for part in parts):
        return  # `address line 1 275 Blick Summit`: a space may part thousands or two numbers
    digits = claim.text.strip()
    if len(digits) >= _LEAST_ENDING and digits.isdecimal() and any(word.endswith(digits) for word in evidence.words):
        return  # `the card ending in 1239`
    if claim.spelled and value <= 10 and _VAGUE.match(prose.folded, claim.end) is not None:
        return
    yield Untraced("untraced_number", claim, "no result, nobody, no instruction and no arithmetic gives this number")


def knows_number(claim: Claim, evidence: Evidence, since: int = -1) -> bool:
    """Whether a number is known as it is told, as a share, or in a field that counts in thousands or millions."""
    value = cast("float", claim.value)
    if evidence.has_number(value, claim.half, claim.loose, since):
        return True
    if claim.unit is not None and claim.unit.name == "percent":
        return evidence.has_number(value / 100, claim.half / 100, True, since)
    if claim.scaled is not None and not {"million", "thousand", "billion", "hundred"}.isdisjoint(evidence.words):
        return evidence.has_number(claim.scaled, 0.05, True, since)
    return False


def _trace_attributes(prose: Prose, evidence: Evidence) -> Iterator[Untraced]:
    """A word given as a status, a type and the like, which nothing has said."""
    if prose.vocabulary.isdisjoint(_ATTRIBUTES):
        return
    for match in _ATTRIBUTE.finditer(prose.folded):
        word = match["value"]
        if word in _NO_ATTRIBUTE or word.isdigit() or prose.asks or evidence.has_words(list_words(word)):
            continue
        if word.endswith(("ed", "ing", "ly")) and word[:4] in {known[:4] for known in evidence.words}:
            continue
        span = match.span("value")
        claim = Claim("quoted", prose.plain[span[0] : span[1]], *span, word)
        yield Untraced("untraced_value", claim, f"nothing gives this {match['label']}")


def _counts(claim: Claim, prose: Prose, evidence: Evidence) -> bool:
    """Whether it is how many rows, entries, listed items or calls there are."""
    value = cast("float", claim.value)
    if claim.loose or value < 0 or value > 100_000:
        return False
    return value in evidence.counts or value in evidence.sizes or value == prose.items or value in prose.enumerated


def _trace_unit(claim: Claim, prose: Prose, evidence: Evidence) -> Iterator[Untraced]:
    """A unit must be known, or be the one that anybody takes for granted."""
    unit = claim.unit
    if unit is None or unit.name in evidence.units:
        return
    near = set(list_words(prose.folded[max(0, claim.start - 60) : claim.start] + " " + prose.folded[claim.end :][:30]))
    if unit.dimension == "currency":
        near |= _labels_of(claim, evidence)
    if is_usual(unit, near) or (unit.dimension == "time" and claim.spelled):
        return
    told = Told(claim, cast("float", claim.value), prose.sentence_at(claim.start), ())
    if unit.dimension == "time" and derives(told, evidence):
        return
    if unit.dimension == "time" and _VAGUE.match(prose.folded, claim.start) is not None:
        return
    yield Untraced("untraced_unit", claim, f"nothing says that this is in {unit.name}")


def _labels_of(claim: Claim, evidence: Evidence) -> set[str]:
    """Words of the fields in which a number stands."""
    value = cast("float", claim.value)
    return {
        word
        for record in evidence.records.all[-_MOST_RECORDS:]
        for label, cell in record.cells.items()
        if isinstance(cell, int | float) and abs(cell - value) <= claim.half
        for word in label.split()
    }


def knows_day(claim: Claim, talk: str, evidence: Evidence) -> bool:
    """Whether a date is known, in either reading, or follows from a known one."""
    day = cast("Day", claim.value)
    if day in evidence.days or (claim.other is not None and claim.other in evidence.days):
        return True
    year, month, number = day
    if year is not None and (None, month, number) in evidence.days and year in evidence.numbers:
        return True  # the year of `May 20` goes without saying
    return derives_day(day, talk, evidence)


def _knows_time(claim: Claim, evidence: Evidence) -> bool:
    hour, minute = cast("tuple[int, int]", claim.value)
    known = evidence.clocks
    if (hour, minute) in known or (hour + 12, minute) in known or (hour - 12, minute) in known:
        return True
    if minute == 0 and (hour in evidence.numbers or hour % 12 in evidence.numbers):
        return True
    if (hour, minute) == (0, 0):
        return True
    for other in known:
        apart = (60 * (hour - other[0]) + minute - other[1]) % 1440
        if apart in evidence.numbers or (apart % 60 == 0 and apart // 60 in evidence.numbers and apart):
            return True
    return False
