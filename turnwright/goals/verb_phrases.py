"""A tool's description as what someone wants to do."""

import re

from turnwright.tools.naming import READ_VERBS, WRITE_VERBS, to_words

_SEE = (
    "get gets fetch fetches retrieve retrieves return returns show shows display displays list lists view views give"
    " gives provide provides".split()
)
_FIND_OUT = "calculate calculates compute computes determine determines check checks".split()
_FIND = "find finds search searches look".split()
_VERBS = {*READ_VERBS, *(verb for verbs in WRITE_VERBS.values() for verb in verbs)}
_FIGURE = re.compile(r"(?:the )?(?:number|total|average|count|share|how|which|what)\b")
_ASIDE = re.compile(r"\s*\([^)]*\)|\s*\[[^\]]*\]")
_EXACTLY = re.compile(r",? (?:from 0 to 1|both included|inclusive|in stable order)(?=[,.]|$)")
_BY_KEY = re.compile(
    r",?\s+(?:by|from|with|for|using|given|identified by|based on)\s+(?:(?:its|their|his|her|the|a|an|one)\s+)?"
    r"(?:[\w'’ ]{0,30}?\s)?(?:IDs?|ids?|identifiers?|keys?|names?|titles?)\b(?=\s*(?:$|[,;]))",
)
"""How a description says by what a row is found: the purpose says it with the value."""


def verb_phrase(description: str) -> str:
    """A tool's description as what someone wants to do.

    `Lists the orders of a customer by ID.` gives `see the orders of a customer`.
    """
    first = re.split(r"(?<=[a-z)\d])\.(?:\s|$)", description.strip(), maxsplit=1)[0].rstrip(" .")
    first = _EXACTLY.sub("", _BY_KEY.sub("", _ASIDE.sub("", first))).strip(" .:;,`")
    text = " ".join(to_words(word) if "_" in word else word for word in first.split())
    head, _, rest = text.partition(" ")
    word = head.lower().rstrip(",:")
    if word in _FIND:
        return f"find {re.sub(r'^(?:up|for) ', '', rest)}"
    if word in ("count", "counts"):
        return f"find out the number of {re.sub(r'^(?:the number of|how many|the) ', '', rest)}"
    if word in _FIND_OUT:
        return f"find out {re.sub(r'^(?:out) ', '', rest)}"
    if word in _SEE:
        return f"{'find out' if _FIGURE.match(rest) else 'see'} {rest}"
    if word in ("which", "what", "how", "the", "number", "total", "average", "sum"):
        return f"find out {text[0].lower()}{text[1:]}"
    if rest and (imperative := next((verb for verb in (word, word.removesuffix("s")) if verb in _VERBS), None)):
        return f"{imperative} {rest}"
    return f"see {text[:1].lower()}{text[1:]}" if text[1:2].islower() else f"see {text}"
