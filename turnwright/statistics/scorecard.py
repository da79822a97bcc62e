"""The user simulator's scorecard: how often the model that plays the person breaks its part, with intervals.

The rules stand in turnwright/validation/user_conduct.py; here their findings are counted, one dialogue once a rule.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter

from schemas.closed import Closed
from schemas.config import RunConfig
from schemas.endpoints import EndpointModel
from schemas.goals import Objective
from turnwright.statistics.intervals import wilson_interval
from turnwright.validation.user_conduct import (
    INVENTED_FACT,
    LEAKED_GOAL,
    META_CODES,
    OBJECTED,
    OVER_AGREEMENT,
    STOPPED_EARLY,
    can_leak,
)

_OBJECTIVES = TypeAdapter(tuple[Objective, ...])
_META = "meta_words"
RATES = (STOPPED_EARLY, LEAKED_GOAL, INVENTED_FACT, OVER_AGREEMENT, _META)


class ConductRate(Closed):
    """How often one thing went wrong."""

    name: str
    count: int
    """Dialogues in which it was found."""
    of: int
    """Dialogues in which it could have been: with a goal that can be leaked, with a contradiction to object to."""
    rate: float | None
    """None where it could not have been in any."""
    ci_low: float
    ci_high: float
    """Wilson's interval, 95 %."""
    example: str
    """The first one by dialogue id, as `dialogue: explanation`; empty where there is none."""


class Scorecard(Closed):
    """One model as the user simulator, over all dialogues that were judged, valid or not."""

    model: str
    dialogues: int
    rates: list[ConductRate]


class ScorecardCount:
    """Counts the findings of one verdict at a time."""

    def __init__(self) -> None:
        self._dialogues = 0
        self._counts: Counter[str] = Counter()
        self._chances: Counter[str] = Counter()
        self._examples: dict[str, tuple[str, str]] = {}

    def add(self, dialogue_id: str, findings: str, *, leakable: bool) -> None:
        """Counts a dialogue: its verdict's `findings` as JSON, and whether its goal can be leaked."""
        self._dialogues += 1
        told: dict[str, str] = {}
        for finding in orjson.loads(findings):
            if finding["fault"] == "user_simulator":
                code = _META if finding["code"] in META_CODES else finding["code"]
                told.setdefault(code, finding["explanation"])
        chances = {STOPPED_EARLY: True, INVENTED_FACT: True, _META: True}
        chances[LEAKED_GOAL] = leakable
        chances[OVER_AGREEMENT] = bool({OVER_AGREEMENT, OBJECTED} & set(told))
        for name in RATES:
            self._chances[name] += chances[name]
            if name in told:
                self._counts[name] += 1
                example = (dialogue_id, told[name])
                self._examples[name] = min(self._examples.get(name, example), example)

    def read(self, model: str) -> Scorecard:
        """The scorecard of `model`."""
        return Scorecard(model=model, dialogues=self._dialogues, rates=[self._read_rate(name) for name in RATES])

    def _read_rate(self, name: str) -> ConductRate:
        count, of = self._counts[name], self._chances[name]
        low, high = wilson_interval(count, of)
        return ConductRate(
            name=name,
            count=count,
            of=of,
            rate=round(count / of, 6) if of else None,
            ci_low=low,
            ci_high=high,
            example=": ".join(self._examples[name])[:300] if name in self._examples else "",
        )


def is_leakable(objectives: str) -> bool:
    """Whether the goal of a dialogue task, its `objectives` as JSON, can be leaked in one message."""
    return can_leak(_OBJECTIVES.validate_json(objectives))


def name_user_model(run: Mapping[str, Any]) -> str:
    """Name of the model that played the user simulator, from a `run.json`; `unknown` where its config is not there."""
    try:
        model = RunConfig.model_validate(run["config"]).model_for("user_simulator")
    except (KeyError, ValueError):
        return "unknown"
    return model.name if isinstance(model, EndpointModel) else model.kind
