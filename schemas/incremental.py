"""Settings of builds that add to a dataset, and of the gate on drift that stands before each version of one."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.closed import Closed

DATASET_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"

Mode = Literal["extend", "new_seeds", "full"]


class Incremental(Closed):
    """What a run adds to a dataset. The dataset's versions are immutable; each run publishes the next one."""

    dataset: str = Field(pattern=DATASET_NAME)
    """Name of the dataset; its versions stand under `datasets/` of the runs folder."""
    mode: Mode = "extend"
    """`extend`: dialogues that the dataset does not have yet, over all seeds as they are found; `new_seeds`: only over
    seeds that the last version does not have, nothing where there is none; `full`: a version of this run alone."""
    incomplete: Literal["hold", "publish"] = "hold"
    """What happens where the budget ended the run early: nothing is published until the run was completed, or a version
    is published with what there is."""
    base: int | None = Field(default=None, ge=0)
    """The version that is added to, 0 for none. Found when the run begins, and then kept."""
    first_slot: int = Field(default=0, ge=0)
    """Number of the first dialogue, after all that the base has. Found when the run begins, and then kept."""
    known_seeds: list[str] = []
    """Ids of the base's seeds. Found when the run begins, and then kept."""


class DriftLimits(Closed):
    """How far what a run adds may be from the last version of the dataset."""

    warn_psi: float | None = Field(default=0.1, gt=0.0)
    """Population stability index of a statistic from which on the gate warns; none: never."""
    fail_psi: float | None = Field(default=0.25, gt=0.0)
    """Index from which on the version is not published; none: never."""
    p_value: Annotated[float, Field(gt=0.0, le=1.0)] = 0.01
    """A difference counts only where chance alone gives one like it less often than this, all statistics together."""
    expected: list[str] = ["domain", "tool", "model"]
    """Statistics whose drift is reported and never fails: a new source has to bring new domains and tools."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn_psi is not None and self.fail_psi is not None and self.warn_psi > self.fail_psi:
            raise ValueError(f"warn_psi, {self.warn_psi:g}, is above fail_psi, {self.fail_psi:g}")
        return self
