"""Details that come up for the first time in an objective: what a person can leave out, blur or take back."""

from collections.abc import Iterator, Sequence
from typing import Any

from turnwright.goals.drafts import Detail, DraftCall, DraftObjective
from turnwright.goals.words import same_value


def list_new_details(objectives: Sequence[DraftObjective]) -> Iterator[tuple[int, DraftCall, Detail]]:
    """Details that the person says for the first time in an objective, and that fill a parameter that is required."""
    said: list[Any] = []
    for index, objective in enumerate(objectives):
        for call in objective.calls:
            required: list[str] = call.tool.parameters.get("required", [])
            for detail in call.details:
                known = any(same_value(detail.value, value) for value in said)
                if detail.parameter in required and not known and detail.operator != "limit":
                    yield index, call, detail
        said += [detail.value for call in objective.calls for detail in call.details]
