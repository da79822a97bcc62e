"""Where the dialogues of a run begin: on an empty slate, or in a conversation that was begun elsewhere.

UO, plug and play: generation starts from any state, an ongoing conversation into which tool use is injected included.
The messages that are kept of it are never changed; what is drawn is only after which request the tools come in.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from schemas.config import RunConfig
from schemas.content import content_id
from schemas.goals import Beginning
from schemas.rows import SeedRow, ToolsetRow
from schemas.seeds import DialogueSeed, Opening
from schemas.sources import DialoguesSource, Injection


@dataclass(frozen=True)
class OpeningPlace:
    """A conversation among the seeds."""

    seed_id: str
    position: int
    """In the seed's openings, from 0."""


@dataclass(frozen=True)
class Start:
    """What a dialogue begins with."""

    toolset: ToolsetRow
    domain: str
    """Which domain's turn it is: of the conversation where there is one, else of the tools."""
    opening: OpeningPlace | None = None


@dataclass(frozen=True)
class Prefix:
    """How much of a conversation one dialogue begins with."""

    place: OpeningPlace
    kept: int
    """Messages, from the first."""
    digest: str
    """Of these messages."""


def list_starts(toolsets: Sequence[ToolsetRow], seeds: Sequence[SeedRow], config: RunConfig) -> list[Start]:
    """All starts that a run has, those of a domain in the order in which they take turns.

    A conversation with usable tools of its own goes on with these. One without is given the toolsets of the other
    sources in turn, a different one each time that it comes round.
    """
    ordered = sorted(toolsets, key=lambda row: (row.domain, row.id))
    starts = [
        start
        for row in ordered
        for start in (
            [Start(row, row.domain, OpeningPlace(row.seed_id, position)) for position in row.openings]
            or [Start(row, row.domain)]
        )
    ]
    lent = [row for row in ordered if not row.openings]
    for seed in sorted((seed for seed in seeds if seed.kind == "dialogues"), key=lambda seed: seed.id):
        places = [
            OpeningPlace(seed.id, position)
            for position, opening in enumerate(read_openings(seed))
            if opening.problem is None and not opening.tools
        ]
        if not places or not lent:
            continue
        rounds = min(len(lent), -(-config.dialogues // len(places)))
        starts += [
            Start(lent[(number + turn) % len(lent)], seed.domain, place)
            for turn in range(rounds)
            for number, place in enumerate(places)
        ]
    return sorted(starts, key=lambda start: start.domain)


def read_injection(seed: SeedRow, config: RunConfig) -> Injection:
    """Where the config has tools come in; at the end where a stage is run on seeds of another config."""
    source = config.sources[seed.source] if seed.source < len(config.sources) else None
    return source.inject_at if isinstance(source, DialoguesSource) else "end"


def read_openings(seed: SeedRow) -> tuple[Opening, ...]:
    """The conversations of a seed of kind `dialogues`, parsed once per process."""
    return _parse_openings(seed.content)


@lru_cache(maxsize=16)
def _parse_openings(content: str) -> tuple[Opening, ...]:
    return DialogueSeed.model_validate_json(content).openings


def cut_prefix(opening: Opening, place: OpeningPlace, inject_at: Injection, seed: str) -> Prefix:
    """How much of a conversation is kept: all, or what was said before the user's request that the tools replace.

    Args:
        opening: a conversation without a problem.
        place: where it stands.
        inject_at: `end`, `drawn`, or after how many requests.
        seed: what is drawn depends on it.
    """
    requests = [index for index, message in enumerate(opening.messages) if message["role"] == "user"]
    if inject_at == "drawn":
        wanted = random.Random(f"{seed}:inject").randint(1, max(1, len(requests)))
    else:
        wanted = len(requests) if inject_at == "end" else inject_at
    kept = requests[wanted] if wanted < len(requests) else len(opening.messages)
    return Prefix(place, kept, content_id("prefix", list(opening.messages[:kept])))


def read_beginning(prefix: Prefix | None, seeds: Mapping[str, SeedRow]) -> Beginning | None:
    """The messages that a prefix stands for."""
    if prefix is None:
        return None
    opening = read_openings(seeds[prefix.place.seed_id])[prefix.place.position]
    return Beginning(
        seed_id=prefix.place.seed_id, origin=opening.origin, messages=tuple(_copy(opening.messages[: prefix.kept]))
    )


def _copy(messages: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from (dict(message) for message in messages)
