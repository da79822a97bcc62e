"""What the assistant says it did, did not do or did not find, against what its calls really did."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from schemas.vocabulary import Effect
from turnwright.validation.grounding.claims import Claim
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.plain_text import compose, fold, label_of, list_words
from turnwright.validation.grounding.prose import Prose
from turnwright.validation.grounding.records import Scalar
from turnwright.validation.grounding.tracing import Untraced

_PLAIN_VERBS = (
    "added set changed removed updated deleted cancelled canceled booked created moved registered recorded saved sent "
    "emailed ordered scheduled rescheduled reserved submitted placed processed refunded paid transferred assigned "
    "inserted entered renamed replaced modified adjusted edited corrected increased decreased raised lowered reduced "
    "activated deactivated enabled disabled closed reopened approved rejected uploaded posted published forwarded "
    "notified enrolled enroled arranged issued applied stored logged marked put completed finalised finalized "
    "unsubscribed subscribed exchanged returned extended renewed printed translated withdrawn deposited swapped erased "
    "archived upgraded downgraded charged billed informed alerted contacted escalated filed purchased bought shipped "
    "dispatched"
).split()
_PHRASES = {
    "signed": r"signed (?:you )?up",
    "confirmed": r"confirmed your",
    "made": r"made (?:the change|that change|the update)",
    "taken": r"taken care of",
    "passed": r"passed (?:\w+ ){1,5}?(?:on|along)|passed (?:on|along)",
}
"""Verbs that need more words to tell of a deed, with these."""
_VERBS = "|".join([*_PLAIN_VERBS, *_PHRASES.values()])
_ADVERBS = r"(?:(?:successfully|now|just|also|already|then|gone ahead and|been able to|both|all|officially|safely)\s+)*"
_CLAIMS = re.compile(
    rf"\b(?:i|we)(?:'ve| have|'ve also)?\s+{_ADVERBS}(?P<deed>{_VERBS})\b"
    rf"|\b(?:has|have)\s+{_ADVERBS}been\s+{_ADVERBS}(?P<passive>{_VERBS})\b"
    rf"|\b(?:is|are|was|were)\s+(?:now|successfully)\s+{_ADVERBS}(?P<now>{_VERBS})\b"
    r"|\b(?:that(?:'s| is| has been)|it(?:'s| is)|everything(?:'s| is)|all)\s+(?:now\s+|all\s+)?(?P<done>saved|"
    r"done|taken care of)\b"
    r"|^(?:all |it's |that's )?(?P<short>done|all set)\s*[,.!:-]"
    r"|:\s+(?P<after>(?:that is )?(?:done|saved)(?: and saved)?)\b"
    rf"|\b(?:your|the)\s+(?:\w+\s+){{1,4}}?(?:was|were)\s+{_ADVERBS}(?P<past>cancell?ed|booked|refunded|sent|deleted|updated|submitted|created)\s+successfully"
)
_STATES = re.compile(
    r"\b(?:a|an|the|your|his|her|their|our)\s+(?P<thing>(?:[\w'-]+\s+){1,4}?)(?:is|are|has been|have been)\s+"
    r"(?:now\s+|already\s+|all\s+)?(?:(?:on (?:its|their|the) way)|paid|booked|ordered|reserved|scheduled|cancell?ed|"
    r"arranged|sent|delivered|shipped|taken care of|sorted|settled|confirmed|all set)\b"
)
"""How a thing is told to be done, without anybody who did it."""
_TELLING = frozenset([*_PLAIN_VERBS, *_PHRASES, *"done way delivered sorted settled confirmed".split()])
"""Words of which each claim of a deed or a state has one; a message without them makes none."""
_POLITE = re.compile(r"\b(?:no (?:problem|worries|trouble)|not at all|why not)\b")
"""Words of denial that deny nothing."""
_ASKS_FOR = re.compile(
    r"\b(?:please|(?:could|can|would|will) you|i(?:'d| would) (?:also )?like|i (?:also )?(?:need|want)|go ahead|do it|"
    r"yes)\b"
)
_ASKS_AFTER = re.compile(r"\b(?:did|is|are|has|have|was|were|does)\b[^.?!]*\?")
_GENERIC = frozenset({"done", "short", "after"})
"""Groups of the claims that do not say what was done."""
_UNREAL = re.compile(
    r"\b(?:not|n't|never|nothing|no|none|unable|couldn't|can't|if|once|when|after|before|would|could|should|can|will|until|unless|"
    r"whether|without|as soon as|which was|that was|who was|were previously|previously|earlier|originally)\b|\?"
)
_UNDONE = re.compile(
    r"\b(?:nothing (?:was|has been|is) (?:\w+ )?(?:changed|updated|added|removed|deleted|saved|booked|cancell?ed)|"
    r"no (?:changes?|updates?|record) (?:was|were|has been|have been) (?:\w+ )?(?:made|changed|affected|updated)|"
    r"(?:could ?n't|could not|was(?:n't| not) able to|unable to|can't|cannot|failed to|did(?:n't| not)|"
    r"have(?:n't| not)) "
    r"(?:be )?(?:\w+ )?(?:update|change|add|set|remove|delete|cancel|book|create|save|complete|process|make)(?:d)?|"
    r"(?:has|have) (?:not|n't) been (?:" + _VERBS + r")|left everything as it was)\b"
)
_NOT_FOUND = re.compile(
    r"\b(?:could ?n't find|could not find|did(?:n't| not) find|no (?:\w+ ){0,2}?(?:records?|entr(?:y|ies)|"
    r"results?|match(?:es)?|"
    r"data)(?: was| were| is| are)? (?:found|match\w*|came|for|in|that)|there (?:is|are|was|were) no (?:\w+ ){0,2}?"
    r"(?:records?|entr(?:y|ies)|results?|match\w*)|nothing (?:came up|was found|matched)|came back empty|can't find|"
    r"cannot find|returned no|not in the (?:records|system|database)|does(?:n't| not) exist)\b"
)
_MISSING = frozenset("no not nothing find empty exist".split())
"""Words of which each way to say so has one."""
_TROUBLE = re.compile(
    r"\b(?:error\w*|fail\w*|unavailable|problem\w*|trouble|issue\w*|unable|could ?n't|could not|can't|cannot|"
    r"try(?:ing)? again|"
    r"time[- ]?d? ?out|went wrong|did ?n't|did not|not|no|none|nothing|never|n't|limit\w*|too many|down|hiccup|glitch|"
    r"unfortunately|sorry|busy|unsuccessful\w*|invalid|missing|need\w*|required?|empty|without|outside|unknown|isn't|"
    r"another|instead|however|but|again|rejected|refused|denied|declined|already)\b|\?"
)
_DROPPED = frozenset(
    "the a an of for to in on at by with and or is are was were be been new get set add list find it its this "
    "that these "
    "those them your you my our their his her i we s ve re ll t as well also now from all both successfully "
    "already just "
    "change changes changed update updates request record records entry entries details information data system "
    "here there "
    "done saved complete completed everything accordingly requested need anything else let me know if more so has have "
    "above following one value values field no longer per made make been please thank thanks".split()
)
_DEED_WORD = re.compile(_VERBS)
_STEM = 4
_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z]\w{2,}")
_NEEDS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (
        re.compile(r"\b(?:cancell?ed|deleted|removed|erased)\b"),
        ("cancel", "delet", "remov", "drop", "clear", "unsub", "eras", "refund", "revok", "withdr", "archiv", "reset"),
    ),
    (
        re.compile(r"\b(?:sent|emailed|notified|forwarded)\b"),
        (
            "send",
            "sent",
            "email",
            "mail",
            "notif",
            "forward",
            "messag",
            "invit",
            "shar",
            "post",
            "submit",
            "confirm",
            "text",
            "transf",
        ),
    ),
    (
        re.compile(r"\b(?:booked|reserved)\b"),
        ("book", "reserv", "creat", "add", "schedul", "order", "insert", "appoint"),
    ),
    (re.compile(r"\brefunded\b"), ("refund", "cancel", "return", "pay", "credit")),
    (re.compile(r"\bprinted\b"), ("print",)),
    (re.compile(r"\btranslated\b"), ("transl",)),
)
"""Verbs that only some tools can make true, with beginnings of words that such a call has in its name or arguments."""


@dataclass(frozen=True)
class Deed:
    """One executed call as its result shows it."""

    message: int
    tool: str
    effect: Effect | None
    value: Any
    error: str | None
    changed: bool
    """A write that came through and met something."""
    sure: bool
    """The effect is known from the tool's own code, and not guessed from its specification."""
    keys: tuple[str, ...]
    """Names of its arguments."""
    given: tuple[Scalar, ...]
    """Their values; none where it failed."""

    @cached_property
    def words(self) -> frozenset[str]:
        """Of the tool's name and the arguments."""
        named = (list_words(label_of(name)) for name in (self.tool, *self.keys))
        told = (list_words(fold(str(value))) for value in self.given)
        return frozenset(word for words in (*named, *told) for word in words)


def tells_nothing_found(text: str) -> bool:
    """Whether a message says that a look-up gave nothing."""
    return _NOT_FOUND.search(fold(compose(text))) is not None


def is_empty(value: Any) -> bool:
    """Whether a read came back without anything."""
    if value in (None, "", [], {}):
        return True
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        empty = [not child for child in fields.values() if isinstance(child, list)]
        return len(empty) > 0 and all(empty)
    return False


def check_deeds(prose: Prose, deeds: Sequence[Deed], evidence: Evidence) -> Iterator[Untraced]:
    """`claimed_deed`, `denied_deed`, `denied_result`, `ignored_error`."""
    request = evidence.request
    current = [deed for deed in deeds if deed.message >= request]
    writes = [deed for deed in current if deed.effect == "write"]
    earlier = [deed for deed in deeds if deed.changed and deed.message < request]
    made = [deed for deed in writes if deed.changed]
    for start, end in () if prose.vocabulary.isdisjoint(_TELLING) else prose.sentences:
        sentence = _POLITE.sub(_blank, prose.folded[start:end])
        match = _CLAIMS.search(sentence)
        if match is None and not current and _is_claimed_state(sentence, evidence.talk, evidence, earlier):
            yield Untraced("claimed_deed", _span(prose, start, end), "no call did this")
            break
        if match is not None and match.lastgroup in _GENERIC and any(not d.sure and d.error is None for d in current):
            continue  # what `done` means of a tool that is only specified, nobody can say
        if match is not None and not _UNREAL.search(sentence[: match.end()]) and not sentence.rstrip().endswith("?"):
            asked = set(list_words(evidence.talk)) - _DROPPED if made else set[str]()
            if not _is_of(sentence, made, earlier, asked | _list_names(prose, evidence), evidence.talk):
                claim = _span(prose, start + match.start(), start + match.end())
                failed = next((deed.error for deed in writes if deed.error), None)
                why = _explain(writes, failed)
                yield Untraced("claimed_deed", claim, why)
                break
    if made and all(deed.changed for deed in writes) and not any(deed.error for deed in current):
        undone = _UNDONE.search(prose.folded)
        if undone:
            yield Untraced("denied_deed", _span(prose, *undone.span()), f"{made[-1].tool} came through")
    reads = [deed for deed in current if deed.effect == "read"]
    if reads and not writes and all(deed.error is None and not is_empty(deed.value) for deed in reads):
        missed = None if prose.vocabulary.isdisjoint(_MISSING) else _NOT_FOUND.search(prose.folded)
        if missed:
            span = _span(prose, *missed.span())
            yield Untraced("denied_result", span, "every look-up returned something", blocks=False)
    if current and current[-1].error and not _TROUBLE.search(prose.folded):
        last = current[-1]
        mended = any(deed.error is None and (last.effect != "write" or deed.tool == last.tool) for deed in current)
        if not mended and len(prose.words) > 3:
            claim = _span(prose, 0, len(prose.plain))
            yield Untraced("ignored_error", claim, f"{last.tool} failed ({last.error}) and nothing is said of it")


def _list_names(prose: Prose, evidence: Evidence) -> set[str]:
    """Capitalised words that are known: a write by id is told by the record's name, which an earlier result gave."""
    return {word.lower() for word in _CAPITAL.findall(prose.plain)} & evidence.words


def _explain(writes: Sequence[Deed], failed: str | None) -> str:
    if failed is not None:
        return f"the call failed: {failed}"
    return "the call met no record" if writes and not any(deed.changed for deed in writes) else "no call did this"


def _is_of(sentence: str, made: Sequence[Deed], earlier: Sequence[Deed], asked: set[str], talk: str) -> bool:
    """Whether a sentence can speak of one of these deeds: its verb fits, and what it is about is theirs or asked for.

    What it is about comes first (`set the city`), or is most of what it says. A sentence that names nothing (`that is
    done`) speaks of what was just asked for: a deed of an earlier request makes it true only where nothing new was.
    """
    if not made and not earlier:
        return False
    done = {word for deed in (*made, *earlier) for word in deed.words}
    for verb, needs in _NEEDS:
        if verb.search(sentence) and not any(word.startswith(needs) for word in done):
            return False
    match = _CLAIMS.search(sentence)
    told = sentence[match.end() :] if match else sentence
    words = [word for word in list_words(told) if word not in _DROPPED and not _DEED_WORD.fullmatch(word)]
    if not words:
        return bool(made) or not _ASKS_FOR.search(talk) or _ASKS_AFTER.search(talk) is not None
    known = {word[:_STEM] for word in done | asked}
    fitting = [word[:_STEM] in known for word in words]
    return fitting[0] or 2 * sum(fitting) >= len(fitting)


def _is_claimed_state(sentence: str, talk: str, evidence: Evidence, earlier: Sequence[Deed]) -> bool:
    """Whether a thing that only the user has spoken of is told to be done, as in `your taxi is on its way`."""
    match = _STATES.search(sentence)
    if match is None or _UNREAL.search(sentence[: match.end()]) or sentence.rstrip().endswith("?"):
        return False
    thing = {word for word in list_words(match["thing"]) if word not in _DROPPED}
    records = evidence.records
    shown = {word for label in records.by_label for word in label.split()} | records.name_sizes.keys()
    shown |= {word for deed in earlier for word in deed.words}
    return bool(thing & set(list_words(talk))) and thing.isdisjoint(shown)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _span(prose: Prose, start: int, end: int) -> Claim:
    return Claim("quoted", prose.plain[start:end][:160], start, end, prose.folded[start:end])
