"""The threads that hostile SQL runs on, away from any event loop.

A statement may use its whole time limit, and the engine's loop must not wait for it. One pool a process, so that
several stages at once do not multiply threads.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_POOL = ThreadPoolExecutor(max_workers=min(16, 4 + (os.cpu_count() or 1)), thread_name_prefix="sql")


async def run_blocking(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Awaits a blocking call on the shared threads. Works from any event loop.

    Raises:
        Whatever `function` raises.
    """
    return await asyncio.wrap_future(_POOL.submit(function, *args, **kwargs))
