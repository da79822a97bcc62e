"""The order of the test files."""

import pytest

_LONGEST = (
    "test_scale_out",
    "test_operate",
    "test_pipeline",
    "test_kill",
    "test_lost_workers",
    "test_wheel",
    "test_incremental",
    "test_demo",
)
"""Files that run whole pipelines. They begin first, so that workers side by side end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first; all else stays in its order."""
    items.sort(key=lambda item: _LONGEST.index(item.path.stem) if item.path.stem in _LONGEST else len(_LONGEST))
