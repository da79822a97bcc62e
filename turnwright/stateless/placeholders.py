"""Values that stand for a value: what a model writes where it has none, as `your_booking_id` or `<city>`."""

import re

from turnwright.tools.naming import split_words

_BRACKETED = re.compile(r"<[^<>]+>|\{\{?[^{}]+\}\}?|\[[^\[\]]+\]|\$\{?\w+\}?")
_FRONT = frozenset("your my a an the some any sample example dummy test fake valid insert enter".split())
_BACK = frozenset("value here placeholder string example".split())
_EMPTY = frozenset(
    {"string", "value", "text", "placeholder", "example", "sample", "xxx", "xxxx", "tbd", "todo", "n/a", "lorem ipsum"}
)


def is_placeholder(parameter: str, value: str) -> bool:
    """Whether a text says the name of its parameter instead of a value, or nothing at all.

    `clientSecret123` for `client_secret` is one; `Gate 12` for `gate` and `order123` for `order_id` may be real.
    """
    plain = value.strip()
    if plain.casefold() in _EMPTY or _BRACKETED.fullmatch(plain):
        return True
    name, words = split_words(parameter), split_words(plain)
    if len(name) > 1 and words and re.fullmatch(r"[^\W\d_]+\d+", words[-1]):
        words = [*words[:-1], words[-1].rstrip("0123456789")]
    while words and words[0] in _FRONT:
        words = words[1:]
    while len(words) > len(name) and words[-1] in _BACK:
        words = words[:-1]
    return bool(words) and words == name
