"""Whether a value is told of the record and the field that it belongs to.

A sentence that names a field and gives a value at once (`the age is 34`, `age: 34`, `age of Bo is 34`) says which
cell it tells. Where it also names a record, the value must be that record's; where it does not, a value of the current
request's.
"""

import bisect
import re
from collections.abc import Iterator, Sequence

from turnwright.validation.grounding.cells import excuse, excuse_number, is_kin, tells
from turnwright.validation.grounding.claims import Claim
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.plain_text import key_of, list_words
from turnwright.validation.grounding.prose import Prose
from turnwright.validation.grounding.records import Record, Records, Scalar
from turnwright.validation.grounding.statements import (
    MOST_NAMED,
    Mention,
    Naming,
    Statement,
    find_phrases,
    is_past,
    is_supposed,
    list_holding,
    read_before,
    read_segment,
    read_statements,
)
from turnwright.validation.grounding.tracing import Untraced

_MODIFIES = re.compile(r"\s*(?:(?!(?:has|had|is|was|with|at|of|the|and|whose)\b)\w+\s+)?")
_POINTER = re.compile(r"(?:\b(?:for|of|about|checked|at|regarding|called|named)\s+[\"']?|^\W*|\n\W*|: |, |\band )$")
_CHANGED = re.compile(r"\b(?:set|changed?|updated?|added|created|moved|saved|registered|booked|entered|your?)\b")
_VALUE_END = re.compile(
    r"[,;()\n\"]|\.(?=\s|$)|\s-\s| and (?:the|its|his|her|their|a)\b| (?:and|while|but|which|with)\b|[!?]|$"
)
_NO_VALUE = frozenset(
    "a an the not no none null unknown missing empty blank unavailable available recorded listed set shown "
    "given there here "
    "that this these those what which who where when how it its correct right wrong same different updated "
    "changed done "
    "saved confirmed in on at by to for of from with as now still currently already also only your my our their "
    "his her "
    "one two three four five six seven eight nine ten all both each every many several some any you i we they he she "
    "required needed valid invalid included provided important good great fine clear okay ok true false yes being been "
    "more less most least quite very too so just simply based below above following up down left right n".split()
)
_GENERIC = frozenset("id ids key number no date time count total result results record records type value".split())
_MOST_LIKELY = 3
"""Different values of a field up to which a sentence that names no record must mean one of them."""
_SHORT_VALUE = 4
"""Words of a value; what is longer is a sentence about it."""


def check_attribution(
    prose: Prose, evidence: Evidence, naming: Naming, told: Sequence[Claim], given: Sequence[Scalar]
) -> Iterator[Untraced]:
    """`wrong_value`, `outdated_value`, `untraced_value`.

    `told` and `given` are what the current request itself gave: claims of the user, and values of arguments.
    """
    records = evidence.records
    labels = find_phrases(prose, records.label_sizes, records.by_label)
    statements = read_statements(prose, labels, naming)
    if not statements:
        return
    excused = excuse(told, given)
    taken = {place for each in statements for place in (each.position, each.label.start)}
    heads = [mention for mention in naming.joined if mention.start not in taken and _is_name(mention, prose)]
    around: dict[Mention, list[Record]] = {}  # a message tells many things of one record
    for statement in statements:
        subject = statement.subject or _nearest(heads, statement.label.start, prose)
        if subject is not None and subject not in around:
            around[subject] = _records_of(subject, records)
        found = around[subject] if subject is not None else []
        yield from _check_statement(statement, subject, found, prose, evidence, excused)


def _is_name(mention: Mention, prose: Prose) -> bool:
    """Whether words stand for a record: a lone small word does so only where a sentence points at it."""
    key = mention.key
    if " " in key:
        return not key.replace(" ", "").isdigit()
    if len(key) < 3 or key.isdigit():
        return False
    pointed = _POINTER.search(prose.folded, max(0, mention.start - 12), mention.start) is not None
    return pointed or (prose.plain[mention.start].isupper() and not _begins(prose.plain, mention.start))


def _begins(text: str, position: int) -> bool:
    before = text[max(0, position - 3) : position].rstrip()
    return position == 0 or before.endswith((".", "!", "?"))


def _nearest(heads: Sequence[Mention], before: int, prose: Prose) -> Mention | None:
    """The record that a statement is about: named last before it in the same sentence."""
    start, _ = prose.span_at(before)
    place = bisect.bisect_right(heads, before, key=lambda head: head.end) - 1
    if place >= 0 and _MODIFIES.fullmatch(prose.folded, heads[place].end, before):
        place -= 1  # `Economy price`: a word right before a field says which price, and not whose
    return heads[place] if place >= 0 and heads[place].start >= start else None


def _check_statement(
    statement: Statement,
    subject: Mention | None,
    around: Sequence[Record],
    prose: Prose,
    evidence: Evidence,
    excused: frozenset[str],
) -> Iterator[Untraced]:
    """What is wrong with a statement; `around` are the records of its subject."""
    records, label = evidence.records, statement.label.key
    own = [record for record in around if label in record.cells]
    named = any(_is_called(record, label, subject) for record in own)  # then the field may be meant of something else
    strict = bool(own)
    if not own:
        own = [records.all[number] for number in records.by_label[label]]
        current = [record for record in own if record.message >= evidence.request]
        own = [record for record in current or _last_group(own) if label in record.cells]
    cells = [record.cells[label] for record in own]
    if not cells or all(isinstance(cell, bool) for cell in cells):
        return
    if not strict and len(set(cells)) > _MOST_LIKELY:
        return  # nothing says which of many records is meant
    claim = statement.claim
    if claim is not None and any(tells(claim, cell) for cell in cells):
        return
    if is_supposed(statement, prose):
        return
    past = is_past(statement, prose)
    if claim is not None:
        if claim.unit is not None and claim.unit.name == "percent" and prose.folded.startswith(" of ", claim.end):
            return  # a share of the value, and not the value
        if _is_excused(claim, excused) and (not strict or _CHANGED.search(read_before(statement, prose)[1])):
            return
        replaced = own if strict else [*own, *_list_rewritten(label, evidence)]
        if any(tells(claim, old) for record in replaced for old in record.outdated.get(label, ())):
            if not past:
                yield Untraced("outdated_value", claim, f"{label} was written since, and is {_show(cells)}")
            return
        if any(tells(claim, cell) for record in around if record.parent is not None for cell in record.cells.values()):
            return  # a part of the record has it under a name of its own
        other = None if strict else _find_swapped(statement, claim, own, prose, evidence)
        if not strict and other is None and (label.endswith("id") or _stands_anywhere(claim, evidence)):
            return
        if not past and not named and not _is_elsewhere(claim, label, own if strict else None, evidence):
            swapped = f", and this as {other}" if other is not None else ""
            yield Untraced("wrong_value", claim, f"the results give {_show(cells)} as {label}{swapped}")
    elif not past and not named:
        yield from _check_words(statement, cells, own, prose, evidence, strict, excused)


def _check_words(
    statement: Statement,
    cells: list[Scalar],
    own: list[Record],
    prose: Prose,
    evidence: Evidence,
    strict: bool,
    excused: frozenset[str],
) -> Iterator[Untraced]:
    """A text told: it must be the record's own where it is another record's, and known where the field holds texts."""
    label, position = statement.label.key, statement.position
    texts = [key_of(cell) for cell in cells if isinstance(cell, str) and cell]
    if len(texts) < len(cells) or not texts:
        return
    end = _VALUE_END.search(prose.folded, position)
    stop = end.start() if end else len(prose.folded)
    told = key_of(prose.folded[position:stop])
    if not told or any(told.startswith(text) or text.startswith(told) for text in texts if text) or told in excused:
        return
    claim = Claim("name", prose.plain[position:stop], position, stop, told)
    replaced = own if strict else [*own, *_list_rewritten(label, evidence)]
    before = [key_of(str(old)) for record in replaced for old in record.outdated.get(label, ())]
    if any(told == old or told.startswith(f"{old} for ") for old in before):
        yield Untraced("outdated_value", claim, f"{label} was written since, and is {_show(cells)}")
        return
    if statement.told is not None:
        other = statement.told.key
        elsewhere = [evidence.records.all[number] for number in evidence.records.by_name.get(other, ())[:MOST_NAMED]]
        if strict and other not in excused and any(_is_called(r, label, statement.told) for r in elsewhere):
            yield Untraced("wrong_value", claim, f"the results give {_show(cells)} as {label}")
        return
    words = told.split(" ")
    is_value = statement.linked and words[0] not in _NO_VALUE and len(words) <= _SHORT_VALUE
    if is_value and not evidence.has_words(words):
        yield Untraced("untraced_value", claim, f"the results give {_show(cells)} as {label}")


def _records_of(subject: Mention, records: Records) -> list[Record]:
    """The records that hold the name, those fetched by it or by their keys, and what is inside and around them."""
    numbers = list_holding(subject.parts, records) if subject.parts else records.by_name.get(subject.key, ())
    if len(numbers) > MOST_NAMED:
        return []
    found = dict.fromkeys(numbers)
    for number in numbers:
        record = records.all[number]
        if record.parent is not None:
            found[record.parent] = None
        for label, cell in record.cells.items():
            if not label.endswith("id") or not isinstance(cell, str | int):
                continue
            key = key_of(cell) if isinstance(cell, str) else cell
            if key not in record.fetched_by:  # what a whole list was asked for by tells nothing of one entry
                found |= dict.fromkeys(records.by_fetch.get(key, ())[:MOST_NAMED])
    for other in records.by_fetch.get(subject.key, ())[:MOST_NAMED]:
        found[other] = None
    for number in list(found):
        for child in records.children.get(number, ()):
            found[child] = None
    return [records.all[number] for number in found]


def _list_rewritten(label: str, evidence: Evidence) -> list[Record]:
    """The records of which the current request replaced the value of a field."""
    written = [evidence.records.all[number] for number in dict.fromkeys(evidence.records.rewritten)]
    return [record for record in written if record.written >= evidence.request and label in record.outdated]


def _is_called(record: Record, label: str, name: Mention | None) -> bool:
    cell = record.cells.get(label)
    return name is not None and isinstance(cell, str) and key_of(cell) == name.key


def _last_group(found: list[Record]) -> list[Record]:
    return [record for record in found if record.group == found[-1].group]


def _is_elsewhere(claim: Claim, label: str, own: list[Record] | None, evidence: Evidence) -> bool:
    """Whether a value stands in a field with a like name: `fee` may be told of `total fee`.

    Where the records are known that the sentence is about, only their fields count.
    """
    pool = own if own is not None else [r for r in evidence.records.all[-200:] if r.message >= evidence.request]
    return any(
        other != label and _may_mean(label, other) and tells(claim, cell)
        for record in pool
        for other, cell in record.cells.items()
    )


def is_like(label: str, other: str) -> bool:
    """Whether two fields are about the same thing: they share a word that says what, or one has no such word."""
    words = set(label.split()) - _GENERIC
    return not words or not words.isdisjoint(other.split())


def _may_mean(label: str, other: str) -> bool:
    """Whether a field may be called by the name of another one: `total fee` is a fee, `away goals` are no `home goals`.

    One of the two has all telling words of the other.
    """
    words, others = set(label.split()) - _GENERIC, set(other.split()) - _GENERIC
    return not words or words <= others or (bool(others) and others <= words)


def _find_swapped(
    statement: Statement, claim: Claim, own: Sequence[Record], prose: Prose, evidence: Evidence
) -> str | None:
    """The field that really has a value: the records that are meant have it, and nothing else in the request has.

    A word of that field right before the label (`the economy price`) says which value is meant, and nothing is wrong.
    """
    label = statement.label.key
    found = {other for record in own for other, cell in record.cells.items() if tells(claim, cell)}
    if not found or any(_may_mean(label, other) or not set(other.split()) - _GENERIC for other in found):
        return None
    if not all(is_kin(claim, record.cells[label]) for record in own):
        return None  # `a message at 2 pm` does not say what the message is
    if not _list_fields_of(claim, evidence, evidence.request) <= found:
        return None
    named = set(list_words(read_segment(statement, prose)))
    return min(found) if all(named.isdisjoint(other.split()) for other in found) else None


def _stands_anywhere(claim: Claim, evidence: Evidence) -> bool:
    """Whether any record has the value, in a field that is no key: a `price` may be what a result calls `economy`."""
    return bool(_list_fields_of(claim, evidence))


def _list_fields_of(claim: Claim, evidence: Evidence, since: int = -1) -> set[str]:
    """The fields that have a value in any record from a message on, without keys."""
    return {
        label
        for record in evidence.records.all[-MOST_NAMED:]
        for label, cell in record.cells.items()
        if record.message >= since and not label.endswith("id") and tells(claim, cell)
    }


def _is_excused(claim: Claim, excused: frozenset[str]) -> bool:
    return key_of(claim.text) in excused or (claim.kind == "number" and excuse_number(claim.value) in excused)


def _show(cells: Sequence[Scalar]) -> str:
    shown = list(dict.fromkeys(repr(cell)[:60] for cell in cells))
    return " or ".join(shown[:3]) + (" or others" if len(shown) > 3 else "")
