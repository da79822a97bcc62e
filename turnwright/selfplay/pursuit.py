"""From one request to the next step: call tools, ask back, or report.

A pursuit runs from the start of the request each time. A call that was made before gives its recorded result; the
first call that was not made yet ends the run as the next step. So the conversation alone is the state.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from turnwright.selfplay.argument_filling import (
    Filling,
    convert_value,
    fill_arguments,
    fill_row_count,
    score_label,
)
from turnwright.selfplay.conversation import TRANSIENT, Call, Episode, write_arguments
from turnwright.selfplay.offered_tools import OfferedTool, Parameter, Toolbox
from turnwright.selfplay.spoken_values import SpokenValue, read_values
from turnwright.selfplay.tool_choice import rank_tools, read_verb, request_stems
from turnwright.selfplay.words import all_stems, fold, name_fits, split_name, squeeze, stem

_ANAPHOR = re.compile(
    r"\b(?:that|this|the same|those|these|it|its|their|them|they|his|her|him|she|he|the first one|the one|there)\b",
    re.IGNORECASE,
)
_WANTED = re.compile(
    r"(?:\b(?:find out|know|tell me|what(?:'s|’s| is| are| was| were)|give me|look(?:ing)? up|see|check|need|get|looking for|"
    r"find|remind me(?: of)?|about|and|also|with|me|confirm)\s+)"
    r"(?P<labels>(?:(?:the|its|their|his|her|whose)\s+)[^.?!\n]{2,120}?)(?=\s+(?:of|for|on|from)\b|\s+(?:is|are)\b|[?!]|\.(?:\s|$)|\n|$|,? please)",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"(?:[’']s|s[’'])\s+(?P<labels>[a-z][^.?!\n]{2,80}?)(?=\s*(?:[?!.\n]|$|,? please| and (?:what|who|when)))")
_REFUSED = re.compile(r"^\s*(?:no\b(?!,? (?:sorry|wait|make|it should|that should))|don't|do not|never mind|leave it|stop)", re.IGNORECASE)
CONFIRMING = re.compile(r"\b(?:go ahead|shall i|should i|confirm|is that right|all right to)\b", re.IGNORECASE)
_MOST_LOOKUPS = 4


class Step(Exception):
    """Why a pursuit cannot go on in this reply."""


@dataclass
class NeedCalls(Step):
    """These calls have to be made next."""

    calls: list[tuple[str, dict[str, Any]]]


@dataclass
class NeedValues(Step):
    """Only the user can say these."""

    tool: OfferedTool
    parameters: list[Parameter]


@dataclass
class NeedConfirmation(Step):
    """The user has to agree to this change first."""

    tool: OfferedTool
    arguments: dict[str, Any]
    subject: str


@dataclass
class NotFound(Step):
    """A record that the request names is not there."""

    subject: str
    failed: Call | None = None


@dataclass
class Declined(Step):
    """No tool does this."""


@dataclass
class Refused(Step):
    """The user took the request back."""


@dataclass(frozen=True)
class Outcome:
    """A request carried out, or as far as it got."""

    tool: OfferedTool
    call: Call
    rows: list[dict[str, Any]]
    """Records that answer it."""
    wanted: tuple[frozenset[str], ...]
    """Labels asked for, as sets of stems; empty where the whole record is meant."""
    subject: str
    """What the person named, in their words; may be empty."""
    check: Call | None = None
    """A look at the record after a change."""


@dataclass
class Pursuit:
    """One request and everything that is known when it is worked on."""

    toolbox: Toolbox
    episode: Episode
    earlier: list[Episode]
    confirm_writes: bool
    """Whether changes are confirmed with the user before they are made; deletions always are."""
    look_after_writes: bool
    made: dict[tuple[str, str], list[Call]] = field(default_factory=dict[tuple[str, str], list[Call]])
    pool: list[tuple[OfferedTool | None, dict[str, Any]]] = field(
        default_factory=list[tuple[OfferedTool | None, dict[str, Any]]]
    )
    """Records that this run has chosen, oldest first."""
    lookups: int = 0

    def __post_init__(self) -> None:
        """Reads the request."""
        self.texts = self.episode.texts
        for call in self.episode.calls:
            self.made.setdefault((call.tool, write_arguments(call.arguments)), []).append(call)
        self.values: list[SpokenValue] = [
            value for number, text in enumerate(self.texts) for value in read_values(text, number)
        ]
        self._drop_corrected()
        self.words = request_stems(self.texts, self.values)
        self.verb = read_verb(self.texts)
        self.folded = fold(self.episode.text)

    def _drop_corrected(self) -> None:
        """`make it 5 instead of 3`: the 3 said before is not wanted any more, either."""
        unwanted = {value.folded for value in self.values if value.negated}
        last = {value.folded for value in self.values if not value.negated}
        gone = unwanted - ({value.folded for value in self.values[-1:] if not value.negated} & last)
        self.values = [value for value in self.values if value.folded not in gone]

    # Calls ---------------------------------------------------------------------------------------------------------

    def call(self, tool: OfferedTool, arguments: dict[str, Any]) -> Call:
        """The recorded result of a call; a transient error is tried once more.

        Raises:
            NeedCalls: it has not been made yet.
        """
        made = self.made.get((tool.name, write_arguments(arguments)), [])
        if not made:
            raise NeedCalls([(tool.name, arguments)])
        if made[0].error in TRANSIENT:
            tries = 2 + sum(1 for text in self.texts[1:] if re.search(r"\b(?:try|again|retry)\b", text, re.IGNORECASE))
            good = next((call for call in made if call.error not in TRANSIENT), None)
            if good is not None:
                return good
            if len(made) < tries:
                raise NeedCalls([(tool.name, arguments)])
        return made[-1]

    # Records -------------------------------------------------------------------------------------------------------

    def pick_rows(self, rows: Sequence[dict[str, Any]], values: Sequence[SpokenValue]) -> list[dict[str, Any]]:
        """The records that hold the most of the values named."""
        named = {value.folded for value in values}
        if len(rows) <= 1:
            return list(rows)
        scores = [sum(1 for item in row.values() if item is not None and fold(str(item)).strip() in named) for row in rows]
        best = max(scores)
        return [row for row, score in zip(rows, scores, strict=True) if score == best]

    def _known(self, values: Sequence[SpokenValue]) -> Iterator[tuple[OfferedTool | None, dict[str, Any]]]:
        """Records that may be meant, most likely first: of this request, then earlier ones that it points at."""
        yield from reversed(self.pool)
        named = {value.folded for value in values if not value.negated and value.kind != "number"}
        rows = [
            (self.toolbox.get(call.tool), row)
            for episode in reversed(self.earlier)
            for call in reversed(episode.calls)
            for row in call.rows
        ]
        for tool, row in rows:
            if named & {fold(str(item)).strip() for item in row.values()}:
                yield tool, row
        if not named and _ANAPHOR.search(self.episode.text):
            for episode in reversed(self.earlier):
                for call in reversed(episode.calls):
                    if len(call.rows) == 1:
                        yield self.toolbox.get(call.tool), call.rows[0]
                    merged = dict(call.arguments)
                    if isinstance(call.result, dict):
                        merged |= call.result.get("inserted") or {}  # pyright: ignore
                    yield self.toolbox.get(call.tool), merged

    def _field_for(self, parameter: Parameter, tool: OfferedTool | None, row: dict[str, Any]) -> Any:
        """The value in a record that a parameter means, or none."""
        wanted = parameter.squeezed
        for name, value in row.items():
            if squeeze(name) == wanted and value is not None:
                about = tool is None or len(wanted) > 3 or self._is_about(tool, parameter)
                if about:
                    return value
        for name, value in row.items():
            own = squeeze(name)
            if value is None or isinstance(value, dict | list):
                continue
            if own in {"id", "nr", "code", "key"} and wanted.endswith(own) and tool is not None:
                entity = {stem(word) for word in split_name(parameter.name)} - {own}
                if entity and entity & tool.name_words:
                    return value
            if len(own) > 3 and len(wanted) > 3 and (wanted.endswith(own) or own.endswith(wanted)):
                return value
        return None

    def _is_about(self, tool: OfferedTool, parameter: Parameter) -> bool:
        """Whether a bare `id` of this tool's records can be the one meant: the request speaks of the same thing."""
        return bool(tool.name_words & (self.words | parameter.described))

    def resolve(self, parameter: Parameter, owner: OfferedTool, values: Sequence[SpokenValue]) -> Any:
        """The identifier that `owner` needs, out of known records or by looking the record up; none where it cannot be.

        Raises:
            NeedCalls: a look-up has to be made first.
            NotFound: the look-up found nothing.
        """
        for tool, row in self._known(values):
            value = self._field_for(parameter, tool, row)
            if value is not None:
                return convert_value(parameter, str(value)) if parameter.kind != "string" else str(value)
        empty: Call | None = None
        tried: set[str] = set()
        while self.lookups < _MOST_LOOKUPS:
            lookup = self._choose_lookup(parameter, owner, values, tried)
            if lookup is None:
                break
            tool, arguments = lookup
            tried.add(tool.name)
            self.lookups += 1
            call = self.call(tool, arguments)
            rows = self.pick_rows(call.rows, values)
            if not rows:
                empty = call
                continue
            self.pool.append((tool, rows[0]))
            value = self._field_for(parameter, tool, rows[0])
            if value is not None:
                return convert_value(parameter, str(value)) if parameter.kind != "string" else str(value)
        if empty is not None:
            raise NotFound(self.name_subject(values), empty)
        return None

    def _choose_lookup(
        self, parameter: Parameter, owner: OfferedTool, values: Sequence[SpokenValue], tried: set[str]
    ) -> tuple[OfferedTool, dict[str, Any]] | None:
        """The read tool that most likely gives the record of a parameter, with its arguments."""
        entity = frozenset(stem(word) for word in split_name(parameter.name)) - {"id", "nr", "code", "key", "numb"}
        entity = entity or owner.name_words
        best: tuple[float, OfferedTool, dict[str, Any]] | None = None
        for tool in self.toolbox.tools:
            if tool.verb != "read" or tool.name in tried or tool.name == owner.name:
                continue
            filling = self.fill_known(tool, values)
            if filling.missing(tool) or (not tool.parameters and len(tool.name_words) == 0):
                continue
            nouns = {word for value in filling.used.values() for word in value.before[:4]}
            score = 3.0 * len(entity & tool.name_words) / max(1, len(entity))
            score += 1.2 * len(nouns & tool.name_words) + filling.strength
            score += 0.5 if filling.used else -0.8
            score -= 0.25 * len(tool.name_words - entity - nouns)
            score -= 1.5 if tool.name.startswith(("count", "calculate", "compare", "average")) else 0.0
            if score > 0.6 and (best is None or score > best[0] + 1e-9):
                best = (score, tool, filling.arguments)
        return (best[1], best[2]) if best is not None else None

    def fill_known(self, tool: OfferedTool, values: Sequence[SpokenValue]) -> Filling:
        """Arguments from the user's words and from records chosen in this run; nothing is called for them."""
        filling = fill_arguments(tool, values, self.texts)
        for parameter in filling.missing(tool):
            if parameter.counts_rows:
                continue
            for source, row in reversed(self.pool):
                value = self._field_for(parameter, source, row) if parameter.identifies else None
                if value is not None:
                    filling.arguments[parameter.name] = value
                    filling.strength += 0.5
                    break
        fill_row_count(tool, filling, values)
        return filling

    def name_subject(self, values: Sequence[SpokenValue]) -> str:
        """The name of what the request is about, as the user gave it."""
        texts = [value for value in values if value.kind in ("text", "code") and not value.target]
        named = [value for value in texts if value.before[:1] == ("name",) or "name" in value.before[:2]]
        chosen = named or texts
        return chosen[0].text if chosen else ""

    # The request ---------------------------------------------------------------------------------------------------

    def wanted_labels(self) -> tuple[frozenset[str], ...]:
        """The labels asked for (`the age and the home town of …`), each as a set of stems."""
        found: list[frozenset[str]] = []
        for text in self.texts:
            for match in [*_WANTED.finditer(text), *_POSSESSIVE.finditer(text)]:
                for part in re.split(r",\s*|\band\b", match.group("labels")):
                    words = frozenset(word for word in all_stems(part) if word not in {"the", "it", "their", "his", "her", "whose", "is"})
                    if words and len(words) <= 6:
                        found.append(words)
        return tuple(dict.fromkeys(found))

    def run(self) -> list[Outcome]:
        """Carries the request out.

        Raises:
            Step: it cannot be carried out in this reply; the exception says what is needed or what went wrong.
        """
        if self.verb == "read":
            return self._read()
        return [self._write()]

    def _read(self) -> list[Outcome]:
        ranked = rank_tools(self.toolbox, "read", self.words, self.values, self.texts)
        if not ranked:
            raise Declined
        told = sum(1 for word in self.words if self.toolbox.weight(word) > 0)
        fillable = [item for item in ranked if not fill_arguments(item.tool, self.values, self.texts).missing(item.tool)]
        if max(item.shared for item in ranked[:3]) < 0.5 or (told < 0.34 * len(self.words) and not (fillable and self.values)):
            raise Declined
        best = ranked[0]
        groups = self._split_values(best.tool)
        outcomes: list[Outcome] = []
        needed: list[tuple[str, dict[str, Any]]] = []
        problems: list[Step] = []
        for group in groups:
            self.pool, self.lookups = [], 0
            try:
                outcomes.append(self._read_one([item.tool for item in ranked[:6]], group))
            except NeedCalls as step:
                needed += [call for call in step.calls if call not in needed]
            except NotFound as step:
                problems.append(step)
        if needed:
            raise NeedCalls(needed)
        if problems and not outcomes:
            raise problems[0]
        return outcomes

    def _split_values(self, tool: OfferedTool) -> list[list[SpokenValue]]:
        """One group of values for each record asked about at once (`of X, of Y and of Z`); mostly a single group."""
        alike: dict[tuple[str, ...], list[SpokenValue]] = {}
        for value in self.values:
            if value.negated or value.message > 0 or not value.before:
                continue
            key = tuple(word for word in value.before if word not in {"and", "of", "the", "then"})[:4]
            if key:
                alike.setdefault(key, []).append(value)
        groups = [group for group in alike.values() if 2 <= len(group) <= 5]
        if not groups or tool.verb != "read":
            return [self.values]
        several = max(groups, key=len)
        shared = [value for value in self.values if value not in several]
        return [[value, *shared] for value in several]

    def _read_one(self, tools: list[OfferedTool], values: list[SpokenValue]) -> Outcome:
        wanted = self.wanted_labels()
        subject = self.name_subject(values)
        outcome: Outcome | None = None
        failure: Step | None = None
        tool = tools[0]
        try:
            outcome = self._obtain(tool, values, wanted, subject)
        except (NotFound, NeedValues) as step:
            failure = step
        for _ in range(3):
            if outcome is not None and (outcome.call.error is not None or self._covers(outcome.rows, wanted)):
                return outcome
            following = self._choose_following(wanted, values, outcome)
            if following is None:
                break
            tool, arguments = following
            call = self.call(tool, arguments)
            rows = self.pick_rows(call.rows, values)
            self.tried.add(tool.name)
            if rows:
                self.pool.append((tool, rows[0]))
                merged = rows
                if outcome is not None and len(rows) == 1 and len(outcome.rows) == 1:
                    merged = [outcome.rows[0] | rows[0]]
                outcome = Outcome(tool, call, merged, wanted, subject)
        if outcome is not None:
            return outcome
        raise failure or Declined()

    tried: set[str] = field(default_factory=set[str])

    def _covers(self, rows: list[dict[str, Any]], wanted: tuple[frozenset[str], ...]) -> bool:
        if not wanted or not rows or len(rows) > 1:
            return True
        return all(any(label_fits(name, label, self.words) for name in rows[0]) for label in wanted)

    def _choose_following(
        self, wanted: tuple[frozenset[str], ...], values: list[SpokenValue], outcome: Outcome | None
    ) -> tuple[OfferedTool, dict[str, Any]] | None:
        """Another read tool that can complete the answer from what is known now."""
        done = {*self.tried, *([outcome.tool.name] if outcome is not None else [])}
        labels = frozenset(word for label in wanted for word in label)
        best: tuple[float, OfferedTool, dict[str, Any]] | None = None
        for tool in self.toolbox.tools:
            if tool.verb != "read" or tool.name in done or not tool.required:
                continue
            filling = self.fill_known(tool, values)
            if filling.missing(tool) or (tool.name, write_arguments(filling.arguments)) in self._run:
                continue
            score = sum(self.toolbox.weight(word) for word in (labels | self.words) & tool.words)
            score += 0.6 * len(labels & tool.words) + filling.strength
            score -= 0.3 * len(tool.name_words - self.words)
            if score > 1.0 and (best is None or score > best[0] + 1e-9):
                best = (score, tool, filling.arguments)
        return (best[1], best[2]) if best is not None else None

    _run: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def _obtain(
        self, tool: OfferedTool, values: list[SpokenValue], wanted: tuple[frozenset[str], ...], subject: str
    ) -> Outcome:
        filling = self._complete(tool, values)
        call = self.call(tool, filling.arguments)
        rows = call.rows
        used = {value.folded for value in filling.used.values()}
        rest = [value for value in values if value.folded not in used]
        if len(rows) > 1 and (wanted or len(filling.used) > 0) and tool.name.startswith(("search", "find", "get")):
            rows = self.pick_rows(rows, values) if rest or subject else rows
        if len(rows) == 1:
            self.pool.append((tool, rows[0]))
        return Outcome(tool, call, rows, wanted, subject)

    def _complete(self, tool: OfferedTool, values: list[SpokenValue]) -> Filling:
        """All arguments of a call, identifiers looked up.

        Raises:
            Step: something is missing.
        """
        filling = fill_arguments(tool, values, self.texts)
        fill_row_count(tool, filling, values)
        for parameter in filling.missing(tool):
            if parameter.identifies:
                used = {id(value) for value in filling.used.values()}
                free = [value for value in values if id(value) not in used]
                value = self.resolve(parameter, tool, free)
                if value is not None:
                    filling.arguments[parameter.name] = value
                    continue
            elif (value := self._from_records(parameter, values)) is not None:
                filling.arguments[parameter.name] = value
        missing = filling.missing(tool)
        if missing:
            raise NeedValues(tool, missing)
        ordered = {parameter.name: filling.arguments[parameter.name] for parameter in tool.parameters if parameter.name in filling.arguments}
        filling.arguments = ordered
        return filling

    def _from_records(self, parameter: Parameter, values: list[SpokenValue]) -> Any:
        """A value that the request points at without saying it (`in the same country`)."""
        if not _ANAPHOR.search(self.episode.text):
            return None
        for _, row in self._known(values):
            for name, value in row.items():
                if squeeze(name) == parameter.squeezed and value is not None:
                    return value if parameter.kind != "string" else str(value)
        return None

    def _write(self) -> Outcome:
        if len(self.texts) > 1 and _REFUSED.match(self.texts[-1]) and self.episode.questions:
            raise Refused
        ranked = rank_tools(self.toolbox, self.verb, self.words, self.values, self.texts)
        if not ranked or ranked[0].shared < 0.5:
            raise Declined
        tool = ranked[0].tool
        filling = self._complete(tool, self.values)
        subject = self.name_subject([value for value in self.values if value not in filling.used.values()] or self.values)
        asked = any(CONFIRMING.search(question) for question in self.episode.questions)
        made = self.made.get((tool.name, write_arguments(filling.arguments)))
        if not asked and not made and (self.confirm_writes or tool.verb == "delete"):
            raise NeedConfirmation(tool, filling.arguments, subject)
        call = self.call(tool, filling.arguments)
        check = None
        if self.look_after_writes and call.error is None and tool.verb == "update":
            check = self._look_after(tool, filling.arguments)
        return Outcome(tool, call, call.rows, (), subject, check)

    def _look_after(self, tool: OfferedTool, arguments: dict[str, Any]) -> Call | None:
        """A look at the changed record, where a tool shows it by the same identifiers."""
        keys = {parameter.name for parameter in tool.parameters if parameter.identifies}
        for other in self.toolbox.tools:
            names = {parameter.name for parameter in other.required}
            if other.verb == "read" and names and names <= keys and other.name.startswith("get"):
                return self.call_after(other, {name: arguments[name] for name in names if name in arguments})
        return None

    def call_after(self, tool: OfferedTool, arguments: dict[str, Any]) -> Call:
        """The result of a call made after the last change of this request; one made before shows the old state.

        Raises:
            NeedCalls: it has not been made since.
        """
        since: list[Call] = []
        for call in self.episode.calls:
            owner = self.toolbox.get(call.tool)
            if owner is not None and owner.verb != "read":
                since = []
            else:
                since.append(call)
        for call in since:
            if call.tool == tool.name and call.arguments == arguments:
                return call
        raise NeedCalls([(tool.name, arguments)])


def label_fits(name: str, label: frozenset[str], words: frozenset[str]) -> bool:
    """Whether a field can be what a label of the request means; words around the label may complete the field's name."""
    return name_fits(name, label, words) or squeeze(name) == "".join(sorted(label)) or bool(
        {stem(word) for word in split_name(name)} >= label
    )


__all__ = ["score_label"]
