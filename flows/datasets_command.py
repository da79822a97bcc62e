"""The command `datasets`: which there are, their versions, and what a version brought."""

from pathlib import Path

from flows.answers import Answer
from flows.exit_codes import DatasetDamaged


def show_datasets(answer: Answer, runs: Path, name: str | None, *, verify: bool) -> None:
    """Lists all versions of all datasets or of one, or shows one version with its difference from the one before.

    Raises:
        VersionNotFound: there is no such dataset or version.
        DatasetDamaged: a version is not as it was published.
        OSError: a file cannot be read.
    """
    from rich.text import Text

    from turnwright.datasets.difference import FILE, read_difference
    from turnwright.datasets.versions import find_damage, find_version, list_datasets, list_versions
    from turnwright.reports.difference_text import list_versions_text, show_difference

    if name is not None and "@" in name:
        version = find_version(runs, name)
        difference = read_difference(version.folder.report / FILE)
        answer.fields = {
            "folder": str(version.folder.root),
            "manifest": version.manifest.model_dump(mode="json"),
            "difference": difference.model_dump(mode="json"),
        }
        answer.say(*show_difference(difference))
        versions = [version]
    else:
        names = list_datasets(runs) if name is None else [find_version(runs, name).manifest.dataset]
        versions = [version for one in names for version in list_versions(runs, one)]
        answer.fields = {
            "datasets": {
                one: [
                    version.manifest.model_dump(mode="json", exclude={"files", "seeds"})
                    | {"folder": str(version.folder.root)}
                    for version in versions
                    if version.manifest.dataset == one
                ]
                for one in names
            }
        }
        answer.say(list_versions_text(versions) if versions else Text(f"no datasets in {runs}"))
    if verify:
        damage = [f"{version.name}: {problem}" for version in versions for problem in find_damage(version)]
        answer.fields["damage"] = damage
        if damage:
            raise DatasetDamaged("\n".join(["a version is not as it was published", *(f"  {line}" for line in damage)]))
        answer.say(Text(f"{len(versions)} versions are as they were published"))
