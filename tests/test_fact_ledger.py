"""The fact ledger on whole worlds: planted contradictions are caught, clean results are left alone."""

import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest
from planting import PLANTERS, Seen
from simulated_worlds import WORLDS
from simulating import Session

from schemas.content import canonical_json
from tests.spec_world import tool
from turnwright.environments.simulation.contradictions import find_contradictions
from turnwright.environments.simulation.facts import Facts
from turnwright.environments.simulation.records import SimulatedCall

CALLS = 25
PLANTED = 8
"""Contradictions of each kind: 112 in all."""


WHERE = {
    "another_value": ("shop", "bank", "clinic"),
    "lost_write": ("shop",),
    "deleted_returns": ("shop", "campus"),
    "made_missing": ("shop", "campus", "clinic"),
    "known_missing": ("shop", "bank", "clinic"),
    "wrong_count": ("shop", "clinic", "campus"),
    "wrong_total": ("shop", "bank"),
    "wrong_line": ("shop",),
    "wrong_shape": ("shop", "bank", "clinic", "campus"),
    "repeated_id": ("shop", "bank", "clinic", "campus"),
    "to_come": ("shop", "bank", "campus"),
    "end_before_start": ("shop", "clinic"),
    "another_record": ("shop", "bank", "clinic", "campus"),
    "filter_ignored": ("shop", "campus"),
}
"""The worlds in which each kind can be planted."""


def sessions(kind: str) -> Iterator[Session]:
    for seed in range(1000, 1040):
        name = WHERE[kind][seed % len(WHERE[kind])]
        yield Session(WORLDS[name](seed), seed)


@dataclass
class Spoiler:
    """Plants one kind of contradiction as soon as it can after some calls."""

    kind: str
    wait: int
    seen: Seen = field(default_factory=Seen)
    calls: int = 0
    call: tuple[Any, dict[str, Any]] = (None, {})
    planted: Any = None

    def __call__(self, value: Any, error: str | None) -> tuple[Any, str | None]:
        if self.calls < self.wait:
            return value, error
        planter = PLANTERS[self.kind]
        spoilt = planter(self.seen, *self.call, value, error, random.Random(self.calls))
        self.planted = spoilt or self.planted
        return spoilt or (value, error)


def plant(kind: str, session: Session, rng: random.Random) -> tuple[str, bool] | None:
    """Plays a session until a contradiction could be planted; what it was, and whether it was caught."""
    spoiler = Spoiler(kind, rng.randint(3, 12))
    session.models.planter = spoiler
    session.models.stubborn = rng.random() < 0.5
    for number in range(CALLS * 2):
        spoiler.calls, spoiler.call = number, session.draw()
        tool, arguments = spoiler.call
        answer = session.call(tool.name, **arguments)
        notices = session.environment.notices
        if spoiler.planted:
            return f"{tool.name} {canonical_json(arguments)}: {spoiler.planted}"[:400], bool(notices)
        assert not notices, notices
        spoiler.seen.note(tool, arguments, deepcopy(answer.value), answer.error is not None)
    return None


def test_planted_contradictions_are_caught() -> None:
    rng = random.Random("plant")
    caught: Counter[str] = Counter()
    planted: Counter[str] = Counter()
    missed: list[str] = []
    for kind in PLANTERS:
        tried = (plant(kind, session, rng) for session in sessions(kind))
        for text, seen in islice((found for found in tried if found is not None), PLANTED):
            caught[kind] += seen
            planted[kind] += 1
            missed += [] if seen else [f"{kind}: {text}"]
    assert planted == dict.fromkeys(PLANTERS, PLANTED)
    assert caught.total() >= 0.95 * planted.total() >= 95, "\n".join(missed)


@pytest.mark.parametrize("name", WORLDS)
def test_clean_results_raise_no_alarm(name: str) -> None:
    alarms: list[Any] = []
    for seed in range(8):
        session = Session(WORLDS[name](seed), seed)
        for _ in range(CALLS):
            tool, arguments = session.draw()
            session.call(tool.name, **arguments)
        alarms += session.environment.notices
    assert alarms == []


@pytest.mark.parametrize(("second", "alarms"), [("HIS-2", []), ("HIS-1", ["repeated_id"])])
def test_the_history_of_one_thing_has_identifiers_of_its_own(second: str, alarms: list[str]) -> None:
    entries = [
        {"parcel_id": "PAR-8", "parcel_history_id": "HIS-1", "note": "sent"},
        {"parcel_id": "PAR-8", "parcel_history_id": second, "note": "at the depot"},
    ]
    history = tool("list_parcel_history", {"parcel_id": "string"})
    call = SimulatedCall(history, {"parcel_id": "PAR-8"}, entries)
    assert [found.code for found in find_contradictions(call, Facts())] == alarms
