"""Values that a person names in a message: quoted text, names, numbers, dates, with the words around them."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from turnwright.selfplay.words import STOP, all_stems, fold, split_name, stem

_QUOTED = r"\"([^\"\n]+)\"|“([^”\n]+)”|«([^»\n]+)»"
_MAIL = r"[\w.+-]+@[\w-]+\.[\w.-]*\w|https?://[^\s,;]*[^\s,;.?!]"
_DATE = (
    r"\d{4}-\d{1,2}-\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
    r"|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}:\d{2}(?::\d{2})?"
)
_CODE = r"(?=[\w/#-]*\d)(?=[\w/#-]*[A-Za-z])[A-Za-z0-9][\w/#-]*[\w]"
_NUMBER = r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w-])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w-])"
_NAME_WORD = r"(?:[A-ZÀ-ÖØ-ÞŠŽŁĐŚ][\w’'.&/-]*|\d[\w.-]*)"
_JOINT = r"(?:of|the|de|la|le|van|von|der|del|di|da|du|y|e|&|-|’s)"
_NAME = rf"[A-ZÀ-ÖØ-ÞŠŽŁĐŚ][\w’'.&/-]*(?:\s+(?:{_JOINT}\s+){{0,2}}{_NAME_WORD})*"
_SPAN = re.compile(
    rf"(?P<quoted>{_QUOTED})|(?P<mail>{_MAIL})|(?P<date>{_DATE})|(?P<code>(?<![\w-]){_CODE}(?![\w-]))"
    rf"|(?P<number>{_NUMBER})|(?P<name>{_NAME})"
)
_NEGATED = re.compile(r"(?:\bnot|instead of|rather than|no longer)\s+(?:the\s+)?$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_NOT_NAMES = frozenset(
    "hi hello hey good morning afternoon evening could can would please what who how when where which why i ok okay "
    "thanks"
    " thank yes no sure also and then but so oh well actually sorry wait hmm let my the a an is are do does did it "
    "that this"
    " there first next now great perfect right one after once before for in on to from of with if just maybe "
    "unfortunately"
    " alright all any anything i'm i'd i'll i've id it's its that's dear greetings make set put give find tell show "
    "list"
    " look add change update remove delete create count check get search go ahead correct cheers fine another besides"
    " separately lastly finally quick question by last later still since as well though not none change we you he she "
    "they"
    " their his her our your more some use here nothing see name yep yeah yup absolutely don't doesn't".split()
)


Role = Literal["identifies", "new", "states", "bare", "none"]


@dataclass(frozen=True)
class SpokenValue:
    """One value in a message and what the words around it say that it is."""

    text: str
    kind: str
    """`text`, `number`, `date` or `code`."""
    role: Role
    """`identifies`: `whose LABEL is X`, `named X`; `new`: `to X`; `states`: `the LABEL is X`; `bare`: `the LABEL X`."""
    label: frozenset[str]
    """Stems of the label; empty where none is said."""
    noun: frozenset[str]
    """Stems of the thing that it identifies; may be empty."""
    owned: frozenset[str]
    """Stems of what is said to be of that thing: `concert` in `the concert of the singer named X`."""
    bound: str
    """`min` or `max` for `at least` and `at most`, otherwise empty."""
    before: tuple[str, ...]
    """Stems before it, nearest first, back to the value before it or the start of its sentence."""
    after: tuple[str, ...]
    """Up to three stems behind it, nearest first, in its sentence."""
    message: int
    """Number of the message in its request."""
    position: int
    """Number of the value in its message."""
    quoted: bool
    negated: bool
    """It is what the person does not want: `not 5`, `instead of 5`."""

    @property
    def key(self) -> tuple[int, int]:
        """Tells values of one request apart, later ones larger."""
        return self.message, self.position

    @property
    def thing(self) -> frozenset[str]:
        """Stems of what it identifies, also where only the thing is said: `the club Arsenal`."""
        return self.label if self.role == "bare" else self.noun

    @property
    def folded(self) -> str:
        """The text as values are compared."""
        return fold(self.text).strip()

    @property
    def number(self) -> float | None:
        """The text as a number, or none."""
        try:
            return float(self.text.replace(",", ""))
        except ValueError:
            return None


_SCALE = re.compile(r"0 to 100?\b")
_NUMBERED = re.compile(r"\s+(?:is\b|should be\b|[\"“]|[A-ZÀ-ÖØ-Þ][a-zà-ÿ])")
_SCALE_END = re.compile(r"\bfrom 0 to $")
_BREAK = re.compile(
    r"\b(?:the|that|this|an?|of|for|to|from|in|on|with|and|or|by|at|new|certain|me|show|only|its|their|his|her|one|is|"
    r"are|be|i|you|it)\b|[,:;]",
    re.IGNORECASE,
)
_WHOSE = re.compile(
    r"(?P<noun>[^.;:?!]*?)\s*(?:\band\s+)?\bwhose\s+(?P<label>[^,.;:?!]+?)\s+(?:is|are)(?P<not> not)?\s*$",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?P<noun>[^.;:?!]*?)\s+(?:named|called|titled|entitled|by the name of)\s*$", re.IGNORECASE)
_BOUNDED = re.compile(
    r"(?P<label>[^,.;:?!]*?)\s+(?:of\s+)?"
    r"(?P<bound>at least|at most|above|below|over|under|more than|less than|not before|not after|before|after)\s*$",
    re.IGNORECASE,
)
_BECOMES = re.compile(r"(?:\bthe\s+(?P<label>[^,.;:?!]+?))?\s*\b(?:to|into)\s*$", re.IGNORECASE)
_CHANGED = re.compile(
    r"\b(?:change|set|update|correct|adjust|fix|modify)\s+the\s+(?P<label>[^,.;:?!]+?)\s+(?:of|for)\b", re.IGNORECASE
)
_STATED = re.compile(
    r"(?P<label>[^.;?!]+?),?\s*(?:\b(?:is|are|should (?:now )?be|will be|to be|as|take|use|being|really)\b|"
    r"[=:])\s*(?:really\s*)?$",
    re.IGNORECASE,
)
_WITH = re.compile(
    r"\b(?:the|that)\s+(?P<noun>[^,.;:?!]+?)\s+with\s+(?:the|an?)\s+(?P<label>[^,.;:?!]+)$", re.IGNORECASE
)
_BARE = re.compile(
    r"(?:\b(?:the|an?|its|their|his|her|that|of|for|with|in|and)\s+)(?P<label>(?:[\w/%'-]+\s+){0,4}[\w/%'-]+)$",
    re.IGNORECASE,
)
_ADDED = re.compile(r"\b(?:add|create|register|enter|record|book)\b.*,\s+for\s+(?:the|that)\b", re.IGNORECASE)
_BEHIND = re.compile(
    r"^[\"”]?\s*(?:as|for)\s+the\s+(?P<label>[\w /-]+?)\s*(?:[,.;?!]|$|\binstead\b|\bnot\b)", re.IGNORECASE
)
_LOWER_BOUNDS = frozenset({"at least", "above", "over", "more than", "not before", "after"})
_COUNTED_LABEL = re.compile(r"^\s+(?P<label>[^\W\d_][\w ]*?)\s*(?:[,.;?!]|$|\b(?:and|of|for|in)\b)")


def _last_phrase(text: str) -> frozenset[str]:
    """The stems of the last words of a text, back to an article or preposition."""
    parts = [part.strip() for part in _BREAK.split(text) if part.strip()]
    words = all_stems(parts[-1]) if parts else ()
    return frozenset(words[-5:])


NAMING = frozenset({"name", "titl"})
"""Stems of what `named X` says: its name or its title."""


@dataclass(frozen=True)
class _Said:
    """What the words in front of a value say of it."""

    role: Role = "none"
    label: frozenset[str] = frozenset()
    noun: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()
    bound: str = ""


def _read_thing(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The thing at the end of a text, and what is said to be of it: `the concert of the singer`."""
    owned = re.search(r"\b(?:the|that)\s+([^,.;:?!]+?)\s+of\s+(?:the|that)\s+[^,.;:?!]+$", text, re.IGNORECASE)
    return _last_phrase(text), _last_phrase(owned.group(1)) if owned else frozenset()


def _read_left(left: str, sentence: str, before: _Said) -> _Said:
    """What is said of a value by the words between it and the value before, about which `before` tells."""
    said = _read_own(left, sentence, before)
    if said.noun and before.noun and re.match(r"\W*of\s+(?:the|that)\b", left):
        return replace(said, owned=before.noun)  # `the concert with the name X of the singer Y`
    return said


def _read_own(left: str, sentence: str, before: _Said) -> _Said:
    """The same without what the value before adds."""
    if match := _WHOSE.search(left):
        noun, owned = _read_thing(match.group("noun"))
        return _Said(
            "identifies", _last_phrase(match.group("label")), noun or before.noun, owned if noun else before.owned
        )
    if match := _NAMED.search(left):
        noun, owned = _read_thing(match.group("noun"))
        fresh = re.search(r"\b(?:an?|new)\s+[\w -]*$", match.group("noun"), re.IGNORECASE)
        return _Said(
            "states" if fresh and "certain" not in left else "identifies",
            NAMING,
            noun or before.noun,
            owned,
        )
    if match := _BOUNDED.search(left):
        label = _last_phrase(match.group("label"))
        thing = re.search(r"\b((?:the|that)\s+[^,.;:?!]+?)\s+with\s+an?\s", match.group("label"), re.IGNORECASE)
        return _Said(
            "states",
            label or before.label,
            _last_phrase(thing.group(1)) if thing else before.noun,
            bound="min" if match.group("bound").lower() in _LOWER_BOUNDS else "max",
        )
    if match := _BECOMES.search(left):
        label = _last_phrase(match.group("label") or "")
        changed = None if label else _CHANGED.search(sentence)
        return _Said("new", label or (_last_phrase(changed.group("label")) if changed else frozenset()))
    if match := _STATED.search(left):
        return _Said("states", _last_phrase(match.group("label")))
    if match := _WITH.search(left):
        noun, owned = _read_thing("the " + match.group("noun"))
        return _Said("identifies", _last_phrase(match.group("label")), noun, owned)
    if not (match := _BARE.search(left)):
        return _Said()
    label = _last_phrase(match.group("label"))
    if _ADDED.search(sentence):
        _, owned = _read_thing(left)
        return _Said("identifies", NAMING, label, owned)
    _, owned = _read_thing(left)
    return _Said("bare", label, owned=owned)


def _opens(before: str) -> bool:
    """Whether nothing but punctuation stands before this place of a sentence."""
    return not before.strip(" -—,'\"")


_COUNTED = frozenset("first top last least most than the about over under above below be only just take use".split())
_CONNECTORS = frozenset(
    "of and to for with in on at by is are was were from please instead now as there not or if but so this that named "
    "called"
    " whose who which can could should would has have again too".split()
)


def _is_label_number(before: str, behind: str) -> bool:
    """Whether a number belongs to a label: `the line 1 is`, `the line 2 number street`."""
    word = re.search(r"([a-zà-ÿ]+)\s$", before)
    if word is None or word.group(1) in _CONNECTORS | _COUNTED:
        return False
    following = re.match(r"\s+([a-z]+)\b", behind)
    return bool(_NUMBERED.match(behind)) or (bool(following) and following.group(1) not in _CONNECTORS)


def _is_modifier(found: str, before: str, behind: str) -> bool:
    """Whether a capital word only begins a noun: `the TV series`."""
    if " " in found or not re.search(r"\b(?:the|that|this|an?|new|whose)\s+$", before, re.IGNORECASE):
        return False
    if re.match(r"\s+(?:is|of)\b", behind):
        return True
    following = re.match(r"\s+([a-z]+)\b", behind)
    return bool(following) and following.group(1) not in _CONNECTORS


def _clean_name(text: str, at_start: bool) -> tuple[str, int]:
    """A run of capitalised words without what only begins a sentence; how many characters were cut in front."""
    cut = 0
    while text:
        first = text.split()[0]
        plain = fold(first).strip(".,'")
        if plain not in _NOT_NAMES and not plain.startswith(("i'", "i’")):
            break
        if not at_start and plain not in {"i", "i'm", "i'd", "i'll", "i've", "id"}:
            break
        rest = text[len(first) :].lstrip()
        cut += len(text) - len(rest)
        text = rest
        if text and text.split()[0] in {"of", "the", "de", "la"}:
            return "", cut
    return text.rstrip(".'’-&/"), cut


@lru_cache(maxsize=8192)
def read_values(text: str, message: int = 0) -> tuple[SpokenValue, ...]:
    """The values of one message, in order."""
    values: list[SpokenValue] = []
    position = 0
    for sentence in _SENTENCE_END.split(_protect(text)):
        sentence = sentence.replace("\x01", " ")
        last_end = 0
        before = _Said()
        for match in _SPAN.finditer(sentence):
            if _SCALE.match(sentence, match.start()) or _SCALE_END.search(sentence[: match.start()]):
                continue
            kind = str(match.lastgroup if match.lastgroup in match.groupdict() else "quoted")
            start, end = match.span()
            found = match.group()
            if match.group("quoted"):
                kind, found = "text", next(part for part in match.groups()[1:4] if part is not None)
            elif match.group("mail"):
                kind = "text"
            elif match.group("name"):
                kind = "text"
                found, cut = _clean_name(found, at_start=_opens(sentence[:start]))
                start += cut
                end = start + len(found)
                if not found or (_opens(sentence[:start]) and " " not in found):
                    continue
            elif match.group("code"):
                kind = "code"
            if kind == "code" and re.match(r"\s+(?:is\b|should\b|[\"“])", sentence[end:]):
                continue  # a label such as `pk1`
            if kind == "number" and _is_label_number(sentence[:start], sentence[end:]):
                continue  # a label such as `line 1`
            if kind == "text" and not match.group("quoted") and _is_modifier(found, sentence[:start], sentence[end:]):
                continue
            left = sentence[last_end:start].rstrip(' "“«')
            said = _read_left(left, sentence[:start], before)
            if said.role in ("none", "bare") and (behind := _BEHIND.match(sentence[end:])):
                said = _Said("states", stem_label(behind.group("label")))
            if said.bound and not said.label and (counted := _COUNTED_LABEL.match(sentence[end:])):
                said = replace(said, label=stem_label(counted.group("label")))
            before = said
            values.append(
                SpokenValue(
                    text=found,
                    kind=kind,
                    role=said.role,
                    label=said.label,
                    noun=said.noun,
                    owned=said.owned,
                    bound=said.bound,
                    before=all_stems(left)[::-1],
                    after=all_stems(sentence[end : end + 40])[:3],
                    message=message,
                    position=position,
                    quoted=bool(match.group("quoted")),
                    negated=bool(_NEGATED.search(sentence[:start].rstrip(' "“«') + " ")),
                )
            )
            position += 1
            last_end = end
    return tuple(values)


_INSIDE = re.compile(r"(?<=\b[A-Z])\. (?=[A-Z])|(?<=\bSt)\. |(?<=\b[DMJS]r)\. |(?<=\bMrs)\. |(?<=\bNo)\. (?=\d)")


def _protect(text: str) -> str:
    """Marks full stops inside names (`St. Helena`, `J. Smith`) and inside quotes, which end no sentence."""
    text = re.sub(_QUOTED, lambda match: match.group().replace(" ", "\x01"), text)
    return _INSIDE.sub(".\x01", text)


@lru_cache(maxsize=4096)
def _label_pattern(label: str) -> re.Pattern[str]:
    words = [re.escape(word) for word in label.split()]
    return re.compile(
        rf"\b{'[ _-]?'.join(words)}\b\s*(?:is|are|should be|would be|will be|=|:|being|to be)\s+"
        r"(?P<value>[^,;.?!\n]+?)(?=\s+(?:and|for|of|with|to|in|on|but|please|instead|as)\b|[,;.?!\n]|$)",
        re.IGNORECASE,
    )


def find_labelled(text: str, label: str) -> str | None:
    """What follows a label in people's words: `the pet type is cat` gives `cat` for `pet type`; the last such place."""
    if label.split()[0].lower() not in text.lower():
        return None
    found = None
    for match in _label_pattern(label).finditer(text):
        value = match.group("value").strip(" \"“”'")
        if value and split_name(value)[:1] and split_name(value)[0] not in STOP and len(value.split()) <= 5:
            found = value
    return found


def stem_label(label: str) -> frozenset[str]:
    """The stems of a label, generic words kept."""
    return frozenset(stem(word) for word in split_name(label))
