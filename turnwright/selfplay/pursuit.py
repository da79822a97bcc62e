"""From one request to the next step: call tools, ask back, or report.

A pursuit runs from the start of the request each time. A call that was made before gives its recorded result; the
first call that was not made yet ends the run as the next step. So the conversation alone is the state.
"""

import re
from dataclasses import dataclass
from typing import Any

from turnwright.selfplay.argument_filling import Filling, fill_arguments, fill_row_count, find_written
from turnwright.selfplay.conversation import Call, Episode
from turnwright.selfplay.offered_tools import OfferedTool, Parameter, Toolbox
from turnwright.selfplay.record_search import ANAPHOR, RecordSearch, name_record, name_subject, record_nouns
from turnwright.selfplay.spoken_values import SpokenValue
from turnwright.selfplay.steps import (
    Declined,
    NeedCalls,
    NeedConfirmation,
    NeedRest,
    NeedValues,
    NotFound,
    Outcome,
    Refused,
    Step,
)
from turnwright.selfplay.tool_choice import Ranked, drop_small_talk, rank_tools, read_verb, request_stems
from turnwright.selfplay.wanted_labels import label_fits, read_wanted
from turnwright.selfplay.words import stem

_REFUSED = re.compile(
    r"^\s*(?:no\b(?!,? (?:sorry|wait|make|it should|that should))|don't|do not|never mind|leave it|stop)", re.IGNORECASE
)
_UNNAMED = re.compile(r"\ba certain\b|\bone of the\b", re.IGNORECASE)
_REST = re.compile(r"\b(?:rest of the|other|more|further) details\b", re.IGNORECASE)
CONFIRMING = re.compile(r"\b(?:go ahead|shall i|should i|confirm|is that right|all right to)\b", re.IGNORECASE)
_BOUND_WORDS = frozenset(stem(word) for word in "min max minimum maximum least most lowest highest".split())
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

    def __post_init__(self) -> None:
        """Reads the request."""
        self.texts = self.episode.texts
        self.values = drop_corrected(self.episode.values)
        told = [drop_small_talk(self.texts[0]), *self.texts[1:]]
        self.words = request_stems(told, self.values)
        self.verb = read_verb(told)
        self.wanted = read_wanted(told)
        self.points_back = not self._naming() and bool(ANAPHOR.search(" ".join(told)))
        self.unnamed = not self._naming() and bool(_UNNAMED.search(self.episode.text))

    def run(self) -> list[Outcome]:
        """Carries the request out.

        Raises:
            Step: it cannot be finished in this reply; the exception says what is needed or what went wrong.
        """
        if self.verb == "read":
            return self._read()
        return [self._write()]

    def _naming(self) -> list[SpokenValue]:
        """Values that say which record is meant."""
        return [value for value in self.values if value.role != "new" and not value.bound]

    def _search(self) -> RecordSearch:
        return RecordSearch(self.toolbox, self.episode, self.earlier, self.words)

    # Reading -------------------------------------------------------------------------------------------------------

    def _read(self) -> list[Outcome]:
        from_context = self._answer_from_context()
        if from_context is not None:
            return [from_context]
        ranked = [item for item in self._rank() if not self._asks_for(item.tool)] or self._rank()
        if not ranked or self._is_foreign(ranked):
            raise Declined
        if self.unnamed:
            self._ask_for_name(ranked)
        outcomes: list[Outcome] = []
        needed: list[tuple[str, dict[str, Any]]] = []
        problems: list[Step] = []
        for group in self._split_values():
            try:
                outcomes.append(self._read_one(ranked, group))
            except NeedCalls as step:
                needed += [call for call in step.calls if call not in needed]
            except (NotFound, NeedValues, Declined) as step:
                problems.append(step)
        if needed:
            raise NeedCalls(needed)
        if problems and not outcomes:
            raise problems[0]
        return outcomes

    def _ask_for_name(self, ranked: list[Ranked]) -> None:
        """Asks which one is meant where the user spoke of `a certain player`."""
        for item in ranked:
            missing = [parameter for parameter in item.tool.required if not parameter.counts_rows]
            plain = [parameter for parameter in missing if not parameter.hidden]
            if missing and plain == missing and item.tool.head & self.words and not item.tool.aggregates:
                raise NeedValues(item.tool, missing)

    def _rank(self) -> list[Ranked]:
        ranked = rank_tools(self.toolbox, self.verb, self.words, self.values, self.texts, self.wanted)
        if self.verb != "read" or not self.points_back or not self.earlier:
            return ranked
        # `of that student`: tools that can be told which one come first.
        search = self._search()
        search.pool = list(search.recent_records())[:3][::-1]
        moved: list[Ranked] = []
        for item in ranked:
            known = search.fill_known(item.tool, self.values).from_records
            moved.append(Ranked(item.tool, item.score + (2.5 * known if known else -1.5), item.shared + known))
        return sorted(moved, key=lambda item: -item.score)

    def _asks_for(self, tool: OfferedTool) -> bool:
        """Whether a tool wants to be told the very thing that is asked for."""
        filled = fill_arguments(tool, self.values, self.texts)
        return any(
            parameter.words - _BOUND_WORDS <= label
            for parameter in filled.missing(tool)
            for label in self.wanted
            if not parameter.identifies
        )

    def _is_foreign(self, ranked: list[Ranked]) -> bool:
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

    def _answer_from_context(self) -> Outcome | None:
        """What is asked about `that one` and stands in a result already."""
        if not self.wanted or self.values or not self.earlier or len(self.texts) > 1 or self.episode.calls:
            return None
        if not ANAPHOR.search(self.texts[0]) and not re.match(
            r"^\W*(?:\w+[\w ,]*[.!]\s*)?(?:and|what about)\b", self.texts[0], re.IGNORECASE
        ):
            return None
        for episode in reversed(self.earlier):
            for call in reversed(episode.calls):
                tool = self.toolbox.get(call.tool)
                if tool is None or tool.verb != "read":
                    return None
                rows = self._search().pick_rows(call.rows, episode.values)
                nouns = record_nouns(tool, episode.values, self.toolbox.side_nouns)
                if len(rows) == 1 and self._covers(rows, nouns):
                    return Outcome(tool, call, rows, self.wanted, name_subject(episode.values), nouns)
            if episode.calls:
                break
        return None

    def _covers(self, rows: list[dict[str, Any]], nouns: frozenset[str]) -> bool:
        if not self.wanted or not rows:
            return True
        fitting = sum(any(label_fits(name, label, nouns) for name in rows[0]) for label in self.wanted)
        return fitting == len(self.wanted) or (len(rows) > 1 and fitting > 0)

    def _count_covered(self, outcome: Outcome) -> int:
        """How many of the labels asked for a result has."""
        first = outcome.rows[0] if outcome.rows else {}
        return sum(any(label_fits(name, label, outcome.nouns) for name in first) for label in self.wanted)

    def _target(self, values: list[SpokenValue]) -> frozenset[str]:
        """What the answer is about where that is not what is named: `continent` in `the continent of the country X`."""
        owned = frozenset(word for value in values for word in value.owned)
        return owned if any(tool.head and tool.head <= owned for tool in self.toolbox.tools) else frozenset()

    def _is_answer(self, outcome: Outcome, values: list[SpokenValue]) -> bool:
        target = self._target(values)
        if self.wanted and target and not outcome.tool.head <= target:
            return False
        return self._covers(outcome.rows, outcome.nouns)

    def _split_values(self) -> list[list[SpokenValue]]:
        """One group of values for each record asked about at once (`of X, of Y and of Z`); mostly a single group."""
        alike: dict[tuple[frozenset[str], frozenset[str], str], list[SpokenValue]] = {}
        for value in self.values:
            if not value.negated and value.label and not value.bound and value.message == 0:
                alike.setdefault((value.label, value.noun, value.role), []).append(value)
        groups = [group for group in alike.values() if 2 <= len(group) <= 5]
        if not groups:
            return [self.values]
        count = max(len(group) for group in groups)
        several = [group for group in groups if len(group) == count]
        shared = [value for value in self.values if not any(value in group for group in several)]
        return [[*values, *shared] for values in zip(*several, strict=True)]

    def _read_one(self, ranked: list[Ranked], values: list[SpokenValue]) -> Outcome:
        search = self._search()
        outcome: Outcome | None = None
        failure: Step | None = None
        for item in ranked[:3]:
            try:
                outcome = self._obtain(search, item.tool, values)
                break
            except (NotFound, NeedValues) as step:
                failure = failure or step
                if not isinstance(step, NeedValues) or item.score < ranked[0].score - 2.0 or not values:
                    break
        for _ in range(3):
            if outcome is not None and (outcome.call.error is not None or self._is_answer(outcome, values)):
                return outcome
            following = self._choose_following(search, values)
            if following is None:
                break
            tool, arguments = following
            call = search.call(tool, arguments)
            rows = search.pick_rows(call.rows, values)
            if not rows:
                continue
            # What holds a named value comes first when identifiers are taken from records.
            search.pool.insert(len(search.pool) if search.holds_named(rows[0], values) else 0, (tool, rows[0]))
            nouns = record_nouns(tool, values, self.toolbox.side_nouns)
            if outcome is not None and len(outcome.rows) == 1 and len(rows) == 1 and not self._target(values):
                rows, nouns = [outcome.rows[0] | rows[0]], nouns | outcome.nouns
            found = Outcome(tool, call, rows, self.wanted, name_subject(values), nouns)
            if outcome is None or self._count_covered(found) > self._count_covered(outcome) or self._is_answer(found, values):
                outcome = found
        if outcome is not None:
            return outcome
        raise failure or Declined()

    def _choose_following(
        self, search: RecordSearch, values: list[SpokenValue]
    ) -> tuple[OfferedTool, dict[str, Any]] | None:
        """Another read tool that can complete the answer from what is known now."""
        labels = frozenset(word for label in self.wanted for word in label)
        nouns = frozenset(word for value in values for word in value.noun) or self.words
        best: tuple[float, OfferedTool, dict[str, Any]] | None = None
        for tool in self.toolbox.tools:
            if tool.verb != "read" or tool.name in search.run or not tool.required:
                continue
            filling = search.fill_known(tool, values)
            keyed = any(item.identifies and item.name in filling.arguments for item in tool.required)
            if filling.missing(tool) or not (filling.used or keyed):
                continue
            score = 1.0 * keyed + sum(self.toolbox.weight(word) for word in (labels | self.words) & tool.words)
            score += 2.0 if tool.head <= (self._target(values) or nouns) else -0.5
            score -= 3.0 if tool.aggregates else 0.0
            score += filling.strength - 0.3 * len(tool.name_words - self.words)
            if score > 1.0 and (best is None or score > best[0] + 1e-9):
                best = (score, tool, filling.arguments)
        return (best[1], best[2]) if best is not None else None

    def _obtain(self, search: RecordSearch, tool: OfferedTool, values: list[SpokenValue]) -> Outcome:
        filling = self._complete(search, tool, values)
        call = search.call(tool, filling.arguments)
        rows = call.rows
        used = {value.folded for value in filling.used.values()}
        rest = [value for value in values if value.folded not in used]
        if len(rows) > 1 and (rest or self.wanted or tool.name.startswith(("search", "find"))):
            picked = search.pick_rows(rows, values)
            rows = picked if self.wanted or len(picked) == 1 or rest else rows
        if len(rows) == 1:
            search.pool.append((tool, rows[0]))
        return Outcome(tool, call, rows, self.wanted, name_subject(values), record_nouns(tool, values, self.toolbox.side_nouns))

    def _complete(self, search: RecordSearch, tool: OfferedTool, values: list[SpokenValue]) -> Filling:
        """All arguments of a call, identifiers looked up. What only the user knows is asked for first.

        Raises:
            Step: something is missing.
        """
        filling = fill_arguments(tool, values, self.texts)
        fill_row_count(tool, filling, values)
        for parameter in filling.missing(tool):
            if tool.verb == "read" and not parameter.identifies and (value := self._from_records(search, parameter, values)) is not None:
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

    # Writing -------------------------------------------------------------------------------------------------------

    def _write(self) -> Outcome:
        if len(self.texts) > 1 and _REFUSED.match(self.texts[-1]) and self.episode.questions:
            raise Refused
        ranked = self._rank()
        if not ranked or ranked[0].shared < 0.5 or self._is_foreign(ranked):
            raise Declined
        tool = ranked[0].tool
        if len(self.texts) == 1 and _REST.search(self.texts[0]):
            raise NeedRest
        search = self._search()
        filling = self._complete(search, tool, self.values)
        subject = self._name_written(search, tool, filling)
        asked = any(CONFIRMING.search(question) for question in self.episode.questions)
        made = any(call.tool == tool.name and call.arguments == filling.arguments for call in self.episode.calls)
        if not asked and not made and (self.confirm_writes or tool.verb == "delete"):
            raise NeedConfirmation(tool, filling.arguments, subject)
        call = search.call(tool, filling.arguments)
        check = None
        if self.look_after_writes and call.error is None and tool.verb == "update":
            check = self._look_after(tool, filling.arguments)
        return Outcome(tool, call, call.rows, (), subject, record_nouns(tool, self.values, self.toolbox.side_nouns), check)

    def _name_written(self, search: RecordSearch, tool: OfferedTool, filling: Filling) -> str:
        """What people call the record that is changed: as the user did, where that names the record itself."""
        used = {value.key for value in filling.used.values()}
        free = [value for value in self.values if value.key not in used]
        named = name_subject([value for value in free if value.noun & tool.name_words])
        if named:
            return named
        keys = [
            parameter for parameter in tool.parameters if parameter.name in filling.arguments and parameter.identifies
        ]
        for source, row in reversed(search.pool):
            told = name_record(row, tool.name_words)
            if told and any(search.read_field(parameter, source, row) is not None for parameter in keys):
                return told
        return name_subject(free)

    def _look_after(self, tool: OfferedTool, arguments: dict[str, Any]) -> Call | None:
        """A look at the changed record, where a tool shows it by the same identifiers.

        Raises:
            NeedCalls: it has not been made since the change.
        """
        keys = {parameter.name for parameter in tool.parameters if parameter.identifies and parameter.name in arguments}
        for other in self.toolbox.tools:
            names = {parameter.name for parameter in other.required}
            if other.verb == "read" and names and names <= keys and other.name.startswith("get"):
                return self._call_after(other, {name: arguments[name] for name in sorted(names)})
        return None

    def _call_after(self, tool: OfferedTool, arguments: dict[str, Any]) -> Call:
        since: list[Call] = []
        for call in self.episode.calls:
            owner = self.toolbox.get(call.tool)
            since = [] if owner is not None and owner.verb != "read" else [*since, call]
        for call in since:
            if call.tool == tool.name and call.arguments == arguments:
                return call
        raise NeedCalls([(tool.name, arguments)])


def drop_corrected(values: list[SpokenValue]) -> list[SpokenValue]:
    """The values without those taken back: `make it 5 instead of 3` also drops the 3 said before."""
    taken_back = {value.folded: value.key for value in values if value.negated}
    return [
        value
        for value in values
        if not value.negated and not (value.folded in taken_back and value.key < taken_back[value.folded])
    ]
