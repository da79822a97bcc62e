"""Tables: what is written is what is read, the same bytes however rows were divided, and mistakes named."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.rows import LedgerRow, QuestionRow, SeedRow
from turnwright.storage.store import Store
from turnwright.storage.tables import (
    ROWS_PER_GROUP,
    TableError,
    describe_table,
    hash_file,
    merge_tables,
    read_columns,
    read_rows,
    write_table,
)


def ledger_row(number: int) -> LedgerRow:
    return LedgerRow(
        id=f"ledger_{number:06d}",
        stage="simulate-dialogues",
        unit="dialogue",
        unit_id=f"dialogue_{number:06d}",
        outcome="rejected" if number % 3 else "accepted",
        reasons=["ending.turn_limit: 60 turns"] * (number % 3),
        boundary=None,
        domain="club",
        difficulty="easy",
        behaviour="none",
    )


def question(number: int, position: int) -> QuestionRow:
    return QuestionRow(
        id=f"question_{number}",
        role="question_writer",
        model="selfplay",
        prompt_digest="d",
        seed=7,
        model_calls=["k"],
        seed_id="seed_1",
        domain="club",
        position=position,
        text="¿Cuántos conciertos? 演唱会",
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_rows_come_back_as_they_were(store: Store) -> None:
    rows = [ledger_row(number) for number in range(ROWS_PER_GROUP + 5)]
    reference = write_table("ledger", iter(rows), store)
    assert reference.rows == len(rows)
    assert list(read_rows(reference, "ledger")) == rows
    assert list(read_rows(Path(reference.path), LedgerRow)) == rows
    assert pq.ParquetFile(reference.path).num_row_groups == 2


def test_rows_that_take_much_room_are_in_smaller_groups(store: Store) -> None:
    rows = [question(number, number).model_copy(update={"text": f"{number} " * 30_000}) for number in range(450)]
    reference = write_table("questions", rows, store)
    file = pq.ParquetFile(reference.path)
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [100] * 4 + [50]
    assert list(read_rows(reference, QuestionRow, 90, 410)) == rows[90:410]


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 0), (0, 7), (998, 1003), (1000, 2000), (2040, None), (2050, 9), (5000, None)]
)
def test_a_range_of_rows_can_be_read_alone(store: Store, start: int, stop: int | None) -> None:
    rows = [ledger_row(number) for number in range(2050)]
    reference = write_table("ledger", rows, store)
    assert list(read_rows(reference, LedgerRow, start, stop)) == rows[start:stop]


def test_a_file_is_named_by_its_bytes(store: Store, tmp_path: Path) -> None:
    rows = [ledger_row(number) for number in range(50)]
    reference = write_table("ledger", rows, store)
    again = write_table("ledger", rows, Store(tmp_path / "elsewhere"))
    assert again.sha256 == reference.sha256 == hash_file(Path(again.path))
    assert write_table("ledger", rows[:-1], store).sha256 != reference.sha256


@pytest.mark.parametrize("cuts", [[0, 2300], [0, 700, 2300], [0, 1, 1000, 1999, 2300]])
def test_a_merged_table_does_not_depend_on_the_shards(store: Store, cuts: list[int]) -> None:
    rows = [ledger_row(number) for number in range(2300)]
    whole = write_table("ledger", rows, store)
    parts = [write_table("ledger", rows[start:stop], store) for start, stop in pairwise(cuts)]
    merged = merge_tables("ledger", parts[::-1], store)
    assert merged == whole


def test_merging_sorts_parts_that_are_out_of_order_by_the_key_of_the_table(store: Store) -> None:
    scrambled = write_table("questions", [question(1, 5), question(2, 0)], store)
    other = write_table("questions", [question(3, 2)], store)
    merged = merge_tables("questions", [scrambled, other], store)
    assert [row.position for row in read_rows(merged, QuestionRow)] == [0, 2, 5]


def test_nothing_merged_is_an_empty_table(store: Store) -> None:
    merged = merge_tables("dialogues", [], store)
    assert merged.rows == 0
    assert list(read_rows(merged, "dialogues")) == []


def test_columns_can_be_read_alone(store: Store) -> None:
    reference = write_table("questions", [question(1, 5)], store)
    assert list(read_columns(reference, "questions", ["position"])) == [{"position": 5}]


def test_a_stored_table_cannot_be_written_into(store: Store) -> None:
    reference = write_table("ledger", [ledger_row(1)], store)
    assert Path(reference.path).stat().st_mode & 0o222 == 0


def test_a_row_of_another_class_is_refused_and_leaves_nothing(store: Store) -> None:
    with pytest.raises(TableError, match="LedgerRow, not a QuestionRow"):
        write_table("questions", [question(1, 0), ledger_row(1)], store)
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_another_table_is_named(store: Store) -> None:
    reference = write_table("ledger", [ledger_row(1)], store)
    with pytest.raises(TableError, match="is table ledger, not seeds"):
        list(read_rows(reference, SeedRow))
    with pytest.raises(TableError, match=r"column kind is missing.*column stage is not known"):
        describe_table(Path(reference.path), "seeds")


def test_another_schema_is_named(store: Store, tmp_path: Path) -> None:
    reference = write_table("ledger", [ledger_row(1)], store)
    with pytest.raises(TableError, match="another schema"):
        list(read_rows(reference.model_copy(update={"schema_fingerprint": "old"}), "ledger"))
    file = tmp_path / "old.parquet"
    table = pq.read_table(reference.path)
    pq.write_table(table.set_column(table.schema.get_field_index("unit"), "unit", pa.array([1])), file)
    with pytest.raises(TableError, match="column unit is int64, must be string"):
        list(read_rows(file, "ledger"))


def test_rows_of_a_file_made_elsewhere_are_validated(store: Store, tmp_path: Path) -> None:
    reference = write_table("ledger", [ledger_row(1)], store)
    table = pq.read_table(reference.path)
    file = tmp_path / "edited.parquet"
    pq.write_table(table.set_column(table.schema.get_field_index("outcome"), "outcome", pa.array(["lost"])), file)
    with pytest.raises(TableError, match=r"edited.parquet, row 0"):
        list(read_rows(file, "ledger"))


def test_files_that_are_no_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="does not exist"):
        describe_table(tmp_path / "none.parquet", "seeds")
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        describe_table(tmp_path / "text.parquet", "seeds")
    with pytest.raises(TableError, match="there is no table 'sedes'"):
        describe_table(tmp_path / "text.parquet", "sedes")
