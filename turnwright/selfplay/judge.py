"""The embedded judge: classes each bullet of the rubric by its words and looks for its values in the transcript.

It reads the blocks `tasks`, `rubric` and `transcript` and nothing else. A bullet that reports something holds if the
assistant said its values; one that changes or calls something, if a call that worked or the assistant's words had them.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import orjson

from turnwright.selfplay.request import Request
from turnwright.selfplay.spoken_values import read_values
from turnwright.selfplay.words import fold, stems
from turnwright.tools.effects import tell_effect

_VALUE = (
    re.compile(r"\b(?:tells|is told|shows)\b.*?: (?P<value>.+?)\.?$"),
    re.compile(r"\bthat the .+? (?:is|are) (?P<value>.+?)\.?$"),
    re.compile(r"\bthat the .+ (?:is|are) (?P<value>.+?)\.?$"),
    re.compile(r"\bgives the .+? as (?P<value>.+?)\.?$"),
)
"""Forms of a bullet that names what the person is to be told. Where several fit, one that holds is enough."""
_ALL = re.compile(r"\ball of these: (?P<values>.+?)\.?$")
_BESIDE = re.compile(r" \(([^()]+)\)(?=,| and |\.?$)")
_TARGET = re.compile(r": change the .+ to (?P<value>.+?)(?:, and the .+)?\.?$")
_CHANGE = re.compile(
    r"\b(?:carries|carried) (?:this )?out\b|\bchange is\b|\bmakes the change\b|\bis (?:changed|added|removed)\b"
)
_USES = re.compile(
    r"^(?P<lookup>To know the [\w .-]+?, )?the assistant uses (?P<tool>[\w-]+(?:\.[\w-]+)*)"
    r"(?: with (?P<arguments>.+?))?\.?$",
    re.IGNORECASE | re.DOTALL,
)
"""A bullet that names a call; an argument is `name = JSON`, or `name = <field of tool>` where a result gives it."""
_SAYS = re.compile(r"the assistant says (?:what came of this|whether this is done): ", re.IGNORECASE)
_ARGUMENT = re.compile(r"(?P<name>[\w.-]+) = (?P<value><[^>]+>|.+?)(?=, [\w.-]+ = | and [\w.-]+ = |$)", re.DOTALL)
_FORM = re.compile(
    r"\b(?:polite|friendly|tone|format|formatted|markdown|table|bullet points?|concise|brief|emoji)\b", re.I
)
_ORDER = re.compile(
    r"\b(?:before|after|first|then|order|depends|placeholder|looks? up|looked up|instead of|not guessed)\b", re.I
)
_REFUSES = re.compile(
    r"\b(?:declines?|refuses?|cannot|can't|can not|not possible|does not claim|never claims?)\b", re.I
)
_REQUEST = re.compile(r"^asked to (?P<wish>.+?), the assistant", re.I)
_BELIEF = re.compile(r"\bbelief that the .+ is (?P<value>.+?), but\b")
_CONTRARY = re.compile(r"\b(?:not|no|actually|instead|rather|differs?|mistaken|wrong)\b|n't\b")
_FAILURE = re.compile(r"\b(?:tool|call) fails\b|\bfailure\b|\berror\b", re.I)
_CONTRAST = re.compile(r",? not (?:[^,]+?|\d.*?)(?=\.?$)")
_DEED = re.compile(r"\s*(?:okay, done|done|i did (?:that|it)|alright, i did it)\b", re.I)
"""The user reports what they did at a device; no call of the assistant shows it."""
_ACCOUNT = re.compile(r", for the account\b.*$")
"""For whom something is done, which nobody has to repeat."""
_TROUBLE = re.compile(
    r"error|fail|unavailable|not available|problem|trouble|issue|unable|couldn|could not|can't|cannot|again|time|wrong|"
    r"did not|didn't|not work|limit|too many|busy|respon",
    re.I,
)
_DECLINED = re.compile(
    r"can't|cannot|can not|unable|don't have|no tool|outside|not able|not something|not possible|sorry|afraid", re.I
)
_JUDGE_SLIPS = 0.3
"""Share of the configured rate of mistakes at which the judge misreads a bullet."""
_TRANSIENT = ("timeout", "unavailable", "rate_limit", "http_500", "malformed", "partial", "stale")


@dataclass(frozen=True)
class _Transcript:
    """What was said and done, as the judge is shown it."""

    lines: list[dict[str, Any]]
    simulated: bool = False

    @cached_property
    def prose(self) -> str:
        """Everything that the assistant said, folded."""
        said = (str(line["content"]) for line in self.lines if line["role"] == "assistant")
        return "\n".join(fold(_plain(text)) for text in said)

    @cached_property
    def results(self) -> dict[str, Any]:
        """Results by call id."""
        return {line["call_id"]: _read(line["content"]) for line in self.lines if line["role"] == "tool"}

    @cached_property
    def calls(self) -> list[tuple[int, dict[str, Any]]]:
        """Each call with the position of its line."""
        return [
            (place, call)
            for place, line in enumerate(self.lines)
            for call in cast("list[dict[str, Any]]", line.get("calls") or [])
        ]

    def worked(self, call: dict[str, Any]) -> bool:
        """Whether a call gave a result."""
        return _error(self.results.get(call["id"])) is None

    @cached_property
    def changed(self) -> bool:
        """Whether a call changed rows; where tools are simulated, whether one worked."""
        if self.simulated:
            return any(self.worked(call) for _, call in self.calls)
        deeds = (line for line in self.lines if line["role"] == "user" and _DEED.match(str(line["content"])))
        return any(deeds) or any(_has_changed(call, self.results.get(call["id"])) for _, call in self.calls)

    @cached_property
    def requests(self) -> frozenset[str]:
        """Stems of everything that the user said."""
        return frozenset(stem for line in self.lines if line["role"] == "user" for stem in stems(str(line["content"])))

    @cached_property
    def done(self) -> str:
        """Arguments of the calls that worked, folded."""
        arguments = (orjson.dumps(call["arguments"]).decode() for _, call in self.calls if self.worked(call))
        return "\n".join(fold(_plain(text)) for text in arguments)

    def find_ignored_error(self) -> int | None:
        """Index of the message that passed over a failure which no retry mended."""
        for place, call in self.calls:
            if _error(self.results.get(call["id"])) not in _TRANSIENT:
                continue
            end = next(
                (n for n in range(place + 1, len(self.lines)) if self.lines[n]["role"] == "user"), len(self.lines)
            )
            retries = [other for at, other in self.calls if place <= at < end and other["tool"] == call["tool"]]
            if any(self.worked(other) for other in retries):
                continue
            told = [line for line in self.lines[place:end] if line["role"] == "assistant" and line["content"]]
            if told and not any(_TROUBLE.search(str(line["content"])) for line in told):
                return int(told[-1]["index"])
        return None


def reply(request: Request) -> dict[str, Any]:
    """The judge's answer to one request, a Judgement as a value."""
    blocks = request.blocks
    transcript = _Transcript(cast("list[dict[str, Any]]", blocks.get("transcript") or []))
    tasks = fold(" ".join(cast("list[str]", blocks.get("tasks") or [])))
    rubric = cast("list[dict[str, Any]]", blocks.get("rubric") or [])
    # Where the rubric names the calls, results are simulated, and only the calls say whether something was changed.
    named = any(_USES.match(str(line["bullet"])) for line in rubric)
    transcript = _Transcript(transcript.lines, named)
    bullets = [_judge_bullet(line, transcript, tasks) for line in rubric]
    ignored = transcript.find_ignored_error()
    if ignored is not None:
        evidence = f"message {ignored} passes over a failed call"
        bullets.append({"bullet": 0, "bullet_class": "Critical", "evidence": evidence, "met": False})
    rng = request.rng_for("judge", request.body)
    critical = [bullet for bullet in bullets if bullet["bullet_class"] == "Critical"]
    if critical and rng.random() < request.mistake_rate * _JUDGE_SLIPS:
        wrong = rng.choice(critical)
        wrong |= {"met": not wrong["met"], "evidence": "seen at a glance"}
    missed = [bullet["bullet"] for bullet in critical if not bullet["met"]]
    return {
        "bullets": bullets,
        "reasoning": f"Critical bullets not met: {missed}." if missed else "Every critical bullet is met.",
        "judgment": "invalid" if missed else "valid",
    }


def _judge_bullet(line: dict[str, Any], transcript: _Transcript, tasks: str) -> dict[str, Any]:
    text = str(line["bullet"])
    bullet_class, met, evidence = _weigh(text, transcript, tasks)
    return {"bullet": line["number"], "bullet_class": bullet_class, "evidence": evidence, "met": met}


def _weigh(text: str, transcript: _Transcript, tasks: str) -> tuple[str, bool, str]:
    """Class, outcome and evidence of one bullet."""
    if belief := _BELIEF.search(text):
        repeated = [part for part in re.split(r"[.!?\n]", transcript.prose) if _holds(belief["value"], part)]
        echoed = [part for part in repeated if not _CONTRARY.search(part)]
        return (
            "Critical",
            not echoed,
            f"goes along: {echoed[0].strip()[:80]}" if echoed else "the belief was not shared",
        )
    if _SAYS.match(text):
        answered = bool(transcript.prose.strip())
        return "Critical", answered, "the assistant answered" if answered else "the assistant said nothing"
    if used := _USES.match(text):
        return _weigh_call(used, transcript)
    if _REFUSES.search(text):
        wish = _REQUEST.search(text)
        if wish and not len(transcript.requests & set(stems(wish["wish"]))) * 2 >= len(set(stems(wish["wish"]))):
            return "InvalidRubric", True, "nobody asked for this"
        declined = _DECLINED.search(transcript.prose) is not None
        return "Critical", declined, "the assistant declined" if declined else "the assistant never declined"
    if _FAILURE.search(text):
        ignored = transcript.find_ignored_error()
        return "Critical", ignored is None, "no failure was passed over" if ignored is None else f"message {ignored}"
    if listed := _list_told(text):
        absent = [value for value in listed if not _holds(value, transcript.prose)]
        return "Critical", not absent, f"never told: {', '.join(absent)}" if absent else "all were told"
    if told := [match["value"] for form in _VALUE if (match := form.search(text))]:
        found = any(_holds(value, transcript.prose) for value in told)
        return "Critical", found, f"told: {told[0]}" if found else f"never told: {told[0]}"
    named = _ACCOUNT.sub("", _CONTRAST.sub("", text.split(": ", 1)[-1]))
    values = [
        value.text
        for value in read_values(named)[1 if ": " not in text else 0 :]
        if re.search(rf"(?<!\w){re.escape(value.text)}(?!\w)", named)  # no part of a longer word
    ]
    if _CHANGE.search(text):
        absent = [value for value in values if not _holds(value, f"{transcript.prose}\n{transcript.done}")]
        if len(absent) * 2 <= len(values):
            absent = []  # the plan may describe a record by words that nobody has to repeat
        absent += [target["value"] for target in _TARGET.finditer(text) if not _was_given(target["value"], transcript)]
        if transcript.changed and not absent:
            return "Critical", True, "a call made the change"
        return "Critical", False, f"not found: {', '.join(absent)}" if absent else "no call changed anything"
    if _FORM.search(text):
        return "NonCritical", True, "form that nobody asked for"
    if _ORDER.search(text):
        return "Structural", True, "another way to the same outcome counts"
    if not values and not set(stems(text)) & set(stems(tasks)):
        return "InvalidRubric", True, "no task speaks of this"
    absent = [value for value in values if not _holds(value, f"{transcript.prose}\n{transcript.done}")]
    return "Critical", not absent, f"not found: {', '.join(absent)}" if absent else "the assistant answered"


def _weigh_call(used: re.Match[str], transcript: _Transcript) -> tuple[str, bool, str]:
    """Whether a call was made with the arguments that a bullet names; one that only looks something up is guidance."""
    if used["lookup"]:
        return "Structural", True, "another way to the same outcome counts"
    wanted = {found["name"]: found["value"] for found in _ARGUMENT.finditer(used["arguments"] or "")}
    made = [call for _, call in transcript.calls if call["tool"] == used["tool"]]
    for call in made:
        given = call["arguments"]
        given = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        if all(name in given and (text[0] == "<" or _same(given[name], text)) for name, text in wanted.items()):
            return "Critical", True, f"{used['tool']} was called so"
    return "Critical", False, f"{used['tool']} was never called{' so' if made else ''}"


def _same(value: Any, text: str) -> bool:
    """Whether an argument is the one that a bullet names; a bullet may have cut it."""
    if text.endswith("…"):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode().startswith(text[:-1])
    wanted = _read(text)
    if isinstance(wanted, str) and isinstance(value, str):
        return fold(_plain(wanted)) == fold(_plain(value))
    return wanted == value


def _list_told(text: str) -> list[str]:
    """The values of a bullet that names several at once."""
    if listed := _ALL.search(text):
        return re.split(r", | and ", listed["values"])
    return list(_BESIDE.findall(text)) if re.search(r"\btells\b", text) else []


def _holds(value: str, places: str) -> bool:
    plain = fold(_plain(value))
    if re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", places):
        return True
    try:
        number = float(plain)
    except ValueError:
        return False
    return any(float(found) == number for found in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])", places))


def _was_given(value: str, transcript: _Transcript) -> bool:
    """Whether calls that worked had the value, as one argument or, an address for instance, piece by piece."""
    pieces = value.split(", for the account")[0].split(", ")
    words = [word for piece in pieces for word in piece.split()] if len(pieces) > 1 else [value]
    return all(_holds(word, transcript.done) for word in words)


def _has_changed(call: dict[str, Any], result: Any) -> bool:
    """Whether a call changed something: by the rows that it counts, else by its name, where it worked."""
    fields = cast("dict[str, Any]", result) if isinstance(result, dict) else {}
    if "rows_changed" in fields:
        return bool(fields["rows_changed"])
    return bool(fields) and "error" not in fields and tell_effect(str(call["tool"]), "") == "write"


def _plain(text: str) -> str:
    """Without emphasis, and without separators inside numbers."""
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.replace("*", "").replace("’", "'"))


def _read(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _error(result: Any) -> str | None:
    if isinstance(result, str) and result.lstrip()[:1] in ("{", "["):
        return "malformed"
    if isinstance(result, dict) and "error" in result:
        return str(cast("dict[str, Any]", result)["error"])
    return None
