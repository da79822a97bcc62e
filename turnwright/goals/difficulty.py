"""How difficult a plan is, measured on the plan itself.

An objective weighs one for each look-up that it needs, one for a write, and one for resting on a result of an earlier
objective (several goal calls of one objective do not add up; the heaviest counts). With n objectives in a dialogue:

* *easy*: none weighs more than one, and not all of them weigh anything, unless there is only one;
* *hard*: one weighs three or more (a long chain, a write at the end of one), or all together weigh more than n, and
  three at least;
* *medium*: everything between, as a chain of two look-ups, a write after a look-up, or a look-up for each of two reads.
"""

from collections.abc import Mapping, Sequence

from schemas.tools import Tool
from schemas.vocabulary import Difficulty
from turnwright.goals.drafts import DraftCall, DraftObjective

RANK: dict[Difficulty, int] = {"easy": 0, "medium": 1, "hard": 2}


def weigh_objective(objective: DraftObjective[Tool]) -> int:
    """Look-ups on the heaviest goal call's way, plus one for a write, plus one for a link to an earlier objective."""
    own = {call.id: call for call in objective.calls}
    return max(_weigh_goal(goal, own) for goal in objective.goals)


def _weigh_goal(goal: DraftCall[Tool], own: Mapping[str, DraftCall[Tool]]) -> int:
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


def measure_difficulty(objectives: Sequence[DraftObjective[Tool]]) -> Difficulty:
    """The difficulty of a plan with these objectives."""
    weights = [weigh_objective(objective) for objective in objectives]
    count, total = len(weights), sum(weights)
    if max(weights) >= 3 or total >= max(3, count + 1):
        return "hard"
    return "easy" if max(weights) <= 1 and total <= max(1, count - 1) else "medium"
