"""Carrying out a request to change, add or remove something."""

import re
from typing import Any

from turnwright.selfplay.argument_filling import Filling, find_written
from turnwright.selfplay.conversation import Call
from turnwright.selfplay.offered_tools import OfferedTool
from turnwright.selfplay.pursuit import Pursuit
from turnwright.selfplay.reach import GENERIC
from turnwright.selfplay.record_names import name_record, name_subject, record_nouns
from turnwright.selfplay.record_search import RecordSearch
from turnwright.selfplay.steps import Declined, Forbidden, NeedCalls, NeedConfirmation, NeedRest, Outcome, Refused
from turnwright.selfplay.words import stems

_REFUSED = re.compile(
    r"^\s*(?:no\b(?!,? (?:idea|sorry|wait|make|it should|that should))|don't|do not|never mind|leave it|stop)",
    re.IGNORECASE,
)
_REST = re.compile(r"\b(?:rest of the|other|more|further) details\b", re.IGNORECASE)
_CHANGED = re.compile(
    r"\b(?:change|update|set|correct|adjust|modify|edit)\s+the\s+(?P<label>[^,.;:?!\"]{2,60}?)\s+(?:of|for)\b",
    re.IGNORECASE,
)
_ADDED = re.compile(
    r"\b(?:add|create|register|insert|remove|delete|cancel)\s+(?:an?|the|that)\s+(?:new\s+)?(?P<noun>[^,.;:?!\"]{2,40}?)"
    r"(?=\s+(?:with|for|to|of|from|named|called|whose|on|in|at|and)\b|[,.;:?!\"]|$)",
    re.IGNORECASE,
)
CONFIRMING = re.compile(r"\b(?:go ahead|shall i|should i|confirm|is that right|all right to)\b", re.IGNORECASE)


class Change(Pursuit):
    """A request to change, add or remove something."""

    def run(self) -> list[Outcome]:
        """Carries the request out.

        Raises:
            Step: it cannot be finished in this reply; the exception says what is needed or what went wrong.
        """
        if len(self.texts) > 1 and _REFUSED.match(self.texts[-1]) and self.episode.questions:
            raise Refused
        ranked = [item for item in self.rank() if self._is_meant(item.tool)]
        if not ranked or ranked[0].shared < 0.5 or self.is_foreign(ranked):
            raise Declined
        tool = ranked[0].tool
        for rule in self.rules:
            if rule.forbids(tool):
                raise Forbidden(rule.action)
        if len(self.texts) == 1 and _REST.search(self.texts[0]):
            raise NeedRest
        search = self.search()
        filling = self.complete(search, tool, self.values)
        subject = self._name_written(search, tool, filling)
        asked = any(CONFIRMING.search(question) for question in self.episode.questions)
        made = any(call.tool == tool.name and call.arguments == filling.arguments for call in self.episode.calls)
        if not asked and not made and (self.confirm_writes or tool.verb == "delete"):
            raise NeedConfirmation(tool, filling.arguments, subject)
        call = search.call(tool, filling.arguments)
        check = None
        if self.look_after_writes and call.error is None and tool.verb == "update":
            check = self._look_after(tool, filling.arguments)
        nouns = record_nouns(tool, self.values, self.toolbox.side_nouns)
        return [Outcome(tool, call, call.rows, (), subject, nouns, check)]

    def _is_meant(self, tool: OfferedTool) -> bool:
        """Whether a tool changes, adds or removes what the request names; where that cannot be read, it may be."""
        if tool.verb == "update":
            written = find_written(tool)
            words = {word for one in tool.parameters if one.name in written for word in one.words}
            label = _CHANGED.search(self.texts[0])
            said = frozenset(stems(label["label"])) if label else frozenset[str]()
            telling = said - GENERIC or said
            return not said or not words or bool(telling & (words | tool.name_words))
        if self.verb == "update" and tool.verb == "create":
            return _CHANGED.search(self.texts[0]) is None and tool.head <= self.words
        noun = _ADDED.search(self.texts[0])
        said = stems(noun["noun"]) if noun else ()
        # The last noun says what it is: a `department store` is no department.
        return not said or not tool.name_words or said[-1] in tool.name_words

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
