"""Words as the players compare them: folded to ASCII, split out of identifiers, cut to a stem."""

import re
import unicodedata
from functools import lru_cache
from typing import Any, cast

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[a-z]+|\d+")

STOP = frozenset(
    "a an the of to in on at by for from with and or is are was were be been being it its this that these those"
    " there i me my mine we our us you your he she his her they their them who whom whose which what when where"
    " how do does did can could would will should shall may might must please just also as if so than then have"
    " had not no want wants need needs like help one ones some any all each every give given gives tell know see"
    " find out up get show look list search return returns lookup about into per named called id ids thank thanks"
    " hi hello hey oh okay ok great good nice cool perfect awesome alright right well else another thing things"
    " matter point helpful helps understood excellent appreciate furthermore addition next moving way once again"
    " clear hm maybe now really possible sorry meant mean actually wait hold said only first yes sure certain"
    " double kindly grateful glad trying morning afternoon evening day dear support team s t d ll m re ve wasn"
    " doesn don isn didn couldn sound let put more hiya yo bear chance gotta minutes meeting colleague boss friend"
    " notes".split()
)
"""Words that say nothing about which tool is meant."""

READ_VERBS = frozenset(
    "get search list count find compare calculate rank check show summarize summarise fetch lookup look view average"
    " top total sum retrieve read describe compute".split()
)
CREATE_VERBS = frozenset("create add insert register record book enroll enrol assign schedule log enter new".split())
UPDATE_VERBS = frozenset(
    "update set change rename move mark increase decrease adjust transfer modify edit correct raise reassign".split()
)
DELETE_VERBS = frozenset("delete remove drop cancel erase".split())


_IRREGULAR = {
    "people": "person",
    "persons": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "staff": "staff",
}


def fold(text: str) -> str:
    """Lower case, ASCII letters, accents dropped."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()
    return text.lower()


def squeeze(text: str) -> str:
    """Only letters and digits of the folded text: `Player_ID` and `player id` are equal."""
    return re.sub(r"[^a-z0-9]", "", fold(text))


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A word without its commonest English endings."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or word.endswith(("ss", "us")):
        return word
    for ending, rest in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending):
            return word[: -len(ending)] + rest
    if word.endswith("s"):
        word = word[:-1]
    if word.endswith("ing") and len(word) > 5:
        word = word[:-3]
    elif word.endswith("ed") and len(word) > 4:
        word = word[:-2]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


@lru_cache(maxsize=16384)
def split_name(identifier: str) -> tuple[str, ...]:
    """The words of an identifier in any style, folded: `Home_Town` is `home`, `town`."""
    return tuple(_WORD.findall(fold(_CAMEL.sub(" ", identifier))))


@lru_cache(maxsize=16384)
def say_name(identifier: str) -> str:
    """An identifier as people write it: lower case, spaces, accents kept."""
    words = re.findall(r"[^\W_]+", _CAMEL.sub(" ", identifier))
    return " ".join("ID" if word.lower() == "id" else word.lower() for word in words) or identifier


@lru_cache(maxsize=16384)
def stems(text: str) -> tuple[str, ...]:
    """The stems of a text's words, in order, stop words left out."""
    return tuple(stem(word) for word in split_name(text) if word not in STOP)


@lru_cache(maxsize=16384)
def all_stems(text: str) -> tuple[str, ...]:
    """The stems of all words of a text."""
    return tuple(stem(word) for word in split_name(text))


def name_fits(name: str, words: frozenset[str], noun: frozenset[str] = frozenset()) -> bool:
    """Whether a label in people's words can mean the field `name`; words of `noun` may be left out (`singer_name`)."""
    own = {stem(word) for word in split_name(name)}
    return bool(own) and (own <= words | noun) and bool(own & words)


def say_value(value: Any) -> str:
    """A JSON scalar as it is written in a sentence; numbers and names exactly as they are."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not recorded"
    if isinstance(value, list):
        return join_words([say_value(item) for item in cast("list[Any]", value)])
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) else str(value)


def join_words(parts: list[str], word: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def start_sentence(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]
