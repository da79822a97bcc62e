"""RunConfig: everything a run can be told, in one frozen model.

It is read from YAML by the command line, is the parameter form of the Prefect deployment, and is saved with the run.
A secret never stands in it: only the name of the environment variable that holds one.
"""

import math
import re
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from schemas.closed import Closed
from schemas.incremental import DriftLimits, Incremental
from schemas.openlineage import OpenLineage
from schemas.sources import DialoguesSource, McpSource, OpenApiSource, ToolsSource
from schemas.vocabulary import BEHAVIOURS, Behaviour, Difficulty, Paradigm, Role, Sampler

Share = Annotated[float, Field(ge=0.0, le=1.0)]

EXECUTABLE = frozenset({"sql", "domain"})
"""Kinds of sources whose tools really run; those of the others are simulated."""


class SelfplayModel(Closed):
    """The embedded endpoint: rule-based, templated, there to try, test and load the pipeline, not to train on."""

    kind: Literal["selfplay"] = "selfplay"
    mistake_rate: Share = 0.03
    """Chance that a simulated assistant turns one of its dialogues' replies into a real mistake."""
    seed: int = 0
    """Seed of the embedded endpoint; a reply is a pure function of the request body and this number."""


class Price(Closed):
    """What an endpoint charges, in US dollars per million tokens."""

    prompt: float = Field(ge=0.0)
    """Dollars per million prompt tokens."""
    completion: float = Field(ge=0.0)
    """Dollars per million generated tokens."""


class EndpointModel(Closed):
    """A model behind an OpenAI-compatible endpoint."""

    kind: Literal["endpoint"] = "endpoint"
    base_url: str | list[str]
    """Root of the API, as in `http://127.0.0.1:8000/v1`; several that serve the same model share the load."""
    name: str = Field(min_length=1)
    """Model name sent with each request."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; none means that the endpoint wants no key."""
    temperature: float = Field(default=0.7, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    max_tokens: int = Field(default=2048, ge=16)
    """Most tokens that one reply may have."""
    extra_body: dict[str, Any] = {}
    """Further fields of the request, as the endpoint names them."""
    timeout_seconds: float = Field(default=120.0, gt=0.0)
    """Longest wait for one reply before the call counts as an infrastructure failure and is retried."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    price: Price | None = None
    """Without a price the run reports tokens and says that the cost is unknown."""

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str | list[str]) -> str | list[str]:
        urls = [value] if isinstance(value, str) else value
        if not urls:
            raise ValueError("needs at least one URL")
        for url in urls:
            if not re.match(r"https?://[^\s]+$", url):
                raise ValueError(f"{url!r} is not an http(s) URL")
            if "@" in url.split("//", 1)[1].split("/", 1)[0]:
                raise ValueError("must not hold a user or password; use api_key_env")
        return value

    @property
    def urls(self) -> tuple[str, ...]:
        """The endpoint roots, without trailing slashes."""
        urls = [self.base_url] if isinstance(self.base_url, str) else self.base_url
        return tuple(url.rstrip("/") for url in urls)


class RoleOverride(Closed):
    """What one role does differently from `model`; a field left out is taken from there."""

    base_url: str | list[str] | None = None
    name: str | None = None
    api_key_env: str | None = None
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    max_tokens: int | None = Field(default=None, ge=16)
    price: Price | None = None


class SqlSource(Closed):
    """A relational database whose tables become tools and whose rows become dialogues."""

    kind: Literal["sql"]
    url: str | None = None
    """SQLAlchemy URL. Relative SQLite paths are taken from the working directory."""
    url_env: str | None = None
    """Name of the environment variable that holds the URL; use it when the URL has a password."""
    name: str | None = None
    """Name of the domain; default: the database's own name."""
    schema_name: str | None = None
    """PostgreSQL schema to read; default: the connection's own."""
    role: str | None = None
    """PostgreSQL role that tools run as; default: a throw-away role without rights where the login may make one."""
    tables: list[str] | None = None
    """Only these tables and views; default: all."""
    sample_rows: int = Field(default=3, ge=1, le=20)
    """Rows of each table that a writer role may see."""
    initial_state: str | list[str] | None = None
    """Where dialogues start from, in place of the database as it is (SQLite only): path of another file with the same
    tables, or INSERT, UPDATE and DELETE statements that are run on a copy. The database itself is never changed."""

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("needs exactly one of url and url_env")
        return self


class DomainSource(Closed):
    """A stateful domain: a Python class that answers tool calls on a state of its own."""

    kind: Literal["domain"]
    module: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    """`package.module:Class`, an implementation of turnwright.environments.domain.Domain."""
    path: str | None = None
    """Its database (JSON or TOML), or a folder with `db.json` or `db.toml`, `policy.md` and `tasks.json`. Relative
    paths are taken from the working directory."""
    policy: str | None = None
    """Text file of the assistant's policy, in place of the folder's or the domain's own."""
    tasks: str | None = None
    """JSON or TOML file of tasks, in place of the folder's or the domain's own."""
    initial_state: str | dict[str, Any] | None = None
    """Where dialogues start from: path of a JSON or TOML database in place of the one in `path`, or what is laid over
    it (a JSON merge patch: objects are merged, null takes a key away, everything else is replaced)."""
    name: str | None = None
    """Name of the domain in this run; default: the class's own."""
    own_tasks: Share = 0.25
    """Share of dialogues made from the tasks that the domain brings along; the others are written for its database."""


Source = Annotated[
    SqlSource | DomainSource | ToolsSource | McpSource | OpenApiSource | DialoguesSource,
    Field(discriminator="kind"),
]


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


def _model_kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)  # pyright: ignore
    if kind is None:
        return "endpoint"
    return str(kind)  # pyright: ignore


ModelChoice = Annotated[
    Annotated[SelfplayModel, Tag("selfplay")] | Annotated[EndpointModel, Tag("endpoint")],
    Discriminator(_model_kind),
]


def _allow_short_form(schema: dict[str, Any]) -> None:
    """`model: selfplay` is valid where the schema alone decides, too, as in the parameters of a deployment."""
    schema["oneOf"] = [*schema["oneOf"], {"const": "selfplay", "title": "selfplay", "type": "string"}]


class RunConfig(Closed):
    """One run of the pipeline, from sources to exports."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """Name of the run; run folders begin with it."""
    seed: int = 0
    """The same seed and the same inputs give the same rows."""
    model: ModelChoice = Field(default=SelfplayModel(), json_schema_extra=_allow_short_form)
    """`selfplay`, or an endpoint."""
    roles: dict[Role, RoleOverride] = {}
    sources: list[Source] = Field(min_length=1)
    paradigms: dict[Paradigm, Share] = {}
    """Share of dialogues made each way; empty: executed where the source's tools can run, else user_oriented."""
    dialogues: int = Field(default=100, ge=1)
    """Dialogues attempted, over all sources."""
    trials: int = Field(default=1, ge=1, le=64)
    """Times that each dialogue task is simulated, with other draws of the models each time (pass^k)."""
    tasks_per_dialogue: dict[int, Share] = Field(default_factory=lambda: {1: 0.3, 2: 0.45, 3: 0.25})
    """Share of dialogues with so many tasks."""
    difficulty: dict[Difficulty, Share] = Field(default_factory=lambda: {"easy": 0.3, "medium": 0.4, "hard": 0.3})
    behaviours: dict[Behaviour, Share] = Field(
        default_factory=lambda: {
            "missing_parameter": 0.1,
            "out_of_scope": 0.05,
            "tool_fault": 0.1,
            "changed_mind": 0.05,
            "parallel_calls": 0.1,
            "ambiguous_reference": 0.03,
            "removed_tool": 0.03,
            "wrong_premise": 0.03,
            "forbidden_action": 0.03,
        }
    )
    """Share of dialogues with each behaviour; what is left has none."""
    tools: ToolSettings = ToolSettings()
    stateless: Stateless = Stateless()
    twins: bool = False
    """Whether dialogues are made in sets of three over the same toolset: stateless, the same plans executed, and user
    oriented executed; then `paradigms` is left empty."""
    limits: Limits = Limits()
    budget: Budget = Budget()
    concurrency: int = Field(default=64, ge=1, le=4096)
    """Most model calls in flight."""
    shard_size: int = Field(default=1000, ge=1)
    """Most rows that one Prefect task works on."""
    retry_seconds: float = Field(default=120.0, gt=0.0)
    """How long infrastructure failures of one call are retried before its shard fails."""
    workers: Workers = Workers()
    judging: Judging = Judging()
    repair: Repair = Repair()
    checks: Checks = Checks()
    selection: Selection = Selection()
    export: Export = Export()
    incremental: Incremental | None = None
    """The dataset that the run adds to; none: the run stands by itself."""
    openlineage: OpenLineage = OpenLineage()

    @field_validator("model", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if value == "selfplay":
            return SelfplayModel()
        if isinstance(value, str):
            raise ValueError("must be `selfplay` or a mapping with base_url and name")
        return value

    @field_validator("paradigms")
    @classmethod
    def _can_be_made(cls, mix: dict[Paradigm, float]) -> dict[Paradigm, float]:
        if mix.get("stateless_executed"):
            raise ValueError("stateless_executed cannot be asked for by itself: set twins to true")
        return cls._sums_to_one(mix) if mix else mix

    @field_validator("tasks_per_dialogue", "difficulty")
    @classmethod
    def _sums_to_one(cls, mix: dict[Any, float]) -> dict[Any, float]:
        if not math.isclose(sum(mix.values()), 1.0, abs_tol=1e-6):
            raise ValueError(f"shares must add up to 1, they add up to {sum(mix.values()):g}")
        return mix

    @field_validator("tasks_per_dialogue")
    @classmethod
    def _counts(cls, mix: dict[int, float]) -> dict[int, float]:
        if any(not 1 <= count <= 20 for count in mix):
            raise ValueError("a dialogue has 1 to 20 tasks")
        return mix

    @field_validator("behaviours")
    @classmethod
    def _at_most_one(cls, mix: dict[Behaviour, float]) -> dict[Behaviour, float]:
        if sum(mix.values()) > 1.0 + 1e-6:
            raise ValueError(f"shares must add up to 1 at most, they add up to {sum(mix.values()):g}")
        return {name: mix[name] for name in BEHAVIOURS if name in mix}

    def model_for(self, role: Role) -> SelfplayModel | EndpointModel:
        """The model that plays `role`: `model` with the role's own settings laid over it.

        Raises:
            ValueError: an override gives endpoint settings without a base_url while `model` is selfplay.
        """
        override = self.roles.get(role)
        if override is None:
            return self.model
        changes = override.model_dump(exclude_none=True)
        if isinstance(self.model, EndpointModel):
            return EndpointModel.model_validate(self.model.model_dump() | changes)
        if "base_url" not in changes:
            raise ValueError(f"roles.{role} needs base_url and name, because model is selfplay")
        return EndpointModel.model_validate(changes)

    @model_validator(mode="after")
    def _paradigms_have_sources(self) -> Self:
        kinds = sorted({str(source.kind) for source in self.sources})
        if self.paradigms.get("user_oriented_executed") and not EXECUTABLE & set(kinds):
            raise ValueError(
                "paradigms asks for user_oriented_executed, and no source has tools that can run: "
                f"sources are of the kinds {', '.join(kinds)}, allowed are {', '.join(sorted(EXECUTABLE))}; "
                "use user_oriented or task_oriented, or add such a source"
            )
        return self

    @model_validator(mode="after")
    def _twins_can_run(self) -> Self:
        if self.twins and self.paradigms:
            raise ValueError("twins decides how dialogues are made; leave paradigms out")
        if self.twins and not any(source.kind == "sql" for source in self.sources):
            raise ValueError("twins needs a source of kind sql, on which the same plans can run")
        return self

    @model_validator(mode="after")
    def _pass_rate_has_trials(self) -> Self:
        if self.selection.pass_rate != (0.0, 1.0) and self.trials < 2:
            raise ValueError("selection.pass_rate needs trials of 2 or more: one trial says nothing about a task")
        return self

    @model_validator(mode="after")
    def _overrides_are_whole(self) -> Self:
        for role in self.roles:
            self.model_for(role)
        return self
