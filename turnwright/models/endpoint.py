"""One endpoint root, over the openai package. Nothing else imports that package.

The package knows the address, authentication and headers of a request: the first request of a path goes through its
low-level call. From then on only the body differs, so the same request is sent again with another body, over the same
connections; the package's layers around it would take more than all the rest of a call. Retries are not its task,
because a retry has to give its permit back first.
"""

import asyncio
import ssl
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx2
import openai
from multidict import CIMultiDict
from openai import AsyncOpenAI
from yarl import URL

from turnwright.models.connections import Answer, Connections, PackageTransport, choose_headers
from turnwright.models.failures import Failure, classify_status, redact

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")
"""What OpenSSL says, from version to version, of an answer that is no TLS."""


class Endpoint:
    """A keep-alive HTTP/1.1 client for one root URL. Belongs to the loop it is first used on."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout_seconds: float = 120.0) -> None:
        self.url = url
        self._key = api_key
        self._timeout = timeout_seconds
        self._connections = Connections(url, connect_seconds=timeout_seconds)
        self._known: dict[str, tuple[URL, CIMultiDict[str]]] = {}
        """Address and headers of a post, by path."""
        omitted = openai.Omit()
        headers: dict[str, str | openai.Omit] = {}
        self._options: Any = {}
        if api_key is None:
            self._options = {"headers": {"Authorization": omitted}}
        if not (urlsplit(url).hostname or "").endswith("openai.com"):
            headers |= {"OpenAI-Organization": omitted, "OpenAI-Project": omitted}
        self._client = AsyncOpenAI(
            base_url=url,
            api_key=api_key or "unused",
            max_retries=0,
            timeout=None,  # a call has one limit, from its beginning to the end of its answer
            default_headers=headers,  # pyright: ignore[reportArgumentType]
            http_client=httpx2.AsyncClient(transport=PackageTransport(self._connections), follow_redirects=True),
        )

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    async def post(self, path: str, content: bytes) -> tuple[int, bytes]:
        """Posts a JSON body; returns status and body of a successful answer.

        Raises:
            Failure: there was no successful answer.
        """
        return await self._send(path, content)

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a successful answer.

        Raises:
            Failure: there was no successful answer.
        """
        return await self._send(path, None)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()
        await self._connections.close()

    async def _send(self, path: str, content: bytes | None) -> tuple[int, bytes]:
        known = self._known.get(path) if content is not None else None
        try:
            async with asyncio.timeout(self._timeout):
                if known is not None:
                    answer = await self._connections.exchange("POST", *known, content)
                    if answer.status // 100 != 3:  # the package follows redirects
                        return self._accept(answer)
                return await self._send_by_package(path, content)
        except Failure as failure:
            found = failure
        except openai.APIStatusError as error:
            found = classify_status(error.response.status_code, error.response.content, error.response.headers)
        except (TimeoutError, openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, OSError) as error:
            found = self._classify_loss(error)
        raise Failure(
            found.kind, redact(found.message, self._key), found.status, found.retry_after, found.field
        ) from None

    def _accept(self, answer: Answer) -> tuple[int, bytes]:
        if 200 <= answer.status < 300:
            return answer.status, answer.body
        raise classify_status(answer.status, answer.body, answer.headers)

    async def _send_by_package(self, path: str, content: bytes | None) -> tuple[int, bytes]:
        if content is None:
            response = await self._client.get(path, cast_to=httpx2.Response, options=self._options)
        else:
            response = await self._client.post(path, content=content, cast_to=httpx2.Response, options=self._options)
            if not response.history:
                request = response.request
                self._known[path] = URL(str(request.url)), CIMultiDict(choose_headers(request.headers))
        return response.status_code, response.content

    def _classify_loss(self, error: BaseException) -> Failure:
        """What an exchange that broke off means; the origin of the error tells."""
        causes = _list_causes(error)
        if any(isinstance(cause, TimeoutError) for cause in causes):
            return Failure("timeout", f"no reply within {self._timeout:g} s")
        origin = causes[-1]
        if isinstance(origin, ssl.SSLCertVerificationError):
            return Failure("refused", f"its certificate is not trusted: {origin.verify_message}")
        if isinstance(origin, ssl.SSLError) and origin.reason in _NO_TLS:
            return Failure("refused", "it does not speak TLS")
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return Failure("broken", "connection refused: nothing listens there")
        return Failure("broken", _describe(origin))


def _list_causes(error: BaseException) -> list[BaseException]:
    """An error and what it came from, the origin last."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    return causes


def _describe(error: BaseException) -> str:
    """A connection error in a line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
