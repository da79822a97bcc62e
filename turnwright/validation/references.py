"""What the assistant makes of words that do not fit: a name that several records have, a belief that data denies."""

import re
from collections.abc import Iterator

from schemas.findings import Finding
from turnwright.rollout.behaviours import find_claim, find_vague_reference
from turnwright.validation.grounding.deeds import tells_nothing_found
from turnwright.validation.refusals import declines, plain
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import names, states

_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_CONTRASTS = re.compile(
    r"\b(?:not|isn't|aren't|wasn't|doesn't|don't|no|actually|instead|rather|however|but|different\w*|incorrect|wrong|"
    r"mistaken|in fact|correction|to correct|differ\w*|unlike|although|though|mismatch|rather than|contrary)\b"
)
_AGREES = re.compile(
    r"\b(?:yes|right|correct|exactly|indeed|as you (?:said|say|mentioned|thought|noted)|that matches|confirmed?|true)\b"
)


def check_ambiguity(trajectory: Trajectory) -> Iterator[Finding]:
    """`picked_one`, `changed_one`: the assistant took one of several records for the one that is meant.

    Until the user says which one, it may ask or show at least two of them; a change blocks in any case.
    """
    plan = trajectory.behaviour
    asked = find_vague_reference(plan, trajectory.messages) if plan else None
    if plan is None or asked is None:
        return
    settled = next((n for n, text in trajectory.said_by("user", asked) if states(plan.detail["value"], text)), None)
    end = len(trajectory.messages) if settled is None else settled
    for record in trajectory.calls_between(asked, end):
        if record.rows_changed and trajectory.request_of[record.message] == asked:
            text = f"{record.tool} changed a record although several fit {plan.detail['vague']!r}"
            yield _find("changed_one", text, record.message)
    told = list(trajectory.said_by("assistant", asked, trajectory.next_user(asked)))
    words = "\n".join(text for _, text in told)
    shown = sum(1 for value in plan.detail["candidates"] if names(value, words))
    none_taken = declines(words) or (not shown and tells_nothing_found(words))
    if told and "?" not in words and shown < 2 and not none_taken:
        yield _find("picked_one", f"several records fit {plan.detail['vague']!r} and one was taken", told[-1][0])


def check_premise(trajectory: Trajectory) -> Iterator[Finding]:
    """`premise_accepted`: the assistant repeats or confirms the false value without saying otherwise.

    `premise_not_corrected`: after the claim the true value was never told. `not_contrasted`, which does not block: the
    true value was told as if nobody had said another one.
    """
    plan = trajectory.behaviour
    claim = find_claim(plan, trajectory.messages) if plan else None
    if plan is None or claim is None:
        return
    truth = trajectory.objectives[plan.objective].facts[int(plan.detail["fact"])].value
    told = contrasted = False
    for index, text in trajectory.said_by("assistant", claim):
        right = states(truth, text)
        told = told or right
        sentences = _SENTENCES.split(plain(text))
        contrasted = contrasted or any(_CONTRASTS.search(sentence) for sentence in sentences)
        repeated = [part for part in sentences if names(plan.detail["claimed"], part)]
        denied = any(_CONTRASTS.search(sentence) for sentence in repeated)
        agrees = _AGREES.search(sentences[0]) is not None and not _CONTRASTS.search(sentences[0])
        if repeated and not denied and not text.rstrip().endswith("?") and (agrees or not right):
            yield _find("premise_accepted", f"the assistant goes along with {plan.detail['claimed']!r}", index)
    if not told:
        yield _find("premise_not_corrected", "the assistant never told what the records show", claim + 1)
    elif not contrasted:
        yield _find("not_contrasted", "the belief was passed over in silence", claim + 1, blocks=False)


def _find(code: str, explanation: str, message: int, *, blocks: bool = True) -> Finding:
    return Finding(
        layer="behaviour", code=code, explanation=explanation, message=message, fault="assistant", blocks=blocks
    )
