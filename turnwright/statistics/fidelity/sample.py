"""The dialogues of one arm, measured once."""

from collections.abc import Iterable
from dataclasses import dataclass

from turnwright.statistics.fidelity.features import NEEDS_RESULTS, Features


@dataclass(frozen=True)
class Sample:
    """One arm: dialogues made in one way."""

    name: str
    features: tuple[Features, ...]
    """In the order of their ids, so that nothing depends on the order in which they were read."""

    @property
    def clusters(self) -> list[str]:
        """The cluster of each dialogue."""
        return [item.cluster for item in self.features]

    @property
    def has_results(self) -> bool:
        """Whether most dialogues with calls have results; without them only requests and calls can be compared."""
        calling = [item for item in self.features if item.tools]
        return 2 * sum(item.has_results for item in calling) >= len(calling)

    def count_tools(self) -> dict[str, int]:
        """Calls by tool."""
        counts: dict[str, int] = {}
        for item in self.features:
            for tool in item.tools:
                counts[tool] = counts.get(tool, 0) + 1
        return counts


def make_sample(name: str, features: Iterable[Features]) -> Sample:
    """A sample of dialogues in any order."""
    return Sample(name, tuple(sorted(features, key=lambda item: (item.id, item.cluster, item.acts, item.tools))))


def find_unmeasurable(first: Sample, second: Sample) -> dict[str, str]:
    """Statistics that cannot be compared between two samples as such, with the reason."""
    without = [sample.name for sample in (first, second) if not sample.has_results]
    return dict.fromkeys(sorted(NEEDS_RESULTS), f"{' and '.join(without)} has no tool results") if without else {}


def share_tools(first: Sample, second: Sample) -> bool:
    """Whether at least half of the calls of each sample are of tools that the other calls too."""
    one, other = first.count_tools(), second.count_tools()
    return all(
        2 * sum(count for tool, count in mine.items() if tool in theirs) >= max(1, sum(mine.values()))
        for mine, theirs in ((one, other), (other, one))
    )
