"""What a run needs, looked at before it starts: the output folder, every source, every endpoint, a cluster.

Takes under 30 s.
"""

import asyncio
import os
import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from schemas.closed import Closed
from schemas.config import RunConfig
from schemas.endpoints import EndpointModel
from schemas.settings import Workers
from schemas.sources import Source
from tasks.cache_keys import list_roles
from turnwright.models.errors import ModelSetupError
from turnwright.models.probe import probe_features, probe_model
from turnwright.sources.collection import check_source
from turnwright.sources.errors import SourceError
from turnwright.storage.mirrors import BadPlace, find_url, push_file, remove_file
from turnwright.storage.run_folder import STORE

_SECONDS = 25.0
"""Longest look at one thing."""
_CONNECT_SECONDS = 10.0
_LEAST_BYTES = 32 * 1024 * 1024
"""Free space below which a run is not started: a small one needs about a tenth of this."""


class Check(Closed):
    """What was found of one thing that a run needs."""

    kind: Literal["output", "source", "endpoint", "workers"]
    subject: str
    """What was looked at; never with a password."""
    ok: bool
    message: str
    hint: str = ""
    warnings: list[str] = []
    """What works, but less safely or less completely than it could."""
    features: dict[str, bool] = {}
    """What an endpoint's model can do, where that was asked for."""


async def check_needs(config: RunConfig, runs: Path, *, offline: bool = False, features: bool = False) -> list[Check]:
    """Looks at everything at once.

    Args:
        config: the run's configuration.
        runs: folder of all runs.
        offline: endpoints are not looked at.
        features: also find out, by a few short calls, what each model can do.
    """
    looks: list[Coroutine[Any, Any, list[Check]]] = [_in_time("output", str(runs), partial(check_output, runs))]
    for position, source in enumerate(config.sources):
        looks.append(_in_time("source", f"sources.{position}", partial(look_at_source, source, position)))
    if config.workers.kind in ("dask", "ray") and config.workers.address is not None:
        looks.append(_in_time("workers", config.workers.address, partial(check_cluster, config.workers)))
    if not offline:
        looks += [_check_endpoint(role, model, features=features) for role, model in list_models(config).items()]
    found = [check for checks in await asyncio.gather(*looks) for check in checks]
    if config.incremental is not None and (url := find_url(runs)) is not None:
        hint = "give a folder of this machine as --runs, or leave `incremental` out"
        message = "versions of a dataset are kept in a folder, not in an object store"
        found.append(Check(kind="output", subject=url, ok=False, message=message, hint=hint))
    return found


def list_models(config: RunConfig) -> dict[str, EndpointModel]:
    """The endpoint models that roles use, each once, by the names of these roles. The embedded one needs no look."""
    roles: dict[str, tuple[EndpointModel, list[str]]] = {}
    for role in list_roles():
        model = config.model_for(role)
        if isinstance(model, EndpointModel):
            same = {"kind", "base_url", "name", "api_key_env"}
            roles.setdefault(model.model_dump_json(include=same), (model, []))[1].append(role)
    return {", ".join(names): model for model, names in roles.values()}


def check_output(runs: Path) -> Check:
    """Whether the runs folder can be written and has room."""
    try:
        folder = runs / STORE
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".preflight-")
        try:
            os.write(handle, b"\0" * 4096)
            os.fsync(handle)
        finally:
            os.close(handle)
            Path(name).unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        message = f"cannot write into {runs}: {error.strerror or error}"
        return Check(
            kind="output", subject=str(runs), ok=False, message=message, hint="give another folder with --runs"
        )
    if free < _LEAST_BYTES:
        return Check(
            kind="output",
            subject=str(runs),
            ok=False,
            message=f"{runs} has {free / 2**20:.0f} MiB free, a run needs at least {_LEAST_BYTES / 2**20:.0f} MiB",
            hint="make room, or give another folder with --runs",
        )
    url = find_url(runs)
    if url is not None:
        try:
            probe = folder / f".preflight-{uuid.uuid4().hex}"
            probe.write_bytes(b"turnwright")
            push_file(probe)
            remove_file(probe)
        except (OSError, BadPlace) as error:
            hint = "check the bucket and the variables of the store's client, as AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL"
            return Check(kind="output", subject=url, ok=False, message=f"cannot write {url}: {error}", hint=hint)
    return Check(kind="output", subject=url or str(runs), ok=True, message=f"{free / 2**30:.1f} GiB free here")


def check_cluster(workers: Workers) -> Check:
    """Whether somebody listens at the address of a Dask scheduler or of Ray's head node."""
    address = workers.address or ""
    subject = f"{workers.kind} at {address}"
    hint = f"start the cluster, or correct workers.address; without it {workers.kind} starts on this machine"
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        host, port = place.hostname, place.port
    except ValueError:
        host = port = None
    if not host or port is None:
        message = f"workers.address: {address} names no host and port"
        return Check(kind="workers", subject=subject, ok=False, message=message, hint=hint)
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        message = f"{subject} does not answer: {error.strerror or error}"
        return Check(kind="workers", subject=subject, ok=False, message=message, hint=hint)
    return Check(kind="workers", subject=subject, ok=True, message="answers")


def look_at_source(source: Source, position: int) -> Check:
    """Whether a source can be reached and read."""
    try:
        report = check_source(source, position)
    except SourceError as error:
        return Check(kind="source", subject=f"sources.{position}", ok=False, message=error.message, hint=error.hint)
    return Check(
        kind="source",
        subject=report.locator,
        ok=True,
        message=report.summary,
        warnings=list(report.warnings),
    )


async def _in_time(
    kind: Literal["output", "source", "workers"], subject: str, look: Callable[[], Check]
) -> list[Check]:
    try:
        async with asyncio.timeout(_SECONDS):
            return [await asyncio.wrap_future(_start(look))]
    except TimeoutError:
        message = f"{subject} did not answer within {_SECONDS:.0f} s"
        return [Check(kind=kind, subject=subject, ok=False, message=message, hint="check the address and the network")]


def _start(look: Callable[[], Check]) -> Future[Check]:
    """Runs a look on a thread of its own that nobody has to wait for: a hanging one must not keep the process."""
    future: Future[Check] = Future()

    def work() -> None:
        try:
            future.set_result(look())
        except BaseException as error:  # noqa: BLE001 whoever waits is told
            future.set_exception(error)

    threading.Thread(target=work, daemon=True, name="preflight").start()
    return future


async def _check_endpoint(
    roles: str, model: EndpointModel, *, features: bool, environment: Mapping[str, str] | None = None
) -> list[Check]:
    environment = os.environ if environment is None else environment
    subject = f"{model.name} at {', '.join(model.urls)} ({roles})"
    try:
        async with asyncio.timeout(_SECONDS):
            probes = await probe_model(model, environment)
    except ModelSetupError as error:
        hint = f"export {model.api_key_env}=…, or remove api_key_env if the endpoint wants no key"
        return [Check(kind="endpoint", subject=subject, ok=False, message=str(error), hint=hint)]
    except TimeoutError:
        message = f"{subject} did not answer within {_SECONDS:.0f} s"
        hint = "start the endpoint, or check base_url"
        return [Check(kind="endpoint", subject=subject, ok=False, message=message, hint=hint)]
    checks: list[Check] = []
    for probe in probes:
        found: dict[str, bool] = {}
        if features and probe.is_ok:
            key = environment.get(model.api_key_env) if model.api_key_env else None
            found = await probe_features(probe.url, model.name, api_key=key)
        checks.append(
            Check(
                kind="endpoint",
                subject=f"{model.name} at {probe.url} ({roles})",
                ok=probe.is_ok,
                message=probe.message or "answers",
                hint=probe.hint,
                features=found,
            )
        )
    return checks
