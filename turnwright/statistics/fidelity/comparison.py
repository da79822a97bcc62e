"""Two samples of dialogues, statistic by statistic: figures, difference, interval, test, and whether it matters.

P-values come from labellings drawn anew (Monte Carlo permutation test, exact where both samples come from one
generator); intervals from dialogues drawn anew (95 % percentile bootstrap; for distances and entropies, which resamples
inflate, the estimate and 1.96 bootstrap standard errors).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turnwright.statistics.fidelity.features import MIXES, RATES, SPREADS
from turnwright.statistics.fidelity.mean_embedding import EmbeddingMeasure
from turnwright.statistics.fidelity.measures import (
    Floats,
    Measure,
    MixMeasure,
    RateMeasure,
    SpreadMeasure,
)
from turnwright.statistics.fidelity.multiplicity import Correction, adjust
from turnwright.statistics.fidelity.record import LEVEL, Statistic, Status
from turnwright.statistics.fidelity.resampling import Design, draw_weights, make_generator, shuffle_labels
from turnwright.statistics.fidelity.sample import Sample, find_unmeasurable, share_tools
from turnwright.statistics.fidelity.sequences import EntropyMeasure, TransitionMeasure
from turnwright.statistics.fidelity.vectors import Vectors

FEWEST_CASES = 5
"""A statistic with fewer cases in a sample is left out: an interval of so few says nothing."""


@dataclass(frozen=True)
class Draws:
    """How much is drawn, and from which seed."""

    permutations: int = 999
    bootstraps: int = 999
    seed: int = 0
    correction: Correction = "benjamini-hochberg"


def compare_statistics(
    first: Sample, second: Sample, design: Design, vectors: Vectors | None, draws: Draws
) -> list[Statistic]:
    """Every statistic of two samples, in a fixed order; in `design` the first sample's dialogues come first."""
    blocked = find_unmeasurable(first, second)
    features = [*first.features, *second.features]
    same_tools = share_tools(first, second)
    measures: list[tuple[Measure, str]] = []
    for name, description in SPREADS.items():
        measures.append((SpreadMeasure(name, [item.spreads.get(name, []) for item in features]), description))
    for name, description in RATES.items():
        measures.append((RateMeasure(name, [item.rates.get(name, (0, 0)) for item in features]), description))
    for name, description in MIXES.items():
        kinds = [item.mixes.get(name, {}) for item in features]
        measures.append((MixMeasure(name, kinds, design.first), description))
    for length in (1, 2, 3):
        measure = EntropyMeasure(f"tool_entropy_{length}", [item.tools for item in features], length)
        measures.append((measure, f"entropy of runs of {length} tool names, in bits" if length > 1 else _ENTROPY))
    measures.append((TransitionMeasure("transitions_acts", [item.acts for item in features]), _ACT_TRANSITIONS))
    if same_tools:
        measures.append((TransitionMeasure("transitions_tools", [item.tools for item in features]), _TOOL_TRANSITIONS))
    else:
        blocked["transitions_tools"] = "fewer than half of the calls are of tools that both samples call"
    if vectors is not None and vectors.names:
        measures.append((EmbeddingMeasure("features_mmd", vectors.standardise(), draws.seed), _EMBEDDING))
    kept = [(measure, description) for measure, description in measures if measure.name not in blocked]
    found = dict(zip((measure.name for measure, _ in kept), _resample(kept, design, draws), strict=True))
    described = {measure.name: (measure, description) for measure, description in measures}
    rows: list[Statistic] = []
    for name in [*described, *(name for name in blocked if name == "transitions_tools")]:
        if name in found:
            rows.append(found[name])
            continue
        measure, description = described.get(name, (None, _TOOL_TRANSITIONS))
        test = TransitionMeasure.test if measure is None else measure.test
        rows.append(_leave_out(name, description, test, blocked[name]))
    if not same_tools:
        rows = [
            row.model_copy(update={"note": _OTHER_TOOLS}) if row.name in _ENTROPIES and row.p else row for row in rows
        ]
    return _correct(rows, draws.correction)


class _Drawn:
    """What resamples say of one measure, collected block by block."""

    def __init__(self, measure: Measure, sides: Floats) -> None:
        self.measure = measure
        sums = measure.add_up(sides)
        self.one, self.other = sums[:1], sums[1:]
        self.cases = int(measure.count(self.one)[0]), int(measure.count(self.other)[0])
        self.distances: list[Floats] = []
        self.expected: list[Floats] = []
        self.differences: list[Floats] = []
        self.effects: list[Floats] = []

    def add_labels(self, labels: Floats) -> None:
        """Takes a block of shuffled labels."""
        drawn = self.measure.add_up(labels)
        rest = self.one + self.other - drawn
        self.distances.append(self.measure.distance(drawn, rest))
        if not self.measure.has_figure:
            self.expected.append(self.measure.effect(drawn, rest))

    def add_weights(self, weights: Floats, border: int) -> None:
        """Takes a block of bootstrap weights; the second sample begins at `border`."""
        one, other = self.measure.add_up(weights, stop=border), self.measure.add_up(weights, start=border)
        self.effects.append(self.measure.effect(one, other))
        if self.measure.has_figure:
            self.differences.append(self.measure.figure(one) - self.measure.figure(other))

    def read(self, description: str) -> Statistic:
        """The line of the measure, before correction."""
        measure = self.measure
        observed = float(measure.distance(self.one, self.other)[0])
        shuffled = np.concatenate(self.distances)
        tolerance = 1e-9 * max(1e-3, abs(observed))
        p = (1 + int((shuffled >= observed - tolerance).sum())) / (1 + len(shuffled))
        effect = float(measure.effect(self.one, self.other)[0])
        spread = np.concatenate(self.effects)
        if measure.has_figure:
            a, b = float(measure.figure(self.one)[0]), float(measure.figure(self.other)[0])
            difference, drawn = a - b, np.concatenate(self.differences)
            low, high = _frame(difference, drawn) if measure.plug_in else _cut(drawn)
            effects = _frame(effect, spread) if measure.plug_in else _cut(spread)
        else:
            a = b = None
            effect -= float(np.concatenate(self.expected).mean())
            difference = effect
            low, high = effects = _frame(effect, spread)
        inside = max(abs(effects[0]), abs(effects[1])) <= measure.margin
        # A figure without any spread on either side is the same on both.
        same = a is not None and a == b and low == high == 0
        return Statistic(
            name=measure.name,
            description=description,
            test=measure.test,
            a=_round(a),
            b=_round(b),
            difference=_round(difference),
            ci_low=_round(low),
            ci_high=_round(high),
            p=round(p, 6),
            effect=_round(effect),
            status="matches" if inside or same else "undecided",
            n_a=self.cases[0],
            n_b=self.cases[1],
        )


def _resample(measures: Sequence[tuple[Measure, str]], design: Design, draws: Draws) -> list[Statistic]:
    """All measures on the same resamples, so that each is drawn once."""
    sides = np.stack([design.first, ~design.first]).astype(np.float64)
    drawn = [(_Drawn(measure, sides), description) for measure, description in measures]
    wanted = [item for item, _ in drawn if min(item.cases) >= FEWEST_CASES]
    for labels in shuffle_labels(design, make_generator(draws.seed, "labels"), draws.permutations):
        for item in wanted:
            item.add_labels(labels)
    for weights in draw_weights(design, make_generator(draws.seed, "bootstrap"), draws.bootstraps):
        for item in wanted:
            item.add_weights(weights, int(design.first.sum()))
    return [
        item.read(description)
        if min(item.cases) >= FEWEST_CASES
        else _leave_out(item.measure.name, description, item.measure.test, _count_cases(item.cases), item.cases)
        for item, description in drawn
    ]


def _count_cases(cases: tuple[int, int]) -> str:
    return f"too few cases: {cases[0]} in a, {cases[1]} in b"


def _correct(rows: Sequence[Statistic], correction: Correction) -> list[Statistic]:
    tested = [row for row in rows if row.p is not None]
    adjusted = dict(
        zip((row.name for row in tested), adjust([row.p or 0.0 for row in tested], correction), strict=True)
    )
    result: list[Statistic] = []
    for row in rows:
        if row.name not in adjusted:
            result.append(row)
            continue
        reject = adjusted[row.name] <= LEVEL
        status: Status = ("differs" if row.status == "undecided" else "slight") if reject else row.status
        result.append(
            row.model_copy(update={"p_adjusted": round(adjusted[row.name], 6), "reject": reject, "status": status})
        )
    return result


def _leave_out(name: str, description: str, test: str, note: str, cases: tuple[int, int] = (0, 0)) -> Statistic:
    return Statistic(
        name=name,
        description=description,
        test=test,
        a=None,
        b=None,
        difference=None,
        ci_low=None,
        ci_high=None,
        p=None,
        status="unmeasurable",
        n_a=cases[0],
        n_b=cases[1],
        note=note,
    )


def _frame(estimate: float, drawn: Floats) -> tuple[float, float]:
    held = drawn[np.isfinite(drawn)]
    reach = 1.96 * float(held.std(ddof=1)) if len(held) > 1 else float("nan")
    return estimate - reach, estimate + reach


def _cut(drawn: Floats) -> tuple[float, float]:
    held = drawn[np.isfinite(drawn)]
    if not len(held):
        return float("nan"), float("nan")
    low, high = np.quantile(held, [0.025, 0.975])
    return float(low), float(high)


def _round(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 6) + 0.0


_ENTROPIES = ("tool_entropy_1", "tool_entropy_2", "tool_entropy_3")
_OTHER_TOOLS = "the samples call different tools, so this mostly compares how many there are"
_ENTROPY = "entropy of tool names, in bits"
_ACT_TRANSITIONS = "what follows what: user, answer, read, write, error"
_TOOL_TRANSITIONS = "which tool follows which"
_EMBEDDING = "all figures of a dialogue together (squared maximum mean discrepancy)"
