"""The prompts that runs were made with, kept by digest: a row's `prompt_digest` leads to its words for good."""

from pathlib import Path

from prompts import prompt_digest, read_prompt_files
from schemas.content import canonical_json
from schemas.vocabulary import Role
from turnwright.storage.store import replace_file


def keep_prompts(runs: Path, roles: list[Role]) -> None:
    """Keeps the prompt files of the roles in the store of a runs folder, each content once.

    Raises:
        OSError: the folder cannot be written.
    """
    for role in roles:
        place = _place(runs, role, prompt_digest(role))
        if not place.exists():
            replace_file(place, canonical_json(read_prompt_files(role)).encode() + b"\n")


def find_prompt(runs: Path, role: str, digest: str) -> Path | None:
    """The file with the prompt's texts (`{file name: text}`); none where it was not kept."""
    place = _place(runs, role, digest)
    return place if place.is_file() else None


def _place(runs: Path, role: str, digest: str) -> Path:
    return runs / "store" / "prompts" / f"{role}-{digest}.json"
