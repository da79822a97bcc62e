"""How the simulated user takes a message of the assistant."""

import re
from typing import Literal

from turnwright.selfplay.words import stems

Message = Literal["question", "confirmation", "declined", "failed", "not_found", "report", "promise"]

_OFFER = re.compile(
    r"(?:[^.!?\n]*\b(?:anything else|something else|further (?:help|questions|assistance)|else (?:I|you|we)|"
    r"more (?:help|details))\b[^.!?\n]*\?\s*)$",
    re.IGNORECASE,
)
_CONFIRMING = re.compile(
    r"\b(?:go ahead|shall i|should i|confirm|is that (?:right|correct|ok|okay)|proceed|do you want me to|"
    r"would you like me to|all right to|are you sure)\b",
    re.IGNORECASE,
)
_DECLINED = re.compile(
    r"\b(?:can(?:'|’)?t (?:do|help)|cannot (?:do|help)|no way to do|outside (?:of )?what i|not able to help|don(?:'|"
    r"’)t have (?:a|any) (?:tool|way)|"
    r"unable to help|beyond what i|not something i can)\b",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"\b(?:did not work|didn(?:'|’)t work|could not (?!find)|couldn(?:'|’)t (?!find)|was not able|wasn(?:'|’)t able|"
    r"unable to|not available|timed out|"
    r"did not answer|too many requests|problem|error|failed|try (?:it )?(?:again|once more))\b",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"\b(?:could(?:n(?:'|’)t| not) find|no (?:entry|record|result|match)|nothing (?:came up|was found|was changed)|"
    r"came back empty|not found|"
    r"no \w+ (?:matches|matched|was found|were found)|does(?:n(?:'|’)t| not) exist)\b",
    re.IGNORECASE,
)
_PROMISE = re.compile(r"^\s*(?:one moment|let me|i(?:'|’)ll|i will|hold on|please wait)\b[^.]*\.?\s*$", re.IGNORECASE)
_READ_BACK = re.compile(r"\b(?:now shows|it shows|looked again|record now|now reads|i checked)\b", re.IGNORECASE)


def read_message(text: str) -> Message:
    """What kind of message the assistant sent. An offer of more help at its end does not count."""
    body = _OFFER.sub("", text.strip()).strip() or text.strip()
    if body.endswith("?"):
        asks = re.search(r"\b(?:which|what|could you (?:tell|give))\b[^.?!]*\?$", body, re.IGNORECASE)
        return "confirmation" if _CONFIRMING.search(body) and not asks else "question"
    if _DECLINED.search(body):
        return "declined"
    if _NOT_FOUND.search(body) and len(body) < 400:
        return "not_found"
    if _FAILED.search(body) and len(body) < 400:
        return "failed"
    if _PROMISE.match(body):
        return "promise"
    return "report"


def was_read_back(text: str) -> bool:
    """Whether a change was reported together with a look at the record."""
    return bool(_READ_BACK.search(text))


def asked_words(text: str) -> frozenset[str]:
    """The telling stems of the question in a message."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    questions = [sentence for sentence in sentences if sentence.endswith("?")] or sentences[-1:]
    if questions and not stems(questions[-1]) and len(sentences) > 1:
        questions = sentences[-2:]
    if len(questions) == 1 and len(sentences) > 1 and len(stems(questions[0])) < 3:
        questions = sentences[-2:]
    return frozenset(word for sentence in questions for word in stems(sentence))
