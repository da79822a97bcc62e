"""What the judge's votes come to: the judgment is made of the bullets, not of the judge's own summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.findings import BulletVerdict
from schemas.replies import Judgement
from schemas.vocabulary import Judgment, Match
from turnwright.roles.judge import CONDUCT


@dataclass(frozen=True)
class Vote:
    """One reply of the judge, weighed."""

    judgment: Judgment
    bullets: tuple[BulletVerdict, ...]
    reasoning: str


def weigh_reply(reply: Judgement, rubric: Sequence[str]) -> Vote:
    """`invalid` if a Critical bullet is missed, `unscored` if a bullet was left out, otherwise `valid`.

    Structural bullets are guidance, NonCritical and InvalidRubric ones never count (UO, validation). Where the judge's
    own word contradicts its bullets, the bullets win and the reasoning says so.
    """
    entries = {entry.bullet: entry for entry in reversed(reply.bullets)}  # of two entries for a bullet the first counts
    numbered = {0: CONDUCT} | dict(enumerate(rubric, start=1))
    bullets = tuple(
        BulletVerdict(
            bullet=text,
            bullet_class=entries[number].bullet_class,
            met=entries[number].met,
            evidence=entries[number].evidence,
        )
        for number, text in numbered.items()
        if number in entries
    )
    missing = [number for number in range(1, len(rubric) + 1) if number not in entries]
    if any(bullet.bullet_class == "Critical" and not bullet.met for bullet in bullets):
        judgment: Judgment = "invalid"
    elif missing:
        said = f"The judge left out the bullets {', '.join(map(str, missing))}."
        return Vote("unscored", bullets, f"{reply.reasoning} {said}".strip())
    else:
        judgment = "valid"
    if judgment == reply.judgment:
        return Vote(judgment, bullets, reply.reasoning)
    note = f"The judge wrote {reply.judgment}, but its bullets say {judgment}; the bullets count."
    return Vote(judgment, bullets, f"{reply.reasoning} {note}".strip())


def count_votes(votes: Sequence[Judgment], rule: str) -> Judgment:
    """One judgment of several.

    unanimous: one `invalid` is enough to reject, and an unscored vote is no agreement. majority: more than half of all
    votes, unscored ones included, must say the same.
    """
    if rule == "unanimous":
        if "invalid" in votes:
            return "invalid"
        return "valid" if votes and all(vote == "valid" for vote in votes) else "unscored"
    for judgment in ("valid", "invalid"):
        if 2 * sum(vote == judgment for vote in votes) > len(votes):
            return judgment
    return "unscored"


def decisive_vote(votes: Sequence[Vote], judgment: Judgment) -> Vote | None:
    """The first vote that says what they all came to; without one the first that has bullets."""
    agreeing = [vote for vote in votes if vote.judgment == judgment and vote.bullets]
    scored = [vote for vote in votes if vote.bullets]
    return next(iter([*agreeing, *scored, *votes]), None)


def join_bullets(votes: Sequence[Vote], decisive: Vote, settled: Mapping[str, Match]) -> tuple[BulletVerdict, ...]:
    """The decisive vote's bullets, each with how all votes stand to it and what code says of the same.

    Args:
        votes: all votes.
        decisive: the one whose class, outcome and evidence stand.
        settled: bullet -> what code says, where it can tell.
    """
    joined: list[BulletVerdict] = []
    for bullet in decisive.bullets:
        same = [other.met for vote in votes for other in vote.bullets if other.bullet == bullet.bullet]
        counts = {"votes": len(same), "met_votes": sum(same), "code": settled.get(bullet.bullet, "unavailable")}
        joined.append(bullet.model_copy(update=counts))
    return tuple(joined)
