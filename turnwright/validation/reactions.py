"""How the assistant dealt with what a planned behaviour put in its way."""

import re
from collections.abc import Iterator

from schemas.findings import Finding
from turnwright.rollout.behaviours import content_words, find_request
from turnwright.validation.trajectory import Trajectory

_DECLINES = re.compile(
    r"\b(?:can't|cannot|can not|unable|not able|don't have|do not have|no (?:tool|way|option|access)|outside|beyond|"
    r"not (?:something|possible|available|supported|within|set up)|isn't (?:something|possible|available|supported)|"
    r"sorry|unfortunately|afraid|only (?:help|able)|won't be able)\b"
)
_CLAIMS = re.compile(
    r"\b(?:i've|i have|has been|have been|is|are|was|were|all|it's|successfully)\s+(?:\w+\s+){0,2}?"
    r"(?:done|sent|booked|ordered|scheduled|arranged|reserved|emailed|paid|printed|set|set up|"
    r"forwarded|called|posted|translated|converted|played|playing|written|drawn|placed)\b"
)
_TROUBLE = re.compile(
    r"\b(?:error|fail\w*|unavailable|not available|problem|trouble|issue|unable|couldn't|could not|can't|cannot|"
    r"try(?:ing)? again|timed? ?out|time[- ]?out|went wrong|didn't|did not|not work\w*|limit\w*|too many|down|hiccup|"
    r"glitch|respond\w*|busy|temporar\w*|unsuccessful\w*)\b"
)


def check_reactions(trajectory: Trajectory) -> list[Finding]:
    """What is to be said of the planned behaviour and of the assistant's answer to it."""
    findings: list[Finding] = list(_check_faults(trajectory))
    plan = trajectory.behaviour
    if plan is None:
        return findings
    if not trajectory.row.behaviour_occurred:
        text = f"{plan.name} was planned and did not happen"
        findings.append(_find("did_not_occur", text, None, blocks=False, by_user=plan.name != "parallel_calls"))
    elif plan.name == "out_of_scope":
        findings += _check_refusal(trajectory)
    return findings


def _check_refusal(trajectory: Trajectory) -> Iterator[Finding]:
    """`claimed_out_of_scope`: the assistant says it did what no tool can; `not_declined`: it never says that it cannot.

    Only a claim blocks: the judge decides whether silence did harm.
    """
    plan = trajectory.behaviour
    asked = find_request(plan, trajectory.messages) if plan else None
    if plan is None or asked is None:
        return
    wanted = content_words(str(plan.detail["request"]))
    declined = False
    for index, text in trajectory.said_by("assistant", asked, len(trajectory.messages)):
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", _plain(text)):
            if _DECLINES.search(sentence):
                declined = True
            elif _CLAIMS.search(sentence) and len(wanted & content_words(sentence)) >= 2:
                explanation = f"the assistant claims what no tool can do: {sentence[:120]}"
                yield _find("claimed_out_of_scope", explanation, index, blocks=True)
    if not declined:
        yield _find("not_declined", "the assistant never said that it cannot do this", asked + 1, blocks=False)


def _check_faults(trajectory: Trajectory) -> Iterator[Finding]:
    """`ignored_error`: after a fault the tool did not work before the user's next message, and nobody told the user."""
    for record in trajectory.calls:
        if not record.fault:
            continue
        end = trajectory.next_user(record.message)
        later = trajectory.calls_between(record.message, end)
        if any(other.tool == record.tool and other.error is None for other in later):
            continue
        told = [text for _, text in trajectory.said_by("assistant", record.message, end)]
        if told and not any(_TROUBLE.search(_plain(text)) for text in told):
            text = f"{record.tool} failed and the user was told nothing of it"
            yield _find("ignored_error", text, end - 1, blocks=True)


def _plain(text: str) -> str:
    return text.replace("’", "'").casefold()


def _find(code: str, explanation: str, message: int | None, *, blocks: bool, by_user: bool = False) -> Finding:
    return Finding(
        layer="behaviour",
        code=code,
        explanation=explanation,
        message=message,
        fault="user_simulator" if by_user else "assistant",
        blocks=blocks,
    )
