"""The rules about what is said: a person who sounds like one, nothing from behind the scenes."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Literal, cast

import prompts
from schemas.findings import Finding
from schemas.goals import Persona
from schemas.tools import DomainTool
from turnwright.rollout.tool_calls import read_policy
from turnwright.validation.grounding.plain_text import compose, fold, label_of
from turnwright.validation.phrases import join_spoken, list_runs, may_share
from turnwright.validation.texts import Texts
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import holds_value, names

_WISHES = re.compile(
    r"(?<![^\W_])(?:([^\W_][\w'-]*) )?([^\W_][\w'-]*) (?:wants|needs|hopes|would like|is looking) to\b", re.IGNORECASE
)
_IDENTIFIER = re.compile(r"(?<![\w@./-])[^\W\d]\w*_\w+|(?<![\w@./-])_\w+")
_KEY = re.compile(r"(?:\b(?:id|ids|identifier|key)\b[^.?!;\n\d]{0,24}|#)(?<![\w.,-])(\d+)\b(?![.,]\d)", re.IGNORECASE)
_KEY_MARKS = ("#", "id", "key")
_JSON = re.compile(r"\{\s*\"[^\"]*\"\s*:|\[\s*\{")
_MARKUP = re.compile(
    r"</?(?:tool_call|tool_response|function|think|data)\b|<\|\w+\|>|\[/?(?:TOOL_CALLS|INST)\]|is_task_complete|user_message"
)
_SCENES = re.compile(
    r"\b(?:user simulator|system prompt|rubric|tool calls?|function calls?|api calls?|known[ _]details|my persona|"
    r"simulated user|role[- ]play|the assistant|(?:use|call|run) (?:the|your|a|another) (?:tool|function)s?)\b",
    re.IGNORECASE,
)
_SCENE_MARKS = (
    "simulat",
    "prompt",
    "rubric",
    "api call",
    "known",
    "persona",
    "role",
    "the assistant",
    "tool",
    "function",
)
"""Parts of words of which each of these has one: few messages have any, and to look for them costs little."""
_OFFERS = re.compile(
    r"\b(?:how (?:can|may) i (?:help|assist)|i(?:'m| am) here to help|anything else i can (?:help|assist|do for you)|"
    r"as an ai\b|happy to assist you|i(?:'d| would) be happy to help|let me know if you (?:need|have) any)",
    re.IGNORECASE,
)
_OFFER_MARKS = ("help", "assist", "an ai", "else i can", "let me know")
"""The same for offers."""
_SHINGLE = 9
"""Words in a row that nobody repeats by chance."""
_TELLING = 100
"""Smaller integers turn up by chance too often to say where they come from."""

_SPOKEN = frozenset({"value", "from", "to", "vague", "claimed", "request"})
"""Of a behaviour's detail, what the instruction to the user holds; the rest is for code, such as names of tools."""

Rule = Callable[[Trajectory], Iterator[Finding]]
_EVERYDAY = frozenset(
    "all back call clear done excellent fine full good great high kind late later less long main more much nice none "
    "okay open other part pass perfect please right same short soon sure thank thanks that this time today very well "
    "wonderful work yes".split()
)
"""Words of any conversation: a record that says `Good` is not known to someone who writes `Good morning`."""


def check_user_words(trajectory: Trajectory) -> Iterator[Finding]:
    """`identifier`, `json`, `behind_the_scenes`, `role_swap`, `third_person`: the user sounds like a person.

    An identifier that the assistant or a tool has shown before, or that is among the known details, may be said.
    """
    persona = Persona.model_validate_json(trajectory.task.persona)
    for index, text in trajectory.said_by("user"):
        for word in _IDENTIFIER.findall(text) if "_" in text else ():
            if not _was_shown(trajectory, word, index):
                yield _find("identifier", f"the user says {word!r}", index, "user_simulator")
        if _shows_json(text):
            yield _find("json", "the user writes JSON", index, "user_simulator")
        if words := find_scenes(text):
            yield _find("behind_the_scenes", f"the user says {words!r}", index, "user_simulator")
        if words := find_offer(text):
            yield _find("role_swap", f"the user speaks as the assistant: {words!r}", index, "user_simulator")
        if words := find_third_person(text, persona):
            yield _find("third_person", f"the user speaks of themselves: {words!r}", index, "user_simulator")


def find_scenes(text: str) -> str | None:
    """Words from behind the scenes, which no person in a chat would say."""
    match = _SCENES.search(text) if _has_mark(text, _SCENE_MARKS) else None
    return match[0] if match else None


def find_offer(text: str) -> str | None:
    """Words that belong to the assistant."""
    match = _OFFERS.search(text) if _has_mark(text, _OFFER_MARKS) else None
    return match[0] if match else None


def _has_mark(text: str, marks: Sequence[str]) -> bool:
    """Whether a text may match a pattern of which each match has one of these; of other alphabets nothing is known."""
    lower = text.lower()
    return not text.isascii() or any(map(lower.__contains__, marks))


def _shows_json(text: str) -> bool:
    return ("{" in text or "[" in text) and _JSON.search(text) is not None


def find_third_person(text: str, persona: Persona) -> str | None:
    """Words in which the person speaks of themselves by name."""
    first = persona.name.split()[0].casefold()
    if first not in text.casefold():
        return None
    return next(
        (match[0] for match in _WISHES.finditer(text) if first in {(word or "").casefold() for word in match.groups()}),
        None,
    )


def check_user_knowledge(trajectory: Trajectory) -> Iterator[Finding]:
    """`surrogate_key`, `unknown_value`: the user says nothing that a person in their place could not know.

    A value that is to be looked up, and a number called an id, may be said once the assistant has told it, or a tool
    of the user's own has shown it: what the assistant's tools give is not for the user to see. A value that turns up by
    chance too (`6`, `EX`) counts where it is said with the name of its field: `the breed code is EX`.
    """
    spoken = Texts(text for _, text in trajectory.said_by("user"))
    hidden = [each for each in _hidden_values(trajectory) if each[1] is not None or spoken.names(each[0])]
    if any(name is not None for _, name in hidden):
        flat = "\n".join([_flatten(text) for _, text in trajectory.said_by("user")])
        hidden = [(value, name) for value, name in hidden if name is None or _flatten(str(value)) in flat]
    for index, text in trajectory.said_by("user"):
        for number in _KEY.findall(text) if _has_mark(text, _KEY_MARKS) else ():
            if not _was_shown(trajectory, number, index):
                yield _find("surrogate_key", f"the user says the id {number}", index, "user_simulator")
        for value, name in hidden:
            said = names(value, text) if name is None else _says_with(name, value, _flatten(text))
            if said and not _was_told(trajectory, value, index):
                yield _find("unknown_value", f"the user cannot know {value!r}", index, "user_simulator")


def check_leaks(trajectory: Trajectory) -> Iterator[Finding]:
    """`leaked_prompt`, `markup`, `json`: neither role repeats its instructions or shows the machinery in prose.

    A rule of the service is no secret, nor is a domain's policy: the assistant may have to tell what it says.
    """
    governed = any(isinstance(tool, DomainTool) for tool in trajectory.tools)
    instructions = [m["content"] or "" for m in trajectory.messages if m["role"] == "system" and not governed]
    system = "\n".join(instructions)
    if policy := read_policy(trajectory.task):
        system = system.replace(policy, "\n")
    for role, secret in (("assistant", join_spoken(system)), ("user", _user_prompt())):
        for index, text in trajectory.said_by(role):
            if _repeats(trajectory.spoken[index], secret):
                yield _find("leaked_prompt", f"the {role} repeats its instructions", index, _speaker(role))
            if match := _MARKUP.search(text) if "<" in text or "[" in text or "_" in text else None:
                yield _find("markup", f"{match[0]!r} in prose", index, _speaker(role))
            if role == "assistant" and _shows_json(text):
                yield _find("json", "the assistant shows JSON", index, "assistant")


def _hidden_values(trajectory: Trajectory) -> Iterator[tuple[Any, str | None]]:
    """Values of lookups and facts that no known detail or description gives away.

    With a value that is not telling stands what it must be said with to count: the name of the argument that it is for.
    """
    known = _known_values(trajectory)
    described = Texts(objective.description for objective in trajectory.objectives)
    seen: list[Any] = []
    for objective in trajectory.objectives:
        values: list[tuple[str, Any]] = [("", fact.value) for fact in objective.facts]
        for call in objective.calls:
            found = [(name, call.arguments[name]) for name, source in call.sources.items() if source.kind == "result"]
            values += [(name, scalar) for name, value in found for scalar in _list_scalars(value)]
        for name, value in values:
            if isinstance(value, bool) or value in (None, "") or value in seen:
                continue
            telling = _is_telling(value) if isinstance(value, str) else abs(value) >= _TELLING
            if not telling and not name:
                continue
            if not (holds_value(known, value) or described.names(value)):
                seen.append(value)
                yield value, None if telling else label_of(name)


def _says_with(label: str, value: str | float, flat: str) -> bool:
    """Whether a flattened text says a value after the name of its field, in one breath."""
    told = _flatten(str(value))
    if told not in flat or not all(word in flat for word in label.split()):
        return False
    return _name_with(label, told).search(flat) is not None


@lru_cache(maxsize=512)
def _name_with(label: str, told: str) -> re.Pattern[str]:
    words = r"\W+".join(map(re.escape, label.split()))
    return re.compile(rf"\b{words}\b[^.?!;\n\d]{{0,24}}(?<![\w.,-]){re.escape(told)}(?![\w]|[.,]\d)")


def _flatten(text: str) -> str:
    return fold(compose(text)).replace("_", " ")


def _list_scalars(value: Any) -> Iterator[Any]:
    """The scalars of an argument: tools of domains take lists and objects too."""
    if isinstance(value, list | dict):
        parts = cast("list[Any]", value) if isinstance(value, list) else cast("dict[str, Any]", value).values()
        for part in parts:
            yield from _list_scalars(part)
    else:
        yield value


def _is_telling(value: str) -> bool:
    """Whether nobody would say these words by chance."""
    return len(value) >= 4 and not _EVERYDAY.issuperset(value.lower().split())


def _known_values(trajectory: Trajectory) -> list[Any]:
    """What the user was told to start with: the known details, and values that a behaviour makes them say."""
    known = [detail.value for objective in trajectory.objectives for detail in objective.known_details]
    detail = trajectory.behaviour.detail if trajectory.behaviour else {}
    return known + [value for name, value in detail.items() if name in _SPOKEN]


def _was_told(trajectory: Trajectory, value: Any, before: int) -> bool:
    return any(names(value, text) for text in _list_heard(trajectory, before))


def _list_heard(trajectory: Trajectory, before: int) -> list[str]:
    """What the assistant told, and what tools on the user's own side gave, before a message."""
    told = [text for _, text in trajectory.said_by("assistant", end=before)]
    return told + [record.result for record in trajectory.calls if record.side == "user" and record.message < before]


def _was_shown(trajectory: Trajectory, word: str, before: int) -> bool:
    """Whether `word` is among the known details, in a description, or in what the user heard before a message."""
    known = [str(value) for value in _known_values(trajectory)]
    known += [objective.description for objective in trajectory.objectives]
    shown = _list_heard(trajectory, before)
    pattern = re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", re.IGNORECASE)
    return any(pattern.search(text) for text in known + shown)


def _repeats(words: Sequence[str], secret: str) -> bool:
    """Whether a text takes a run of words over from `secret`, which is words with a space between them."""
    if not may_share(words, secret, _SHINGLE):
        return False
    return not list_runs(words, _SHINGLE).isdisjoint(list_runs(secret.split(" "), _SHINGLE))


@cache
def _user_prompt() -> str:
    """The words of the user simulator's instructions."""
    return join_spoken(prompts.render("user_simulator", "system", persona={}, goal={}))


def _speaker(role: str) -> Literal["user_simulator", "assistant"]:
    return "user_simulator" if role == "user" else "assistant"


def _find(
    code: str, explanation: str, message: int, fault: Literal["user_simulator", "assistant"], blocks: bool = True
) -> Finding:
    return Finding(layer="rules", code=code, explanation=explanation, message=message, fault=fault, blocks=blocks)


LANGUAGE_RULES: tuple[Rule, ...] = (check_user_words, check_user_knowledge, check_leaks)
