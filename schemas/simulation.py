"""What code knows of a world that no database holds: the facts of a simulated dialogue, and what went against them."""

from typing import Any, Literal

from schemas.closed import Closed

ContradictionCode = Literal[
    "invalid_result",
    "contradicts_earlier",
    "changed_type",
    "lost_write",
    "deleted_returns",
    "known_missing",
    "created_missing",
    "other_record",
    "filter_ignored",
    "repeated_id",
    "wrong_count",
    "wrong_sum",
    "time_order",
    "future_time",
]
"""Kinds of contradiction; docs/simulation.md explains each."""


class LedgerFact(Closed):
    """One thing that is true in a simulated dialogue."""

    entity: str
    """Kind of thing in words, as in `order`."""
    id: Any
    """Its identifier, as first given."""
    field: str
    """Name of the field; parts of a nested object are joined with a dot."""
    value: Any
    source: Literal["result", "written", "user"]
    """`result`: a tool told it; `written`: an argument of a write; `user`: the same, and the user had said it."""
    call: int
    """Number of the call that it comes from, from 1."""


class Contradiction(Closed):
    """Something in a result that cannot be."""

    code: ContradictionCode
    path: tuple[str | int, ...]
    """Where in the result; empty for the whole."""
    explanation: str
    """For the simulator and for people: what stands there, and what is known."""
    remedy: Literal["replace", "remove", "none"] = "none"
    """What code may do: put `truth` there, take the item out of its list, or nothing."""
    truth: Any = None
    """The value that code knows to be right, for `replace`."""


class LedgerNotice(Closed):
    """What became of a contradiction in the course of a dialogue."""

    call: int
    """Number of the call, from 1."""
    code: ContradictionCode
    path: tuple[str | int, ...]
    explanation: str
    resolution: Literal["asked_again", "corrected", "recorded"]
    """`asked_again`: the second reply was free of it; `corrected`: code put the truth there; `recorded`: it stayed."""
