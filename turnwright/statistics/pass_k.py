"""pass^k: how reliably a task is done, from repeated trials of it (UO figure 5; the estimator is tau-bench's).

Of n trials of a task c were valid; the chance that k trials drawn without replacement are all valid is C(c,k)/C(n,k).
pass^k is its mean over tasks. It falls with k unless every task is done always or never.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.closed import Closed
from turnwright.statistics.intervals import wilson_interval

_ORDER = ("easy", "medium", "hard")


class PassPoint(Closed):
    """pass^k for one k."""

    k: int
    value: float
    tasks: int
    """Tasks with at least k judged trials, which it is the mean of."""
    ci_low: float
    """95 %, after Wilson over the tasks: no narrower than it should be, as no task varies more than a coin does."""
    ci_high: float


class PassK(Closed):
    """The curve over all tasks, and what lies behind it."""

    tasks: int
    """Tasks with a judged trial."""
    trials: int
    """Judged trials of all tasks; those that could not be judged count nowhere."""
    most_trials: int
    """Judged trials of the task with the most."""
    curve: list[PassPoint]
    """k = 1, 2, … most_trials."""
    by_difficulty: dict[str, list[PassPoint]]
    valid_trials: dict[int, int]
    """Valid trials of a task -> tasks with the most trials that had so many."""


def pass_hat_k(trials: int, valid: int, k: int) -> float:
    """C(valid,k)/C(trials,k): the chance that k of a task's trials, drawn without replacement, are all valid.

    Raises:
        ValueError: k is no number of trials that can be drawn, or more were valid than there were.
    """
    if not (1 <= k <= trials and 0 <= valid <= trials):
        raise ValueError(f"pass^{k} of {valid} valid among {trials} trials does not exist")
    return math.comb(valid, k) / math.comb(trials, k)


def compute_pass_k(verdicts: Iterable[Mapping[str, Any]]) -> PassK | None:
    """The curve of a run; none where nothing was judged.

    Args:
        verdicts: rows with `dialogue_task_id`, `judgment` and `difficulty`, one a trial, in any order.
    """
    trials: Counter[str] = Counter()
    valid: Counter[str] = Counter()
    difficulty: dict[str, str] = {}
    for row in verdicts:
        if row["judgment"] == "unscored":
            continue
        task = str(row["dialogue_task_id"])
        trials[task] += 1
        valid[task] += row["judgment"] == "valid"
        difficulty[task] = str(row["difficulty"])
    if not trials:
        return None
    counts = {task: (count, valid[task]) for task, count in trials.items()}
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for task, pair in counts.items():
        groups[difficulty[task]].append(pair)
    most = max(trials.values())
    whole = Counter(right for count, right in counts.values() if count == most)
    return PassK(
        tasks=len(counts),
        trials=sum(trials.values()),
        most_trials=most,
        curve=draw_curve(counts.values()),
        by_difficulty={name: draw_curve(groups[name]) for name in sorted(groups, key=_place)},
        valid_trials=dict(sorted(whole.items())),
    )


def draw_curve(counts: Iterable[tuple[int, int]]) -> list[PassPoint]:
    """pass^k for each k that some task has trials for; `counts` are (trials, valid) of each task."""
    pairs = sorted(counts)
    points: list[PassPoint] = []
    for k in range(1, max((trials for trials, _ in pairs), default=0) + 1):
        shares = [pass_hat_k(trials, valid, k) for trials, valid in pairs if trials >= k]
        total = math.fsum(shares)
        low, high = wilson_interval(total, len(shares))
        points.append(PassPoint(k=k, value=round(total / len(shares), 6), tasks=len(shares), ci_low=low, ci_high=high))
    return points


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)
