"""Slots: what each dialogue of a run is to be like, decided before anything is drawn or asked."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from schemas.config import RunConfig
from schemas.content import content_id
from schemas.rows import SeedRow, ToolsetRow
from schemas.tools import TOOLS
from schemas.vocabulary import STATELESS, Difficulty, Paradigm
from turnwright.goals.openings import Prefix, Start, cut_prefix, list_starts, read_injection, read_openings

T = TypeVar("T")

WITHOUT_USER = frozenset({"none", "tool_fault", "parallel_calls"})
"""Behaviours that nobody has to answer the assistant for: the only ones of task-oriented dialogues."""
IN_PLANS = WITHOUT_USER | {"missing_parameter", "out_of_scope", "removed_tool"}
"""Behaviours of stateless dialogues: the plan of a turn says what the user answers, or that nothing is called."""
NEEDS_DATA = frozenset({"ambiguous_reference", "wrong_premise"})
"""Behaviours that are about what stands in the data: they need tools that run."""
IN_DOMAINS = frozenset({"none", "missing_parameter", "changed_mind", "tool_fault", "out_of_scope", "forbidden_action"})
"""Behaviours that the scenarios of a stateful domain can carry."""


@dataclass(frozen=True)
class Slot:
    """One dialogue to be attempted."""

    number: int
    """Number of the dialogue in the run, from 0."""
    toolset_id: str
    domain: str
    paradigm: Paradigm
    difficulty: Difficulty
    """What is aimed at; the task row says what the plan turned out to be."""
    task_count: int
    """Objectives wanted."""
    behaviour: str
    """`none`, or one word of schemas.vocabulary.BEHAVIOURS."""
    seed: str
    """Seed of everything that is drawn for this dialogue, the persona included."""
    prefix: Prefix | None = None
    """What was said before, in a conversation that was begun elsewhere."""
    arm: str = ""
    """With `twins`, the arm of the comparison; the slots of a set share their seed."""

    @property
    def id(self) -> str:
        """What the ledger calls it."""
        return content_id("slot", {"toolset_id": self.toolset_id, "slot": self.number, "seed": self.seed})


def plan_slots(toolsets: Sequence[ToolsetRow], config: RunConfig, seeds: Sequence[SeedRow] = ()) -> list[Slot]:
    """Exactly `config.dialogues` slots, or none where there is no toolset.

    Domains take turns, and inside a domain its toolsets take turns, so that no two domains that can bear the same
    paradigms differ by more than one dialogue. Each mix of the config is met as closely as whole numbers allow; the
    mixes are shuffled apart from each other, so that they are independent jointly and of the toolset.

    A toolset is given only paradigms that it can bear. A paradigm that none can bear stays in its slot:
    `write_dialogue_task` rejects it with the reason. A behaviour that a slot cannot bear goes to one that can.

    Conversations among `seeds` are a domain like any other, whose dialogues begin with them.

    A run that adds to a dataset numbers its slots from the first one that the dataset does not have; the toolsets of a
    domain go on taking turns where they stopped, and the mixes are shuffled anew.
    """
    starts = _leave_known_out(list_starts(toolsets, seeds, config), config)
    first = config.incremental.first_slot if config.incremental else 0
    salt = f"{config.seed}:{first}" if first else f"{config.seed}"
    if not starts:
        return []
    behaviours: dict[str, float] = {**config.behaviours}
    behaviours["none"] = max(0.0, 1.0 - sum(behaviours.values()))
    mix: dict[Paradigm | None, float] = {None: 1.0}
    if config.paradigms:
        mix = {**config.paradigms}
    paradigms: list[Paradigm | None] = draw_mix(mix, config.dialogues, f"{salt}:paradigm")
    difficulties = draw_mix(config.difficulty, config.dialogues, f"{salt}:difficulty")
    counts = draw_mix(config.tasks_per_dialogue, config.dialogues, f"{salt}:tasks")
    drawn = draw_mix(behaviours, config.dialogues, f"{salt}:behaviour")
    ordered = _take_turns(starts, paradigms, first)
    given: list[Paradigm] = [
        _choose_paradigm(start.toolset, paradigm) for start, paradigm in zip(ordered, paradigms, strict=True)
    ]
    conversations = {seed.id: seed for seed in seeds if seed.kind == "dialogues"}
    drawn = _place_behaviours(drawn, [(start.toolset, one) for start, one in zip(ordered, given, strict=True)])
    return [
        Slot(
            number=first + number,
            toolset_id=start.toolset.id,
            domain=start.toolset.domain,
            paradigm=given[number],
            difficulty=difficulties[number],
            task_count=counts[number],
            behaviour=drawn[number],
            seed=f"{config.seed}:{start.toolset.id}:{first + number}",
            prefix=_cut(start, conversations, config, f"{config.seed}:{start.toolset.id}:{first + number}"),
        )
        for number, start in enumerate(ordered)
    ]


def _leave_known_out(starts: list[Start], config: RunConfig) -> list[Start]:
    """The starts of seeds that are new to the dataset, where the run is for these alone."""
    if config.incremental is None or config.incremental.mode != "new_seeds":
        return starts
    known = set(config.incremental.known_seeds)
    return [
        start
        for start in starts
        if start.toolset.seed_id not in known or (start.opening is not None and start.opening.seed_id not in known)
    ]


def _cut(start: Start, conversations: Mapping[str, SeedRow], config: RunConfig, seed: str) -> Prefix | None:
    if start.opening is None or start.opening.seed_id not in conversations:
        return None
    row = conversations[start.opening.seed_id]
    opening = read_openings(row)[start.opening.position]
    return cut_prefix(opening, start.opening, read_injection(row, config), seed)


def can_execute(toolset: ToolsetRow) -> bool:
    """Whether the tools of a toolset can really run: not those that are a specification and nothing else."""
    return "spec" not in _list_kinds(toolset.tools)


def _choose_paradigm(toolset: ToolsetRow, drawn: Paradigm | None) -> Paradigm:
    """What was drawn; where the config leaves it open, what the toolset's own tools are made for."""
    if drawn is not None:
        return drawn
    return "user_oriented_executed" if can_execute(toolset) else "user_oriented"


@lru_cache(maxsize=256)
def _list_kinds(tools: str) -> frozenset[str]:
    return frozenset(tool.kind for tool in TOOLS.validate_json(tools))


def can_bear(behaviour: str, toolset: ToolsetRow, paradigm: Paradigm) -> bool:
    """Whether a behaviour can come about in dialogues made this way over these tools."""
    if paradigm in STATELESS:
        return behaviour in IN_PLANS
    if paradigm == "task_oriented" and behaviour not in WITHOUT_USER:
        return False
    if paradigm != "user_oriented_executed":
        return behaviour not in NEEDS_DATA
    return behaviour in IN_DOMAINS or "domain" not in _list_kinds(toolset.tools)


def _place_behaviours(drawn: Sequence[str], places: Sequence[tuple[ToolsetRow, Paradigm]]) -> list[str]:
    """The behaviours, each moved to a slot that can bear it by exchange with one that bears what it gets, or dropped.

    Where every slot bears what was drawn for it, nothing moves.
    """
    placed = list(drawn)
    for number, place in enumerate(places):
        if can_bear(placed[number], *place):
            continue
        able = [
            other
            for other in range(len(placed))
            if can_bear(placed[number], *places[other]) and can_bear(placed[other], *place)
        ]
        plain = [other for other in able if placed[other] == "none"]
        if not able:
            placed[number] = "none"
            continue
        other = (plain or able)[0]
        placed[number], placed[other] = placed[other], placed[number]
    return placed


def draw_mix(mix: Mapping[T, float], count: int, seed: str) -> list[T]:
    """`count` values whose shares are those of `mix` by largest remainder, in an order that depends on `seed` alone.

    Shares that do not add up to one are scaled. Equal remainders go to the earlier key of the mix.

    Raises:
        ValueError: no share of the mix is positive.
    """
    total = sum(mix.values())
    if total <= 0:
        raise ValueError("a mix needs a positive share")
    exact = {value: count * share / total for value, share in mix.items()}
    whole = {value: math.floor(amount + 1e-9) for value, amount in exact.items()}
    by_remainder = sorted(exact, key=lambda value: -(exact[value] - whole[value]))
    for value in by_remainder[: count - sum(whole.values())]:
        whole[value] += 1
    values = [value for value, times in whole.items() for _ in range(times)]
    random.Random(seed).shuffle(values)
    return values


def _take_turns(starts: Sequence[Start], paradigms: Sequence[Paradigm | None], first: int = 0) -> list[Start]:
    """A start for each paradigm that its tools can bear: of the domain with the fewest so far, the first by name.

    `first` is how many dialogues earlier runs attempted: in equal turns each domain had its share of them.
    """
    by_domain: dict[str, list[Start]] = {}
    for start in starts:
        by_domain.setdefault(start.domain, []).append(start)
    running = {
        domain: able for domain, own in by_domain.items() if (able := [one for one in own if can_execute(one.toolset)])
    }
    taken = dict.fromkeys(by_domain, 0)
    turned = first // max(1, len(by_domain))
    ordered: list[Start] = []
    for paradigm in paradigms:
        able = (running or by_domain) if paradigm == "user_oriented_executed" else by_domain
        domain = min(able, key=lambda name: taken[name])
        ordered.append(able[domain][(turned + taken[domain]) % len(able[domain])])
        taken[domain] += 1
    return ordered
