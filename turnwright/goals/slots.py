"""Slots: what each dialogue of a run is to be like, decided before anything is drawn or asked."""

import heapq
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from schemas.config import RunConfig
from schemas.content import content_id
from schemas.rows import SeedRow, ToolsetRow
from schemas.tools import TOOLS
from schemas.vocabulary import Difficulty, Paradigm
from turnwright.goals.behaviour_places import Place, place_behaviours
from turnwright.goals.openings import Prefix, Start, cut_prefix, list_starts, read_injection, read_openings

T = TypeVar("T")


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
    """All that `draw_slots` gives."""
    return list(draw_slots(toolsets, config, seeds))


def draw_slots(toolsets: Sequence[ToolsetRow], config: RunConfig, seeds: Sequence[SeedRow] = ()) -> Iterator[Slot]:
    """Exactly `config.dialogues` slots in the order of their numbers, or none where there is no toolset.

    Domains take turns, and inside a domain its toolsets take turns, so that no two domains that can bear the same
    paradigms differ by more than one dialogue. Each mix of the config is met as closely as whole numbers allow; the
    mixes are shuffled apart from each other, so that they are independent jointly and of the toolset.

    A toolset is given only paradigms that it can bear. A paradigm that none can bear stays in its slot:
    `write_dialogue_task` rejects it with the reason. A behaviour that a slot cannot bear goes to one that can.

    Conversations among `seeds` are a domain like any other, whose dialogues begin with them.

    A run that adds to a dataset numbers its slots from the first one that the dataset does not have; the toolsets of a
    domain go on taking turns where they stopped, and the mixes are shuffled anew.

    The mixes make a plan of the whole: time grows with `config.dialogues`, and memory by some words a dialogue.
    """
    starts = _leave_known_out(list_starts(toolsets, seeds, config), config)
    first = config.incremental.first_slot if config.incremental else 0
    salt = f"{config.seed}:{first}" if first else f"{config.seed}"
    if not starts:
        return
    behaviours: dict[str, float] = {**config.behaviours}
    behaviours["none"] = max(0.0, 1.0 - sum(behaviours.values()))
    mix: dict[Paradigm | None, float] = {None: 1.0}
    if config.paradigms:
        mix = {**config.paradigms}
    paradigms: list[Paradigm | None] = draw_mix(mix, config.dialogues, f"{salt}:paradigm")
    difficulties = draw_mix(config.difficulty, config.dialogues, f"{salt}:difficulty")
    counts = draw_mix(config.tasks_per_dialogue, config.dialogues, f"{salt}:tasks")
    drawn = draw_mix(behaviours, config.dialogues, f"{salt}:behaviour")
    kinds = {start.toolset.id: _list_kinds(start.toolset.tools) for start in starts}
    ordered = _take_turns(starts, kinds, paradigms, first)
    places = _find_places(ordered, kinds, paradigms)
    placed = place_behaviours(drawn, places)
    conversations = {seed.id: seed for seed in seeds if seed.kind == "dialogues"}
    for number, start in enumerate(ordered, first):
        seed = f"{config.seed}:{start.toolset.id}:{number}"
        yield Slot(
            number=number,
            toolset_id=start.toolset.id,
            domain=start.toolset.domain,
            paradigm=places[number - first].paradigm,
            difficulty=difficulties[number - first],
            task_count=counts[number - first],
            behaviour=placed[number - first],
            seed=seed,
            prefix=_cut(start, conversations, config, seed),
        )


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


@lru_cache(maxsize=256)
def _list_kinds(tools: str) -> frozenset[str]:
    return frozenset(tool.kind for tool in TOOLS.validate_json(tools))


def _find_places(
    starts: Iterable[Start], kinds: Mapping[str, frozenset[str]], paradigms: Iterable[Paradigm | None]
) -> list[Place]:
    """How each dialogue is made: as drawn; where the config leaves it open, as the toolset's own tools are made for."""
    places: dict[tuple[Paradigm | None, frozenset[str]], Place] = {}
    found: list[Place] = []
    for start, drawn in zip(starts, paradigms, strict=True):
        own = kinds[start.toolset.id]
        place = places.get((drawn, own))
        if place is None:
            paradigm = drawn or ("user_oriented" if "spec" in own else "user_oriented_executed")
            place = places[drawn, own] = Place(paradigm, "domain" in own)
        found.append(place)
    return found


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


def _take_turns(
    starts: Sequence[Start],
    kinds: Mapping[str, frozenset[str]],
    paradigms: Sequence[Paradigm | None],
    first: int,
) -> list[Start]:
    """A start for each paradigm that its tools can bear: of the domain with the fewest so far, the first by name.

    `first` is how many dialogues earlier runs attempted: in equal turns each domain had its share of them.
    """
    by_domain: dict[str, list[Start]] = {}
    for start in starts:
        by_domain.setdefault(start.domain, []).append(start)
    running = {
        domain: able
        for domain, own in by_domain.items()
        if (able := [one for one in own if "spec" not in kinds[one.toolset.id]])
    }
    able = running or by_domain
    taken = dict.fromkeys(by_domain, 0)
    turned = first // max(1, len(by_domain))
    any_turn = [(0, place, domain) for place, domain in enumerate(by_domain)]
    able_turn = [turn for turn in any_turn if turn[2] in able]
    ordered: list[Start] = []
    for paradigm in paradigms:
        own, turns = (able, able_turn) if paradigm == "user_oriented_executed" else (by_domain, any_turn)
        domain = _find_fewest(turns, taken)
        ordered.append(own[domain][(turned + taken[domain]) % len(own[domain])])
        taken[domain] += 1
    return ordered


def _find_fewest(turns: list[tuple[int, int, str]], taken: Mapping[str, int]) -> str:
    """The domain with the fewest dialogues. `turns` is a heap whose counts may lag behind, the one at its top too."""
    count, place, domain = turns[0]
    while count != taken[domain]:
        heapq.heapreplace(turns, (taken[domain], place, domain))
        count, place, domain = turns[0]
    return domain
