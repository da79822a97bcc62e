"""Memory that was freed goes back to the system.

glibc gives each thread an arena of its own and keeps in it what was once used, so a run on a dozen threads would hold
the sum of what each of its stages needed at most. Elsewhere than on glibc nothing happens.
"""

import ctypes
import gc
import sys
from functools import cache
from importlib.abc import MetaPathFinder
from typing import Any

_ARENA_MAX = -8
"""`M_ARENA_MAX` of malloc.h."""
_ARENAS = 2
"""Python's own lock lets one thread allocate at a time, so more bring nothing."""
_MMAP_THRESHOLD = -3
_MMAPPED_BYTES = 1 << 18
"""Blocks at least this large are mapped each by itself and go back when they are freed. Unset, the limit grows to 32 MB
with the first large block that is freed, and what is freed later stays between the small ones."""

_YOUNG_OBJECTS = 5000
"""Objects made and not freed before the youngest are looked through."""


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(None)
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


def limit_arenas() -> None:
    """Lets threads that start from now on share arenas; Arrow allocates from them too (schemas/tables.py)."""
    library = _library()
    if library is not None:
        library.mallopt(_ARENA_MAX, _ARENAS)
        library.mallopt(_MMAP_THRESHOLD, _MMAPPED_BYTES)


def return_memory() -> None:
    """Gives back what is free; takes some milliseconds."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@cache
def set_imports_aside() -> None:
    """Takes what is there already out of the garbage collector's sight; once in a process.

    Most of it are modules and classes that stay until the end. A full collection waits until a quarter as many objects
    as there are have been added; without the imports it comes four times as often, and is quick. Small collections come
    seldomer than Python has them: rows and messages are freed without, and they took a thirtieth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


@cache
def leave_out_pandas() -> None:
    """Keeps Arrow from importing pandas into this process, which takes 50 MB and half a second.

    Arrow looks for it once, when it first turns Python values into an array, and remembers what it found. Where pandas
    is there already, nothing happens.
    """
    # Imported here: schemas/tables.py, which is there by the time of a call, sets how Arrow allocates.
    import pyarrow

    if "pandas" in sys.modules:
        return
    missing = _Missing()
    sys.meta_path.insert(0, missing)
    try:
        pyarrow.array([0])
    finally:
        sys.meta_path.remove(missing)


class _Missing(MetaPathFinder):
    """Finds pandas to be absent."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:  # noqa: ARG002
        if fullname == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
