"""Several look-ups in one request, none of which needs the result of another."""

from collections.abc import Sequence

from schemas.goals import BehaviourPlan
from turnwright.goals.drafts import DraftObjective


def plan_parallel_calls(objectives: Sequence[DraftObjective]) -> BehaviourPlan | None:
    """Everything of the first objective that has several goals is asked for at once."""
    for index, objective in enumerate(objectives):
        if len(objective.goals) >= 2:
            return BehaviourPlan(
                name="parallel_calls",
                objective=index,
                instruction=f"Ask for everything in task {index + 1} in one go, in a single message.",
                detail={"calls": [goal.id for goal in objective.goals]},
            )
    return None
