"""The tables of the catalog: runs, their files by digest, what came from what, and the versions of datasets.

The catalog is an index. Everything in it can be read again from the run folders and from the manifests of datasets, so
a lost catalog costs a look at the folders and nothing else. `turnwright/lineage/migrations/` makes these tables.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAME = String(255)
_DIGEST = String(64)


class CatalogTable(DeclarativeBase):
    """The base of all tables of the catalog."""


class RunRecord(CatalogTable):
    """One run of one runs folder."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("place", "run_id"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Text)
    """The runs folder, absolute."""
    run_id: Mapped[str] = mapped_column(_NAME)
    state: Mapped[str] = mapped_column(String(16))
    """`running`, `completed`, `failed`, `interrupted`, or `killed` where no process works on it any more."""
    started: Mapped[str] = mapped_column(String(40))
    finished: Mapped[str | None] = mapped_column(String(40))
    config_digest: Mapped[str] = mapped_column(_DIGEST)
    dataset: Mapped[str | None] = mapped_column(_NAME)
    """The dataset that it adds to."""
    stamp: Mapped[str] = mapped_column(_DIGEST)
    """Digest of what the entry was made of: the same stamp needs no second look."""


class ContentRecord(CatalogTable):
    """One file content, wherever it stands."""

    __tablename__ = "content"

    sha256: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    """Rows of a table; none for other files."""


class FileRecord(CatalogTable):
    """One file of a run folder."""

    __tablename__ = "run_file"
    __table_args__ = (Index("run_file_sha256", "sha256"),)

    run_key: Mapped[int] = mapped_column(ForeignKey("run.key", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(_NAME, primary_key=True)
    """Its place in the run folder."""
    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"))
    stage: Mapped[str] = mapped_column(String(32))


class DerivationRecord(CatalogTable):
    """One file of a run was made from another."""

    __tablename__ = "derivation"

    run_key: Mapped[int] = mapped_column(ForeignKey("run.key", ondelete="CASCADE"), primary_key=True)
    child: Mapped[str] = mapped_column(_NAME, primary_key=True)
    parent: Mapped[str] = mapped_column(_NAME, primary_key=True)


class SeedRecord(CatalogTable):
    """A run stands on a seed."""

    __tablename__ = "run_seed"
    __table_args__ = (Index("run_seed_id", "seed_id"),)

    run_key: Mapped[int] = mapped_column(ForeignKey("run.key", ondelete="CASCADE"), primary_key=True)
    seed_id: Mapped[str] = mapped_column(_NAME, primary_key=True)
    domain: Mapped[str] = mapped_column(Text)
    locator: Mapped[str] = mapped_column(Text)
    base_digest: Mapped[str] = mapped_column(_NAME)


class PromptRecord(CatalogTable):
    """The prompt and the model that a role had in a run."""

    __tablename__ = "run_prompt"
    __table_args__ = (Index("run_prompt_digest", "digest"),)

    run_key: Mapped[int] = mapped_column(ForeignKey("run.key", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(_DIGEST)
    model: Mapped[str] = mapped_column(Text)


class VersionRecord(CatalogTable):
    """One version of a dataset."""

    __tablename__ = "dataset_version"
    __table_args__ = (UniqueConstraint("place", "dataset", "version"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Text)
    dataset: Mapped[str] = mapped_column(_NAME)
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(_DIGEST)
    """Of the whole content, as in its manifest."""
    rows: Mapped[int] = mapped_column(BigInteger)
    published: Mapped[str] = mapped_column(String(40))


class PartRecord(CatalogTable):
    """A version of a dataset holds what a run made."""

    __tablename__ = "version_part"

    version_key: Mapped[int] = mapped_column(ForeignKey("dataset_version.key", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    """Order in which the parts were added, from 0."""
    run_id: Mapped[str] = mapped_column(_NAME)


class VersionFileRecord(CatalogTable):
    """One file of a version of a dataset."""

    __tablename__ = "version_file"
    __table_args__ = (Index("version_file_sha256", "sha256"),)

    version_key: Mapped[int] = mapped_column(ForeignKey("dataset_version.key", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(_NAME, primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"))
