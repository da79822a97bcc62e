"""Plans over tools that are specifications and nothing else (UO, dialogue tasks; TC, plan).

Code draws the calls: literals that fit the schema, look-ups where a name says that one tool gives what another asks
for, objectives that go on with an earlier result. Nothing runs, so results are unknown and there are no facts.
"""

import datetime
import random
from collections.abc import Sequence
from functools import lru_cache

from schemas.goals import BehaviourPlan, KnownDetail
from schemas.tools import SpecTool
from schemas.vocabulary import Difficulty
from turnwright.goals.difficulty import RANK, measure_difficulty
from turnwright.goals.drafts import Draft, DraftObjective, number_calls
from turnwright.goals.field_matching import list_output_fields
from turnwright.goals.literals import Cast
from turnwright.goals.plans import PlanRejected
from turnwright.goals.slots import Slot
from turnwright.goals.spec_behaviours import choose_spec_behaviour
from turnwright.goals.spec_calls import Link, SpecCall, SpecDrawer, SpecWorld
from turnwright.goals.spec_parameters import list_parameters
from turnwright.goals.spec_proof import check_spec_plan
from turnwright.goals.spec_purposes import say_purpose, unique_details
from turnwright.goals.words import comparable

SpecObjective = DraftObjective[SpecTool]
_SKELETONS = 12
_DEPTH: dict[Difficulty, int] = {"easy": 0, "medium": 1, "hard": 3}
_LINKED: dict[Difficulty, float] = {"easy": 0.3, "medium": 0.5, "hard": 0.8}
"""Share of the later objectives that go on with an earlier result, where some result can be gone on with."""
_WRITES = 0.4
_TOOLS_TRIED = 10
_MOST_TOLD = 3


def draw_spec_plan(slot: Slot, tools: Sequence[SpecTool], draw: int) -> Draft[SpecTool]:
    """A plan for a slot; `draw` numbers the attempts, so that another one gives another plan.

    Of a few skeletons the one nearest to what the slot asks for is taken: its number of objectives first, then its
    difficulty. The behaviour is always there.

    Raises:
        PlanRejected: none of the skeletons worked out.
    """
    world = _open_world(tuple(tool.model_dump_json() for tool in tools if tool.side == "assistant"))
    best: tuple[tuple[int, int], Draft[SpecTool]] | None = None
    drawn = 0
    for attempt in range(_SKELETONS):
        rng = random.Random(f"{slot.seed}:plan:{draw}:{attempt}")
        cast = Cast(rng)
        objectives = _Objectives(world, cast, slot, rng).draw()
        if not objectives:
            continue
        drawn += 1
        numbered = number_calls(objectives)
        behaviour: BehaviourPlan | None = None
        if slot.behaviour != "none":
            behaviour = choose_spec_behaviour(slot.behaviour, numbered, world.tools, cast, rng)
            if behaviour is None:
                continue
        draft = Draft(numbered, behaviour, measure_difficulty(numbered), draw_now(slot.seed))
        if check_spec_plan(draft) is not None:
            continue
        misses = (slot.task_count - len(numbered), abs(RANK[draft.difficulty] - RANK[slot.difficulty]))
        if best is None or misses < best[0]:
            best = (misses, draft)
        if misses == (0, 0):
            break
    if best is not None:
        return best[1]
    if drawn:
        raise PlanRejected("behaviour_not_supported", f"no plan over these tools can carry {slot.behaviour}")
    raise PlanRejected("no_plan", f"no goal could be drawn over {len(tools)} tools")


@lru_cache(maxsize=64)
def _open_world(tools: tuple[str, ...]) -> SpecWorld:
    """The dialogues of a toolset share what was found out about its tools."""
    return SpecWorld([SpecTool.model_validate_json(text) for text in tools])


def draw_now(seed: str) -> str:
    """The time that counts as now: in office hours of 2024 to 2026, ISO 8601 without a zone."""
    rng = random.Random(f"{seed}:now")
    day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(3 * 365))
    return datetime.datetime(day.year, day.month, day.day, rng.randint(8, 18), rng.randrange(60)).isoformat(
        timespec="seconds"
    )


class _Objectives:
    """Draws the objectives of one plan, one after the other."""

    def __init__(self, world: SpecWorld, cast: Cast, slot: Slot, rng: random.Random) -> None:
        self._world = world
        self._drawer = SpecDrawer(world, cast, rng)
        self._slot = slot
        self._rng = rng
        self._done: list[SpecObjective] = []

    def draw(self) -> list[SpecObjective]:
        """As many objectives as the slot asks for, or as could be drawn."""
        special = self._rng.randrange(self._slot.task_count) if self._slot.behaviour == "parallel_calls" else -1
        for index in range(self._slot.task_count):
            objective = self._draw_parallel() if index == special else None
            if objective is None and index > 0 and self._rng.random() < _LINKED[self._slot.difficulty]:
                objective = self._draw_extension()
            objective = objective or self._draw_one()
            if objective is None:
                break
            self._done.append(objective)
        return self._done

    def _draw_one(self) -> SpecObjective | None:
        write = self._rng.random() < _WRITES
        for tool in self._shuffle(write):
            depth = _DEPTH[self._slot.difficulty]
            calls = self._drawer.draw(tool, depth=self._rng.randint(min(1, depth), depth))
            if calls is not None:
                return self._compose(calls, [])
        return None

    def _draw_extension(self) -> SpecObjective | None:
        """A call that a result of the objective before, or of one before that, goes into."""
        earlier = [call for objective in self._done for call in objective.calls]
        linked = [(tool, link) for tool in self._shuffle(None) for link in self._world.links(tool, earlier)]
        for tool, link in linked[:_TOOLS_TRIED]:
            if len(self._world_goals(link)) > 1:
                continue
            calls = self._drawer.draw(tool, depth=max(0, _DEPTH[self._slot.difficulty] - 1), link=link)
            if calls is not None:
                return self._compose(calls, [link])
        return None

    def _world_goals(self, link: Link) -> list[SpecCall]:
        """The goals of the objective that a link leads to: of several results nobody could tell which is meant."""
        return [call for other in self._done if link.call in other.calls for call in other.goals]

    def _draw_parallel(self) -> SpecObjective | None:
        for tool in self._shuffle(False):
            if tool.effect == "write" or not any(parameter.required for parameter in list_parameters(tool)):
                continue
            first = self._drawer.draw(tool, depth=0)
            if first is None or not first[0].details:
                continue
            taken = {f"{detail.label} before": detail.value for detail in first[0].details}
            second = self._drawer.draw(tool, depth=0, taken=taken, fresh=True)
            if second is None or {detail.label for detail in second[0].details} != {
                detail.label for detail in first[0].details
            }:
                continue
            return self._compose([*first, *second], [])
        return None

    def _shuffle(self, write: bool | None) -> list[SpecTool]:
        """The tools in a drawn order: those not asked for yet, of the wanted effect, without secrets come first."""
        used = {goal.tool.name for objective in self._done for goal in objective.goals}

        def weigh(tool: SpecTool) -> float:
            weight = self._world.weigh(tool, chained=_DEPTH[self._slot.difficulty] > 0)
            return weight if write is None or (tool.effect == "write") == write else weight * 0.05

        fresh = [tool for tool in self._world.tools if tool.name not in used]
        drawn = [(self._rng.random() ** (1.0 / weigh(tool)), tool.name, tool) for tool in fresh]
        return [tool for _, _, tool in sorted(drawn, key=lambda entry: (-entry[0], entry[1]))][:_TOOLS_TRIED]

    def _compose(self, calls: list[SpecCall], links: list[Link]) -> SpecObjective:
        goals = [call for call in calls if not call.lookup]
        details = [detail for call in calls for detail in call.details]
        known: dict[tuple[str, str], KnownDetail] = {}
        for detail in details if len(goals) > 1 else unique_details(details):
            known.setdefault(
                (detail.label, comparable(detail.value)), KnownDetail(label=detail.label, value=detail.value)
            )
        return DraftObjective(
            relation="first" if not self._done else "extension" if links else "independent",
            calls=tuple(calls),
            facts=(),
            purpose=say_purpose(calls, links, self._world.phrase(goals[0].tool)),
            known=tuple(known.values()),
            told=_list_told(goals[0]) if goals[0].tool.effect == "read" else (),
        )


def _list_told(goal: SpecCall) -> tuple[str, ...]:
    """What a read is to tell, by the labels of its result's first fields; nothing where the schema says nothing."""
    said = {detail.label for detail in goal.details}
    fields = [field for field in list_output_fields(goal.tool) if not field.is_identifier and field.label not in said]
    return tuple(dict.fromkeys(field.label for field in fields))[:_MOST_TOLD]
