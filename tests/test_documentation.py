"""The documentation keeps up with the code: every setting and every word of a closed set is explained."""

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from schemas import config, incremental, openlineage, sources
from schemas.vocabulary import BEHAVIOURS, Ending, Role

DOCS = Path(__file__).parent.parent / "docs"
SETTINGS: list[tuple[str, str]] = [
    (model.__name__, field)
    for module in (config, sources, incremental, openlineage)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
    for field in model.model_fields
]


@pytest.mark.parametrize(("model", "field"), SETTINGS, ids=[".".join(setting) for setting in SETTINGS])
def test_every_setting_is_documented(model: str, field: str) -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert f"`{field}`" in text or f"{field}:" in text, f"docs/configuration.md does not explain {model}.{field}"


@pytest.mark.parametrize("word", [*BEHAVIOURS, *get_args(Role)])
def test_every_word_of_the_configuration_is_documented(word: str) -> None:
    assert f"`{word}`" in (DOCS / "configuration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", get_args(Ending))
def test_every_ending_is_documented(word: str) -> None:
    assert f"`{word}`" in (DOCS / "glossary.md").read_text(encoding="utf-8")


def _links(text: str) -> list[str]:
    return [part.split(")")[0].split("#")[0] for part in text.split("](")[1:]]


@pytest.mark.parametrize("page", sorted([*DOCS.rglob("*.md"), DOCS.parent / "README.md"]), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Any) -> None:
    for link in _links(page.read_text(encoding="utf-8")):
        if link and "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
