"""The bullets of a rubric whose truth code knows: facts that have to be told, and calls that have to be made.

The judge is asked for the others (turnwright/validation/verdict.py): what code has decided costs no reply, and a judge
that errs about it cannot throw a good dialogue away.
"""

import re
from collections.abc import Mapping

from schemas.findings import BulletVerdict
from schemas.vocabulary import SIMULATED, Match
from turnwright.validation.outcome import Outcome, begin_objectives
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import names, states

_TELLS = "The assistant tells the user "
"""How the bullets begin that code makes of facts; they say nothing else (turnwright/goals/wording.py)."""
_USES = re.compile(r"(?:To know [^,]+, t|T)he assistant uses (?P<tool>[\w.-]+?)(?: with .+|\.?$)", re.DOTALL)
"""The bullets that code makes of calls (turnwright/goals/expected_calls.py)."""


def settle_bullets(trajectory: Trajectory) -> dict[str, Match]:
    """Bullet -> whether every fact that it names was told after the objective had begun; only bullets that name one.

    A bullet that stands in several objectives is met where it is met in all of them.
    """
    settled: dict[str, Match] = {}
    begins = begin_objectives(trajectory)
    for begun, objective in zip(begins, trajectory.objectives, strict=True):
        prose = [text for _, text in trajectory.said_by("assistant", begun if begun is not None else 0)]
        for bullet in objective.rubric:
            named = [fact.value for fact in objective.facts if names(fact.value, bullet)]
            if not named:
                continue
            told = all(any(states(value, text) for text in prose) for value in named)
            if settled.get(bullet) != "mismatch":
                settled[bullet] = "match" if told else "mismatch"
    return settled


def decide_bullets(trajectory: Trajectory, outcome: Outcome, settled: Mapping[str, Match]) -> dict[str, Match]:
    """The bullets that say nothing but what code can tell, with what it tells: nobody else is asked for them.

    Of facts: a bullet is missed only where the outcome blocks, because a fact that a fault made by code kept away is
    the judge's to weigh. Of calls: a write of a simulated dialogue was made where the outcome found all of them.
    """
    decided: dict[str, Match] = {}
    for objective in trajectory.objectives:
        for bullet in objective.rubric:
            match = settled.get(bullet) if bullet.startswith(_TELLS) else None
            if match == "match" or (match == "mismatch" and outcome.match == "mismatch"):
                decided[bullet] = match
            elif outcome.match == "match" and _names_write(trajectory, bullet):
                decided[bullet] = "match"
    return decided


def _names_write(trajectory: Trajectory, bullet: str) -> bool:
    used = _USES.fullmatch(bullet) if trajectory.row.paradigm in SIMULATED else None
    tool = trajectory.by_name.get(used["tool"]) if used else None
    return tool is not None and tool.effect == "write"


def write_decided(decided: Mapping[str, Match]) -> tuple[BulletVerdict, ...]:
    """The bullets that code decided, as they are stored beside the judge's: without a vote."""
    return tuple(
        BulletVerdict(
            bullet=bullet,
            bullet_class="Critical",
            met=match == "match",
            evidence="decided by code",
            votes=0,
            met_votes=0,
            code=match,
        )
        for bullet, match in decided.items()
    )
