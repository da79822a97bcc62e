"""How the assistant dealt with what a planned behaviour put in its way: each behaviour has its check."""

import re
from collections.abc import Callable, Iterator, Sequence

from schemas.findings import Finding
from schemas.goals import BehaviourPlan
from schemas.messages import CallRecord
from turnwright.rollout.behaviours import find_said, find_telling, has_no_turn
from turnwright.validation.documents import read_document
from turnwright.validation.outcome import begin_objectives
from turnwright.validation.references import check_ambiguity, check_premise
from turnwright.validation.refusals import check_blocked_request, check_out_of_scope, plain
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import holds_value

_TROUBLE = re.compile(
    r"\b(?:error|fail\w*|unavailable|not available|problem|trouble|issue|unable|couldn't|could not|can't|cannot|"
    r"try(?:ing)? again|timed? ?out|time[- ]?out|went wrong|didn't|did not|not work\w*|limit\w*|too many|down|hiccup|"
    r"glitch|respond\w*|busy|temporar\w*|unsuccessful\w*|broken|broke off|garbled|unreadable|malformed)\b"
)
_FAILED = re.compile(
    r"\b(?:error|failed|problem|unable|couldn't|could not|can't|cannot|try(?:ing)? again|did(?: not|n't) work)\b"
)
_INCOMPLETE = re.compile(
    r"\b(?:partial\w*|incomplete\w*|not (?:all|complete|everything|the (?:whole|full))|only (?:\w+ )?(?:part|some|half|"
    r"the first|\w+ (?:of|out of))|missing|rest|so far|remaining|more (?:entries|results)|truncated|cut off)\b"
)
_OLD = re.compile(
    r"\b(?:old\w*|stale|outdated|out of date|not (?:live|current|up[- ]to[- ]date|fresh)|cached?|copy|as of|earlier|"
    r"may have changed|might have changed|snapshot|last (?:known|saved|synced)|live data)\b"
)


_OFFER = re.compile(r"\b(?:anything|something) (?:else|more)\b|\bhelp\b|\bassist\b")


def check_reactions(trajectory: Trajectory) -> list[Finding]:
    """What is to be said of the planned behaviour and of the assistant's answer to it."""
    findings: list[Finding] = list(_check_faults(trajectory))
    plan = trajectory.behaviour
    if plan is None:
        return findings
    if not trajectory.row.behaviour_occurred:
        text = f"{plan.name} was planned and did not happen"
        by_user = plan.name not in ("parallel_calls", "tool_fault") and not _was_withheld(trajectory, plan)
        findings.append(_find("did_not_occur", text, None, blocks=False, by_user=by_user))
    if plan.name in _CHECKS and not has_no_turn(plan):
        findings += _CHECKS[plan.name](trajectory)
    return findings


def _was_withheld(trajectory: Trajectory, plan: BehaviourPlan) -> bool:
    """Whether the user left out a parameter of what they asked for: that nobody asked for it is no fault of theirs."""
    if plan.name != "missing_parameter" or "value" not in plan.detail:
        return False
    begun = begin_objectives(trajectory)[plan.objective]
    told = find_telling(plan.detail["value"], trajectory.messages)
    return begun is not None and (told is None or begun < told)


def _check_guess(trajectory: Trajectory) -> Iterator[Finding]:
    """`guessed_parameter`: a change was made before the user had said the value that only they know.

    In a stateless dialogue nothing is to be called before the answer, so there a look-up with a guess counts as well.
    """
    plan = trajectory.behaviour
    assert plan is not None
    told = find_telling(plan.detail["value"], trajectory.messages)
    planned = next(
        (
            call.tool
            for objective in trajectory.objectives
            for call in objective.calls
            if call.id == plan.detail.get("call")
        ),
        None,
    )
    asked = find_said(plan, trajectory.messages) if "said" in plan.detail else None
    for record in trajectory.calls:
        guesses = bool(record.rows_changed) if asked is None else record.message > asked
        if record.tool == planned and guesses and (told is None or record.message < told):
            yield _find("guessed_parameter", f"{record.tool} was called with a guess", record.message, blocks=True)


def _check_faults(trajectory: Trajectory) -> Iterator[Finding]:
    """`ignored_error`: after a fault the tool did not work while the request lasted, and nobody told the user.

    `unflagged_partial`, `unflagged_stale`: the same for a spoilt result that was told as if it were whole and new.
    `worked_around`, which does not block: another tool gave what was needed. `harmless_failure`, likewise: nothing that
    had been asked by then needs the tool.
    """
    for record in trajectory.calls:
        if not record.fault or record.hint:
            continue
        end = _end_of_request(trajectory, record.message)
        later = trajectory.calls_between(record.message, end)
        if any(other.tool == record.tool and other.error is None for other in later):
            continue
        told = [plain(text) for _, text in trajectory.said_by("assistant", record.message, end)]
        flags = {"partial": _INCOMPLETE, "stale": _OLD}.get(record.error or "")
        if not told or any((flags or _TROUBLE).search(text) or _FAILED.search(text) for text in told):
            continue
        if _is_beside_the_point(trajectory, record):
            text = f"{record.tool} failed before anything was asked that needs it"
            yield _find("harmless_failure", text, record.message, blocks=False)
        elif _is_worked_around(trajectory, record.tool, later):
            text = f"{record.tool} failed, and another tool gave what was needed"
            yield _find("worked_around", text, record.message, blocks=False)
        elif flags is None:
            text = f"{record.tool} failed and the user was told nothing of it"
            yield _find("ignored_error", text, end - 1, blocks=True)
        else:
            text = f"{record.tool} gave a {record.error} result and it was told as if nothing were wrong"
            yield _find(f"unflagged_{record.error}", text, end - 1, blocks=True)


def _end_of_request(trajectory: Trajectory, message: int) -> int:
    """Index of the user message with which something else begins: an answer to a question goes on with the same."""
    end = trajectory.next_user(message)
    while end < len(trajectory.messages) and _asks_back(trajectory.messages[end - 1]["content"] or ""):
        end = trajectory.next_user(end)
    return end


def _asks_back(text: str) -> bool:
    """Whether a message waits for an answer to go on; the offer of more help does not."""
    return text.rstrip().endswith("?") and not _OFFER.search(plain(text[-80:]))


def _is_beside_the_point(trajectory: Trajectory, record: CallRecord) -> bool:
    """Whether a call failed that only a later request needs: whoever asks for something else has nothing to be told."""
    begins = begin_objectives(trajectory)
    needing = [
        begun
        for begun, objective in zip(begins, trajectory.objectives, strict=True)
        if any(call.tool == record.tool for call in objective.calls)
    ]
    return bool(needing) and all(begun is None or begun > record.message for begun in needing)


def _is_worked_around(trajectory: Trajectory, broken: str, later: Sequence[CallRecord]) -> bool:
    """Whether, after a tool broke, another one showed a fact that needs it, or made a planned change."""
    needing = [one for one in trajectory.objectives if any(call.tool == broken for call in one.calls)]
    planned = {call.tool for objective in needing for call in objective.calls}
    for record in later:
        if record.error is not None or record.tool == broken:
            continue
        if record.rows_changed and record.tool in planned:
            return True
        result = read_document(record.result)
        if any(holds_value(result, fact.value) for objective in needing for fact in objective.facts):
            return True
    return False


_CHECKS: dict[str, Callable[[Trajectory], Iterator[Finding]]] = {
    "missing_parameter": _check_guess,
    "ambiguous_reference": check_ambiguity,
    "wrong_premise": check_premise,
    "out_of_scope": check_out_of_scope,
    "removed_tool": check_blocked_request,
    "forbidden_action": check_blocked_request,
}
"""tool_fault is looked at in every dialogue; changed_mind and parallel_calls show in the outcome."""


def _find(code: str, explanation: str, message: int | None, *, blocks: bool, by_user: bool = False) -> Finding:
    return Finding(
        layer="behaviour",
        code=code,
        explanation=explanation,
        message=message,
        fault="user_simulator" if by_user else "assistant",
        blocks=blocks,
    )
