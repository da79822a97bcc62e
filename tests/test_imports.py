"""The import rules: flows -> tasks -> {data_checks, turnwright} -> prompts -> schemas, never back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "flows": {"flows", "tasks", "data_checks", "turnwright", "prompts", "schemas"},
    "tasks": {"tasks", "data_checks", "turnwright", "prompts", "schemas"},
    "data_checks": {"data_checks", "turnwright", "prompts", "schemas"},
    "turnwright": {"turnwright", "prompts", "schemas"},
    "prompts": {"prompts", "schemas"},
    "schemas": {"schemas"},
}
ONLY_IN = {
    "prefect": ("flows", "tasks"),
    "great_expectations": ("data_checks",),
    "openai": ("turnwright/models",),
}
# An environment answers calls and a model writes text: neither reaches into the other, nor a player into what it is
# played against.
APART = {
    "turnwright/selfplay": {
        "turnwright.goals",
        "turnwright.validation",
        "turnwright.rollout",
        "turnwright.environments",
    },
    "turnwright/environments": {"turnwright.models", "turnwright.selfplay", "turnwright.roles"},
    "turnwright/models": {"turnwright.selfplay", "turnwright.environments"},
}


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            pytest.fail(f"{file}: relative imports hide the arrow; write the whole name")


FILES = sorted(file for package in MAY_IMPORT for file in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ROOT)) for file in FILES])
def test_imports_follow_the_arrows(file: Path) -> None:
    place = file.relative_to(ROOT).as_posix()
    package = place.split("/")[0]
    for name in _imports(file):
        top = name.split(".")[0]
        if top in MAY_IMPORT:
            assert top in MAY_IMPORT[package], f"{place} imports {name}"
        if top in ONLY_IN:
            assert place.startswith(ONLY_IN[top]), f"{place} imports {name}"
        for folder, forbidden in APART.items():
            if place.startswith(folder):
                assert not any(name == room or name.startswith(room + ".") for room in forbidden), (
                    f"{place} imports {name}"
                )


def test_the_files_that_are_checked_exist() -> None:
    assert len(FILES) > 50
