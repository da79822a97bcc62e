"""How difficult a plan is, measured on the plan itself.

An objective weighs one for each look-up that it needs, one for each write, and one for resting on a result of an
earlier objective. *Easy*: no objective weighs more than one and at most one writes (a plain read or write, or a read
after one look-up). *Medium*: some objective weighs two (a chain of look-ups, a write after a look-up), or several write.
*Hard*: some objective weighs three or more, or at least two weigh two. Look-ups side by side for one request count once.
"""

from collections.abc import Sequence

from schemas.vocabulary import Difficulty
from turnwright.goals.drafts import DraftCall, DraftObjective

RANK: dict[Difficulty, int] = {"easy": 0, "medium": 1, "hard": 2}


def weigh_objective(objective: DraftObjective) -> int:
    """Look-ups on the heaviest goal call's way, plus one for a write, plus one for a link to an earlier objective."""
    own = {call.id: call for call in objective.calls}
    return max(_weigh_goal(goal, own) for goal in objective.goals)


def _weigh_goal(goal: DraftCall, own: dict[str, DraftCall]) -> int:
    needed: set[str] = set()
    linked = False
    waiting = [goal]
    while waiting:
        for source in waiting.pop().sources.values():
            if source.call is None:
                continue
            if source.call not in own:
                linked = True
            elif source.call not in needed:
                needed.add(source.call)
                waiting.append(own[source.call])
    return len(needed) + (goal.tool.effect == "write") + linked


def measure_difficulty(objectives: Sequence[DraftObjective]) -> Difficulty:
    """The difficulty of a plan with these objectives."""
    weights = [weigh_objective(objective) for objective in objectives]
    writes = sum(goal.tool.effect == "write" for objective in objectives for goal in objective.goals)
    if max(weights) >= 3 or sum(weight >= 2 for weight in weights) >= 2:
        return "hard"
    return "medium" if max(weights) == 2 or writes > 1 else "easy"
