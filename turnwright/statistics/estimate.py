"""What a run will take, before it begins: calls, tokens, time and money, by role.

Calls follow from the config: dialogues, tasks per dialogue, tools asked for, votes. What one call takes (tokens, and
seconds of the whole run) is measured on earlier runs of the same runs folder with the same model; where there are none,
documented defaults stand in (docs/performance.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from schemas.closed import Closed
from schemas.config import RunConfig
from schemas.endpoints import EndpointModel, SelfplayModel
from schemas.vocabulary import Role
from turnwright.models.request import model_name
from turnwright.models.usage import cost_usd
from turnwright.statistics.expected_calls import DIALOGUE_ROLES, expect_calls

_DEFAULT_TOKENS: dict[Role, tuple[float, float]] = {
    "question_writer": (2700, 700),
    "sql_tool_writer": (4800, 1500),
    "tool_writer": (3500, 350),
    "tool_expander": (3500, 500),
    "schema_writer": (5000, 200),
    "task_writer": (1500, 300),
    "user_simulator": (1000, 60),
    "assistant": (2500, 90),
    "judge": (2100, 400),
    "tool_simulator": (3400, 50),
    "planner": (2300, 130),
    "requester": (950, 80),
    "back_translator": (2100, 150),
    "summariser": (600, 30),
    "responder": (700, 30),
}
"""Prompt and generated tokens of one call, for databases of about ten tables; thinking models generate several times
as much."""
_DEFAULT_CALL_SECONDS = 3.0
"""Of one call; the embedded endpoint's take none, and the run's own work counts instead."""
_OWN_CALL_SECONDS = 0.005
_FIXED_SECONDS = 20.0
"""What a run takes without its calls: starting, checks, report."""
_CHAIN = 18
"""Calls that wait for each other: tools, task, dialogue, verdict."""
_LEAST_CALLS = 20
"""Fewer calls than this say little about the next run, except for roles that are seldom asked."""
_MOST_RUNS = 20


class RoleEstimate(Closed):
    """What one role is expected to use."""

    role: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    """None where the model has no price."""


class Estimate(Closed):
    """What a run is expected to use if nothing of it was made before."""

    roles: list[RoleEstimate]
    calls: int
    tokens: int
    """Prompt and generated."""
    seconds: float
    cost_usd: float | None
    """None where some role has no price."""
    earlier_runs: int
    """Runs that tokens and time were measured on; 0: documented defaults."""


@dataclass(frozen=True)
class Past:
    """What earlier runs took."""

    runs: int
    tokens: Mapping[Role, tuple[float, float]]
    """Prompt and generated tokens of one call."""
    calls_a_dialogue: Mapping[Role, float]
    """Calls per dialogue, over what the config alone would give."""
    seconds_a_call: float | None
    """Wall time of a run per call, at the same concurrency, over the fixed part."""


def estimate_run(config: RunConfig, earlier: Sequence[Mapping[str, Any]] = ()) -> Estimate:
    """The estimate of a run.

    Args:
        config: the run's configuration.
        earlier: contents of `run.json` of earlier runs, newest first; those with other models are not used.
    """
    past = measure_past(config, earlier)
    roles: list[RoleEstimate] = []
    for role, expected in expect_calls(config).items():
        calls = max(1, round(expected * past.calls_a_dialogue.get(role, 1.0)))
        prompt, completion = past.tokens.get(role, _DEFAULT_TOKENS[role])
        model = config.model_for(role)
        price = model.price if isinstance(model, EndpointModel) else None
        cost = 0.0 if isinstance(model, SelfplayModel) else None
        if price is not None:
            cost = round(cost_usd(price, round(calls * prompt), round(calls * completion)), 6)
        roles.append(
            RoleEstimate(
                role=role,
                calls=calls,
                prompt_tokens=round(calls * prompt),
                completion_tokens=round(calls * completion),
                cost_usd=cost,
            )
        )
    calls = sum(role.calls for role in roles)
    costs = [role.cost_usd for role in roles if role.cost_usd is not None]
    return Estimate(
        roles=roles,
        calls=calls,
        tokens=sum(role.prompt_tokens + role.completion_tokens for role in roles),
        seconds=round(_expect_seconds(config, past, calls), 1),
        cost_usd=round(sum(costs), 6) if len(costs) == len(roles) else None,
        earlier_runs=past.runs,
    )


def _expect_seconds(config: RunConfig, past: Past, calls: int) -> float:
    if past.seconds_a_call is not None:
        return _FIXED_SECONDS + calls * past.seconds_a_call
    if isinstance(config.model_for("assistant"), SelfplayModel):
        return _FIXED_SECONDS + calls * _OWN_CALL_SECONDS
    return _FIXED_SECONDS + _DEFAULT_CALL_SECONDS * (_CHAIN + calls / config.concurrency)


def measure_past(config: RunConfig, earlier: Sequence[Mapping[str, Any]]) -> Past:
    """What earlier runs with the same models took; a role's figures come from the newest runs that used it."""
    used: set[int] = set()
    tokens: dict[Role, tuple[float, float]] = {}
    lengths: dict[Role, float] = {}
    seconds = calls_timed = 0.0
    completed = [run for run in earlier if run.get("state") == "completed"][:_MOST_RUNS]
    for role in expect_calls(config):
        calls = prompt = completion = made = expected = 0.0
        for number, run in enumerate(completed):
            figures = _role_usage(run, role)
            if not figures.get("calls") or not _same_model(config, run, role):
                continue
            used.add(number)
            calls += figures["calls"]
            prompt += figures.get("prompt_tokens", 0)
            completion += figures.get("completion_tokens", 0)
            if role in DIALOGUE_ROLES and _is_whole(run, figures):
                then = _expected_then(run, role)
                made += figures["calls"] if then else 0.0
                expected += then
        if calls >= _LEAST_CALLS or (calls and role in ("question_writer", "sql_tool_writer")):
            tokens[role] = (prompt / calls, completion / calls)
        if expected:
            lengths[role] = made / expected
    for number in used:
        run = completed[number]
        total = _number(_mapping(run.get("timings")).get("total"))
        made = sum(_number(_role_usage(run, role).get("calls")) for role in expect_calls(config))
        if total and made >= _LEAST_CALLS and _mapping(run.get("config")).get("concurrency") == config.concurrency:
            seconds += max(total - _FIXED_SECONDS, 0.2 * total)
            calls_timed += made
    return Past(len(used), tokens, lengths, seconds / calls_timed if calls_timed else None)


def _same_model(config: RunConfig, run: Mapping[str, Any], role: Role) -> bool:
    """By name: the same model on another port takes the same."""
    model = config.model_for(role)
    then = _mapping(_mapping(run.get("endpoints")).get(role))
    if isinstance(model, SelfplayModel):
        return then.get("kind") == "selfplay"
    return then.get("kind") == "endpoint" and then.get("name") == model_name(model)


def _is_whole(run: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
    """Whether a role's dialogues were all made in that run, none taken from a cache or the journal."""
    simulated = _mapping(_mapping(_mapping(run.get("ledger")).get("simulate-dialogues")).get("dialogue"))
    return not figures.get("replayed") and figures["calls"] >= 2 * _number(simulated.get("planned")) > 0


def _expected_then(run: Mapping[str, Any], role: Role) -> float:
    """The calls that the config of an earlier run alone would have told; none where it cannot be read any more."""
    try:
        config = RunConfig.model_validate(run.get("config"))
    except ValidationError:
        return 0.0
    return expect_calls(config).get(role, 0.0)


def _role_usage(run: Mapping[str, Any], role: Role) -> dict[str, Any]:
    return _mapping(_mapping(_mapping(run.get("usage")).get("roles")).get(role))


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
