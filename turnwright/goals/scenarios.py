"""Scenarios: what a person may want from a stateful domain, written by the domain for records of its database.

A domain that implements `ScenarioSource` has dialogues made for its own data, besides the tasks that it brings along.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, runtime_checkable

from schemas.goals import Fact, KnownDetail
from turnwright.environments.domain_state import DomainState


@dataclass(frozen=True)
class ScenarioCall:
    """One call that a good assistant (or, for a tool of the user's side, the person) makes."""

    tool: str
    arguments: Mapping[str, Any]
    lookup: bool = False
    """Made only because a later call needs it, or because the policy wants it; the person never asks for it."""
    worked_out: frozenset[str] = frozenset()
    """Arguments that stand in no result and that nobody says, because they are worked out: a total, a count."""


@dataclass(frozen=True)
class Forbidden:
    """What policy does not allow and the person asks for all the same."""

    tool: str
    """The tool that would do it."""
    arguments: Mapping[str, Any]
    """With them it would be done, or refused by the tool itself."""
    reason: str
    """Why it is not allowed, as a clause: `the order is delivered already`."""
    insists: str = ""
    """What the person says when told so, as an instruction; empty where they take no for an answer."""


@dataclass(frozen=True)
class Scenario:
    """One thing that a person may want."""

    kind: str
    """Name of its kind, as in `cancel_order`; a dialogue has each kind once."""
    purpose: str
    """A plain statement for use after `wants to`, in the third person, with what the person knows and no more."""
    known: tuple[KnownDetail, ...]
    """All that the person can say."""
    calls: tuple[ScenarioCall, ...]
    """In order; the last one, or several, are what the person asks for."""
    facts: tuple[Fact, ...] = ()
    """What must reach the person; each value stands in a result of these calls."""
    about: str = ""
    """Key of the record that it is about; another scenario about the same one goes on where it ended."""
    forbidden: Forbidden | None = None
    """Set where the right outcome is that nothing changes; then no call writes."""


@runtime_checkable
class ScenarioSource(Protocol):
    """The part of a domain that writes scenarios."""

    def people(self, state: DomainState) -> Sequence[str]:
        """Keys of the people who may come, in a fixed order."""
        ...

    def full_name(self, state: DomainState, person: str) -> str:
        """First and last name."""
        ...

    def scenarios(self, state: DomainState, person: str, now: str, rng: Random) -> Iterator[Scenario]:
        """What this person may want in this state, at most one of a kind, in any order; forbidden ones too.

        They depend on the arguments alone.
        """
        ...
