"""Which table a Parquet file holds, by its columns."""

from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from schemas.tables import TABLES

_LIKENESS: Final = 0.5
"""Share of common column names from which on a file is taken for a table of ours."""


def recognise_table(path: Path) -> str | None:
    """The table whose columns a Parquet file has, or nearly has; none where it is no table of ours.

    Raises:
        OSError: the file cannot be read, or is no Parquet (pyarrow.ArrowInvalid, a ValueError).
    """
    found = set(pq.read_schema(path).names)
    likeness = {
        table: len(found & set(kind.model_fields)) / len(found | set(kind.model_fields))
        for table, kind in TABLES.items()
    }
    best = max(likeness, key=lambda table: likeness[table])
    return best if likeness[best] >= _LIKENESS else None
