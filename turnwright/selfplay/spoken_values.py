"""Values that a person names in a message: quoted text, names, numbers, dates, with the words around them."""

import re
from dataclasses import dataclass
from functools import lru_cache

from turnwright.selfplay.words import STOP, all_stems, fold, split_name, stem

_QUOTED = r"\"([^\"\n]+)\"|“([^”\n]+)”|«([^»\n]+)»"
_MAIL = r"[\w.+-]+@[\w-]+\.[\w.-]*\w|https?://[^\s,;]*[^\s,;.?!]"
_DATE = r"\d{4}-\d{1,2}-\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}:\d{2}(?::\d{2})?"
_CODE = r"(?=[\w/#-]*\d)(?=[\w/#-]*[A-Za-z])[A-Za-z0-9][\w/#-]*[\w]"
_NUMBER = r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w-])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w-])"
_NAME_WORD = r"(?:[A-ZÀ-ÖØ-ÞŠŽŁĐŚ][\w’'.&/-]*|\d[\w.-]*)"
_JOINT = r"(?:of|the|de|la|le|van|von|der|del|di|da|du|y|e|&|-|’s)"
_NAME = rf"[A-ZÀ-ÖØ-ÞŠŽŁĐŚ][\w’'.&/-]*(?:\s+(?:{_JOINT}\s+){{0,2}}{_NAME_WORD})*"
_SPAN = re.compile(
    rf"(?P<quoted>{_QUOTED})|(?P<mail>{_MAIL})|(?P<date>{_DATE})|(?P<code>(?<![\w-]){_CODE}(?![\w-]))"
    rf"|(?P<number>{_NUMBER})|(?P<name>{_NAME})"
)
_NEGATED = re.compile(r"(?:\bnot|instead of|rather than|\bfrom|no longer)\s+(?:the\s+)?$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_NAMING = re.compile(r"\b(?:named|called|titled|entitled|by the name of|goes by)\s*$", re.IGNORECASE)
_NOT_NAMES = frozenset(
    "hi hello hey good morning afternoon evening could can would please what who how when where which why i ok okay thanks"
    " thank yes no sure also and then but so oh well actually sorry wait hmm let my the a an is are do does did it that this"
    " there first next now great perfect right one after once before for in on to from of with if just maybe unfortunately"
    " alright all any anything i'm i'd i'll i've id it's its that's dear greetings make set put give find tell show list"
    " look add change update remove delete create count check get search go ahead correct cheers fine another besides"
    " separately lastly finally quick question by last later still since as well though not none change we you he she they"
    " their his her our your more some use here nothing see name yep yeah yup absolutely don't doesn't".split()
)


@dataclass(frozen=True)
class SpokenValue:
    """One value in a message and the words that say what it is."""

    text: str
    kind: str
    """`text`, `number`, `date` or `code`."""
    before: tuple[str, ...]
    """Stems before it, nearest first, back to the value before it or the start of its sentence."""
    after: tuple[str, ...]
    """Up to three stems behind it, nearest first, in its sentence."""
    sentence: tuple[str, ...]
    """Stems of the whole sentence before it, values included, nearest first."""
    position: int
    """Counts the values of the conversation part that was read."""
    message: int
    quoted: bool
    negated: bool
    """It is what the person does not want: `not 5`, `instead of 5`."""
    target: bool
    """It follows `to`: what something is to become."""

    @property
    def folded(self) -> str:
        """The text as values are compared."""
        return fold(self.text)

    @property
    def number(self) -> float | None:
        """The text as a number, or none."""
        try:
            return float(self.text.replace(",", ""))
        except ValueError:
            return None


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
        for match in _SPAN.finditer(sentence):
            kind = str(match.lastgroup if match.lastgroup in match.groupdict() else "quoted")
            start, end = match.span()
            found = match.group()
            if match.group("quoted"):
                kind, found = "text", next(part for part in match.groups()[1:4] if part is not None)
            elif match.group("mail"):
                kind = "text"
            elif match.group("name"):
                kind = "text"
                found, cut = _clean_name(found, at_start=not sentence[:start].strip(" -—,'\"") or start == 0)
                start += cut
                if not found:
                    continue
                end = start + len(found)
            elif match.group("code"):
                kind = "code"
            left = sentence[last_end:start]
            around = all_stems(left)[::-1]
            if _NAMING.search(left):
                around = ("name", *around)
            values.append(
                SpokenValue(
                    text=found,
                    kind=kind,
                    before=around,
                    after=tuple(all_stems(sentence[end : end + 40])[:3]),
                    sentence=all_stems(sentence[:start])[::-1],
                    position=position,
                    message=message,
                    quoted=bool(match.group("quoted")),
                    negated=bool(_NEGATED.search(sentence[:start])),
                    target=bool(re.search(r"\b(?:to|into|be|is now|make (?:it|that))\s*$", left, re.IGNORECASE)),
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


def find_labelled(text: str, label: str) -> str | None:
    """What follows a label in people's words: `the pet type is cat` gives `cat` for `pet type`; the last such place."""
    words = [re.escape(word) for word in label.split()]
    pattern = (
        rf"\b{'[ _-]?'.join(words)}\b\s*(?:is|are|should be|would be|will be|=|:|being|as|to be|to)?\s+"
        r"(?P<value>[^,;.?!\n]+?)(?=\s+(?:and|for|of|with|to|in|on|but|please|instead|as)\b|[,;.?!\n]|$)"
    )
    found = None
    for match in re.finditer(pattern, text, re.IGNORECASE):
        value = match.group("value").strip(" \"“”'")
        if value and not all(word in STOP for word in split_name(value)) and len(value.split()) <= 5:
            found = value
    return found


def stem_label(label: str) -> frozenset[str]:
    """The stems of a label, generic words kept."""
    return frozenset(stem(word) for word in split_name(label))
