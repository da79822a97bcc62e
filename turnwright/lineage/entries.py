"""What the catalog says of a run and of a version of a dataset, as plain values."""

from schemas.closed import Closed


class FileEntry(Closed):
    """One file."""

    name: str
    """Its place in the folder of the run or version."""
    sha256: str
    bytes: int
    rows: int | None = None
    """Rows of a table; none for other files."""
    stage: str = ""
    """The stage that wrote it; empty where no stage did."""
    made_from: tuple[str, ...] = ()
    """Files of the same folder that it was made from."""


class SeedEntry(Closed):
    """A seed that a run stands on."""

    id: str
    domain: str
    locator: str
    base_digest: str


class PromptEntry(Closed):
    """The prompt and the model that a role had in a run."""

    role: str
    digest: str
    model: str


class RunEntry(Closed):
    """One run."""

    place: str
    """The runs folder, absolute."""
    run_id: str
    state: str
    started: str
    finished: str | None
    config_digest: str
    dataset: str | None
    """The dataset that it adds to."""
    stamp: str
    """Digest of what the entry was made of."""
    files: tuple[FileEntry, ...] = ()
    seeds: tuple[SeedEntry, ...] = ()
    prompts: tuple[PromptEntry, ...] = ()


class VersionEntry(Closed):
    """One version of a dataset."""

    place: str
    dataset: str
    version: int
    digest: str
    rows: int
    published: str
    parts: tuple[str, ...]
    """The runs that it is made of, in the order in which they were added."""
    files: tuple[FileEntry, ...]


class Holding(Closed):
    """Where a content stands."""

    owner: str
    """A run id, or `<dataset>@v<number>`."""
    name: str
    """The file."""
    stage: str
    """The stage that wrote it; empty for files of a dataset."""
