"""The rules about what the user must not give away: the whole goal at once, and the names behind the scenes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from schemas.findings import Finding
from schemas.tools import Tool
from schemas.vocabulary import WITHOUT_USER_SIMULATOR
from turnwright.rollout.toolset_memory import once_per_toolset
from turnwright.validation.grounding.plain_text import compose, split_sentences
from turnwright.validation.phrases import Run, list_runs, list_spoken, may_share
from turnwright.validation.readings import read_text
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import names, names_in

_SHINGLE = 6
_COPIED = 0.6
"""Share of a description's runs of words above which a message repeats it."""
_LEAST_RUNS = 4
_MANY = 3
"""Objectives that one message must not begin at once."""
_MOST_PARTS = 2
"""Things that a person asks for in one message (UO, simulation)."""
_REQUEST = re.compile(
    r"\?|\b(?:please|(?:could|can|would|will) you|i(?:'d| would) (?:also )?(?:like|love)|"
    r"i(?:'m| am) (?:also )?(?:looking|trying)|i (?:also )?(?:need|want)|let me know|"
    r"tell me|show me|give me|find out|look up|make sure|set|change|update|add|delete|remove|cancel|book)\b",
    re.IGNORECASE,
)
_TELLING = 4
"""Details from which a first message that has them all is no chance."""
_REFERENCE = re.compile(
    r"\$\{?[a-z]\w*(?:\.\w+|\[\d+\])|\$\{\w+\}|\{\{[^{}\n]{1,80}\}\}|<<[^<>\n]{1,80}>>|\b(?:call|step|c|var)_?\d+\.[a-z]\w+|"
    r"\$var_?\d+|\bresult\[\d+\]",
    re.IGNORECASE,
)
_REFERRING = re.compile(r"[$\[{<\d](?:(?<!\d)|\.[A-Za-z])")
"""What every reference has; few messages do."""
_SMALL = 10
_LEAST_NAME = 5
_MIXED = re.compile(r"[a-z][A-Z]|[a-z][-.][a-z]|_")
"""What a tool's name has that is no word of any language."""


def check_goal_leak(trajectory: Trajectory) -> Iterator[Finding]:
    """`leaked_goal`: the user repeats a description word for word, or gives the whole goal away in one message.

    A description begins with who wants something, which nobody says of themselves.
    The goal is doled out (UO, simulation: at most two parts a message): a first message that has every detail of
    several objectives, one that has details of three or more at once, or one that begins several and asks for more than
    two things, leaves nothing to a conversation. In task-oriented and stateless dialogues the descriptions are
    the user's messages, and nobody simulates a user.
    """
    if trajectory.row.paradigm in WITHOUT_USER_SIMULATOR:
        return
    descriptions = _Descriptions([objective.description for objective in trajectory.objectives])
    # With one objective there is nothing to tell apart.
    several = len(trajectory.objectives) > 1
    owns = _own_details(trajectory) if several else []
    # What builds on a result before it can hardly be asked for without it.
    apart = [own for own, each in zip(owns, trajectory.objectives, strict=False) if each.relation != "extension"]
    starts = _starting_details(trajectory) if several else []
    first = True
    for index, text in trajectory.said_by("user"):
        if descriptions.are_repeated(trajectory.spoken[index]):
            yield _find("leaked_goal", "the user repeats the description of the goal", index)
            return
        reading = read_text(text)
        begun = sum(any(names_in(value, reading) for value in own) for own in owns) if len(owns) >= _MANY else 0
        whole = first and len(apart) > 1 and sum(map(len, apart)) >= _TELLING
        if begun >= _MANY or (whole and all(own and all(names_in(value, reading) for value in own) for own in apart)):
            yield _find("leaked_goal", "one message has the details of several objectives", index)
            return
        opened = [own for own in starts if own and any(names_in(value, reading) for value in own)]
        starts = [own for own in starts if own not in opened]
        if len(opened) > 1 and _count_requests(text) > _MOST_PARTS:
            yield _find("leaked_goal", f"one message begins {len(opened)} objectives and asks for more", index)
            return
        first = False


class _Descriptions:
    """The descriptions of a dialogue's objectives, and their runs of words, which few messages are held against."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._words = [list_spoken(text) for text in texts]
        self._told = "\n".join(map(" ".join, self._words))

    def are_repeated(self, spoken: Sequence[str]) -> bool:
        """Whether what a message shares with them is how one begins, or most of what each of them says."""
        if not may_share(spoken, self._told, _SHINGLE):
            return False
        told, distinct = list_runs(spoken, _SHINGLE), self._distinct
        if any(opening <= told for opening in self._openings):
            return True
        copied = [runs for runs in distinct if len(runs) >= _LEAST_RUNS and len(runs & told) >= _COPIED * len(runs)]
        return len(copied) > 1 and len(copied) == len(distinct)

    @cached_property
    def _distinct(self) -> list[set[Run]]:
        """Descriptions of the same record share words: what none of the others says must be repeated."""
        wholes = [list_runs(words, _SHINGLE) for words in self._words]
        return [runs - set[Run]().union(*wholes[:at], *wholes[at + 1 :]) for at, runs in enumerate(wholes)]

    @cached_property
    def _openings(self) -> list[set[Run]]:
        """How a person asks may fall together with how the wish is described, but not with who is said to have it."""
        return [runs for text in self._texts if (runs := _opening(text))]


def check_names(trajectory: Trajectory) -> Iterator[Finding]:
    """`tool_name`, `reference_syntax`: neither role speaks of tools by name or of results by reference.

    Only the user's words block: an assistant that names its tool is clumsy, and true.
    """
    telling = _list_telling(trajectory.tools)
    for role, fault in (("user", "user_simulator"), ("assistant", "assistant")):
        for index, text in trajectory.said_by(role):
            match = telling.find(text)
            if match and (role == "assistant" or "_" not in match[0]):  # the rule `identifier` has the others
                yield _find("tool_name", f"the {role} says {match[0]!r}", index, fault, blocks=role == "user")
            if reference := find_reference_syntax(text):
                yield _find("reference_syntax", f"the {role} says {reference!r}", index, fault)


def find_reference_syntax(text: str) -> str | None:
    """Words that point at a result as only a program does."""
    match = _REFERENCE.search(text) if _REFERRING.search(text) else None
    return match[0] if match else None


@dataclass(frozen=True)
class _ToolNames:
    """The names of tools that are no words of any language."""

    names: tuple[str, ...]
    marks: frozenset[str]
    """Of these each name has one, and few messages do."""

    def find(self, text: str) -> re.Match[str] | None:
        """The first of them that a text says."""
        for mark in self.marks:
            if mark in text:
                return _compile(self.names).search(text)
        return None


@once_per_toolset
def _list_telling(tools: Sequence[Tool]) -> _ToolNames:
    names = sorted({tool.name for tool in tools if len(tool.name) >= _LEAST_NAME and _MIXED.search(tool.name)})
    return _ToolNames(tuple(names), frozenset("_" if "_" in name else name for name in names))


@lru_cache(maxsize=256)
def _compile(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"(?<![\w@./-])(?:" + "|".join(map(re.escape, names)) + r")(?![\w-])")


def _starting_details(trajectory: Trajectory) -> list[list[Any]]:
    """For each objective the telling details that none before it has: who says one of them has come to it."""
    seen: list[Any] = []
    starts: list[list[Any]] = []
    for objective in trajectory.objectives:
        values = [detail.value for detail in objective.known_details]
        telling = [v for v in values if v not in (None, "") and not isinstance(v, bool) and v not in seen]
        seen += telling
        # What builds on a result before it can hardly be asked for without it.
        starts.append([] if objective.relation == "extension" else [v for v in telling if not _is_small(v)])
    return starts


def _is_small(value: Any) -> bool:
    """Whether a number turns up by chance."""
    return isinstance(value, int | float) and abs(value) < _SMALL


def _count_requests(text: str) -> int:
    """How many sentences of a message ask for something."""
    plain = compose(text)
    return sum(_REQUEST.search(plain, start, end) is not None for start, end in split_sentences(plain))


def _own_details(trajectory: Trajectory) -> list[list[Any]]:
    """For each objective the telling details that no other one has."""
    all_values = [[detail.value for detail in objective.known_details] for objective in trajectory.objectives]
    owns: list[list[Any]] = []
    for position, values in enumerate(all_values):
        others = [value for other, given in enumerate(all_values) if other != position for value in given]
        telling = [v for v in values if v not in (None, "") and not isinstance(v, bool)]
        own = [v for v in telling if not any(v == other or names(v, str(other)) for other in others)]
        owns.append([value for value in own if not _is_small(value)])
    return owns


def _opening(description: str) -> set[Run]:
    return list_runs(list_spoken(" ".join(description.split()[: _SHINGLE + 2])), _SHINGLE)


def _find(code: str, explanation: str, message: int, fault: Any = "user_simulator", blocks: bool = True) -> Finding:
    return Finding(layer="rules", code=code, explanation=explanation, message=message, fault=fault, blocks=blocks)
