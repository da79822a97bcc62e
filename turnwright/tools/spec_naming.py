"""What the names of written tools must be (UO, tool specs and expansion): a verb, then what it is about.

Given tools keep their names: whoever owns them calls them so.
"""

import re

from turnwright.tools.naming import READ_VERBS, WRITE_VERBS, snake_case, split_words
from turnwright.tools.rejection import Rejection

VERBS = frozenset(
    {
        *READ_VERBS,
        *(verb for group in WRITE_VERBS.values() for verb in group),
        *"apply approve archive confirm convert estimate export fetch forecast import invite notify order pay place"
        " post predict publish recommend reply request reschedule reserve reset resolve restore send share start stop"
        " submit subscribe track translate unsubscribe upload validate verify".split(),
    }
)
"""First words that a written tool may have."""
MOST_WORDS = 6

_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_MATHS = frozenset(
    "add average difference divide logarithm max maximum mean median min minimum mode modulo multiply percentage power"
    " product quotient round sqrt subtract sum".split()
)
_OPERANDS = frozenset(
    "array arrays element elements float floats integer integers item items list lists number numbers numeric string"
    " strings text texts value values".split()
)
_SHAPING = frozenset(
    "append capitalize convert concat concatenate count dedupe deduplicate filter flatten format join lowercase merge"
    " parse print reverse slice sort split strip trim truncate uppercase".split()
)
_SHAPES = frozenset("lowercase uppercase csv json output result results response timestamp xml date currency".split())


def check_tool_name(name: str) -> str:
    """The name of a written tool, in snake case.

    Raises:
        Rejection: `name`: it does not begin with a verb, says nothing besides it, or is too long.
    """
    made = snake_case(name, fallback="tool")
    words = made.split("_")
    if not _SNAKE.fullmatch(made):
        raise Rejection("name", f"{_shorten(name)} must be a verb and what it is about, as in get_order.")
    if words[0] not in VERBS:
        raise Rejection(
            "name",
            f"{_shorten(name)} must begin with a verb such as get_, search_, list_, create_, update_ or delete_.",
        )
    if len(words) > MOST_WORDS:
        raise Rejection("name", f"{_shorten(name)} has {len(words)} words; write at most {MOST_WORDS}.")
    return made


def check_usefulness(name: str, description: str) -> None:
    """Holds for a tool that does something that only this service can do.

    Raises:
        Rejection: `trivial`: it is a helper for sums, lists, texts or formats, which every model does by itself.
    """
    words = split_words(name)
    rest = set(words[1:])
    said = set(split_words(description))
    computing = words[:1] in (["calculate"], ["compute"], ["get"], ["find"]) and bool(rest & _MATHS)
    maths = computing or (bool(words) and words[0] in _MATHS)
    if maths and rest <= _MATHS | _OPERANDS | {"of", "two", "and"} and (rest | said) & _OPERANDS:
        raise Rejection("trivial", f"{name} only calculates with numbers it is given; a model needs no tool for it.")
    if words[:1] and words[0] in _SHAPING and rest and rest <= _OPERANDS | _SHAPES | {"to", "as", "by", "of"}:
        raise Rejection("trivial", f"{name} only rearranges what it is given; a model needs no tool for it.")


def _shorten(name: str) -> str:
    text = repr(name)
    return text if len(text) <= 60 else f"{text[:59]}…"
