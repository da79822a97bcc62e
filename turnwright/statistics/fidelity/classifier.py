"""Classifier two-sample test: can a model tell from a dialogue's figures which sample it is of (TC)?

A linear model over steps at quantiles (additive in the figures), fitted out of fold; one least-squares fit serves the
real labels and all shuffled ones, so the p-value rests on refitted models. A boosted model says what interactions add.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from scipy.stats import rankdata  # pyright: ignore[reportUnknownVariableType]
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from turnwright.statistics.fidelity.measures import Floats
from turnwright.statistics.fidelity.record import FeatureWeight, Separation
from turnwright.statistics.fidelity.resampling import Design, make_generator, shuffle_labels
from turnwright.statistics.fidelity.vectors import Vectors

_FOLDS = 5
_TOP = 8
_FEWEST = 10
_BOOSTED_FROM = 100
_BOOSTED_MOST = 1500
Fold = tuple[np.ndarray, np.ndarray]


def separate(
    vectors: Vectors, design: Design, *, permutations: int, seed: int, boosted: bool = True
) -> Separation | None:
    """The classifier two-sample test; none where a sample has fewer than 10 dialogues or nothing varies."""
    labels = design.first.astype(np.int64)
    if not vectors.names or min(labels.sum(), (1 - labels).sum()) < _FEWEST:
        return None
    columns, origins = vectors.expand()
    folds, grouped = _make_folds(labels, design, seed)
    shuffled = list(shuffle_labels(design, make_generator(seed, "classifier"), permutations))
    targets = np.vstack([labels[None, :].astype(np.float64), *shuffled]).T
    areas = np.zeros(targets.shape[1])
    weight = np.zeros(targets.shape[1])
    held = np.zeros(len(labels))
    lost = np.zeros(len(vectors.names))
    generator = make_generator(seed, "importance")
    for train, test in folds:
        model = Ridge(alpha=float(columns.shape[1]), solver="cholesky").fit(columns[train], targets[train])
        coefficients = np.asarray(cast("Any", model).coef_, dtype=np.float64).reshape(targets.shape[1], -1)
        scores = columns[test] @ coefficients.T
        found, pairs = _measure_areas(scores, targets[test])
        areas += found * pairs
        weight += pairs
        held[test] = scores[:, 0]
        lost += _measure_losses(columns[test], coefficients[0], origins, labels[test], found[0], generator) * pairs[0]
    areas = areas / np.maximum(weight, 1.0)
    auc = float(areas[0])
    standard = vectors.standardise()
    alone, _ = _measure_areas(standard, np.repeat(labels[:, None].astype(np.float64), standard.shape[1], axis=1))
    losses = lost / max(weight[0], 1.0)
    ranking = sorted(range(len(losses)), key=lambda number: (-round(float(losses[number]), 9), vectors.names[number]))
    boosted_auc, boosted_se = (
        _boost(standard, labels, folds, make_generator(seed, "boosting"))
        if boosted and min(labels.sum(), (1 - labels).sum()) >= _BOOSTED_FROM
        else (None, None)
    )
    return Separation(
        auc=round(auc, 4),
        se=round(_measure_error(held, labels, folds), 4),
        p=round((1 + int((areas[1:] >= auc - 1e-9).sum())) / len(areas), 6),
        boosted_auc=boosted_auc,
        boosted_se=boosted_se,
        folds=len(folds),
        grouped=grouped,
        features=[
            FeatureWeight(
                name=vectors.names[number], auc=round(float(alone[number]), 4), lost=round(float(losses[number]), 4)
            )
            for number in ranking[:_TOP]
            if losses[number] > 0
        ],
    )


def _make_folds(labels: np.ndarray, design: Design, seed: int) -> tuple[list[Fold], bool]:
    groups = design.clusters
    each = [len(np.unique(groups[labels == side])) for side in (0, 1)]
    everything = np.zeros((len(labels), 1))
    if min(each) >= _FOLDS:
        splitter = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed & 0xFFFFFFFF)
        folds = [(train, test) for train, test in splitter.split(everything, labels, groups)]
        if all(0 < labels[part].mean() < 1 for fold in folds for part in fold):
            return folds, True
    plain = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed & 0xFFFFFFFF)
    return [(train, test) for train, test in plain.split(everything, labels)], False


def _measure_areas(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Area of each column of scores against its column of targets, and the pairs that it rests on."""
    ranks = rankdata(scores, axis=0)
    ones = targets.sum(axis=0)
    pairs = ones * (len(targets) - ones)
    above = (ranks * targets).sum(axis=0) - ones * (ones + 1) / 2
    return np.where(pairs > 0, above / np.maximum(pairs, 1.0), 0.5), pairs


def _measure_losses(
    columns: Floats,
    coefficients: Floats,
    origins: Sequence[int],
    labels: np.ndarray,
    area: float,
    generator: np.random.Generator,
) -> Floats:
    of = np.asarray(origins)
    scores = columns @ coefficients
    parts = np.column_stack([columns[:, of == number] @ coefficients[of == number] for number in range(of.max() + 1)])
    changed = scores[:, None] - parts + parts[generator.permutation(len(parts))]
    found, _ = _measure_areas(changed, np.repeat(labels[:, None].astype(np.float64), parts.shape[1], axis=1))
    return area - found


def _measure_error(scores: Floats, labels: np.ndarray, folds: Sequence[Fold]) -> float:
    """DeLong's standard error from the placements of held-out scores, each within its fold."""
    placed = np.zeros(len(scores))
    for _, test in folds:
        own, truth = scores[test], labels[test] == 1
        for side in (truth, ~truth):
            other = np.sort(own[~side])
            below = (np.searchsorted(other, own[side], "left") + np.searchsorted(other, own[side], "right")) / 2
            placed[test[side]] = below / max(len(other), 1)
    variances = [placed[labels == side].var(ddof=1) / (labels == side).sum() for side in (0, 1)]
    return float(np.sqrt(sum(variances)))


def _boost(
    columns: Floats, labels: np.ndarray, folds: Sequence[Fold], generator: np.random.Generator
) -> tuple[float, float]:
    chosen = np.zeros(len(labels), dtype=bool)
    for side in (0, 1):
        members = np.flatnonzero(labels == side)
        chosen[generator.permutation(members)[:_BOOSTED_MOST]] = True
    scores = np.zeros(len(labels))
    areas: list[tuple[float, float]] = []
    for train, test in folds:
        model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, learning_rate=0.15, random_state=0)
        fitted = train[chosen[train]]
        model.fit(columns[fitted], labels[fitted])
        scores[test] = model.decision_function(columns[test])
        area, pairs = _measure_areas(scores[test, None], labels[test, None].astype(np.float64))
        areas.append((float(area[0]), float(pairs[0])))
    total = sum(pairs for _, pairs in areas)
    auc = sum(area * pairs for area, pairs in areas) / max(total, 1.0)
    return round(auc, 4), round(_measure_error(scores, labels, folds), 4)
