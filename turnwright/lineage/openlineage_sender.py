"""Sending lineage events: on a thread of its own, in their order, and never in the way of the work.

An event that cannot be sent is dropped with a warning, once for each sender: a run does not depend on who listens.
"""

import logging
import os
import queue
import threading
from pathlib import Path
from typing import Any, Final

from schemas.openlineage import OpenLineage
from turnwright.lineage.presence import hold_turn

_log = logging.getLogger("turnwright.openlineage")

_MOST_WAITING: Final = 1000
_CLOSE_SECONDS: Final = 15.0
"""Longest wait at the end for events that are still to be sent."""


class EventSender:
    """Sends events to where the settings say. Safe to use from several threads.

    Raises:
        ValueError: the settings send nothing, or name a key whose environment variable is not set.
    """

    def __init__(self, settings: OpenLineage) -> None:
        self._settings = settings
        self._transport = _open_transport(settings)
        self._waiting: queue.Queue[Any] = queue.Queue(_MOST_WAITING)
        self._warned = False
        self._thread = threading.Thread(target=self._work, name="openlineage", daemon=True)
        self._thread.start()

    def send(self, event: Any) -> None:
        """Queues an event; returns at once. Where too many wait already, it is dropped."""
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._warn("too many events wait")

    def close(self) -> None:
        """Waits a while until all events are sent."""
        try:
            self._waiting.put(None, timeout=_CLOSE_SECONDS)
        except queue.Full:
            self._warn("too many events wait")
        self._thread.join(_CLOSE_SECONDS)
        if self._thread.is_alive():
            self._warn("the last events were not sent in time")

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            try:
                self._emit(event)
            except Exception as error:  # noqa: BLE001 whatever a client library raises ends one event, not the run
                # The message of an HTTP error may repeat the URL, which holds no secret, and nothing of the headers.
                self._warn(f"{type(error).__name__}: {error}")
        self._transport.close()

    def _emit(self, event: Any) -> None:
        if self._settings.transport == "file":
            place = Path(str(self._settings.path))
            # Several runs may add to one file, each event a whole line.
            with hold_turn(place.with_name(f".{place.name}.turn")):
                self._transport.emit(event)
        else:
            self._transport.emit(event)

    def _warn(self, problem: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("lineage events are lost: %s", problem[:500])


def _open_transport(settings: OpenLineage) -> Any:
    if settings.transport == "file":
        from openlineage.client.transport.file import FileConfig, FileTransport

        return FileTransport(FileConfig(log_file_path=str(settings.path), append=True))
    if settings.transport == "http":
        from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport, TokenProvider

        auth = TokenProvider({})
        if settings.api_key_env is not None:
            key = os.environ.get(settings.api_key_env)
            if not key:
                raise ValueError(f"openlineage.api_key_env: the environment variable {settings.api_key_env} is not set")
            auth = ApiKeyTokenProvider({"apiKey": key})
        root = f"{str(settings.url).rstrip('/')}/"
        return HttpTransport(HttpConfig(url=root, timeout=settings.timeout_seconds, auth=auth, retry={"total": 2}))
    raise ValueError("openlineage.transport is none")
