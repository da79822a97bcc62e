"""Rules of the service that stand in the assistant's system prompt, and whether a tool would break one."""

import re
from dataclasses import dataclass

from turnwright.selfplay.argument_filling import find_written
from turnwright.selfplay.offered_tools import OfferedTool, VerbClass
from turnwright.selfplay.words import CREATE_VERBS, DELETE_VERBS, UPDATE_VERBS, stems

_RULE = re.compile(r"^- Never (?P<action>.+?)(?:, whoever asks for it)?\.$", re.MULTILINE)
_CHANGE = re.compile(r"^change the (?P<labels>.+) of an? (?P<entity>.+)$")


@dataclass(frozen=True)
class HouseRule:
    """Something that the assistant must never do."""

    action: str
    """As the rule says it, usable after `I must not`."""
    verb: VerbClass
    entity: frozenset[str]
    labels: tuple[frozenset[str], ...]
    """What of the entity must not be changed; empty where all of it is meant."""

    def forbids(self, tool: OfferedTool) -> bool:
        """Whether calling the tool would break the rule."""
        if tool.verb != self.verb or not self.entity <= tool.words:
            return False
        written = find_written(tool)
        words = frozenset(
            word for parameter in tool.parameters if parameter.name in written for word in parameter.words
        )
        return not self.labels or any(label & (words | tool.name_words - self.entity) for label in self.labels)


def read_rules(system: str) -> list[HouseRule]:
    """The rules of a system prompt; lines of another form say nothing to this player."""
    rules: list[HouseRule] = []
    for match in _RULE.finditer(system):
        action = match["action"]
        first = action.split(" ", 1)[0]
        verb: VerbClass | None = (
            "delete"
            if first in DELETE_VERBS
            else "create"
            if first in CREATE_VERBS
            else "update"
            if first in UPDATE_VERBS
            else None
        )
        if verb is None:
            continue
        change = _CHANGE.match(action)
        entity = change["entity"] if change else action.split(" ", 1)[1]
        labels = tuple(frozenset(stems(part)) for part in re.split(r", | and ", change["labels"])) if change else ()
        rules.append(HouseRule(action, verb, frozenset(stems(entity)) - {"new"}, labels))
    return rules
