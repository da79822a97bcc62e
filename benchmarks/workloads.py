"""What the stub endpoint is asked in a benchmark, and how fast that could be done at best.

singles[:N]        N independent calls (2,000)
chains[:N[:CALLS]] N conversations (300) of 12 calls, each waiting for the one before
heavy[:N[:DRAW]]   N conversations (300) of 4 to 40 calls with lognormal latencies; lengths are known to within a half,
                   by a guess that DRAW (0) tells apart

Each request ends in a mark of conversation and turn. Latency is drawn from the mark, so every client pays the same.
"""

import hashlib
import math
import random
import re
from dataclasses import dataclass

_COUNTS = {"singles": 2000, "chains": 300, "heavy": 300}
_MEDIAN_MS = {"singles": 200.0, "chains": 100.0, "heavy": 100.0}
_SIGMA = {"singles": 0.0, "chains": 0.0, "heavy": 0.8}
_MARK = re.compile(rb"\[\[k=(\d+\.\d+)\]\]")
FILLER = "Write one self-contained question with its answer about the records of a small clinic. " * 4


@dataclass(frozen=True)
class Workload:
    """Conversations and the latency of their calls."""

    name: str
    lengths: tuple[int, ...]
    """Calls of each conversation."""
    latency_ms: float
    sigma: float
    draw: int = 0
    """Of the guess of the lengths."""

    @property
    def calls(self) -> int:
        """All calls."""
        return sum(self.lengths)

    @property
    def expected_lengths(self) -> list[float]:
        """Lengths as far as a scheduler may know them: right to within a half for heavy tails."""
        rng = random.Random(f"expected lengths {self.draw}")
        within = 0.5 if self.sigma else 0.0
        return [length * rng.uniform(1 - within, 1 + within) for length in self.lengths]

    def ideal_seconds(self, slots: int) -> float:
        """No schedule is faster: all latency spread over the slots, or the longest chain."""
        chains = [
            sum(draw_latency(f"{number}.{turn}", self.latency_ms, self.sigma) for turn in range(length))
            for number, length in enumerate(self.lengths)
        ]
        return max(sum(chains) / slots, max(chains))


def read_workload(text: str) -> Workload:
    """The workload of a name such as `chains:40:6`.

    Raises:
        KeyError: there is no such workload.
    """
    kind, _, rest = text.partition(":")
    count, _, second = rest.partition(":")
    number = int(count) if count else _COUNTS[kind]
    lengths = [1] * number
    if kind == "chains":
        lengths = [int(second or 12)] * number
    elif kind == "heavy":
        lengths = [4 + (index * 2654435761 % 4294967296) % 37 for index in range(number)]
    draw = int(second) if kind == "heavy" and second else 0
    return Workload(text, tuple(lengths), _MEDIAN_MS[kind], _SIGMA[kind], draw)


def make_mark(conversation: int, turn: int) -> str:
    """What the stub recognises a call by."""
    return f"[[k={conversation}.{turn}]]"


def find_mark(body: bytes) -> str:
    """The last mark of a request body; empty where there is none."""
    marks = _MARK.findall(body, max(0, len(body) - 4096)) or _MARK.findall(body)
    return marks[-1].decode() if marks else ""


def draw_latency(mark: str, median_ms: float, sigma: float) -> float:
    """Seconds that the call of a mark takes."""
    if not sigma:
        return median_ms / 1000
    drawn = hashlib.sha256(mark.encode()).digest()
    first, second = (int.from_bytes(part, "big") / 2**64 for part in (drawn[:8], drawn[8:16]))
    normal = math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)
    return median_ms / 1000 * math.exp(sigma * normal)
