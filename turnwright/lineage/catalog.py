"""The catalog: which runs and datasets there are, which files of which digest they hold, and what came from what.

It spans all runs of a runs folder (SQLite, the default) or of many folders and machines (PostgreSQL by URL). Whatever
is recorded is recorded whole, in one transaction, and can be recorded again: the last word counts.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from turnwright.lineage.catalog_tables import (
    CatalogTable,
    ContentRecord,
    DerivationRecord,
    FileRecord,
    PartRecord,
    PromptRecord,
    RunRecord,
    SeedRecord,
    VersionFileRecord,
    VersionRecord,
)
from turnwright.lineage.entries import FileEntry, Holding, PromptEntry, RunEntry, SeedEntry, VersionEntry
from turnwright.lineage.schema import CatalogError, choose_url, open_engine, say, take_turn

_PER_STATEMENT = 500


class Catalog:
    """An open catalog. Safe to use from several threads; many processes may use one catalog.

    Raises:
        CatalogError: by every method, where the database cannot be reached, read or written.
    """

    def __init__(self, runs: Path) -> None:
        """The catalog of a runs folder; it is made where there is none."""
        self.url = choose_url(runs)
        self._engine = open_engine(self.url)

    def __enter__(self) -> "Catalog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def record_run(self, entry: RunEntry) -> None:
        """Writes what is known of a run, in the place of what was."""
        with self._writing() as connection:
            values = entry.model_dump(include=_RUN_FIELDS)
            key = self._put_owner(connection, RunRecord, _clean(values), ("place", "run_id"))
            for table in (FileRecord, DerivationRecord, SeedRecord, PromptRecord):
                connection.execute(delete(table).where(table.run_key == key))
            self._put_contents(connection, entry.files)
            _insert(
                connection,
                FileRecord,
                [{"run_key": key, "name": f.name, "sha256": f.sha256, "stage": f.stage} for f in entry.files],
            )
            _insert(
                connection,
                DerivationRecord,
                [{"run_key": key, "child": f.name, "parent": parent} for f in entry.files for parent in f.made_from],
            )
            _insert(
                connection,
                SeedRecord,
                [
                    {"run_key": key, "seed_id": seed.id} | _clean(seed.model_dump(exclude={"id"}))
                    for seed in entry.seeds
                ],
            )
            _insert(
                connection, PromptRecord, [{"run_key": key} | _clean(prompt.model_dump()) for prompt in entry.prompts]
            )

    def forget_run(self, place: str, run_id: str) -> None:
        """Takes a run out, with contents that nothing else holds."""
        with self._writing() as connection:
            connection.execute(delete(RunRecord).where(RunRecord.place == place, RunRecord.run_id == run_id))
            _drop_contents(connection)

    def record_version(self, entry: VersionEntry) -> None:
        """Writes what is known of a version of a dataset, in the place of what was."""
        with self._writing() as connection:
            values = entry.model_dump(exclude={"parts", "files"})
            key = self._put_owner(connection, VersionRecord, values, ("place", "dataset", "version"))
            for table in (PartRecord, VersionFileRecord):
                connection.execute(delete(table).where(table.version_key == key))
            self._put_contents(connection, entry.files)
            parts = [
                {"version_key": key, "position": number, "run_id": run_id} for number, run_id in enumerate(entry.parts)
            ]
            _insert(connection, PartRecord, parts)
            _insert(
                connection,
                VersionFileRecord,
                [{"version_key": key, "name": file.name, "sha256": file.sha256} for file in entry.files],
            )

    def forget_version(self, place: str, dataset: str, version: int) -> None:
        """Takes a version of a dataset out, with contents that nothing else holds."""
        with self._writing() as connection:
            connection.execute(
                delete(VersionRecord).where(
                    VersionRecord.place == place, VersionRecord.dataset == dataset, VersionRecord.version == version
                )
            )
            _drop_contents(connection)

    def list_runs(self, place: str | None = None) -> list[RunEntry]:
        """All runs, or those of one runs folder, oldest first; without their files, seeds and prompts."""
        with self._reading() as connection:
            query = select(RunRecord.__table__).order_by(RunRecord.started, RunRecord.run_id, RunRecord.key)
            if place is not None:
                query = query.where(RunRecord.place == place)
            return [_read_run(row) for row in connection.execute(query).mappings()]

    def read_run(self, place: str, run_id: str) -> RunEntry | None:
        """One run with its files, seeds and prompts; none where it is not recorded."""
        with self._reading() as connection:
            chosen = select(RunRecord.__table__).where(RunRecord.place == place, RunRecord.run_id == run_id)
            row = connection.execute(chosen).mappings().first()
            if row is None:
                return None
            parents: dict[str, list[str]] = {}
            derived = select(DerivationRecord.child, DerivationRecord.parent).where(
                DerivationRecord.run_key == row["key"]
            )
            for child, parent in connection.execute(derived.order_by(DerivationRecord.parent)):
                parents.setdefault(child, []).append(parent)
            files = (
                select(FileRecord.name, FileRecord.sha256, FileRecord.stage, ContentRecord.bytes, ContentRecord.rows)
                .join(ContentRecord, ContentRecord.sha256 == FileRecord.sha256)
                .where(FileRecord.run_key == row["key"])
                .order_by(FileRecord.name)
            )
            seeds = (
                select(SeedRecord.seed_id, SeedRecord.domain, SeedRecord.locator, SeedRecord.base_digest)
                .where(SeedRecord.run_key == row["key"])
                .order_by(SeedRecord.seed_id)
            )
            prompts = (
                select(PromptRecord.role, PromptRecord.digest, PromptRecord.model)
                .where(PromptRecord.run_key == row["key"])
                .order_by(PromptRecord.role)
            )
            return _read_run(row).model_copy(
                update={
                    "files": tuple(
                        FileEntry(**file, made_from=tuple(parents.get(file["name"], ())))
                        for file in connection.execute(files).mappings()
                    ),
                    "seeds": tuple(
                        SeedEntry(id=seed_id, domain=domain, locator=locator, base_digest=base)
                        for seed_id, domain, locator, base in connection.execute(seeds)
                    ),
                    "prompts": tuple(PromptEntry(**prompt) for prompt in connection.execute(prompts).mappings()),
                }
            )

    def find_runs_on(self, seed_id: str) -> list[RunEntry]:
        """The runs that stand on a seed, oldest first."""
        with self._reading() as connection:
            query = (
                select(RunRecord.__table__)
                .join(SeedRecord, SeedRecord.run_key == RunRecord.key)
                .where(SeedRecord.seed_id == seed_id)
                .order_by(RunRecord.started, RunRecord.run_id)
            )
            return [_read_run(row) for row in connection.execute(query).mappings()]

    def find_runs_with_prompt(self, digest: str) -> list[str]:
        """Ids of the runs in which some role had the prompt of that digest, sorted."""
        with self._reading() as connection:
            query = select(RunRecord.run_id).join(PromptRecord, PromptRecord.run_key == RunRecord.key)
            return sorted(set(connection.execute(query.where(PromptRecord.digest == digest)).scalars()))

    def find_holdings(self, sha256: str) -> list[Holding]:
        """Where a content stands: in runs, oldest first, then in datasets."""
        with self._reading() as connection:
            in_runs = (
                select(RunRecord.run_id, FileRecord.name, FileRecord.stage)
                .join(FileRecord, FileRecord.run_key == RunRecord.key)
                .where(FileRecord.sha256 == sha256)
                .order_by(RunRecord.started, RunRecord.run_id, FileRecord.name)
            )
            in_versions = (
                select(VersionRecord.dataset, VersionRecord.version, VersionFileRecord.name)
                .join(VersionFileRecord, VersionFileRecord.version_key == VersionRecord.key)
                .where(VersionFileRecord.sha256 == sha256)
                .order_by(VersionRecord.dataset, VersionRecord.version, VersionFileRecord.name)
            )
            return [
                *(Holding(owner=run_id, name=name, stage=stage) for run_id, name, stage in connection.execute(in_runs)),
                *(
                    Holding(owner=f"{dataset}@v{version}", name=name, stage="")
                    for dataset, version, name in connection.execute(in_versions)
                ),
            ]

    def list_versions(self, place: str | None = None, dataset: str | None = None) -> list[VersionEntry]:
        """Versions of datasets, by name and number."""
        with self._reading() as connection:
            query = select(VersionRecord.__table__).order_by(
                VersionRecord.dataset, VersionRecord.version, VersionRecord.place
            )
            if place is not None:
                query = query.where(VersionRecord.place == place)
            if dataset is not None:
                query = query.where(VersionRecord.dataset == dataset)
            return [self._read_version(connection, dict(row)) for row in connection.execute(query).mappings()]

    def _read_version(self, connection: Connection, row: dict[str, Any]) -> VersionEntry:
        key = row.pop("key")
        parts = select(PartRecord.run_id).where(PartRecord.version_key == key).order_by(PartRecord.position)
        files = (
            select(VersionFileRecord.name, VersionFileRecord.sha256, ContentRecord.bytes, ContentRecord.rows)
            .join(ContentRecord, ContentRecord.sha256 == VersionFileRecord.sha256)
            .where(VersionFileRecord.version_key == key)
            .order_by(VersionFileRecord.name)
        )
        return VersionEntry(
            **row,
            parts=tuple(connection.execute(parts).scalars()),
            files=tuple(FileEntry(**file) for file in connection.execute(files).mappings()),
        )

    def _put_owner(
        self, connection: Connection, table: type[CatalogTable], values: dict[str, Any], unique: Sequence[str]
    ) -> int:
        """Writes the row, and holds it until the end of the transaction: who writes the same run waits."""
        statement = self._insert_of(table).values(**values)
        changes = {name: statement.excluded[name] for name in values if name not in unique}
        connection.execute(statement.on_conflict_do_update(index_elements=list(unique), set_=changes))
        columns = table.__table__.c
        return connection.execute(
            select(columns["key"]).where(*(columns[name] == values[name] for name in unique))
        ).scalar_one()

    def _put_contents(self, connection: Connection, files: Iterable[FileEntry]) -> None:
        # In one order everywhere, so that two processes never wait for each other in a circle.
        rows = {file.sha256: {"sha256": file.sha256, "bytes": file.bytes, "rows": file.rows} for file in files}
        ordered = [rows[sha256] for sha256 in sorted(rows)]
        for start in range(0, len(ordered), _PER_STATEMENT):
            statement = self._insert_of(ContentRecord).values(ordered[start : start + _PER_STATEMENT])
            connection.execute(statement.on_conflict_do_nothing(index_elements=["sha256"]))

    def _insert_of(self, table: type[CatalogTable]) -> Any:
        return (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(table)

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        try:
            with self._engine.begin() as connection:
                # One writer at a time: what nothing holds may be dropped while another run is about to hold it. SQLite
                # has no other way.
                take_turn(connection)
                yield connection
        except SQLAlchemyError as error:
            raise CatalogError(f"the catalog {self.url.render_as_string()} cannot be written: {say(error)}") from error

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise CatalogError(f"the catalog {self.url.render_as_string()} cannot be read: {say(error)}") from error


_RUN_FIELDS = {"place", "run_id", "state", "started", "finished", "config_digest", "dataset", "stamp"}


def _read_run(row: Any) -> RunEntry:
    return RunEntry(**{name: row[name] for name in _RUN_FIELDS})


def _insert(connection: Connection, table: type[CatalogTable], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _drop_contents(connection: Connection) -> None:
    """Drops contents without a holder. A run that is being recorded holds its own until it is done."""
    held = select(FileRecord.sha256).union(select(VersionFileRecord.sha256))
    connection.execute(delete(ContentRecord).where(ContentRecord.sha256.not_in(held)))


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    """Text as every database takes it: names of strangers may hold NUL or half of a surrogate pair."""
    return {
        name: value.encode("utf-8", "replace").decode().replace("\0", "�") if isinstance(value, str) else value
        for name, value in values.items()
    }
