"""Spans of time, as `benchmarks.clocked_run` writes them: their union, and what of one lies in others."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Span:
    """Something that took time, in seconds since its process began."""

    what: str
    name: str
    start: float
    stop: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.stop - self.start


def read_spans(file: Path) -> list[Span]:
    """The spans of a file, in their order.

    Raises:
        OSError: it cannot be read.
    """
    return [Span(**fields) for fields in json.loads(file.read_text(encoding="utf-8"))]


def unite(spans: Iterable[Span]) -> float:
    """Seconds in which at least one of the spans was open."""
    total, end = 0.0, float("-inf")
    for span in sorted(spans, key=lambda one: one.start):
        total += max(0.0, span.stop - max(span.start, end))
        end = max(end, span.stop)
    return total


def cut_to(spans: Iterable[Span], frame: Span) -> list[Span]:
    """The parts of spans that lie in another."""
    return [
        Span(one.what, one.name, max(one.start, frame.start), min(one.stop, frame.stop))
        for one in spans
        if one.start < frame.stop and one.stop > frame.start
    ]


def measure_around(outer: Sequence[Span], inner: Sequence[Span]) -> float:
    """Seconds of the outer spans in which no inner one was open; outer spans do not overlap."""
    return sum(frame.seconds - unite(cut_to(inner, frame)) for frame in outer)
