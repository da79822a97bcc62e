"""Carrying out a request to be told something."""

import re
from dataclasses import replace
from typing import Any

from turnwright.selfplay.argument_filling import fill_arguments
from turnwright.selfplay.offered_tools import OfferedTool
from turnwright.selfplay.pursuit import Pursuit
from turnwright.selfplay.reach import GENERIC, name_unlisted
from turnwright.selfplay.record_names import name_subject, record_nouns
from turnwright.selfplay.record_search import ANAPHOR, RecordSearch, list_alike
from turnwright.selfplay.spoken_values import SpokenValue
from turnwright.selfplay.steps import Declined, NeedCalls, NeedValues, NotFound, Outcome, Step, Unclear
from turnwright.selfplay.tool_choice import Ranked, read_listed, weigh_direction
from turnwright.selfplay.wanted_labels import DIRECTIONS, label_fits, rate_fit
from turnwright.selfplay.words import split_name, stem, stems

_BOUND_WORDS = frozenset(stem(word) for word in "min max minimum maximum least most lowest highest".split())

_CHAIN = re.compile(
    r"\bof (?:the|that) (?P<owner>[^,.;:?!]+?)(?: (?:with|whose|named) (?:the )?[^,.;:?!]+?)? "
    r"of (?:the|that) (?P<named>[^,.;:?!]+?)(?: (?:with|whose|named|called)\b| (?=(?-i:[\"“A-ZÀ-Ý])))",
    re.IGNORECASE,
)
"""One thing that belongs to another, which is the one that is named."""
_LIMITING = frozenset({"only", "first"})
_LONGEST_LABEL = 4
_LEAST_FIT = 0.34
"""Least likeness of a label and a field's name for the field to be told as the answer."""


class Reading(Pursuit):
    """A request to be told something."""

    def run(self) -> list[Outcome]:
        """Carries the request out.

        Raises:
            Step: it cannot be finished in this reply; the exception says what is needed or what went wrong.
        """
        from_context = self._answer_from_context()
        if from_context is not None:
            return [from_context]
        ranked = [item for item in self.rank() if not self._asks_for(item.tool)] or self.rank()
        if not ranked or self.is_foreign(ranked):
            raise Declined
        if self.unnamed:
            self._ask_for_name(ranked)
        outcomes: list[Outcome] = []
        needed: list[tuple[str, dict[str, Any]]] = []
        problems: list[Step] = []
        for group in self._split_values():
            try:
                outcomes.append(self._add_beside(self._read_one(ranked, group), group))
            except NeedCalls as step:
                needed += [call for call in step.calls if call not in needed]
            except (NotFound, NeedValues, Declined) as step:
                problems.append(step)
        if needed:
            raise NeedCalls(needed)
        if problems and not outcomes:
            raise problems[0]
        return outcomes

    def find_unshown(self, outcomes: list[Outcome]) -> list[str]:
        """What is asked for and in no result, in the user's words: not one telling word of it is in a field's name."""
        if not self.wanted:
            return name_unlisted(self.texts[0], outcomes, self.episode.calls, self.toolbox)
        rows = [row for outcome in outcomes for row in outcome.rows[:1]]
        if len(rows) != 1 or any(outcome.call.error is not None for outcome in outcomes):
            return []
        names = {stem(word) for row in rows for name in row for word in split_name(name)}
        names |= {stem(word) for outcome in outcomes for name, _ in outcome.beside for word in split_name(name)}
        nouns = frozenset(word for outcome in outcomes for word in outcome.nouns) - self.toolbox.side_nouns
        said = re.findall(r"\w+", self.texts[0])
        unshown: list[str] = []
        for label in self.wanted:
            telling = label - nouns - GENERIC
            if len(label) > _LONGEST_LABEL or label & _LIMITING:
                continue
            rows_named = [name for row in rows for name in row] + [name for o in outcomes for name, _ in o.beside]
            fits = any(label_fits(name, label, nouns) or rate_fit(name, label) >= _LEAST_FIT for name in rows_named)
            if telling and (not telling & names or not fits):
                unshown.append(" ".join(dict.fromkeys(word for word in said if stem(word.lower()) in label)))
        return unshown

    def _add_beside(self, outcome: Outcome, values: list[SpokenValue]) -> Outcome:
        """The outcome with what other results of this request say about labels that its own record leaves open."""
        if len(outcome.rows) > 1 or outcome.call.error is not None:
            return outcome
        search = self.search()
        own = outcome.rows[0] if outcome.rows else {}
        beside: dict[str, Any] = {}
        for label in self.wanted:
            if any(label_fits(name, label, outcome.nouns) for name in own):
                continue
            fits = [
                (rate_fit(name, label), number, name, value)
                for number, call in enumerate(self.episode.calls)
                for row in search.pick_rows(call.rows, values)[:1]
                if call.error is None
                for name, value in row.items()
                if not isinstance(value, dict | list) and value is not None
            ]
            rate, _, name, value = max(fits, key=lambda fit: fit[:2], default=(0.0, 0, "", None))
            if rate >= _LEAST_FIT and own.get(name) != value:
                beside[name] = value
        return replace(outcome, beside=tuple(beside.items()))

    def _ask_for_name(self, ranked: list[Ranked]) -> None:
        """Asks which one is meant where the user spoke of `a certain player`."""
        about = [item.tool for item in ranked if item.tool.head & self.words and not item.tool.aggregates]
        needs = [(tool, [parameter for parameter in tool.required if not parameter.counts_rows]) for tool in about]
        # A name is easier to give than a code.
        for tool, missing in needs:
            if missing and not any(parameter.identifies for parameter in missing):
                raise NeedValues(tool, missing)
        for tool, missing in needs:
            if missing and not any(parameter.hidden for parameter in missing):
                raise NeedValues(tool, missing)

    def _asks_for(self, tool: OfferedTool) -> bool:
        """Whether a tool wants to be told the very thing that is asked for."""
        filled = fill_arguments(tool, self.values, self.texts)
        return any(
            parameter.words - _BOUND_WORDS <= label
            for parameter in filled.missing(tool)
            for label in self.wanted
            if not parameter.identifies
        )

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
                rows = self.search().pick_rows(call.rows, episode.values)
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

    def _target(self, values: list[SpokenValue]) -> frozenset[frozenset[str]]:
        """What the answer can be about where that is not what is named, as heads of tools.

        It is `continent` in `the continent of the country X`.
        """
        heads = {tool.head for tool in self.toolbox.tools if tool.verb == "read" and tool.head}
        owned = {head for head in heads for value in values if head <= value.owned and not head <= value.noun}
        if owned:
            return frozenset(owned)
        if self.wanted:
            return self._owner(heads)
        listed = read_listed(self.toolbox, self.texts[0])
        if listed:
            return frozenset({listed})
        # `the status codes of the orders of the customer X`: the orders, said last before the customer.
        chain = [
            (max(value.before.index(word) for word in head), sorted(head))
            for value in values
            for head in heads
            if head <= frozenset(value.before) and not head & value.noun
        ]
        return frozenset({frozenset(min(chain)[1])}) if chain else frozenset()

    def _owner(self, heads: set[frozenset[str]]) -> frozenset[frozenset[str]]:
        """Whose values are asked for where that is not what is named, with the labels themselves.

        `the course name of the student of the person X`: the student's or the course's, not the person's.
        """
        chain = _CHAIN.search(self.texts[0])
        if chain is None:
            return frozenset()
        owner, named = frozenset(stems(chain.group("owner"))), frozenset(stems(chain.group("named")))
        # The `from club name` of a transfer is the transfer's: no club by itself says which of its clubs it is.
        labels = frozenset[str]().union(*(label for label in self.wanted if not label & DIRECTIONS))
        return frozenset(head for head in heads if head <= owner | labels and not head <= named)

    def _is_answer(self, outcome: Outcome, values: list[SpokenValue]) -> bool:
        target = self._target(values)
        if target and not outcome.tool.aggregates and outcome.tool.head not in target:
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
        search = self.search()
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
            if outcome is not None and (alike := list_alike(outcome.rows, values)):
                raise Unclear(alike)
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
            target = self._target(values)
            nearer = found.tool.head in target and not (outcome and outcome.tool.head in target)
            if (
                outcome is None
                or nearer
                or self._count_covered(found) > self._count_covered(outcome)
                or self._is_answer(found, values)
            ):
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
        target = self._target(values)
        best: tuple[float, OfferedTool, dict[str, Any]] | None = None
        for tool in self.toolbox.tools:
            if tool.verb != "read" or tool.name in search.run or not tool.required:
                continue
            filling = search.fill_known(tool, values)
            keyed = any(item.identifies and item.name in filling.arguments for item in tool.required)
            if filling.missing(tool) or not (filling.used or keyed):
                continue
            score = 1.0 * keyed + sum(self.toolbox.weight(word) for word in (labels | self.words) & tool.words)
            score += 2.0 if (tool.head in target if target else tool.head <= nouns) else -0.5
            score -= 3.0 if tool.aggregates else 0.0
            score += weigh_direction(tool, self.texts[0])
            score += filling.strength - 0.3 * len(tool.name_words - self.words)
            if score > 1.0 and (best is None or score > best[0] + 1e-9):
                best = (score, tool, filling.arguments)
        return (best[1], best[2]) if best is not None else None

    def _obtain(self, search: RecordSearch, tool: OfferedTool, values: list[SpokenValue]) -> Outcome:
        filling = self.complete(search, tool, values)
        call = search.call(tool, filling.arguments)
        rows = call.rows
        used = {value.folded for value in filling.used.values()}
        rest = [value for value in values if value.folded not in used]
        if len(rows) > 1 and (rest or self.wanted or tool.name.startswith(("search", "find"))):
            picked = search.pick_rows(rows, values)
            rows = picked if self.wanted or len(picked) == 1 or rest else rows
        if len(rows) == 1:
            search.pool.append((tool, rows[0]))
        return Outcome(
            tool, call, rows, self.wanted, name_subject(values), record_nouns(tool, values, self.toolbox.side_nouns)
        )
