"""Records that a request is about: known from earlier results, or looked up through other tools."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from turnwright.selfplay.argument_filling import Filling, fill_arguments, fill_row_count
from turnwright.selfplay.conversation import TRANSIENT, Call, Episode
from turnwright.selfplay.offered_tools import OfferedTool, Parameter, Toolbox
from turnwright.selfplay.record_fields import read_field, type_value
from turnwright.selfplay.record_names import name_subject
from turnwright.selfplay.spoken_values import SpokenValue
from turnwright.selfplay.steps import NeedCalls, NeedValues, NotFound, Unclear
from turnwright.selfplay.words import fold, say_value, split_name, stem

ANAPHOR = re.compile(
    r"\b(?:of|for|about|to|on|from|with)\s+(?:that|this|those|these|it|them|him|her|the same)\b|\bthat one\b|"
    r"\bthe same\b"
    r"|\b(?:its|their|his|her)\s+\w+|\bthere(?=\s*[?,])|\b(?:remove|delete|change|update)\s+(?:it|that|this|them)\b",
    re.IGNORECASE,
)
_RETRY = re.compile(r"\b(?:try|trying|retry|give it another)\b", re.IGNORECASE)
_MOST_LOOKUPS = 5
_NAMES = frozenset(stem(word) for word in "name title first last text query".split())
_COUNTING = ("count", "calculate", "compare", "average", "rank", "summarize")

Record = tuple[OfferedTool | None, dict[str, Any]]


@dataclass
class RecordSearch:
    """Looks for the records of one request."""

    toolbox: Toolbox
    episode: Episode
    earlier: list[Episode]
    words: frozenset[str]
    """Telling stems of the request."""
    pool: list[Record] = field(default_factory=list[Record])
    """Records chosen so far for this request, oldest first."""
    run: set[str] = field(default_factory=set[str])
    """Calls that this request rests on so far."""
    lookups: int = 0

    def call(self, tool: OfferedTool, arguments: dict[str, Any]) -> Call:
        """The recorded result of a call of this request; a transient error is tried once more.

        Raises:
            NeedCalls: it has not been made yet.
        """
        self.run.add(tool.name)
        made = [call for call in self.episode.calls if call.tool == tool.name and call.arguments == arguments]
        good = next((call for call in made if call.error not in TRANSIENT), None)
        if good is not None:
            return good
        tries = 2 + sum(1 for text in self.episode.texts[1:] if _RETRY.search(text))
        if len(made) < tries:
            raise NeedCalls([(tool.name, arguments)])
        return made[-1]

    def pick_rows(self, rows: Sequence[dict[str, Any]], values: Sequence[SpokenValue]) -> list[dict[str, Any]]:
        """The records that hold the most of the values named."""
        named = {value.folded for value in values if value.role != "new" and (value.kind == "text" or value.label)}
        if len(rows) <= 1:
            return list(rows)
        scores = [sum(1 for item in row.values() if fold(say_value(item)) in named) for row in rows]
        best = max(scores)
        return [row for row, score in zip(rows, scores, strict=True) if score == best]

    def holds_named(self, row: dict[str, Any], values: Sequence[SpokenValue]) -> bool:
        """Whether a record holds one of the values named."""
        named = {value.folded for value in values if value.role != "new"}
        return not named or bool(named & {fold(say_value(item)) for item in row.values()})

    def known_records(self, values: Sequence[SpokenValue]) -> Iterator[Record]:
        """Records that may be meant, most likely first: of this request, then earlier ones that it points at."""
        yield from reversed(self.pool)
        naming = [value for value in values if not value.negated and value.role != "new"]
        named = {value.folded for value in naming if value.kind != "number" or value.role == "identifies"}
        if named:
            for tool, row in self._earlier_rows():
                held = {fold(say_value(item)) for item in row.values()}
                if named <= held:
                    yield tool, row
        elif ANAPHOR.search(self.episode.text):
            yield from list(self.recent_records())[:1]

    def _earlier_rows(self) -> Iterator[Record]:
        for episode in reversed(self.earlier):
            for call in reversed(episode.calls):
                for row in call.rows:
                    yield self.toolbox.get(call.tool), row

    def recent_records(self) -> Iterator[Record]:
        """Records that `that one` can mean: single results and written records, newest first."""
        for episode in reversed(self.earlier):
            named = {value.folded for value in episode.values if value.role != "new"}
            for call in reversed(episode.calls):
                tool = self.toolbox.get(call.tool)
                rows = call.rows
                if len(rows) > 1:
                    rows = [row for row in rows if named & {fold(say_value(item)) for item in row.values()}]
                if len(rows) == 1:
                    yield tool, rows[0]
                elif tool is not None and tool.verb != "read" and call.error is None:
                    inserted: dict[str, Any] = call.fields.get("inserted") or {}
                    yield tool, call.arguments | inserted

    def read_field(self, parameter: Parameter, tool: OfferedTool | None, row: dict[str, Any]) -> Any:
        """The value in a record that a parameter means, or none."""
        return read_field(parameter, tool, row, self.words)

    def resolve(self, parameter: Parameter, owner: OfferedTool, values: Sequence[SpokenValue]) -> Any:
        """The identifier that `owner` needs, out of known records or by looking the record up; none where it cannot be.

        Raises:
            NeedCalls: a look-up has to be made first.
            NeedValues: the look-up needs something that only the user can say.
            NotFound: the look-up found nothing.
            Unclear: it found several records that all fit.
        """
        if owner.verb != "read" and values and not self.can_name(parameter, values):
            self._ask_for_lookup(parameter, owner, ())
        for tool, row in self.known_records(_choose_owners(parameter, values)):
            value = self.read_field(parameter, tool, row)
            if value is not None:
                if (tool, row) not in self.pool:
                    self.pool.append((tool, row))
                return value
        if not values and ANAPHOR.search(self.episode.text):
            value = self._resolve_pointed(parameter, owner)
            if value is not None:
                return value
        values = _choose_owners(parameter, values)
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
            alike = self._find_alike(parameter, tool, rows, values)
            if alike:
                raise Unclear(alike)
            self.pool.append((tool, rows[0]))
            value = self.read_field(parameter, tool, rows[0])
            if value is not None:
                return value
        same = self._read_shared_key(parameter, values)
        if same is not None:
            return same
        if empty is not None:
            raise NotFound(name_subject(values), empty)
        self._ask_for_lookup(parameter, owner, values)
        return None

    def _find_alike(
        self, parameter: Parameter, tool: OfferedTool, rows: Sequence[dict[str, Any]], values: Sequence[SpokenValue]
    ) -> list[str]:
        """Names of the records that all hold a named value as a part of a longer one; empty where one is meant."""
        keys = {say_value(self.read_field(parameter, tool, row)) for row in rows}
        return list_alike(rows, values) if len(keys) > 1 else []

    def _read_shared_key(self, parameter: Parameter, values: Sequence[SpokenValue]) -> Any:
        """The key of the thing named where `the student of the person X` has no key of its own: both have the same."""
        nouns = frozenset(word for value in values if parameter.entity & value.owned for word in value.noun)
        for tool, row in reversed(self.pool):
            if nouns and tool is not None and tool.head & nouns:
                keys = [name for name in row if split_name(name)[-1:] == ("id",) and row[name] is not None]
                if keys:
                    return type_value(parameter, row[keys[0]])
        return None

    def can_name(self, parameter: Parameter, values: Sequence[SpokenValue]) -> bool:
        """Whether a value, or a known record, can say which record a parameter means."""
        entity = parameter.entity
        named = [value for value in values if value.thing or value.owned]
        if not entity or not named or not entity <= self.words:
            return True
        return any(entity & (value.thing | value.owned | value.label) for value in values)

    def _resolve_pointed(self, parameter: Parameter, owner: OfferedTool) -> Any:
        """The identifier of `that club`: of the newest record that speaks of clubs, looked up through it if need be.

        Raises:
            NeedCalls: a look-up has to be made first.
        """
        entity = parameter.entity or owner.head
        for tool, row in self.recent_records():
            value = self.read_field(parameter, tool, row)
            if value is not None:
                self.pool.append((tool, row))
                return value
            speaks = any(entity & {stem(word) for word in split_name(name)} for name in row)
            if not speaks:
                continue
            self.pool.append((tool, row))
            for other in self.toolbox.tools:
                filling = self.fill_known(other, ())
                if other.verb != "read" or other.aggregates or filling.missing(other) or not filling.from_records:
                    continue
                if other.name == owner.name or other.name in self.run or not other.name.startswith("get"):
                    continue
                found = self.call(other, filling.arguments).rows
                value = self.read_field(parameter, other, found[0]) if found else None
                if value is not None:
                    self.pool.append((other, found[0]))
                    return value
            self.pool.pop()
            value = self._look_up_named(parameter, entity, row)
            if value is not None:
                return value
        return None

    def _look_up_named(self, parameter: Parameter, entity: frozenset[str], row: dict[str, Any]) -> Any:
        """The identifier of a thing whose name stands in another record (`club_name` of a player).

        Raises:
            NeedCalls: a look-up has to be made first.
        """
        wanted = entity | {"name"}
        names = [value for key, value in row.items() if frozenset(stem(word) for word in split_name(key)) == wanted]
        for tool in self.toolbox.tools:
            if not names or tool.verb != "read" or len(tool.required) != 1 or tool.required[0].words != wanted:
                continue
            if tool.head <= entity and names[0] is not None:
                rows = self.call(tool, {tool.required[0].name: say_value(names[0])}).rows
                if rows:
                    self.pool.append((tool, rows[0]))
                    return self.read_field(parameter, tool, rows[0])
        return None

    def _ask_for_lookup(self, parameter: Parameter, owner: OfferedTool, values: Sequence[SpokenValue]) -> None:
        """Asks for what a search by name needs, where nothing was named."""
        entity = parameter.entity or owner.name_words
        for tool in self.toolbox.tools:
            missing = self.fill_known(tool, values).missing(tool)
            about = tool.verb == "read" and tool.name != owner.name and entity <= tool.name_words
            if about and len(missing) == 1 and missing[0].kind == "string" and not missing[0].identifies:
                raise NeedValues(tool, missing)

    def _choose_lookup(
        self, parameter: Parameter, owner: OfferedTool, values: Sequence[SpokenValue], tried: set[str]
    ) -> tuple[OfferedTool, dict[str, Any]] | None:
        """The read tool that most likely gives the record of a parameter, with its arguments."""
        entity = parameter.entity or owner.name_words
        usable = [value for value in values if value.role != "new" and not value.negated]
        best: tuple[float, OfferedTool, dict[str, Any]] | None = None
        for tool in self.toolbox.tools:
            if tool.verb != "read" or tool.name in tried or tool.name == owner.name:
                continue
            filling = self.fill_known(tool, usable)
            if filling.missing(tool):
                continue
            score = 2.5 * len(entity & tool.name_words) / max(1, len(entity)) + 1.2 * filling.strength
            score -= 0.2 * len(
                tool.name_words
                - entity
                - frozenset(word for value in filling.used.values() for word in value.label | value.noun)
            )
            if usable:
                score += 1.5 * len(filling.used) / len(usable)
            if any(entity and entity <= value.owned for value in filling.used.values()):
                # `the concert of the singer X` is found through the singer; its own name tells the rows apart.
                score += 1.0
            if not filling.arguments or not (filling.used or filling.from_records):
                score -= 1.0
            if tool.name.startswith(_COUNTING):
                score -= 2.5
            if score > 1.0 and (best is None or score > best[0] + 1e-9):
                best = (score, tool, filling.arguments)
        return (best[1], best[2]) if best is not None else None

    def fill_known(self, tool: OfferedTool, values: Sequence[SpokenValue]) -> Filling:
        """Arguments from the user's words and from records chosen in this run; nothing is called for them."""
        filling = fill_arguments(tool, values, self.episode.texts)
        for parameter in filling.missing(tool):
            if parameter.counts_rows or (not parameter.identifies and (parameter.words & _NAMES or tool.aggregates)):
                continue
            for source, row in reversed(self.pool):
                value = self.read_field(parameter, source, row)
                if value is not None:
                    filling.arguments[parameter.name] = value
                    filling.from_records += 1
                    filling.strength += 0.8
                    break
        fill_row_count(tool, filling, values)
        return filling


def list_alike(rows: Sequence[dict[str, Any]], values: Sequence[SpokenValue]) -> list[str]:
    """Names of several records that all have a named value as a part of a longer one; empty where one is meant."""
    for value in values:
        names = [name for row in rows for name in (_find_longer(value, row),) if name]
        if len(names) == len(rows) and len(set(names)) > 1 and value.kind == "text" and value.role != "new":
            return list(dict.fromkeys(names))
    return []


def _find_longer(value: SpokenValue, row: dict[str, Any]) -> str:
    """The text of a record that has the words said in it and others beside them; empty where it has nothing else.

    Only the fields that the words around the value speak of are looked at, where a record has such.
    """
    about = value.label | value.noun
    texts = {name: item.strip() for name, item in row.items() if isinstance(item, str)}
    meant = [item for name, item in texts.items() if {stem(word) for word in split_name(name)} <= about]
    looked_at, said = meant or list(texts.values()), value.folded
    if not said or any(fold(item) == said for item in looked_at):
        return ""
    return next((item for item in looked_at if re.search(rf"\b{re.escape(said)}\b", fold(item))), "")


def _choose_owners(parameter: Parameter, values: Sequence[SpokenValue]) -> Sequence[SpokenValue]:
    """The values that say which record a parameter means, where a request names several things."""
    entity = parameter.entity
    through = [value for value in values if entity and entity <= value.owned]
    own = [
        value
        for value in values
        if entity and entity <= value.thing and (through or not value.owned - value.label) and value not in through
    ]
    return [*own, *through] or values
