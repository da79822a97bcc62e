"""Errors and what the command line makes of them, in one place: message, exit code, hint.

0    done
2    bad usage or config
3    a data check failed
4    an endpoint or source cannot be reached, read or authenticated
5    the budget is spent; what was made is kept
6    the output cannot be written
130  interrupted; what was made is kept
1    a defect of turnwright: nothing that the user did
"""

import asyncio
import errno
from dataclasses import dataclass, field
from typing import Any

DONE = 0
DEFECT = 1
BAD_USAGE = 2
CHECK_FAILED = 3
UNREACHABLE = 4
BUDGET_SPENT = 5
NOT_WRITABLE = 6
INTERRUPTED = 130


class UsageError(ValueError):
    """A command cannot do what it was asked for."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class RowsWrong(Exception):
    """A file that was checked has rows that are wrong or cannot be read."""

    hint = "--out FILE writes a line for each row; docs/check.md explains the rules"


class DatasetDamaged(RowsWrong):
    """A version of a dataset is not as it was published."""

    hint = "publish it anew with `incremental.mode: full`; what was made is reused"


class RunStopped(Exception):
    """A run that ended before everything was attempted, as it was told to."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PreflightFailed(Exception):
    """Something that the run needs is not there. Nothing was made."""

    def __init__(self, problems: list[tuple[str, str]], exit_code: int) -> None:
        super().__init__("\n".join(message for message, _ in problems))
        self.hint = "\n".join(dict.fromkeys(hint for _, hint in problems if hint))
        self.exit_code = exit_code


@dataclass(frozen=True)
class Failure:
    """How a command failed, for people and for programs."""

    error: str
    exit_code: int
    hint: str = ""
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    """Further fields of the JSON answer."""
    is_defect: bool = False
    """The traceback is worth showing."""

    def to_json(self) -> dict[str, Any]:
        """The JSON answer."""
        return {"error": self.error, "exit_code": self.exit_code, "hint": self.hint, **self.details}


_LOST_BY_RAY = frozenset(
    {"WorkerCrashedError", "OutOfMemoryError", "NodeDiedError", "LocalRayletDiedError", "RaySystemError"}
)
"""Names of Ray's errors that say that the machinery failed, and not the work; Ray is not always installed."""

_CONTINUES = "run the same command again: what was made is reused, no reply is asked for twice"


def explain(error: BaseException) -> Failure:
    """What an error means to the user."""
    # Imported here: `turnwright --help` needs none of them.
    from pydantic import ValidationError

    from data_checks.gate import GateFailed
    from flows.config_file import ConfigError
    from flows.failures import StageFailed
    from flows.local_server import ServerNotStarted
    from tasks.runner_errors import RunnerNotAvailable, ShardRunFailed
    from turnwright.datasets.difference import DriftFailed
    from turnwright.datasets.versions import VersionNotFound
    from turnwright.lineage.chain import IdNotFound
    from turnwright.lineage.presence import AtWork
    from turnwright.lineage.schema import CatalogError
    from turnwright.models.errors import BudgetSpent, EndpointRefused, EndpointUnavailable, ModelError, ModelSetupError
    from turnwright.models.segment import SegmentError
    from turnwright.selfplay.process import EndpointNotStarted
    from turnwright.sources.errors import SourceError
    from turnwright.storage.mirrors import BadPlace, StoreUnreachable
    from turnwright.storage.run_folder import RunNotFound
    from turnwright.storage.tables import TableError

    text = str(error) or type(error).__name__
    match error:
        case StageFailed():
            if error.__cause__ is not None:
                return explain(error.__cause__)
            return Failure(text, UNREACHABLE, error.hint)
        case KeyboardInterrupt() | asyncio.CancelledError() | SystemExit():
            return Failure("interrupted", INTERRUPTED, _CONTINUES)
        case ConfigError():
            return Failure(text, BAD_USAGE, "correct the config; docs/configuration.md lists every field")
        case UsageError():
            return Failure(text, BAD_USAGE, error.hint)
        case RunNotFound() | IdNotFound() | TableError() | VersionNotFound():
            return Failure(text, BAD_USAGE)
        case AtWork():
            return Failure(text, BAD_USAGE, "wait until it has ended")
        case CatalogError():
            return Failure(text, UNREACHABLE, "look at TURNWRIGHT_CATALOG_URL; runs do not need the catalog")
        case ModelSetupError():
            return Failure(text, BAD_USAGE, "correct `model` or `roles` of the config, or set the variable")
        case RowsWrong():
            return Failure(text, CHECK_FAILED, error.hint)
        case GateFailed():
            return _explain_gate(error)
        case DriftFailed():
            return _explain_drift(error)
        case PreflightFailed():
            return Failure(text, error.exit_code, error.hint)
        case SourceError():
            return Failure(error.message, UNREACHABLE, error.hint)
        case EndpointUnavailable():
            return Failure(text, UNREACHABLE, error.hint or _CONTINUES)
        case EndpointRefused():
            return Failure(text, UNREACHABLE, error.hint)
        case RunStopped(reason="offline"):
            hint = "run without --offline to ask an endpoint for the rest"
            return Failure("the journal lacks replies: not everything could be rebuilt offline", UNREACHABLE, hint)
        case RunStopped() | BudgetSpent():
            hint = f"raise `budget` and {_CONTINUES}"
            return Failure("the budget is spent; what was made is kept", BUDGET_SPENT, hint)
        case ServerNotStarted() | EndpointNotStarted():
            return Failure(text, UNREACHABLE, "look at the messages above; `--verbose` shows more")
        case BadPlace():
            return Failure(text, BAD_USAGE, "give --runs a folder, or a URL as s3://bucket/folder")
        case StoreUnreachable():
            return Failure(
                text, NOT_WRITABLE, f"check the bucket and the variables of the store's client; {_CONTINUES}"
            )
        case RunnerNotAvailable():
            return Failure(text, UNREACHABLE, "or leave `workers` out of the config to use threads of this process")
        case ShardRunFailed():
            return Failure(text, UNREACHABLE, _CONTINUES)
        case SegmentError():
            return Failure(
                text, UNREACHABLE, "move the damaged file out of the journal folder; its replies are asked anew"
            )
        case ModelError():
            return Failure(text, UNREACHABLE)
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            place = f" ({error.filename})" if error.filename else ""
            return Failure(
                f"the disk is full{place}", NOT_WRITABLE, f"make room, or use another --runs folder; {_CONTINUES}"
            )
        case OSError() if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            place = f"{error.filename}: " if error.filename else ""
            return Failure(
                f"cannot write {place}{error.strerror}", NOT_WRITABLE, "give a folder that can be written with --runs"
            )
        case ValidationError():
            return Failure(f"a file was written by another version: {error.title}", BAD_USAGE, "run its stage again")
        case _:
            if type(error).__name__ == "TerminationSignal":
                return Failure("interrupted", INTERRUPTED, _CONTINUES)
            if type(error).__module__ == "ray.exceptions" and type(error).__name__ in _LOST_BY_RAY:
                words = text.strip().splitlines()[0]
                return Failure(f"Ray lost the process of a shard: {words}", UNREACHABLE, _CONTINUES)
            lost = isinstance(error, RuntimeError) and text.startswith("Failed to reach API")
            if lost or type(error).__module__.startswith(("httpx", "prefect.exceptions")):
                return Failure(
                    f"the Prefect server does not answer: {text}",
                    UNREACHABLE,
                    "check PREFECT_API_URL, or unset it to use a server of the run's own",
                )
            return Failure(
                f"{type(error).__name__}: {text}",
                DEFECT,
                "this is a defect of turnwright; please report it with the traceback",
                is_defect=True,
            )


def _explain_gate(error: Any) -> Failure:
    report = error.report
    failures = [failure.model_dump(mode="json") for failure in report.failures]
    return Failure(
        str(error),
        CHECK_FAILED,
        f"look at {report.page}; limits stand under `checks` in the config",
        {"gate": report.gate, "failures": failures, "report": str(report.page)},
    )


def _explain_drift(error: Any) -> Failure:
    failures = [one.model_dump(mode="json", exclude={"bins"}) for one in error.difference.failures]
    return Failure(
        str(error),
        CHECK_FAILED,
        f"look at {error.page}; to publish it all the same, raise checks.drift.fail_psi or list the statistics under "
        "checks.drift.expected, and run it again: what was made is reused",
        {"gate": "drift", "failures": failures, "report": str(error.page)},
    )
