"""How results of tasks are kept and found again, and which failures are tried once more.

A result is a small JSON record that points at files of the store. It counts only while these files are there, whole,
and hold what the record says; a record of work that stopped early (budget, offline) never counts.
"""

import errno
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict, cast

import orjson
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import Task

from tasks.run_context import RunContext
from turnwright.storage.mirrors import find_place, has_file, pull_fresh, remove_file
from turnwright.storage.tables import hash_file

_log = logging.getLogger("turnwright.caching")

_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT}
"""A second try finds the same: no space, no permission, no such file."""


@dataclass
class RecordedFiles(CachePolicy):
    """The key that the work carries; before it is looked up, a record whose files are gone or changed is dropped.

    A task with this policy has parameters `run` (RunContext) and `work` (anything with a `key`).
    """

    def compute_key(
        self,
        task_ctx: TaskRunContext,  # noqa: ARG002 Prefect's signature
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> str | None:
        """The cache key, after the guard."""
        run: RunContext = inputs["run"]
        key: str = inputs["work"].key
        drop_stale_record(run.results / key)
        return key


class TaskOptions(TypedDict):
    """Options of `prefect.task` that all cached tasks share."""

    persist_result: bool
    result_serializer: str
    cache_result_in_memory: bool
    cache_policy: CachePolicy
    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Any


async def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task may be tried again: trouble of the machinery that often passes.

    A silent endpoint is not: its calls were retried for `retry_seconds` already. Neither is anything that the user
    must mend (a full disk, a wrong key), nor a mistake of code.
    """
    error: Any = await state.aresult(raise_on_failure=False)
    if isinstance(error, OSError):
        return error.errno not in _HOPELESS
    return False


CACHED: TaskOptions = {
    "persist_result": True,
    "result_serializer": "json",
    "cache_result_in_memory": False,
    "cache_policy": RecordedFiles(),
    "retries": 2,
    "retry_delay_seconds": [2.0, 15.0],
    "retry_condition_fn": is_transient,
}


def drop_stale_record(record: Path) -> None:
    """Removes a recorded result that must not be used again."""
    try:
        pull_fresh(record)
        content = orjson.loads(record.read_bytes())
        result = orjson.loads(content["result"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        reason = "it cannot be read"
    else:
        reason = next(_find_faults(result), None)
    if reason is None:
        return
    _log.info("the result %s is made again: %s", record.name, reason)
    remove_file(record)


def _find_faults(value: Any) -> Iterator[str]:
    """Why a recorded result cannot be used, if there is a reason."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get("stopped"):
            yield "its work stopped early"
        if isinstance(fields.get("path"), str) and isinstance(fields.get("sha256"), str):
            file = find_place(fields["path"])
            if not has_file(file):
                yield f"{fields['path']} is gone"
            elif not file.is_file():
                pass  # it lies in an object store, and is held against its digest when it is fetched
            elif _hash_unchanged(file, (file.stat().st_mtime_ns, file.stat().st_size)) != fields["sha256"]:
                yield f"{file} has changed"
        for child in fields.values():
            yield from _find_faults(child)
    elif isinstance(value, list):
        for child in cast("list[Any]", value):
            yield from _find_faults(child)


@lru_cache(maxsize=4096)
def _hash_unchanged(file: Path, _time_and_size: tuple[int, int]) -> str:
    """The digest of a file, computed once while its time and size stay the same."""
    return hash_file(file)
