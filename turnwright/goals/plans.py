"""Plans: what the person of a slot wants, as calls drawn from real rows.

Ours: in UO (dialogue tasks) a model invents arguments that it cannot know; here code draws the skeleton, and a model
only puts it into words.
"""

import datetime
import random
import re
from collections.abc import Sequence

from schemas.databases import Database
from schemas.tools import SqlTool
from schemas.vocabulary import Difficulty
from turnwright.environments.base import SqlBase
from turnwright.goals.behaviours import choose_behaviour
from turnwright.goals.calls import CallDrawer
from turnwright.goals.difficulty import RANK, measure_difficulty
from turnwright.goals.drafts import Draft, DraftObjective, number_calls
from turnwright.goals.keys import read_column
from turnwright.goals.objectives import ObjectiveDrawer, ObjectiveWish
from turnwright.goals.row_source import RowSource, row_source
from turnwright.goals.scratch import Scratch
from turnwright.goals.slots import Slot
from turnwright.goals.toolbox import Toolbox

_SKELETONS = 10
_PATIENCE = 4
"""So many times more skeletons are drawn for a behaviour that none could carry: two records may have to be alike."""
_DEPTH: dict[Difficulty, int] = {"easy": 1, "medium": 2, "hard": 3}
_WRITE_SHARE: dict[Difficulty, float] = {"easy": 0.25, "medium": 0.2, "hard": 0.3}
_YIELDING_SHARE = 0.5
"""Of the dialogues that were to only read, those that may write where difficulty cannot be had otherwise."""
_PLAIN_WEIGHT: dict[Difficulty, float] = {"easy": 1.0, "medium": 0.2, "hard": 0.08}
"""Weight of a tool that needs no look-up; one that needs one has about 2."""
_EXTENSION_SHARE = 0.45
_YEAR = re.compile(r"(1[89]\d\d|20\d\d)-(\d\d)-(\d\d)")


class PlanRejected(Exception):
    """No plan came out of a draw, or one that does not hold. `reason` is `code: explanation`."""

    def __init__(self, code: str, explanation: str) -> None:
        self.reason = f"{code}: {explanation}"
        super().__init__(self.reason)


def draw_plan(slot: Slot, tools: Sequence[SqlTool], database: Database, base: SqlBase, draw: int) -> Draft:
    """A plan for a slot; `draw` numbers the attempts, so that another one gives another plan.

    Of a few skeletons the one nearest to what the slot asks for is taken: its number of objectives first, then its
    difficulty and whether it writes. The behaviour is always there. Blocks: it runs SQL.

    Raises:
        PlanRejected: none of the skeletons worked out.
    """
    source = row_source(base, database)
    toolbox = Toolbox(tools, source.keys)
    reference_time = draw_reference_time(source, slot.seed)
    writable = any(tool.effect == "write" for tool in tools)
    chance = random.Random(f"{slot.seed}:write")
    wanted = writable and chance.random() < _WRITE_SHARE[slot.difficulty]
    # Only a change can be forbidden without making the service pointless, and only of a read is something believed.
    wanted = (wanted or slot.behaviour == "forbidden_action") and writable
    wanted = wanted and not (slot.behaviour == "wrong_premise" and slot.task_count == 1)
    yielding = writable and chance.random() < _YIELDING_SHARE
    best: tuple[tuple[int, int], Draft] | None = None
    drawn = 0
    for attempt in range(_SKELETONS * _PATIENCE):
        if attempt >= _SKELETONS and (best is not None or slot.behaviour == "none"):
            break
        rng = random.Random(f"{slot.seed}:plan:{draw}:{attempt}")
        scratch = Scratch(base, toolbox, seed=slot.seed, reference_time=reference_time)
        try:
            # Where plans that only read stay too easy, one that writes after all may still be hard enough.
            write = wanted or (yielding and attempt >= _SKELETONS // 2)
            objectives = _draw_objectives(slot, write, CallDrawer(scratch, source, toolbox, rng), rng)
        finally:
            scratch.close()
        if not objectives:
            continue
        drawn += 1
        numbered = number_calls(objectives)
        behaviour = None
        if slot.behaviour != "none":
            behaviour = choose_behaviour(slot.behaviour, numbered, tools, source, source.keys, rng)
            if behaviour is None:
                continue
        draft = Draft(numbered, behaviour, measure_difficulty(numbered), reference_time)
        writes = any(call.tool.effect == "write" for call in draft.calls)
        away = abs(RANK[draft.difficulty] - RANK[slot.difficulty])
        misses = (slot.task_count - len(numbered), 2 * away + (writes != wanted))
        if best is None or misses < best[0]:
            best = (misses, draft)
        if misses == (0, 0):
            break
    if best is not None:
        return best[1]
    if drawn:
        raise PlanRejected("behaviour_not_supported", f"no plan over these tools can carry {slot.behaviour}")
    raise PlanRejected("no_plan", f"no goal could be drawn over {len(tools)} tools")


def _draw_objectives(slot: Slot, write: bool, drawer: CallDrawer, rng: random.Random) -> list[DraftObjective]:
    """As many objectives as the slot asks for, or as could be drawn; one of them writes if `write`."""
    objectives = ObjectiveDrawer(drawer, rng, plain=_PLAIN_WEIGHT[slot.difficulty])
    depth = _DEPTH[slot.difficulty]
    parallel = slot.behaviour == "parallel_calls"
    writes = {rng.randrange(slot.task_count)} if write else set[int]()
    if write and slot.difficulty == "hard" and rng.random() < 0.3:
        writes.add(rng.randrange(slot.task_count))
    special = rng.randrange(slot.task_count)
    for index in range(slot.task_count):
        if parallel and index == special:
            count = rng.choice((2, 2, 3))
            wishes = [ObjectiveWish(False, level, False, count) for level in ((0, 1) if rng.random() < 0.6 else (1,))]
        else:
            extension = index > 0 and rng.random() < _EXTENSION_SHARE
            writing = index in writes
            # A write after a look-up is not easy any more: then rather none.
            easy_write = writing and slot.difficulty == "easy"
            wishes = [
                ObjectiveWish(writing, 0 if easy_write else depth, extension),
                ObjectiveWish(writing and not easy_write, depth, False),
                ObjectiveWish(not writing, depth, False),
            ]
        if not any(objectives.draw(wish) for wish in wishes):
            break
    return objectives.objectives


def draw_reference_time(source: RowSource, seed: str) -> str:
    """A time that counts as now: soon after the newest date in the data, or in 2024 to 2026 where it has none.

    ISO 8601 without a zone, in office hours.
    """
    rng = random.Random(f"{seed}:now")
    newest: datetime.date | None = None
    for table in source.keys.database.tables:
        for column in table.columns:
            if column.format not in ("date", "date-time"):
                continue
            for row in source.pool(table):
                found = _YEAR.match(str(read_column(row, column.name)))
                day = _read_date(found) if found else None
                if day is not None and day.year < 2031 and (newest is None or day > newest):
                    newest = day
    if newest is None:
        day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(3 * 365))
    else:
        day = newest + datetime.timedelta(days=rng.randint(1, 30))
    return datetime.datetime(day.year, day.month, day.day, rng.randint(8, 18), rng.randrange(60)).isoformat(
        timespec="seconds"
    )


def _read_date(found: re.Match[str]) -> datetime.date | None:
    try:
        return datetime.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
