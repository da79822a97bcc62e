"""What a check of a file from outside says: of each row, and of all together."""

from typing import Literal

from schemas.closed import Closed
from schemas.findings import Finding

RowOutcome = Literal["clean", "remarked", "wrong", "rejected"]
"""`clean`: nothing was found; `remarked`: nothing that blocks; `wrong`: something that blocks; `rejected`: the row
could not be read, so nothing else is known of it."""


class RowReport(Closed):
    """One row of a table, or one dialogue of a file."""

    row: int
    """Line of the file, or number of the row in the table, from 1."""
    id: str
    """Its own, or as `line 3` where it has none."""
    outcome: RowOutcome
    problem: str | None = None
    """Why it was rejected."""
    findings: tuple[Finding, ...] = ()


class RuleTally(Closed):
    """How often one rule found something."""

    layer: str
    code: str
    blocks: bool
    """The same rule may block in one place and only remark in another: each has a tally of its own."""
    findings: int
    rows: int
    """Rows with at least one."""
    share: float
    """Of the rows that could be read."""
    examples: tuple[str, ...]
    """`row, message: explanation` of the first ones, of different rows."""


class FileReport(Closed):
    """A whole file."""

    kind: Literal["dialogues", "table"]
    table: str | None
    """Name of the table, where it is one."""
    rows: int
    clean: int
    remarked: int
    wrong: int
    rejected: int
    not_checked: tuple[str, ...]
    """What could not be looked at, and why."""
    rules: tuple[RuleTally, ...]
    """Those that block first, then by rows, most first."""
    rejections: tuple[str, ...]
    """The first rows that could not be read, as `row: reason`."""
    rejected_for: dict[str, int] = {}
    """How many rows were rejected for which reason."""
