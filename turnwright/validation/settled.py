"""The bullets of a rubric whose truth code knows: those that say which facts have to be told."""

from schemas.vocabulary import Match
from turnwright.validation.outcome import begin_objectives
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import names, states


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
