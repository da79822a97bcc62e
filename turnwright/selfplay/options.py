"""How the embedded endpoint is served."""

from collections.abc import Mapping
from dataclasses import dataclass, field

CONTENT_FAULTS = ("malformed", "truncated", "empty")
"""A reply with status 200 whose content is spoilt."""
TRANSPORT_FAULTS = ("drop", "hang", "html")
"""Instead of a reply: a closed connection, silence, a web page."""


def check_fault(kind: str, rate: float) -> None:
    """Refuses a fault that the endpoint cannot make.

    Raises:
        ValueError: an unknown kind (an HTTP error status such as 429 or 500 is a kind, too) or a rate outside 0 to 1.
    """
    status = kind.isdigit() and 400 <= int(kind) <= 599
    if not status and kind not in CONTENT_FAULTS + TRANSPORT_FAULTS:
        allowed = ", ".join(("429", "500", *TRANSPORT_FAULTS, *CONTENT_FAULTS))
        raise ValueError(f"unknown fault {kind!r}; allowed: {allowed} (or another HTTP error status)")
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"fault {kind}: the rate must be from 0 to 1, not {rate:g}")


def parse_fault(text: str) -> tuple[str, float]:
    """Reads `KIND=RATE`.

    Raises:
        ValueError: it has another form, or `check_fault` refuses it.
    """
    kind, sign, number = text.partition("=")
    try:
        rate = float(number)
    except ValueError:
        sign = ""
        rate = 0.0
    if not sign:
        raise ValueError(f"{text!r} is not of the form KIND=RATE, as in 429=0.05")
    check_fault(kind, rate)
    return kind, rate


@dataclass(frozen=True)
class ServeOptions:
    """Everything that the embedded endpoint can be told."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes any free port."""
    slots: int = 64
    """Requests worked on at once; the others wait, first come first served. 0 means no limit."""
    latency_ms: float = 0.0
    """Median time that a request occupies its slot."""
    latency_sigma: float = 0.0
    """Shape of the lognormal latency; 0 makes it constant."""
    seed: int = 0
    mistake_rate: float = 0.03
    """Chance of a deliberate mistake, per dialogue."""
    faults: Mapping[str, float] = field(default_factory=dict[str, float])
    """Rate of each kind of fault. They exclude each other, so that the rates add up to 1 at most."""

    def __post_init__(self) -> None:
        """Refuses impossible values.

        Raises:
            ValueError: a fault is unknown or the rates add up to more than 1, or a number is out of its range.
        """
        for kind, rate in self.faults.items():
            check_fault(kind, rate)
        if sum(self.faults.values()) > 1.0 + 1e-9:
            raise ValueError(f"the fault rates add up to {sum(self.faults.values()):g}, more than 1")
        if not 0.0 <= self.mistake_rate <= 1.0:
            raise ValueError(f"mistake_rate must be from 0 to 1, not {self.mistake_rate:g}")
        if min(self.slots, self.latency_ms, self.latency_sigma) < 0 or not 0 <= self.port <= 65535:
            raise ValueError("slots, latency_ms and latency_sigma must not be negative, port must be from 0 to 65535")
