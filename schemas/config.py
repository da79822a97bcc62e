"""RunConfig: everything a run can be told, in one frozen model.

It is read from YAML by the command line, is the parameter form of the Prefect deployment, and is saved with the run.
A secret never stands in it: only the name of the environment variable that holds one.
"""

import math
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from schemas.closed import Closed, Share
from schemas.endpoints import EndpointModel, ModelChoice, RoleOverride, SelfplayModel, allow_short_form
from schemas.incremental import Incremental
from schemas.openlineage import OpenLineage
from schemas.settings import (
    Budget,
    Checks,
    Export,
    Judging,
    Limits,
    Repair,
    Selection,
    Stateless,
    ToolSettings,
    Workers,
)
from schemas.sources import EXECUTABLE, Source
from schemas.vocabulary import BEHAVIOURS, Behaviour, Difficulty, Paradigm, Role


class RunConfig(Closed):
    """One run of the pipeline, from sources to exports."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """Name of the run; run folders begin with it."""
    seed: int = 0
    """The same seed and the same inputs give the same rows."""
    model: ModelChoice = Field(default=SelfplayModel(), json_schema_extra=allow_short_form)
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
