"""Slots: what each dialogue of a run is to be like, decided before anything is drawn or asked."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from schemas.config import RunConfig
from schemas.content import content_id
from schemas.rows import ToolsetRow
from schemas.vocabulary import Difficulty, Paradigm

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

    @property
    def id(self) -> str:
        """What the ledger calls it."""
        return content_id("slot", {"toolset_id": self.toolset_id, "slot": self.number, "seed": self.seed})


def plan_slots(toolsets: Sequence[ToolsetRow], config: RunConfig) -> list[Slot]:
    """Exactly `config.dialogues` slots, or none where there is no toolset.

    Domains take turns, and inside a domain its toolsets take turns, so that no two domains differ by more than one
    dialogue. Each mix of the config is met as closely as whole numbers allow; the mixes are shuffled apart from each
    other, so that they are independent jointly and of the toolset.
    """
    if not toolsets:
        return []
    ordered = _take_turns(toolsets, config.dialogues)
    behaviours: dict[str, float] = {**config.behaviours}
    behaviours["none"] = max(0.0, 1.0 - sum(behaviours.values()))
    paradigms = draw_mix(config.paradigms, config.dialogues, f"{config.seed}:paradigm")
    difficulties = draw_mix(config.difficulty, config.dialogues, f"{config.seed}:difficulty")
    counts = draw_mix(config.tasks_per_dialogue, config.dialogues, f"{config.seed}:tasks")
    drawn = draw_mix(behaviours, config.dialogues, f"{config.seed}:behaviour")
    return [
        Slot(
            number=number,
            toolset_id=toolset.id,
            domain=toolset.domain,
            paradigm=paradigms[number],
            difficulty=difficulties[number],
            task_count=counts[number],
            behaviour=drawn[number],
            seed=f"{config.seed}:{toolset.id}:{number}",
        )
        for number, toolset in enumerate(ordered)
    ]


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


def _take_turns(toolsets: Sequence[ToolsetRow], count: int) -> list[ToolsetRow]:
    by_domain: dict[str, list[ToolsetRow]] = {}
    for toolset in sorted(toolsets, key=lambda row: (row.domain, row.id)):
        by_domain.setdefault(toolset.domain, []).append(toolset)
    domains = list(by_domain.values())
    ordered: list[ToolsetRow] = []
    for number in range(count):
        own = domains[number % len(domains)]
        ordered.append(own[number // len(domains) % len(own)])
    return ordered
