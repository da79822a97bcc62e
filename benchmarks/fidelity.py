"""How right the fidelity statistics are: false alarms on equal samples, reactions to known shifts, and time.

    python -m benchmarks.fidelity [--repetitions 200] [--dialogues 100] [--speed 5000] [--json FILE]

False alarms are counted of raw p-values at level 5 %. In 200 repetitions an exact test has more than 7 % of them in 8
cases of 100 by chance alone, so the binomial bound stands beside the shares, and more repetitions tell more.
"""

import argparse
import json
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import binom

from tests.fidelity_world import World, sample
from turnwright.statistics.fidelity.comparison import Draws
from turnwright.statistics.fidelity.fidelity import compare_samples
from turnwright.statistics.fidelity.record import LEVEL

SHIFTS: dict[str, tuple[World, str]] = {
    "deeper": (World(depth=(1, 2, 2, 3)), "graph_depth"),
    "fewer errors": (World(errors=0.03), "error"),
    "more requests": (World(requests=(2, 3, 3, 4)), "requests"),
    "shuffled order": (World(shuffled=True), "transitions_tools"),
    "more writes": (World(writes=0.8), "write"),
    "forgetful": (World(forgetful=0.3), "read_after_write_agrees"),
    "chatty": (World(chatty=3), "answer_words"),
}
"""What is changed in the second world, and the statistic that has to see it."""


def count_rejections(
    first: World, second: World, repetitions: int, dialogues: int, *, separated: bool, permutations: int = 199
) -> tuple[dict[str, float], dict[str, float], float]:
    """Shares of repetitions in which each test rejects, raw and corrected, and in which any does after correction."""
    raw: Counter[str] = Counter()
    corrected: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    anywhere = 0
    domains: tuple[tuple[str, ...], tuple[str, ...]] = (("",), ("",)) if separated else (_DOMAINS, _DOMAINS)
    for number in range(repetitions):
        one = sample(first, dialogues, f"one:{number}", domains=domains[0])
        other = sample(second, dialogues, f"two:{number}", domains=domains[1])
        compared = compare_samples(one, other, Draws(permutations, 99, seed=number), boosted=False)
        for row in compared.statistics:
            if row.p is not None:
                tried[row.name] += 1
                raw[row.name] += row.p <= LEVEL
                corrected[row.name] += row.reject
        anywhere += any(row.reject for row in compared.statistics)
        if compared.classifier is not None:
            tried["classifier"] += 1
            raw["classifier"] += compared.classifier.p <= LEVEL
    return (
        {name: raw[name] / count for name, count in tried.items()},
        {name: corrected[name] / count for name, count in tried.items()},
        anywhere / repetitions,
    )


_DOMAINS = ("shop", "clinic", "library", "garage", "school", "museum")


def measure_speed(dialogues: int) -> dict[str, float]:
    """Seconds of the parts of one comparison of twice so many dialogues."""
    started = time.perf_counter()
    one = sample(World(), dialogues, "one")
    other = sample(World(depth=(0, 1, 2, 2)), dialogues, "two")
    read = time.perf_counter()
    compare_samples(one, other)
    return {"make_and_measure": read - started, "compare": time.perf_counter() - read}


def main() -> None:
    """Measures everything and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--dialogues", type=int, default=100, help="of each sample")
    parser.add_argument(
        "--speed", type=int, default=5000, help="dialogues of each sample of the timed one; 0 leaves it out"
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    bound = float(binom.ppf(0.999, options.repetitions, LEVEL)) / options.repetitions
    figures: dict[str, Any] = {"bound": bound}
    console = Console(highlight=False)
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for design, separated in (("within domains", False), ("independent", True)):
        raw, _, anywhere = count_rejections(
            World(), World(), options.repetitions, options.dialogues, separated=separated
        )
        figures[design] = {"raw": raw, "any_after_correction": anywhere}
        for name, share in raw.items():
            shares[name][design] = share
        mean = sum(raw.values()) / len(raw)
        over = sum(share > 0.07 for share in raw.values())
        console.print(
            f"{design}: mean false alarm {mean:.1%}, {over} of {len(raw)} tests above 7 %, highest "
            f"{max(raw.values()):.1%} (an exact test stays below {bound:.1%} in 999 of 1,000 cases); "
            f"any rejection after correction {anywhere:.1%}"
        )
    table = Table(title=f"raw false alarms at 5 %, {options.repetitions} repetitions", title_justify="left", box=None)
    for column in ("test", "within domains", "independent"):
        table.add_column(column)
    for name, row in shares.items():
        table.add_row(
            name, *(f"{row[design]:.1%}" if design in row else "–" for design in ("within domains", "independent"))
        )
    console.print(table)
    few = max(10, options.repetitions // 10)
    for name, (world, wanted) in SHIFTS.items():
        raw, corrected, _ = count_rejections(world, World(), few, options.dialogues, separated=False, permutations=1999)
        figures[name] = corrected
        others = sorted(((share, other) for other, share in corrected.items() if share >= 0.5), reverse=True)
        console.print(
            f"{name}: {wanted} rejects in {corrected[wanted]:.0%} of {few} (classifier {raw['classifier']:.0%}); "
            f"also {', '.join(other for _, other in others if other != wanted) or 'nothing'}"
        )
    if options.speed:
        figures["speed"] = measure_speed(options.speed)
        console.print(f"2 x {options.speed} dialogues: {figures['speed']}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
