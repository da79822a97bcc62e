"""Settings of a run, a block for each concern: tools, limits, budget, judging, repair, checks, workers, stateless."""

import math
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from schemas.closed import Closed, Share
from schemas.incremental import DriftLimits
from schemas.vocabulary import Sampler


class Synthesis(Closed):
    """What is written for sources that give tools as specifications, and how much of it. Bounds the calls of a seed."""

    given: int = Field(default=120, ge=1, le=1000)
    """Most given tools that are used, in the order of the source."""
    asked_questions: int = Field(default=8, ge=0, le=30)
    """Questions that the tool writer is asked about, a call each: those answered least. 0: no new tools."""
    written: int = Field(default=12, ge=0, le=100)
    """Most tools that are written for these questions."""
    expansion: int = Field(default=10, ge=0, le=10)
    """Most complementary tools (UO, expansion). 0: the expander is not asked."""
    output_schemas: int = Field(default=150, ge=0, le=1000)
    """Most tools without an output schema that one is written for, a call each; those beyond it are rejected."""
    near_duplicate: float = Field(default=0.6, gt=0.0, le=1.0)
    """Cosine of two tools' texts from which on the later one is rejected as a near-duplicate."""
    chained: bool = True
    """Whether written tools are rejected that no other tool feeds or makes use of."""
    edge_weight: float = Field(default=0.55, gt=0.0, le=1.0)
    """Least weight of an edge of the dataflow graph."""
    toolsets: int = Field(default=10, ge=1, le=200)
    """Toolsets drawn per domain, besides those that are needed to have every tool in one."""
    samplers: dict[Sampler, Share] = Field(
        default_factory=lambda: {
            "neighbour": 0.25,
            "chain": 0.15,
            "fan_in": 0.1,
            "fan_out": 0.1,
            "dag": 0.1,
            "sparse": 0.1,
            "conflict": 0.1,
            "random": 0.1,
        },
        min_length=1,
    )
    """Share of the toolsets drawn each way."""

    @field_validator("samplers")
    @classmethod
    def _sums_to_one(cls, mix: dict[Sampler, float]) -> dict[Sampler, float]:
        if not math.isclose(sum(mix.values()), 1.0, abs_tol=1e-6):
            raise ValueError(f"shares must add up to 1, they add up to {sum(mix.values()):g}")
        return mix


class ToolSettings(Closed):
    """How many tools are made of a source, and what each may do."""

    questions_per_domain: int = Field(default=24, ge=20, le=30)
    """Questions that span a domain before tools are written for it (UO, questions)."""
    per_domain: int = Field(default=28, ge=1, le=200)
    """Most tools that are asked for per domain."""
    per_toolset: int = Field(default=16, ge=2, le=64)
    """Most tools that are offered together in one dialogue."""
    list_limit: int = Field(default=25, ge=1, le=1000)
    """Most rows that a list tool returns."""
    written_rows: int = Field(default=20, ge=1)
    """Most rows that one call of a write tool may change."""
    synthesise: Synthesis = Synthesis()


class Limits(Closed):
    """Bounds inside a dialogue. They change the data."""

    turns: int = Field(default=60, ge=4)
    """Most turns (user, assistant and tool messages) of one dialogue."""
    calls_per_request: int = Field(default=12, ge=1)
    """Most tool calls spent on one user message."""
    result_bytes: int = Field(default=16_384, ge=256)
    """Most bytes of one tool result."""
    statement_seconds: float = Field(default=2.0, gt=0.0)
    """Longest time that one SQL statement may run."""
    task_draws: int = Field(default=4, ge=1, le=20)
    """Plans drawn for one dialogue before its task counts as rejected."""


class Budget(Closed):
    """When to stop. Nothing here changes a row that is made before."""

    tokens: int | None = Field(default=None, ge=1)
    cost_usd: float | None = Field(default=None, gt=0.0)
    minutes: float | None = Field(default=None, gt=0.0)


class Judging(Closed):
    """How the rubric judge is asked."""

    votes: int = Field(default=1, ge=1, le=15)
    rule: Literal["unanimous", "majority"] = "unanimous"


class Repair(Closed):
    """How often an invalid dialogue is made again from before its first faulty message."""

    tries: int = Field(default=0, ge=0, le=10)
    """Most tries for one dialogue; the first valid one is kept. 0: what is invalid is dropped."""


class Band(Closed):
    """Allowed range of a statistic; outside `warn` it is reported, outside `fail` the run stops."""

    warn: tuple[float | None, float | None] = (None, None)
    fail: tuple[float | None, float | None] = (None, None)


class Checks(Closed):
    """Limits of the data checks between stages."""

    min_valid_rate: Share = 0.3
    """Least share of simulated dialogues that must be valid, overall."""
    warn_valid_rate: Share = 0.5
    """Below this share, overall or in any group of at least `group_size`, the gate warns."""
    group_size: int = Field(default=20, ge=1)
    """Groups (domain, difficulty, behaviour) smaller than this are reported, never judged."""
    mix_tolerance: Share = 0.15
    """Largest distance between a share of the difficulty or behaviour mix and its target before the gate warns."""
    mean_turns: Band = Band(warn=(8.0, 60.0), fail=(2.0, 400.0))
    mean_steps: Band = Band(warn=(1.2, 12.0), fail=(0.2, 60.0))
    mean_tasks: Band = Band(warn=(1.0, 10.0), fail=(1.0, 20.0))
    one_turn_share: Band = Band(warn=(None, 0.05), fail=(None, 0.5))
    """Share of dialogues with a single user message."""
    drift: DriftLimits = DriftLimits()
    """How far what a run adds to a dataset may be from the dataset's last version."""


class Selection(Closed):
    """Which valid dialogues go into the dataset."""

    trials_per_task: int = Field(default=1, ge=1)
    """Most valid trials of one dialogue task; the lowest trials are taken."""
    pass_rate: tuple[Share, Share] = (0.0, 1.0)
    """Least and greatest share of a task's judged trials that are valid, both inclusive: a filter by how hard the task
    proved to be. Needs `trials` of 2 or more."""

    @field_validator("pass_rate")
    @classmethod
    def _in_order(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError(f"the least share, {value[0]:g}, is above the greatest, {value[1]:g}")
        return value


class Workers(Closed):
    """What the shards of a stage run on. It changes where rows are made, never what they hold."""

    kind: Literal["threads", "dask", "ray", "work_pool"] = "threads"
    """`threads` of the run's own process; processes of a `dask` or `ray` cluster; flow runs of a deployment, which the
    workers of a Prefect `work_pool` pick up."""
    count: int | None = Field(default=None, ge=1, le=4096)
    """Threads: shards at once, default 4. Otherwise: processes that share the calls in flight, default one a core; in a
    work pool also the shards at once."""
    address: str | None = None
    """Dask: address of a scheduler; Ray: of a head node; default: a cluster on this machine for the run. Work pool:
    name of the deployment, default `work-shard/work-shard`."""
    rates_url_env: str | None = None
    """Name of the environment variable that holds the URL of the PostgreSQL database through which processes share an
    endpoint's rate; default: an SQLite file beside the runs, for processes of one machine."""

    @model_validator(mode="after")
    def _threads_are_here(self) -> Self:
        if self.kind == "threads" and self.address is not None:
            raise ValueError("threads run in this process: they have no address; set kind to dask, ray or work_pool")
        return self


class Export(Closed):
    """What is handed to a trainer."""

    formats: list[Literal["openai"]] = Field(default_factory=lambda: ["openai"], min_length=1)
    validation_share: Share = 0.05


class Stateless(Closed):
    """How stateless dialogues are made (TC). Other paradigms know nothing of it."""

    back_translation: bool = True
    """Whether a fresh call must recover each plan from the request alone; false: the planner's word counts."""
    implicit_calls: bool = True
    """Whether look-ups are hidden from the request; false: the user asks for every call."""
    sampler: Sampler | None = None
    """How every scenario's tools are drawn; none: a mix as in `tools.synthesise.samplers`."""
    tools: int = Field(default=8, ge=2, le=32)
    """Most tools of one scenario."""
    turns: dict[int, Share] = Field(default_factory=lambda: {2: 0.3, 3: 0.3, 4: 0.25, 5: 0.15})
    """Share of dialogues planned with so many turns, 1 to 10."""
    calls: int = Field(default=8, ge=2, le=8)
    """Most calls of one turn; each turn draws its own bound, evenly from 1 to this number, and never below 2."""
    candidates: int = Field(default=2, ge=1, le=8)
    """Candidates drawn at each step of a turn; the best valid one is kept."""
    attempts: int = Field(default=3, ge=1, le=8)
    """Tries at one turn before the dialogue ends with the turn before it."""
    error_hints: Share = 0.15
    """Share of dialogues into which one to three wrong calls with a hint are put."""
    reactive_user: bool = False
    """Whether the user answers to what the assistant said: later requests take it up in words, and the user closes the
    dialogue. Twins go without, so that their arms differ in one thing each."""
    votes: int = Field(default=3, ge=1, le=15)
    """Votes of the judge on one dialogue, where `judging.votes` asks for no more; they have to be unanimous."""

    @field_validator("turns")
    @classmethod
    def _possible(cls, mix: dict[int, float]) -> dict[int, float]:
        if any(not 1 <= count <= 10 for count in mix):
            raise ValueError("a stateless dialogue has 1 to 10 turns")
        if not math.isclose(sum(mix.values()), 1.0, abs_tol=1e-6):
            raise ValueError(f"shares must add up to 1, they add up to {sum(mix.values()):g}")
        return mix
