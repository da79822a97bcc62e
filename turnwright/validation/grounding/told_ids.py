"""An id of the results told as another field: `the shirt number is 17`, where 17 is the player's id.

attribution.py holds a value against the field that a sentence names; where no result has that field there is nothing to
hold it against, and any number that stands somewhere would do. Here the number leads: one that results have as a key
and nobody has as anything else is told as no other field. Fields are known by the results and by what the tools say
that they return.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from schemas.tools import Tool
from turnwright.rollout.toolset_memory import once_per_toolset
from turnwright.tools.tool_text import list_fields
from turnwright.validation.grounding.arithmetic import Told, derives
from turnwright.validation.grounding.attribution import is_like
from turnwright.validation.grounding.claims import Claim
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.plain_text import label_of
from turnwright.validation.grounding.prose import Prose
from turnwright.validation.grounding.records import Records, Scalar
from turnwright.validation.grounding.statements import (
    Naming,
    Statement,
    find_phrases,
    is_past,
    is_supposed,
    read_statements,
)
from turnwright.validation.grounding.tracing import Untraced

_MOST_ALIAS_WORDS = 4
_ALIAS_END = re.compile(r"\s(?:of|in|for|as|at|on|to|from|by|that|which|per|with|after|before)\s|[^\w\s'-]")
"""Where the first words of a description stop being a field's name: `Price of one night` is a price."""
_COUNTING = frozenset("number num count total amount".split())
_MOST_BESIDE = 40


@dataclass(frozen=True)
class FieldNames:
    """The fields that tools say they return, as words."""

    labels: frozenset[str] = frozenset()
    sizes: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    """By the first word of a label, how many words such labels have."""


@dataclass
class ToldIds:
    """The ids that results gave so far, and the numbers that came from anywhere else."""

    names: FieldNames
    ids: dict[float, str] = field(default_factory=dict[float, str])
    """Each id with the field that it stands in."""
    others: set[float] = field(default_factory=set[float])
    """Numbers of other fields, of the user, of the instructions, and of arguments that are no keys."""
    read: int = 0
    """Records read."""

    def take_claims(self, claims: Iterable[Claim]) -> None:
        """What the user or the instructions say."""
        self.others.update(cast("float", claim.value) for claim in claims if claim.kind == "number")

    def take_arguments(self, leaves: Iterable[tuple[str, Scalar]]) -> None:
        """What the assistant put into a call, run or not: it may tell what it tried."""
        for name, value in leaves:
            number = _read_number(value)
            if number is not None and not is_key(label_of(name)):
                self.others.add(number)

    def check(self, prose: Prose, evidence: Evidence, naming: Naming) -> Iterator[Untraced]:
        """`wrong_field`: an id is told as a field that is no id."""
        records = evidence.records
        self._read_on(records)
        suspects = {claim.start for claim in prose.claims if self._is_suspect(claim)}
        if not suspects:
            return
        for statement in self._read_statements(prose, records, naming):
            claim, label = statement.claim, statement.label.key
            if claim is None or claim.start not in suspects or is_supposed(statement, prose):
                continue
            if statement.told is not None and statement.told.end > claim.end:
                continue  # `the model is 8 yy`: a text of a result, which begins with a number
            held = self.ids[cast("float", claim.value)]
            if is_past(statement, prose) or not _is_another(statement, held):
                continue
            if _may_count(label, claim, prose, evidence) or self._is_known_otherwise(claim, prose, evidence):
                continue
            given = _show_field(label, evidence)
            yield Untraced("wrong_field", claim, f"this is the {held} of the results, {given}")

    def _read_on(self, records: Records) -> None:
        for record in records.all[self.read :]:
            for label, cell in record.cells.items():
                number = None if isinstance(cell, float) else _read_number(cell)
                if number is None:
                    continue
                if is_key(label):
                    self.ids[number] = label
                else:
                    self.others.add(number)
        self.read = len(records.all)

    def _is_suspect(self, claim: Claim) -> bool:
        if claim.kind != "number" or claim.loose or claim.rank or claim.spelled or claim.unit is not None:
            return False
        if claim.text[:1] == "0" and len(claim.text) > 1:
            return False  # `08` is part of a code
        return claim.value in self.ids and claim.value not in self.others

    def _read_statements(self, prose: Prose, records: Records, naming: Naming) -> list[Statement]:
        sizes = {word: set(known) for word, known in self.names.sizes.items()}
        for word, known in records.label_sizes.items():
            sizes.setdefault(word, set()).update(known)
        table = self.names.labels | records.by_label.keys()
        labels = find_phrases(prose, sizes, table)
        return read_statements(prose, labels, naming)

    def _is_known_otherwise(self, claim: Claim, prose: Prose, evidence: Evidence) -> bool:
        """Whether a number stands in a longer text of a result, or follows by arithmetic that the sentence names."""
        value = cast("float", claim.value)
        part = re.compile(rf"(?<!\d){re.escape(f'{value:.15g}')}(?!\d)")
        for record in evidence.records.all:
            for label, cell in record.cells.items():
                if is_key(label) or cell is None:
                    continue
                if cell == value or (isinstance(cell, str) and part.search(cell)):
                    return True
        beside = tuple(cast("float", each.value) for each in prose.numbers_near(claim.start, _MOST_BESIDE))
        others = tuple(each for each in beside if each != value)
        return derives(Told(claim, value, prose.sentence_at(claim.start), others), evidence)


def is_key(label: str) -> bool:
    """Whether a field holds what records are told apart by."""
    return label == "id" or label.endswith((" id", " ids"))


@once_per_toolset
def read_field_names(tools: Sequence[Tool]) -> FieldNames:
    """The fields of all tools, by their names and by the first words of their descriptions."""
    labels: set[str] = set()
    for tool in tools:
        for name, schema in list_fields(tool.output_schema).items():
            labels.add(label_of(name))
            description = schema.get("description")
            if isinstance(description, str):
                labels.add(label_of(_ALIAS_END.split(description[:200].strip(), maxsplit=1)[0]))
    known = frozenset(label for label in labels if label and label.count(" ") < _MOST_ALIAS_WORDS)
    sizes: dict[str, set[int]] = {}
    for label in known:
        sizes.setdefault(label.partition(" ")[0], set()).add(1 + label.count(" "))
    return FieldNames(known, sizes)


def _read_number(value: Scalar) -> float | None:
    if isinstance(value, str):
        return int(value) if value.isdigit() and len(value) < 16 and value.isascii() else None
    return None if isinstance(value, bool) else value


def _is_another(statement: Statement, held: str) -> bool:
    """Whether a field is surely another one than the key that a number stands in.

    A name is no number, whatever it is the name of. A small word beside a number (`floor 3`) may say where something
    stands: it tells a field only with a verb or a mark between the two.
    """
    label = statement.label.key
    if is_key(label) or not (statement.linked or " " in label):
        return False
    if statement.linked and label.endswith(" name"):
        return True
    return not is_like(label, held) and not is_like(held, label)


def _may_count(label: str, claim: Claim, prose: Prose, evidence: Evidence) -> bool:
    """Whether a field can count (`players`, `total orders`) and the number is how many there are."""
    words = label.split()
    counts = words[0] in _COUNTING or words[-1] in {"count", "total"} or re.search(r"[^s]s$", label) is not None
    if not counts:
        return False
    value = claim.value
    seen = (evidence.counts, evidence.lengths, evidence.sizes, prose.enumerated, {prose.items})
    return any(value in known for known in seen)


def _show_field(label: str, evidence: Evidence) -> str:
    cells = [evidence.records.all[number].cells.get(label) for number in evidence.records.by_label.get(label, ())]
    shown = list(dict.fromkeys(repr(cell)[:60] for cell in cells if cell is not None))
    return f"which give {' or '.join(shown[:3])} as {label}" if shown else f"and none of them gives a {label}"
