"""From what a source holds to rows of the table `seeds`, for sources that are no databases."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from schemas.content import content_id, digest
from schemas.rows import SeedRow
from schemas.seeds import DialogueSeed, SeedKind, ToolSeed


@dataclass(frozen=True)
class Found:
    """What a source was found to hold."""

    locator: str
    """The source without its secrets, for people."""
    contents: tuple[ToolSeed | DialogueSeed, ...]
    """One for each domain, in the order in which they are found; their names may repeat."""


def make_seed_rows(kind: SeedKind, position: int, found: Found) -> list[SeedRow]:
    """A row for each domain that a source holds.

    The content keeps the order of its keys: parameters are shown to a model in the order of their source. `base_digest`
    is the digest of the content.
    """
    rows: list[SeedRow] = []
    for content in found.contents:
        value = content.model_dump(mode="json")
        base = digest(value)
        text = orjson.dumps(value).decode()
        identity = {"kind": kind, "domain": content.name, "base": base, "content": text}
        rows.append(
            SeedRow(
                id=content_id("seed", identity),
                kind=kind,
                domain=content.name,
                source=position,
                locator=found.locator,
                base_digest=base,
                dialect="",
                content=text,
            )
        )
    return rows


def count_words(count: int, one: str, many: str | None = None) -> str:
    """`1 tool`, `12 tools`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def list_words(texts: Iterable[str], most: int = 3) -> str:
    """The first few of some texts, and how many more there are."""
    listed = [text.rstrip(".") for text in texts]
    rest = len(listed) - most
    return "; ".join(listed[:most]) + (f"; and {rest:,} more" if rest > 0 else "")
