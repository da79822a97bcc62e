"""What `GET /stats` of the embedded endpoint reports."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RoleCounters:
    """The share of one role. Times are seconds since the epoch on the server's clock."""

    requests: int = 0
    busy_slot_seconds: float = 0.0
    first_time: float | None = None
    last_time: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The counters as they stand in /stats."""
        return dict(vars(self))


@dataclass
class Counters:
    """Everything counted since the start or the last reset."""

    requests: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    """Most requests accepted and not yet answered at one moment, waiting ones included."""
    busy_slot_seconds: float = 0.0
    first: float | None = None
    last: float | None = None
    repeated: int = 0
    """Requests whose body had been answered before, without a fault."""
    roles: dict[str, RoleCounters] = field(default_factory=dict[str, RoleCounters])
    faults: dict[str, int] = field(default_factory=dict[str, int])
    times_seen: dict[bytes, int] = field(default_factory=dict[bytes, int])
    answered: set[bytes] = field(default_factory=set[bytes])

    def enter(self) -> None:
        """Counts a request that has arrived."""
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        if self.first is None:
            self.first = time.time()

    def leave(self) -> None:
        """Counts a request that is over, answered or not."""
        self.in_flight -= 1
        self.last = time.time()

    def see(self, role: str, body: bytes) -> int:
        """Counts a readable request by role and body digest; returns how often the body had come before."""
        share = self.roles.setdefault(role, RoleCounters())
        share.requests += 1
        now = time.time()
        share.first_time = now if share.first_time is None else share.first_time
        share.last_time = now
        attempt = self.times_seen.get(body, 0)
        self.times_seen[body] = attempt + 1
        self.repeated += body in self.answered
        return attempt

    def occupy(self, role: str, seconds: float) -> None:
        """Adds the time that one request held its slot."""
        self.busy_slot_seconds += seconds
        share = self.roles.setdefault(role, RoleCounters())
        share.busy_slot_seconds += seconds
        share.last_time = time.time()

    def to_json(self) -> dict[str, Any]:
        """The content of /stats."""
        return {
            "requests": self.requests,
            "repeated": self.repeated,
            "by_role": {role: share.to_json() for role, share in sorted(self.roles.items())},
            "max_in_flight": self.max_in_flight,
            "busy_slot_seconds": self.busy_slot_seconds,
            "wall_seconds": (self.last - self.first) if self.first is not None and self.last is not None else 0.0,
            "faults": dict(sorted(self.faults.items())),
        }
