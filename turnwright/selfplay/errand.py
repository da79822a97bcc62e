"""Carrying out a request with tools that are known by their specifications alone.

An errand runs from the start of its request each time: a call that was made before gives its recorded result, the first
one that was not made yet ends the run. So the conversation alone is the state.
"""

import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from turnwright.selfplay import assistant_language as say
from turnwright.selfplay.changing import CONFIRMING
from turnwright.selfplay.conversation import TRANSIENT, Call, Episode
from turnwright.selfplay.errand_arguments import Filled, Told, fill_told, rate_label, read_told
from turnwright.selfplay.errand_tools import ErrandBox, ErrandParameter, ErrandTool, same_arguments
from turnwright.selfplay.record_search import ANAPHOR
from turnwright.selfplay.result_leaves import Leaf, fit_type, list_leaves, match_leaf
from turnwright.selfplay.telling import tell_result
from turnwright.selfplay.tool_choice import drop_small_talk
from turnwright.selfplay.words import all_stems, fold, join_words, say_value, split_name, stem, stems

_LINKED = re.compile(
    r"\b(?:the|that)\s+(?P<label>[A-Za-z][\w '-]{0,60}?)(?P<first> of the first (?:result|one|entry))?\s+"
    r"(?:from before|you (?:just )?(?:found|got|gave me|told me)|that (?:just )?came (?:up|back)|from (?:that|the last)"
    r" (?:result|answer))\b",
    re.IGNORECASE,
)
_RETRY = re.compile(r"\b(?:try|trying|retry|give it another)\b", re.IGNORECASE)
_REST = re.compile(r"\b(?:rest of the|other|more|further) details\b", re.IGNORECASE)
_GO_AHEAD = re.compile(r"\b(?:go ahead|without asking|no need to (?:ask|check|confirm)|right away)\b", re.IGNORECASE)
_REFUSED = re.compile(
    r"^\s*(?:no\b(?!,? (?:idea|sorry|wait|make))|don't|do not|never mind|leave it|stop)", re.IGNORECASE
)
_WHICH = re.compile(r"\bshould I (?:use|put|enter|take)\b", re.IGNORECASE)
"""Asks for a value, although it sounds like asking for leave."""
_IGNORANT = re.compile(r"\b(?:don't know|no idea|can't tell|not sure)\b", re.IGNORECASE)
_ASKED = re.compile(
    r"\b(?:like to|want to|need to|wants to|help me(?: to)?|trying to|gotta|please|(?:could|can|would) you(?: please)?|"
    r"grateful if you could help me|me to)\s+(?!help\b|please\b|you\b)(?P<verb>[a-z]+)",
    re.IGNORECASE,
)
_LOOKING = frozenset(stem(word) for word in "see know show find list check tell look view give learn".split())
_LEAST_LIKENESS = 0.3
_MOST_LOOKUPS = 3
_SUBJECTS = frozenset(stem(word) for word in "name title city town company username user country location".split())


@dataclass
class Errand:
    """One request and everything that is known when it is worked on."""

    toolbox: ErrandBox
    episode: Episode
    earlier: list[Episode]
    careful: bool
    """Whether a change is confirmed with the user before it is made; deletions always are."""
    rng: random.Random
    tried: list[str] = field(default_factory=list[str])
    """Look-ups of this run."""

    def __post_init__(self) -> None:
        """Reads the request."""
        self.texts = [drop_small_talk(self.episode.texts[0]), *self.episode.texts[1:]]
        self.told = read_told(self.texts)
        self.values = self.episode.values

    def run(self) -> list[tuple[str, dict[str, Any]]] | str:
        """The calls to be made next, or what to say to the user."""
        if len(self.texts) > 1 and _REFUSED.match(self.texts[-1]) and self.episode.questions:
            return say.refused(self.rng)
        tool = self.choose_tool()
        if tool is None:
            abilities = [other.action for other in self.toolbox.tools]
            return say.decline(self.rng.sample(abilities, min(2, len(abilities))), self.rng)
        if len(self.texts) == 1 and _REST.search(self.episode.texts[0]):
            missing = fill_told(tool, self.told).missing(tool)
            asked = [parameter.label for parameter in missing if not self._choose_lookup(parameter, tool, self.told)]
            return say.ask_values(asked[:3], self.rng) if asked else say.ask_rest(self.rng)
        segments = sorted({item.segment for item in self.told if item.key[0] == 0}) or [0]
        found = [self._pursue(tool, segment if len(segments) > 1 else None) for segment in segments]
        calls = [call for outcome in found if isinstance(outcome, list) for call in outcome]
        if calls:
            return calls
        return " ".join(dict.fromkeys(outcome for outcome in found if isinstance(outcome, str)))

    # Which tool ------------------------------------------------------------------------------------------------------

    def choose_tool(self) -> ErrandTool | None:
        """The tool that the request means, by its words and by the values that it could take; none where none fits."""
        words = self._words()
        best: tuple[float, ErrandTool] | None = None
        for tool in self.toolbox.tools:
            likeness = self._rate(tool, words)
            if likeness >= _LEAST_LIKENESS and (best is None or likeness > best[0] + 1e-9):
                best = (likeness, tool)
        return best[1] if best is not None else None

    @property
    def head(self) -> str:
        """The request up to where its details begin."""
        return re.split(r",\s+(?:and )?(?:with|using)\s+", _drop_quotes(self.texts[0]), maxsplit=1)[0]

    def _words(self) -> frozenset[str]:
        """Telling stems of the request, without its values and the labels of these."""
        text = self.head
        named = {word for item in self.told for word in stems(item.text)}
        words = frozenset(word for word in stems(text) if word not in named)
        return words or frozenset(stems(self.texts[0]))

    def _rate(self, tool: ErrandTool, words: frozenset[str]) -> float:
        weigh = self.toolbox.weigh
        shared = weigh(words & tool.core)
        if not shared:
            return 0.0
        likeness = shared / (weigh(words) ** 0.5 * weigh(tool.core) ** 0.5)
        if likeness < _LEAST_LIKENESS:
            return 0.0
        # What is to be done tells tools for the same thing apart, and words for it are too common to weigh much.
        asked = _ASKED.search(self.head)
        verb = stem(asked["verb"].lower()) if asked else ""
        if verb in tool.verbs:
            likeness += 0.2
        elif tool.writes:
            likeness -= 0.2 if verb in _LOOKING else 0.1
        named = frozenset(stems(tool.name)) - tool.verbs
        if named and named <= frozenset(all_stems(self.head)):
            likeness += 0.1
        first = [item for item in self.told if item.key[0] == 0 and item.label]
        fits = [
            max((rate_label(parameter, item.label) for parameter in tool.parameters), default=0.0) for item in first
        ]
        return likeness + math.fsum(0.06 if fit >= 1.5 else 0.0 if fit >= 0.8 else -0.06 for fit in fits)

    # Arguments -------------------------------------------------------------------------------------------------------

    def _pursue(self, tool: ErrandTool, segment: int | None) -> list[tuple[str, dict[str, Any]]] | str:
        told = [item for item in self.told if segment is None or item.segment == segment or item.key[0] > 0]
        linked = self._read_links(tool)
        filled = fill_told(tool, told, frozenset(linked), self.texts)
        filled.values |= linked
        for parameter in filled.missing(tool):
            found = self._find(parameter, tool, filled, told)
            if isinstance(found, list):
                return found
            if found is not None:
                filled.values[parameter.path] = found.value
        missing = filled.missing(tool)
        for parameter in missing:
            if parameter.default is not None:
                filled.values[parameter.path] = parameter.default
        missing = filled.missing(tool)
        if missing:
            if len(self.texts) > 2 and _IGNORANT.search(self.texts[-1]):
                return say.nothing_found(f"the {missing[0].label}", self.rng)
            return say.ask_values([parameter.label for parameter in missing[:3]], self.rng)
        return self._carry_out(tool, filled)

    def _read_links(self, tool: ErrandTool) -> dict[tuple[str, ...], Any]:
        """Values that the request points at: `using the booking ID from before`."""
        linked: dict[tuple[str, ...], Any] = {}
        for match in _LINKED.finditer(self.texts[0]):
            label = frozenset(all_stems(re.sub(r"^.*\b(?:using|with|take|and)\s+the\s+", "", match["label"])))
            leaf = self._find_leaf(label)
            fits = [
                (rate_label(parameter, label), -order, parameter)
                for order, parameter in enumerate(tool.parameters)
                if parameter.path not in linked
            ]
            fits = [fit for fit in fits if fit[0] > 0] or [
                (0.1, -order, parameter)
                for order, parameter in enumerate(tool.parameters)
                if parameter.required and (parameter.identifies or len(tool.parameters) == 1)
            ]
            if leaf is None or not fits:
                continue
            value = fit_type(max(fits, key=lambda fit: fit[:2])[2], leaf.value)
            if value is not None:
                linked[max(fits, key=lambda fit: fit[:2])[2].path] = value
        return linked

    def _find_leaf(self, label: frozenset[str]) -> Leaf | None:
        """The newest value of an earlier result that is called so; of a list the first."""
        for call in self._earlier_calls():
            rated = [
                (len(label & leaf.around) / len(label | leaf.words), -place, leaf)
                for place, leaf in enumerate(list_leaves(call.result))
                if label & leaf.around
            ]
            bare = frozenset({"id"})
            if not rated and bare <= label:
                rated = [
                    (0.4, -place, leaf) for place, leaf in enumerate(list_leaves(call.result)) if leaf.words == bare
                ]
            good = [item for item in rated if item[0] >= 0.4]
            if good:
                return max(good, key=lambda item: item[:2])[2]
        return None

    def _earlier_calls(self) -> Iterator[Call]:
        for episode in [self.episode, *reversed(self.earlier)]:
            for call in reversed(episode.calls):
                if call.error is None:
                    yield call

    def _find(
        self, parameter: ErrandParameter, tool: ErrandTool, filled: Filled, told: Sequence[Told]
    ) -> list[tuple[str, dict[str, Any]]] | Leaf | None:
        """What another tool knows of a parameter: a value, or the look-up that has to be made for it."""
        if not parameter.identifies:
            return None
        free = [item for item in told if item.key not in filled.used and item.label]
        while len(self.tried) < _MOST_LOOKUPS:
            lookup = self._choose_lookup(parameter, tool, free)
            if lookup is None:
                break
            other, arguments = lookup
            self.tried.append(other.name)
            call = self._made(other, arguments)
            if call is None:
                return [(other.name, arguments)]
            leaf = match_leaf(parameter, other, call.result) if call.error is None else None
            if leaf is not None:
                return leaf
        return None if free else self._recall(parameter)

    def _recall(self, parameter: ErrandParameter) -> Leaf | None:
        """What earlier results say: of a thing that is named in them once, or that the request points at."""
        pointed = ANAPHOR.search(self.episode.text) is not None
        found: list[Leaf] = []
        for call in self._earlier_calls():
            owner = self.toolbox.get(call.tool)
            leaf = match_leaf(parameter, owner, call.result)
            if leaf is not None and owner is not None and not owner.deletes:
                found.append(leaf)
        same = {say_value(leaf.value) for leaf in found}
        return found[0] if found and (pointed or (parameter.entity and len(same) == 1)) else None

    def _choose_lookup(
        self, parameter: ErrandParameter, owner: ErrandTool, free: Sequence[Told]
    ) -> tuple[ErrandTool, dict[str, Any]] | None:
        best: tuple[float, ErrandTool, dict[str, Any]] | None = None
        for tool in self.toolbox.tools:
            if tool.writes or tool.name == owner.name or tool.name in self.tried:
                continue
            if any(other.path[-1] == parameter.path[-1] for other in tool.parameters):
                continue
            about = parameter.entity & tool.core or frozenset(stems(parameter.description)[:3]) & tool.core
            filled = fill_told(tool, free)
            if not about or filled.missing(tool) or not filled.used:
                continue
            named = frozenset(stem(word) for word in split_name(tool.name))
            rate = 2.0 * len(about & named) + len(about) + len(filled.used)
            rate += 1.0 if "id" in named else 0.0
            if best is None or rate > best[0]:
                best = (rate, tool, filled.arguments)
        return (best[1], best[2]) if best is not None else None

    # Calls and words -------------------------------------------------------------------------------------------------

    def _made(self, tool: ErrandTool, arguments: dict[str, Any]) -> Call | None:
        """The recorded result of a call of this request, or none where it is still to be made, or made once more."""
        made = [
            call for call in self.episode.calls if call.tool == tool.name and same_arguments(call.arguments, arguments)
        ]
        good = next((call for call in made if call.error not in TRANSIENT), None)
        if good is not None:
            return good
        tries = 2 + sum(1 for text in self.episode.texts[1:] if _RETRY.search(text))
        return None if len(made) < tries else made[-1]

    def _carry_out(self, tool: ErrandTool, filled: Filled) -> list[tuple[str, dict[str, Any]]] | str:
        arguments = filled.arguments
        call = self._made(tool, arguments)
        asked = any(CONFIRMING.search(_WHICH.sub("", question)) for question in self.episode.questions)
        told = _GO_AHEAD.search(self.episode.text) is not None
        made = any(other.tool == tool.name for other in self.episode.calls)
        if call is None:
            if tool.writes and not asked and not told and not made and (self.careful or tool.deletes):
                return say.confirm(_say_call(tool, filled), self.rng)
            return [(tool.name, arguments)]
        if call.error == "not_found":
            return say.nothing_found(self._subject(filled), self.rng)
        if call.error is not None:
            return say.failed(call.error, str(call.fields.get("message") or ""), tool.action, self.rng)
        bare = tool.writes and not call.result
        text = "" if bare else tell_result(call.result, "" if tool.writes else self._subject(filled), self.rng)
        if tool.writes:
            lead = self.rng.choice(("Done.", "That is done.", "All right, that worked.", "It went through."))
            details = _say_details(filled)
            lead = f"{lead[:-1]}, with {details}." if details and self.rng.random() < 0.5 else lead
            text = f"{lead} {text}".strip()
        return text + say.offer("\n" in text, self.rng)

    def _subject(self, filled: Filled) -> str:
        """What the person would call the thing that was asked about; empty where nothing names it."""
        for path, value in filled.values.items():
            words = {stem(word) for word in split_name(path[-1])}
            if isinstance(value, str) and words & _SUBJECTS and "_" not in value and len(value) < 40:
                return value
        return ""


def _say_details(filled: Filled) -> str:
    told = [
        f"the {' '.join(split_name(path[-1]))} {say_value(value)}"
        for path, value in filled.values.items()
        if not isinstance(value, dict | list | bool) and "_" not in str(value) and len(str(value)) < 60
    ]
    return join_words(told[:3])


def _say_call(tool: ErrandTool, filled: Filled) -> str:
    details = _say_details(filled)
    return f"{tool.action}, with {details}" if details else tool.action


def _drop_quotes(text: str) -> str:
    return re.sub(r"\"[^\"\n]*\"|“[^”\n]*”", " ", fold(text) if text.isascii() else text)
