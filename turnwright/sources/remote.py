"""Requests to sources that are reached over HTTP: headers from the environment, bounds on time and size."""

import asyncio
import os
from collections.abc import Mapping

import aiohttp

from schemas.sources import RemoteSource
from turnwright.sources.documents import MOST_BYTES, too_large
from turnwright.sources.errors import SourceError

_MOST_REDIRECTS = 5


def read_headers(source: RemoteSource, title: str) -> dict[str, str]:
    """The headers that a source's requests carry, with their secrets.

    Raises:
        SourceError: a variable is not set, or its value is no header; the value is never said.
    """
    headers = {name: read_variable(variable, title) for name, variable in source.headers_env.items()}
    if source.token_env is not None:
        headers["Authorization"] = f"Bearer {read_variable(source.token_env, title)}"
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise SourceError(
                f"{title}: the value for the header {name} has characters that a header cannot have",
                "check the environment variable for line breaks",
            )
    return headers


def read_variable(name: str, title: str) -> str:
    """The value of an environment variable.

    Raises:
        SourceError: it is not set.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise SourceError(f"{title}: the environment variable {name} is not set", f"export {name}=…")
    return value


def fetch(url: str, source: RemoteSource, title: str, longest: float | None = None) -> bytes:
    """What is served at a URL. Must be called from a thread without a running event loop.

    Raises:
        SourceError: it cannot be reached, refuses, answers with an error, takes too long or is too large.
    """
    seconds = min(source.timeout_seconds, longest or source.timeout_seconds)
    headers = {"Accept": "application/json, application/yaml, text/yaml, */*", **read_headers(source, title)}
    try:
        return asyncio.run(_fetch(url, headers, title, seconds))
    except TimeoutError:
        raise SourceError(
            f"{title}: did not answer within {seconds:g} s", "check the address and the network"
        ) from None
    except (aiohttp.ClientError, ValueError) as error:
        raise SourceError(f"{title}: cannot be reached: {type(error).__name__}", "check the address") from None


async def _fetch(url: str, headers: Mapping[str, str], title: str, seconds: float) -> bytes:
    async with (
        asyncio.timeout(seconds),
        aiohttp.ClientSession(trust_env=True) as session,
        # Redirects are refused rather than followed where headers hold secrets: they would go along.
        session.get(url, headers=headers, allow_redirects=len(headers) == 1, max_redirects=_MOST_REDIRECTS) as response,
    ):
        if response.status != 200:
            raise explain_status(response.status, title)
        content = bytearray()
        async for chunk in response.content.iter_chunked(2**16):
            content += chunk
            if len(content) > MOST_BYTES:
                raise too_large(title)
        return bytes(content)


def explain_status(status: int, title: str) -> SourceError:
    """What an HTTP status other than success means for a source."""
    if status in (401, 403):
        return SourceError(
            f"{title}: refuses access (HTTP {status})", "name the variable of its key in token_env or headers_env"
        )
    if status in (404, 405, 410):
        return SourceError(f"{title}: there is nothing at this address (HTTP {status})", "check the path of the url")
    if 300 <= status < 400:
        return SourceError(f"{title}: is elsewhere (HTTP {status})", "give the address that it redirects to")
    return SourceError(f"{title}: answers with HTTP {status}", "try again later, or look at the server's log")
