"""Where Prefect keeps the results of tasks: a folder, or a place in an object store that all machines see."""

import hashlib
from typing import Any

from prefect.filesystems import RemoteFileSystem

from tasks.run_context import RunContext
from turnwright.storage.mirrors import find_url

_saved: dict[str, RemoteFileSystem] = {}


async def open_results(run: RunContext) -> Any:
    """The result storage of a run's tasks.

    Prefect takes a place that is no folder only as a block that its server knows: it is saved there under a name that
    follows from the URL. It holds no credentials; these come from the environment of each process.
    """
    url = find_url(run.results)
    if url is None:
        return run.results
    block = _saved.get(url)
    if block is None:
        block = RemoteFileSystem(basepath=url)
        name = f"turnwright-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        await block.save(name, overwrite=True)  # pyright: ignore[reportGeneralTypeIssues] both sync and async
        _saved[url] = block
    return block
