"""The yield funnel inside stateless dialogues: what became of the candidates of each step, with the reasons counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import orjson

from schemas.stateless import GenerationStage
from turnwright.statistics.yields import MOST_REASONS, ReasonCount, YieldRow

STAGE = "simulate-dialogues"


def compute_generation_yields(rows: Iterable[Mapping[str, Any]]) -> list[YieldRow]:
    """A line for each step of a turn, in their order; empty without stateless dialogues. Rows need `id`, `generation`.

    A candidate counts as accepted where it broke no rule, whether or not it was the best; with several reasons it
    counts once for each of them.
    """
    drawn: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    examples: dict[tuple[str, str], tuple[str, str]] = {}
    for row in rows:
        if row["generation"] == "null":
            continue
        generation = orjson.loads(row["generation"])
        drawn.update(generation["candidates"])
        lost: set[tuple[str, int, int, int]] = set()
        for each in generation["rejections"]:
            stage, code = str(each["stage"]), str(each["code"])
            lost.add((stage, each["turn"], each["attempt"], each["draw"]))
            reasons.setdefault(stage, Counter())[code] += 1
            told = (str(row["id"]), f"{code}: {each['explanation']}")
            examples[stage, code] = min(examples.get((stage, code), told), told)
        rejected.update(stage for stage, *_ in lost)
    return [
        YieldRow(
            stage=STAGE,
            unit=stage,
            planned=drawn[stage],
            accepted=drawn[stage] - rejected[stage],
            rejected=rejected[stage],
            failed=0,
            not_attempted=0,
            reasons=[
                ReasonCount(reason=code, count=count, example=examples[stage, code][1])
                for code, count in sorted(reasons.get(stage, Counter()).items(), key=lambda item: (-item[1], item[0]))[
                    :MOST_REASONS
                ]
            ],
        )
        for stage in get_args(GenerationStage)
        if drawn[stage]
    ]
