"""What a request says that nobody gave it: numbers, codes and names from nowhere."""

import calendar
import re
from collections.abc import Iterable, Iterator, Sequence

from turnwright.stateless.prose_marks import list_unheard

_CODE = re.compile(r"(?<![\w.,:-])(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[\w-]+")
"""Letters and digits in one word: an id, an ordinal, a time of day, an amount with its unit."""
_MEASURED = re.compile(r"(\d+)(?:st|nd|rd|th|am|pm|h|min|k|kg|g|km|m|cm|mm|l|ml)", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w'’-])[A-ZÀ-ÖØ-Þ][\w'’-]*")
_SENTENCE_END = re.compile(r"(?:^|[.!?:;\n(\"“”])['\"“‘(]*\s*$")
_CALENDAR = {
    name.casefold()
    for names in (calendar.month_name, calendar.month_abbr, calendar.day_name, calendar.day_abbr)
    for name in names
}


def list_invented(text: str, heard: Sequence[str]) -> Iterator[str]:
    """The numbers, codes and names of a text that none of `heard` has; the first word of a sentence is no name."""
    yield from list_unheard(text, heard, in_parts=True)
    known = " ".join(heard).casefold()
    for code in _CODE.findall(text):
        measured = _MEASURED.fullmatch(code)
        if code.casefold() not in known and not (measured and measured[1] in known):
            yield code
    words = set(_split(heard))
    for found in _NAME.finditer(text):
        word = re.split("['’]", found[0].casefold())[0]  # `Priya's` is Priya, `I'd` is I
        # Capitals alone are an abbreviation: PDF, VIP, ID.
        if found[0].isupper() or word == "i" or word in _CALENDAR or _SENTENCE_END.search(text[: found.start()]):
            continue
        if not set(re.findall(r"[^\W_]+", word)) <= words and word not in known:
            yield found[0]


def _split(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from re.findall(r"[^\W_]+", text.casefold())
