"""The HTTP connections to one endpoint root: kept alive, HTTP/1.1, as many as there are permits.

The openai package sends through them (`PackageTransport`), and so does an endpoint that already knows what the package
makes of a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp
import httpx2
from yarl import URL

_CONNECT_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 4.0
"""Below the five seconds after which uvicorn closes an idle connection: a request must not meet a closing one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read to its end, its body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """A pool that opens with the first request and belongs to the loop of that request.

    Trusted are the authorities that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, or the usual ones. The environment's
    proxies are used, but not for this machine: a proxy for the internet does not lead here.
    """

    def __init__(self, url: str, *, connect_seconds: float = _CONNECT_SECONDS) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=min(_CONNECT_SECONDS, connect_seconds))
        self._session: aiohttp.ClientSession | None = None

    async def exchange(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Sends a request and reads its answer; redirects are not followed.

        Raises:
            aiohttp.ClientError, OSError, TimeoutError: there was no whole answer.
        """
        session = self._session or self._open()
        async with session.request(
            method, url, data=body, headers=headers, allow_redirects=False, timeout=self._timeout
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def close(self) -> None:
        """Closes all connections; a later request opens the pool again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        secure = urlsplit(self._url).scheme == "https"
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            ssl=httpx2.create_ssl_context() if secure else True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector, trust_env=not _is_loopback(self._url), cookie_jar=aiohttp.DummyCookieJar()
        )
        return self._session


class PackageTransport(httpx2.AsyncBaseTransport):
    """The openai package's way over the connections."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer to a request of the package.

        Raises:
            httpx2.TransportError: there was no whole answer.
        """
        body = await request.aread() or None
        try:
            answer = await self._connections.exchange(
                request.method, URL(str(request.url)), choose_headers(request.headers), body
            )
        except TimeoutError as error:
            raise httpx2.TimeoutException(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx2.NetworkError(str(error)) from error
        headers = [(name, value) for name, value in answer.headers.items() if name.lower() != "content-encoding"]
        return httpx2.Response(answer.status, headers=headers, content=answer.body)


def choose_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request but for those about the connection, which are the pool's to say."""
    own = ("host", "content-length", "transfer-encoding", "accept-encoding", "connection")
    return {name: value for name, value in headers.items() if name.lower() not in own}


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
