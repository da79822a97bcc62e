"""One table of ours by itself, row by row: what the gates say of a whole table, said of each of its rows."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow.parquet as pq
from pydantic import ValidationError

from data_checks.expectations import ExpectRowsToObeyRule
from data_checks.parents import Parents
from data_checks.shape import ID_PREFIXES
from data_checks.suite import Suite
from data_checks.validation import SUITES
from schemas.checking import RowReport
from schemas.config import RunConfig
from schemas.findings import Finding
from schemas.rows import TableRef
from schemas.tables import TABLES
from turnwright.storage.tables import SUFFIX, TableError, describe_table

_MOST_PROBLEMS: Final = 5
"""Problems of one row's fields that are told."""


def find_siblings(path: Path) -> tuple[dict[str, TableRef], RunConfig]:
    """The tables that stand beside a table, for its references, and the config of their run.

    A sibling that is no table of its name is left out. Without a run's `run.json` the defaults stand for its config.
    """
    tables: dict[str, TableRef] = {}
    for table in TABLES:
        file = path.parent / f"{table}{SUFFIX}"
        if file.is_file() and not file.samefile(path):
            try:
                tables[table] = describe_table(file, table)
            except TableError:
                continue
    return tables, _read_config(path.parent.parent / "run.json")


def check_table(
    path: Path, table: str, siblings: dict[str, TableRef], config: RunConfig
) -> tuple[list[RowReport], list[str]]:
    """A report on each row, and what could not be looked at.

    Codes are those of the gates (`json_is_valid`, `seed_id_exists`, …), and `invalid_field`, `wrong_id`,
    `repeated_id`.

    Raises:
        TableError: the file is not Parquet, or its columns are not those of the table.
    """
    reference = describe_table(path, table)
    suite = SUITES[table](reference, Parents({**siblings, table: reference}), config)
    rules = _read_rules(suite, reference.rows)
    reports: list[RowReport] = []
    ids: Counter[str] = Counter()
    for position, record in enumerate(_read_records(path)):
        identifier = str(record["id"])
        ids[identifier] += 1
        findings = [*_check_fields(table, record), *_check_id(table, identifier, ids[identifier]), *rules[position]]
        outcome = "wrong" if any(each.blocks for each in findings) else "remarked" if findings else "clean"
        reports.append(RowReport(row=position + 1, id=identifier, outcome=outcome, findings=tuple(findings)))
    wide = [
        f"{frame.name}: what holds of all rows together (shares, means) needs the gate of its stage"
        for frame in suite.frames[:1]
    ]
    return reports, [f"{table}.{line}" for line in suite.not_checked] + wide


def _read_rules(suite: Suite, rows: int) -> list[list[Finding]]:
    """What the rules of a table's suite found, for each row."""
    found: list[list[Finding]] = [[] for _ in range(rows)]
    for frame in suite.frames:
        if len(frame.frame) != rows:
            continue  # derived from the table: its rows are others
        for expectation in frame.expectations:
            if not isinstance(expectation, ExpectRowsToObeyRule):
                continue
            name = str(expectation.column)
            blocks = not str(expectation.severity).lower().endswith("warning")
            problems: list[Any] = frame.frame[name].tolist()
            for position, problem in enumerate(problems):
                if isinstance(problem, str):
                    found[position].append(_find(name, problem, blocks=blocks))
    return found


def _check_fields(table: str, record: dict[str, Any]) -> Iterator[Finding]:
    try:
        TABLES[table].model_validate(record)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False)[:_MOST_PROBLEMS]:
            place = ".".join(map(str, problem["loc"]))
            yield _find("invalid_field", f"{place}: {problem['msg']}")


def _check_id(table: str, identifier: str, times: int) -> Iterator[Finding]:
    prefix, _, rest = identifier.rpartition("_")
    if prefix != ID_PREFIXES[table] or len(rest) != 16 or not set(rest) <= set("0123456789abcdef"):
        yield _find("wrong_id", f"{identifier[:80]!r} is not {ID_PREFIXES[table]}_ and 16 hex digits")
    if times > 1:
        yield _find("repeated_id", f"{identifier[:80]!r} stands there for the {times}. time")


def _read_records(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=256):
            yield from batch.to_pylist()


def _read_config(file: Path) -> RunConfig:
    try:
        return RunConfig.model_validate(orjson.loads(file.read_bytes())["config"])
    except (OSError, ValueError, LookupError, TypeError):
        return RunConfig.model_validate({"name": "defaults", "sources": [{"kind": "tools", "path": "unknown"}]})


def _find(code: str, explanation: str, *, blocks: bool = True) -> Finding:
    return Finding(layer="table", code=code, explanation=explanation, message=None, fault="environment", blocks=blocks)
