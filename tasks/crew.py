"""The crew: processes that work on shards of one run, each with its own engine, journal segment and workbench.

A process joins when its first shard begins and leaves when its last one ends; then its workbench is closed, so that its
part of the journal is sealed and its account is final, whatever the cluster does with the process afterwards. The
account is a file of the run folder, `workers/<process>.json`: what was used and how far it came, written every few
seconds. The process that leads the run adds the accounts up; the others take from them what is spent elsewhere, so that
a budget holds for all together.
"""

import asyncio
import logging
import os
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import orjson

from tasks.run_context import RunContext
from tasks.shards import Shard, ShardResult
from tasks.workbench import Progress, Workbench, close_workbench, open_workbench
from turnwright.models.usage import Usage
from turnwright.storage.mirrors import list_files, pull_fresh, push_file
from turnwright.storage.store import replace_file

_log = logging.getLogger("turnwright.crew")

_TELL_SECONDS = 2.0
"""How old an account may be. A budget of the whole crew is overrun by what this time and the calls in flight cost."""

_CLOSED_KEPT = 4096
"""Final accounts that a process keeps in memory: a run whose shards are processes has one for each of them."""

Account = dict[str, Any]
"""What one process says of itself, as JSON: `usage`, `progress`, `shards` in work, `beats`, `closed`."""

ShardWork = Callable[[RunContext, Shard], Awaitable[ShardResult]]


def works_in_crew(function: ShardWork) -> ShardWork:
    """Lets a shard's work run in any process of a crew. In a run of one process nothing is added."""

    @wraps(function)
    async def work_as_member(run: RunContext, work: Shard) -> ShardResult:
        if run.crew is None:
            return await function(run, work)
        await asyncio.to_thread(_join, run, work)
        try:
            return await function(run, work)
        finally:
            await asyncio.to_thread(_leave, run, work)

    return work_as_member


class Member:
    """This process as part of a run's crew."""

    def __init__(self, run: RunContext) -> None:
        self.shards: list[str] = []
        """Keys of the shards in work."""
        self._beats = 0
        self._run = run
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}.json"
        self._bench = open_workbench(run)
        self._bench.elsewhere = sum_accounts(run)
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._keep_account, name="turnwright-account", daemon=True)
        self._thread.start()

    def catch_up(self) -> None:
        """Takes in which replies others recorded meanwhile."""
        self._bench.refresh()

    def leave(self) -> None:
        """Closes the workbench and writes the account for the last time.

        Raises:
            OSError: the run folder cannot be written.
        """
        self._left.set()
        self._thread.join()
        close_workbench(self._run)
        self._tell(closed=True)

    def _keep_account(self) -> None:
        while not self._left.wait(_TELL_SECONDS):
            try:
                self._tell()
                self._bench.elsewhere = sum_accounts(self._run, but=self._name)
            except OSError as error:
                _log.warning("the account of this process could not be kept: %s", error)

    def _tell(self, *, closed: bool = False) -> None:
        self._beats += 1
        account = {
            "usage": self._bench.usage.to_dict(),
            "progress": describe_progress(self._bench),
            "shards": sorted(self.shards),
            "beats": self._beats,
            "closed": closed,
        }
        file = list_accounts_folder(self._run) / self._name
        replace_file(file, orjson.dumps(account))
        push_file(file)


_members: dict[str, Member] = {}
_lock = threading.Lock()


def _join(run: RunContext, work: Shard) -> None:
    with _lock:
        member = _members.get(run.run_id) or _members.setdefault(run.run_id, Member(run))
        member.shards.append(work.key)
        member.catch_up()


def _leave(run: RunContext, work: Shard) -> None:
    with _lock:
        member = _members[run.run_id]
        member.shards.remove(work.key)
        if not member.shards:
            del _members[run.run_id]
            member.leave()


def list_accounts_folder(run: RunContext) -> Path:
    """Folder of the accounts of a run."""
    return run.folder.root / "workers"


_closed: dict[Path, Account] = {}
"""Accounts of processes that have left, the oldest first: they are final and need not be read again."""
_closed_lock = threading.Lock()


def read_accounts(run: RunContext, *, but: str = "") -> list[Account]:
    """The accounts of a run's processes, in the order of their names; one that is being replaced is left out.

    A final account is read once a process: with a process for each shard, reading all of them every few seconds would
    take time that grows with the square of the shards.
    """
    accounts: list[Account] = []
    for file in list_files(list_accounts_folder(run), ".json"):
        if file.name == but:
            continue
        account = _closed.get(file)
        if account is None:
            try:
                pull_fresh(file)
                account = orjson.loads(file.read_bytes())
            except (FileNotFoundError, orjson.JSONDecodeError):
                continue
            if account.get("closed"):
                _keep_closed(file, account)
        accounts.append(account)
    return accounts


def _keep_closed(file: Path, account: Account) -> None:
    with _closed_lock:
        _closed[file] = account
        if len(_closed) > _CLOSED_KEPT:
            del _closed[next(iter(_closed))]


def read_pulse(run: RunContext, shard: Shard) -> int:
    """A figure that grows every few seconds while some process works on a shard; 0 where none has begun.

    No clocks are compared: whoever waits sees that it stands still.
    """
    return sum(one.get("beats", 0) for one in read_accounts(run) if shard.key in one.get("shards", ()))


def sum_accounts(run: RunContext, *, but: str = "") -> Usage:
    """What the processes of a run's crew have used, all but one."""
    return _sum_usage(read_accounts(run, but=but))


def _sum_usage(accounts: Iterable[Account]) -> Usage:
    total = Usage()
    for account in accounts:
        total.add(account["usage"])
    return total


def sum_usage(run: RunContext, accounts: Iterable[Account] | None = None) -> Usage:
    """What a run has used: in this process, and in those of its crew.

    Args:
        run: the run.
        accounts: of its crew, where they were read already.
    """
    total = _sum_usage(read_accounts(run) if accounts is None else accounts)
    total.add(open_workbench(run).usage.to_dict())
    return total


def describe_usage(run: RunContext) -> dict[str, Any]:
    """What `run.json` says of it: `usage` of all processes, `own_usage` of those that lead and keep no account."""
    return {"usage": sum_usage(run).to_dict(), "own_usage": open_workbench(run).usage.to_dict()}


def sum_progress(run: RunContext, accounts: Iterable[Account] | None = None) -> dict[str, Progress]:
    """How far each stage is, over all processes of a run; for `accounts` see `sum_usage`."""
    total: dict[str, Progress] = {}
    parts = [account["progress"] for account in (read_accounts(run) if accounts is None else accounts)]
    for stage, figures in [*(item for part in parts for item in part.items()), *_own_progress(run)]:
        progress = total.setdefault(stage, Progress(figures["stage"], 0))
        progress.total += figures["total"]
        progress.done += figures["done"]
        progress.accepted += figures["accepted"]
        progress.shards += figures["shards"]
    return total


def describe_progress(bench: Workbench) -> dict[str, dict[str, Any]]:
    """The progress of one process as JSON."""
    return {
        stage: {
            "stage": stage,
            "total": one.total,
            "done": one.done,
            "accepted": one.accepted,
            "shards": one.shards,
        }
        for stage, one in sorted(bench.progress.items())
    }


def _own_progress(run: RunContext) -> list[tuple[str, dict[str, Any]]]:
    return list(describe_progress(open_workbench(run)).items())
