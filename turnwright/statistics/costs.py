"""UO, table 4: seconds per sample and generated tokens per second; and what an accepted dialogue costs."""

from collections.abc import Mapping
from typing import Any, TypeGuard, cast

from schemas.closed import Closed
from schemas.vocabulary import STAGES
from turnwright.statistics.estimate import Estimate


class RoleCost(Closed):
    """What one role used."""

    role: str
    calls: int
    """Requests sent to an endpoint; replies taken from the journal are not among them."""
    replayed: int
    """Replies taken from the journal."""
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    """None where no price is known."""


class StageCost(Closed):
    """What one stage used, in all its tries."""

    stage: str
    seconds: float | None
    """Wall time; none where the stage did not finish."""
    requests: int
    """Sent to an endpoint, retries included."""
    tokens: int
    """Of new replies, prompt and generated."""
    cost_usd: float | None
    """None where some role that it asked has no price."""


class Costs(Closed):
    """What a run took."""

    seconds: float
    """Wall time of all stages."""
    stage_seconds: dict[str, float]
    seconds_per_sample: float | None
    """Wall time of simulate-dialogues per simulated dialogue (UO, table 4); all stages where it is not known apart."""
    tokens_per_second: float | None
    """Generated tokens of all roles per second of wall time (UO, table 4)."""
    roles: list[RoleCost]
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    """None where some role has no price."""
    seconds_per_accepted: float | None
    calls_per_accepted: float | None
    tokens_per_accepted: float | None
    """Prompt and generated tokens of all roles and stages per valid dialogue."""
    cost_per_accepted_usd: float | None
    stages: list[StageCost] = []
    """Stages that sent requests, in the order of the run."""
    estimate: Estimate | None = None
    """What was expected before the run began; none where only one stage ran, or nothing was to be asked."""


def compute_costs(run: Mapping[str, Any], *, simulated: int, accepted: int) -> Costs:
    """Costs from the `usage` and `timings` of a `run.json`; what it does not have counts as nothing used.

    Args:
        run: the content of `run.json`: `usage` is `{role: {calls, replayed, prompt_tokens, completion_tokens,
            cost_usd}}`, possibly under `by_role`; `timings` is `{stage: seconds}`; `usage_by_stage` is `{stage:
            {requests, tokens, cost_usd}}`.
        simulated: dialogues simulated.
        accepted: dialogues with a valid verdict.
    """
    roles = [_read_role(role, numbers) for role, numbers in sorted(_read_usage(run).items())]
    timings = {stage: float(seconds) for stage, seconds in _mapping(run.get("timings")).items() if _is_number(seconds)}
    total = timings.pop("total", None)
    seconds = total if total is not None else sum(timings.values())
    generated = sum(role.completion_tokens for role in roles)
    prompt = sum(role.prompt_tokens for role in roles)
    calls = sum(role.calls for role in roles)
    priced = [role.cost_usd for role in roles if role.cost_usd is not None]
    cost = sum(priced) if roles and len(priced) == len(roles) else None
    return Costs(
        seconds=round(seconds, 3),
        stage_seconds=timings,
        seconds_per_sample=_divide(timings.get("simulate-dialogues", seconds), simulated),
        tokens_per_second=_divide(generated, seconds),
        roles=roles,
        calls=calls,
        prompt_tokens=prompt,
        completion_tokens=generated,
        cost_usd=cost,
        seconds_per_accepted=_divide(seconds, accepted),
        calls_per_accepted=_divide(calls, accepted),
        tokens_per_accepted=_divide(prompt + generated, accepted),
        cost_per_accepted_usd=None if cost is None else _divide(cost, accepted),
        stages=_read_stages(run, timings),
        estimate=Estimate.model_validate(run["estimate"]) if run.get("estimate") else None,
    )


def _read_stages(run: Mapping[str, Any], timings: Mapping[str, float]) -> list[StageCost]:
    recorded = _mapping(run.get("usage_by_stage"))
    figures = {stage: _mapping(recorded[stage]) for stage in STAGES if stage in recorded}
    return [
        StageCost(
            stage=stage,
            seconds=timings.get(stage),
            requests=int(used["requests"]),
            tokens=int(used.get("tokens", 0)),
            cost_usd=float(used["cost_usd"]) if _is_number(used.get("cost_usd")) else None,
        )
        for stage, used in figures.items()
        if used.get("requests")
    ]


def _read_usage(run: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    usage = _mapping(run.get("usage"))
    usage = _mapping(usage.get("by_role")) or _mapping(usage.get("roles")) or usage
    return {role: _mapping(numbers) for role, numbers in usage.items() if isinstance(numbers, dict)}


def _read_role(role: str, numbers: Mapping[str, Any]) -> RoleCost:
    cost = numbers.get("cost_usd")
    return RoleCost(
        role=role,
        calls=int(numbers.get("calls", 0)),
        replayed=int(numbers.get("replayed", 0)),
        prompt_tokens=int(numbers.get("prompt_tokens", 0)),
        completion_tokens=int(numbers.get("completion_tokens", 0)),
        cost_usd=float(cost) if _is_number(cost) else None,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _divide(amount: float, count: float) -> float | None:
    return round(amount / count, 6) if count else None
