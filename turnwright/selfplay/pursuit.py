"""One request and what is known when it is worked on: the part that reading and changing share.

A pursuit runs from the start of the request each time. A call that was made before gives its recorded result; the
first call that was not made yet ends the run as the next step. So the conversation alone is the state.
"""

import re
from dataclasses import dataclass
from typing import Any

from turnwright.selfplay.argument_filling import Filling, fill_arguments, fill_row_count, find_written
from turnwright.selfplay.conversation import Episode
from turnwright.selfplay.house_rules import HouseRule
from turnwright.selfplay.offered_tools import OfferedTool, Parameter, Toolbox, VerbClass
from turnwright.selfplay.record_names import name_subject
from turnwright.selfplay.record_search import ANAPHOR, RecordSearch
from turnwright.selfplay.spoken_values import SpokenValue
from turnwright.selfplay.steps import (
    NeedValues,
    NotFound,
)
from turnwright.selfplay.tool_choice import Ranked, drop_small_talk, rank_tools, read_verb, request_stems
from turnwright.selfplay.wanted_labels import read_wanted

_UNNAMED = re.compile(r"\ba certain\b|\bone of the\b", re.IGNORECASE)
_LEAST_COVERED = 0.34
"""Share of a request's telling words that the tools must know, or it is none of their business."""


@dataclass
class Pursuit:
    """One request and everything that is known when it is worked on."""

    toolbox: Toolbox
    episode: Episode
    earlier: list[Episode]
    confirm_writes: bool
    """Whether changes are confirmed with the user before they are made; deletions always are."""
    look_after_writes: bool
    """Whether a changed record is looked at again."""
    rules: tuple[HouseRule, ...] = ()
    """What the service forbids."""

    def __post_init__(self) -> None:
        """Reads the request."""
        self.verb: VerbClass
        self.texts = self.episode.texts
        self.values = drop_corrected(self.episode.values)
        told = [drop_small_talk(self.texts[0]), *self.texts[1:]]
        self.words = request_stems(told, self.values)
        self.verb = read_verb(told)
        self.wanted = read_wanted(told)
        self.points_back = not self.naming() and bool(ANAPHOR.search(" ".join(told)))
        self.unnamed = not self.naming() and bool(_UNNAMED.search(self.episode.text))

    def naming(self) -> list[SpokenValue]:
        """Values that say which record is meant."""
        return [value for value in self.values if value.role != "new" and not value.bound]

    def search(self) -> RecordSearch:
        """A fresh search for the records of this request."""
        return RecordSearch(self.toolbox, self.episode, self.earlier, self.words)

    def rank(self) -> list[Ranked]:
        """The tools that can be meant, best first."""
        values, texts = self.values, self.texts
        if self.verb != "read":
            # What is to be done stands in the first message; answers to questions only fill it in.
            values, texts = [value for value in values if value.message == 0], texts[:1]
        ranked = rank_tools(self.toolbox, self.verb, self.words, values, texts, self.wanted)
        if self.verb != "read" or not self.points_back or not self.earlier:
            return ranked
        # `of that student`: tools that can be told which one come first.
        search = self.search()
        search.pool = list(search.recent_records())[:3][::-1]
        moved: list[Ranked] = []
        for item in ranked:
            known = search.fill_known(item.tool, self.values).from_records
            moved.append(Ranked(item.tool, item.score + (2.5 * known if known else -1.5), item.shared + known))
        return sorted(moved, key=lambda item: -item.score)

    def is_foreign(self, ranked: list[Ranked]) -> bool:
        """Whether a request is about nothing that the tools deal with."""
        labels = frozenset(word for label in self.wanted for word in label)
        known = {word for tool in self.toolbox.tools for word in tool.words}
        known |= {word for tool in self.toolbox.tools for parameter in tool.parameters for word in parameter.words}
        telling = self.words - labels or self.words
        if not telling:
            return False
        noun_known = any((value.noun | value.label) & known for value in self.values if value.role == "identifies")
        noun_known = noun_known or bool(self.points_back and self.earlier and labels and telling & known)
        return (len(telling & known) / len(telling) < _LEAST_COVERED and not noun_known) or not ranked

    def complete(self, search: RecordSearch, tool: OfferedTool, values: list[SpokenValue]) -> Filling:
        """All arguments of a call, identifiers looked up. What only the user knows is asked for first.

        Raises:
            Step: something is missing.
        """
        filling = fill_arguments(tool, values, self.texts)
        fill_row_count(tool, filling, values)
        for parameter in filling.missing(tool):
            if (
                tool.verb == "read"
                and not parameter.identifies
                and (value := self._from_records(search, parameter, values)) is not None
            ):
                filling.arguments[parameter.name] = value
        written = find_written(tool)
        open_ones = [
            parameter
            for parameter in filling.missing(tool)
            if not parameter.identifies or (parameter.name in written and not parameter.hidden)
        ]
        if tool.verb == "update" and not written & set(filling.arguments) and not open_ones:
            asked = [parameter for parameter in tool.parameters if parameter.name in written]
            fitting = [parameter for parameter in asked if parameter.words & self.words]
            open_ones = [parameter for parameter in fitting or asked if not parameter.identifies]
        if open_ones:
            raise NeedValues(tool, open_ones)
        used = {value.key for value in filling.used.values()}
        free = [value for value in values if value.key not in used]
        for parameter in filling.missing(tool):
            value = search.resolve(parameter, tool, free)
            if value is not None:
                filling.arguments[parameter.name] = value
        missing = filling.missing(tool)
        if missing and (values or self.episode.questions):
            raise NotFound(name_subject(values))
        if missing:
            raise NeedValues(tool, missing)
        filling.arguments = {
            parameter.name: filling.arguments[parameter.name]
            for parameter in tool.parameters
            if parameter.name in filling.arguments
        }
        return filling

    def _from_records(self, search: RecordSearch, parameter: Parameter, values: list[SpokenValue]) -> Any:
        """A value that the request points at without saying it (`of that club`)."""
        if parameter.counts_rows or not ANAPHOR.search(self.episode.text) or self.verb == "create":
            return None
        for tool, row in search.recent_records():
            value = search.read_field(parameter, tool, row)
            if value is not None and (not values or parameter.words & self.words):
                return value if parameter.kind != "string" else str(value)
        return None


def drop_corrected(values: list[SpokenValue]) -> list[SpokenValue]:
    """The values without those taken back: `make it 5 instead of 3` also drops the 3 said before.

    Nor is the part of a name kept where a later message says the whole of it.
    """
    taken_back = {value.folded: value.key for value in values if value.negated}
    return [
        value
        for value in values
        if not value.negated
        and not (value.folded in taken_back and value.key < taken_back[value.folded])
        and not any(later.message > value.message and _is_part(value, later) for later in values)
    ]


def _is_part(value: SpokenValue, whole: SpokenValue) -> bool:
    words = whole.folded.split()
    return value.kind == whole.kind == "text" and len(words) > 1 and value.folded in words
