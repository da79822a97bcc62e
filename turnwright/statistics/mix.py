"""Shares of what was asked for and what came of it: difficulty, behaviour, tasks, endings, reasons against."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from schemas.closed import Closed
from schemas.config import RunConfig


class Share(Closed):
    """One group of dialogues."""

    name: str
    target: float | None
    """Share that the config asks for; none where it asks for nothing."""
    simulated: int
    share: float
    """Of all simulated dialogues."""
    accepted: int
    accepted_share: float
    """Of all accepted dialogues."""
    occurred: int | None = None
    """Accepted dialogues in which the behaviour was seen by code; for behaviours only."""

    @property
    def valid_rate(self) -> float:
        """Accepted share of the group."""
        return self.accepted / self.simulated if self.simulated else 0.0


class MixCount:
    """Counts one property of dialogues."""

    def __init__(self, targets: Mapping[str, float] | None = None) -> None:
        self._targets = dict(targets or {})
        self._simulated: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._occurred: Counter[str] = Counter()

    def add(self, name: str, *, accepted: bool, occurred: bool = False) -> None:
        """Counts one dialogue."""
        self._simulated[name] += 1
        self._accepted[name] += accepted
        self._occurred[name] += accepted and occurred

    def shares(self, *, with_occurred: bool = False) -> list[Share]:
        """Groups with a target in the order of the config, then the others by name."""
        simulated, accepted = sum(self._simulated.values()), sum(self._accepted.values())
        names = [*self._targets, *sorted(set(self._simulated) - set(self._targets))]
        return [
            Share(
                name=name,
                target=self._targets.get(name),
                simulated=self._simulated[name],
                share=round(self._simulated[name] / simulated, 6) if simulated else 0.0,
                accepted=self._accepted[name],
                accepted_share=round(self._accepted[name] / accepted, 6) if accepted else 0.0,
                occurred=self._occurred[name] if with_occurred else None,
            )
            for name in names
        ]


def target_shares(config: RunConfig) -> dict[str, dict[str, float]]:
    """What the config asks for, by property: `difficulty`, `behaviour`, `tasks`."""
    behaviours: dict[str, float] = {"none": round(max(0.0, 1.0 - sum(config.behaviours.values())), 9)}
    behaviours |= {str(name): share for name, share in config.behaviours.items()}
    return {
        "difficulty": {str(name): share for name, share in config.difficulty.items()},
        "behaviour": behaviours,
        "tasks": {str(count): share for count, share in sorted(config.tasks_per_dialogue.items())},
    }


def target_shares_of_run(run: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The same from a `run.json`; nothing where its config is missing or of another version."""
    try:
        return target_shares(RunConfig.model_validate(run["config"]))
    except (KeyError, ValueError):
        return {}
