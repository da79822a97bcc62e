"""What a run's process does without."""

import subprocess
import sys

import pytest


def test_arrow_does_without_pandas_and_pandas_can_be_had_all_the_same() -> None:
    script = (
        "import sys; from tasks.memory import leave_out_pandas; leave_out_pandas(); import pyarrow; "
        "table = pyarrow.table({'a': [1, 2], 'b': ['x', None]}); assert 'pandas' not in sys.modules; "
        "assert table.to_pylist() == [{'a': 1, 'b': 'x'}, {'a': 2, 'b': None}]; import pandas; print(pandas.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "pandas"


@pytest.mark.parametrize(
    "entry", ["flows.cli", "flows.run_command", "flows.pipeline", "tasks.workbench", "tasks.dask_process"]
)
def test_arrow_allocates_as_everything_else_does(entry: str) -> None:
    script = f"import {entry}, schemas.tables, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "system"
