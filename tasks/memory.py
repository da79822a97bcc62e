"""Memory that was freed goes back to the system.

glibc gives each thread an arena of its own and keeps in it what was once used, so a run on a dozen threads would hold
the sum of what each of its stages needed at most. Elsewhere than on glibc nothing happens.
"""

import ctypes
import sys
from functools import cache
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow

_ARENA_MAX = -8
"""`M_ARENA_MAX` of malloc.h."""
_ARENAS = 2
"""Python's own lock lets one thread allocate at a time, so more bring nothing."""


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(None)
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


def limit_arenas() -> None:
    """Lets threads that start from now on share arenas, and Arrow with them: its own allocator keeps what was freed."""
    library = _library()
    if library is not None:
        library.mallopt(_ARENA_MAX, _ARENAS)
        pyarrow.set_memory_pool(pyarrow.system_memory_pool())


def return_memory() -> None:
    """Gives back what is free; takes some milliseconds."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@cache
def leave_out_pandas() -> None:
    """Keeps Arrow from importing pandas into this process, which takes 50 MB and half a second.

    Arrow looks for it once, when it first turns Python values into an array, and remembers what it found. Where pandas
    is there already, nothing happens.
    """
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
