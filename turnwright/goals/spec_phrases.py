"""What a tool does, as what someone wants to do, from a description that comes from anywhere."""

import re
from collections.abc import Sequence

from schemas.tools import Tool
from turnwright.goals.verb_phrases import verb_phrase
from turnwright.tools.naming import split_words, to_words

LONGEST = 110
"""Most characters of a phrase; it is cut at a clause before that."""
_PREAMBLE = re.compile(r"^.*\b(?:tool|function) description:\s*", re.IGNORECASE | re.DOTALL)
_SUBJECT = re.compile(
    r"^(?:(?:this|the)\s+)?(?:tool|function|api|endpoint|method|operation|service|request)\s+"
    r"(?:is used to|can be used to|can|will|allows (?:you|users?|the user) to|lets you|helps (?:you )?(?:to )?|to)?\s*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r",?\s+(?:based on|given|using|by providing|by specifying|according to|depending on|considering|"
    r"taking into account|"
    r"identified by|matching|with the (?:given|specified|provided|following)|for the (?:given|specified|provided)"
    r" (?:parameters?|inputs?|arguments?)|"
    r"and (?:returns?|applies|adds|processes|stores|saves|displays)|as well as|including|such as|with options?)\b.*$",
    re.IGNORECASE,
)
_PICKED = re.compile(r"\b(?P<article>a|an|the)\s+(?:specific|specified|given|provided|certain|particular)\s+(?=\w)")
_BARE_PICKED = re.compile(r"\b(?:specified|given|provided)\s+(?=\w)")
_DANGLING = re.compile(r"(?:\s+(?:the|an?|of|from|to|for|by|with|in|on|and|or|between|under|within))+\s*$")
_DATABASE = re.compile(r"(?<=\s)(?:the |an? )?[\w ]{0,25}database (?:to find|for) (?=\w)")
_ADVERB = re.compile(r"^(?:\w+ly|then|also)\s+(?=\w)", re.IGNORECASE)
_ASIDE = re.compile(r"\s*\([^)]*\)|\s*\[[^\]]*\]|\s*<[^>]*>|`|\*")
_VERBS = frozenset(
    "accept activate add adjust analyse analyze append apply approve archive arrange assign attach authenticate"
    " authorise authorize bind block book browse build buy calculate call cancel change check choose clear close"
    " collect comment commit compare complete compose compute configure confirm connect contact convert copy count"
    " create deactivate decline decode decrease delete deploy deposit describe detect determine dial disable"
    " discover display divide download draft draw edit email enable encode engage enroll enter establish estimate"
    " evaluate execute explain export extract fetch fill filter find fix flag follow forecast format forward gather"
    " generate get give grant handle identify import increase initialise initialize initiate insert inspect install"
    " interpret invite issue join launch leave like list listen load locate lock log look lower make manage map mark"
    " match measure mention merge modify monitor mount move multiply mute navigate notify obtain open order organise"
    " organize pause pay perform place play post predict prepare press preview print process produce provide publish"
    " pull purchase push put query raise rank rate read reassign recommend record redeem refine refund register"
    " reject release reload remove rename render renew rent repeat replace reply report request reschedule reserve"
    " reset resize resolve restart restore resume retrieve return retweet reverse review revoke ring roll rotate run"
    " save scan schedule search see select sell send set share ship show shuffle sign simulate skip solve sort spell"
    " split start stop store stream submit subscribe subtract suggest sum summarise summarize suspend swap switch"
    " sync tag take test text toss track trade train transfer translate trigger turn type unblock undo unfollow"
    " unlock unmute unsubscribe update upgrade upload use validate verify view visit vote watch withdraw write"
    " zip".split()
)
_SEEING = frozenset("display displays output outputs obtain obtains read reads gather gathers query queries".split())


def phrase_tool(tool: Tool, others: Sequence[Tool] = ()) -> str:
    """What a tool does, usable after `I want to`: `cancel a booking`, `find out the current speed of the vehicle`.

    Where another tool of `others` does the same in the same words, words of the tool's own name tell them apart.
    """
    phrase = _phrase(tool)
    same = [other for other in others if other.name != tool.name and _phrase(other) == phrase]
    if not same:
        return phrase
    own = split_words(tool.name)
    common = 0
    while all(common < len(words) and words[common] == own[min(common, len(own) - 1)] for words in map(_name, same)):
        common += 1
        if common >= len(own):
            break
    tail = [word for word in own[common:] if word not in split_words(phrase)]
    if not tail:
        return phrase
    joint = "" if tail[0] in ("from", "by", "for", "with", "in", "on", "at", "via") else "by "
    return f"{phrase} {joint}{' '.join(tail)}"


def _name(tool: Tool) -> list[str]:
    return split_words(tool.name)


def _phrase(tool: Tool) -> str:
    text = " ".join(_ASIDE.sub("", _PREAMBLE.sub("", tool.description)).split())
    sentences = [part.strip() for part in re.split(r"(?<=[a-z)\d])[.!?:;](?:\s+|$)", text) if part.strip()]
    for sentence in sentences[:3]:
        said = _say_sentence(sentence)
        if said is not None:
            return said
    if sentences and len(sentences[0]) > 8 and len(split_words(sentences[0])) > 1:
        return _trim(verb_phrase(_clean(sentences[0])))
    words = to_words(tool.name)
    return _trim(verb_phrase(words) if words.split()[0] in _VERBS else f"see the {words}")


def _say_sentence(sentence: str) -> str | None:
    """A sentence as a wish, or none where it does not say what is done."""
    cleaned = _clean(_ADVERB.sub("", _SUBJECT.sub("", sentence)))
    head, _, rest = cleaned.partition(" ")
    verb = _infinitive(head.strip(",").lower())
    if verb is None or not rest:
        return None
    if verb in ("do", "perform") or head.lower() in _SEEING:
        return _trim(f"see {rest}" if head.lower() in _SEEING else f"{verb} {rest}")
    if verb == "return" and re.search(r"\b(?:book|item|parcel|product|order)s?\b", rest) is None:
        return _trim(verb_phrase(f"Return {rest}"))
    if verb in (
        "get",
        "list",
        "show",
        "fetch",
        "retrieve",
        "give",
        "provide",
        "view",
        "search",
        "find",
        "look",
        "count",
    ):
        return _trim(verb_phrase(f"{verb.title()} {rest}"))
    if verb in ("calculate", "compute", "determine", "check") and not rest.lower().startswith(("if ", "whether ")):
        return _trim(verb_phrase(f"{verb.title()} {rest}"))
    return _trim(f"{verb} {rest}")


def _clean(text: str) -> str:
    text = " ".join(to_words(word) if "_" in word else word for word in text.split())
    text = _PICKED.sub(lambda found: f"{found['article'] if found['article'] != 'an' else 'a'} ", text)
    text = _BARE_PICKED.sub("", _TAIL.sub("", text))
    text = _DANGLING.sub("", _DATABASE.sub("", text))
    return re.sub(r"\ba (?=[aeio]\w)", "an ", text).strip(" .,:;")


def _infinitive(word: str) -> str | None:
    candidates = [word]
    if word.endswith("ies"):
        candidates.append(f"{word[:-3]}y")
    if word.endswith("es"):
        candidates.append(word[:-2])
    if word.endswith("s"):
        candidates.append(word[:-1])
    if word.endswith("ing"):
        candidates += [word[:-3], f"{word[:-3]}e"]
    return next((candidate for candidate in candidates if candidate in _VERBS or candidate in ("do", "perform")), None)


def _trim(phrase: str) -> str:
    """The phrase without quotes and commas, which part it from what follows, and not too long."""
    plain = re.sub(r"\s+", " ", re.sub(r"[\"“”‘’;:()\[\]{}⟦⟧]", "", phrase)).strip(" .,")
    plain = re.sub(r",?\s+(?:etc|e\.g|i\.e)\b.*$", "", plain)
    plain = plain.replace(",", "")
    if len(plain) > LONGEST:
        cut = re.split(r"\s+(?:that|which|where|when|so|and|or|while|for|with|in)\s+", plain[: LONGEST + 1])
        while len(cut) > 1 and len(plain) > LONGEST:
            plain = plain[: plain.rfind(f" {cut.pop()}")].rsplit(" ", 1)[0]
        plain = plain[:LONGEST].rsplit(" ", 1)[0] if len(plain) > LONGEST else plain
    return plain.strip(" .,'")
