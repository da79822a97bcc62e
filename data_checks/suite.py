"""What the module of a table gives to the gate."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class SuiteFrame:
    """A frame and the expectations that it is held against."""

    name: str
    """The table's name, or of what was derived from it; names the page in Data Docs."""
    frame: pd.DataFrame
    expectations: list[Any]
    """Expectations of Great Expectations, made by `data_checks.expectations.expect`."""


@dataclass(frozen=True)
class Suite:
    """Everything that is expected of one table."""

    frames: list[SuiteFrame]
    not_checked: list[str] = field(default_factory=list[str])
    """What would need a table that was not given."""
