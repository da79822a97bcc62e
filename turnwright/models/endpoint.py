"""One endpoint root, over the openai package. Nothing else imports that package.

The SDK's low-level call keeps its configuration and authentication and skips its models of requests and replies;
bytes go in and bytes come out. Its own retries are off, because a retry has to give its permit back first.
"""

import asyncio
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient

from turnwright.models.failures import Failure, classify_status, redact

_CONNECT_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 4.0
"""Below the five seconds after which uvicorn closes an idle connection: a request must not meet a closing one."""
_NO_POOL_LIMIT = 1 << 20
"""A number, because the aiohttp transport reads None as its default of 100; permits are the limit."""


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _LeanHttpClient(DefaultAioHttpClient):
    """The SDK's HTTP client, which hands a request to its transport at once.

    Authentication stands in the headers, and no cookies are kept; a redirect goes the long way. It takes a sixth off a
    call.
    """

    async def send(self, request: httpx2.Request, *, stream: bool = False, **kwargs: Any) -> httpx2.Response:
        if stream:
            return await super().send(request, stream=stream, **kwargs)
        response = await self._transport_for_url(request.url).handle_async_request(request)
        if response.is_redirect:
            await response.aclose()
            return await super().send(request, stream=stream, **kwargs)
        try:
            await response.aread()
        except BaseException:
            await response.aclose()
            raise
        return response


class _LeanClient(AsyncOpenAI):
    """The SDK's client, which works out options and request of a path once and then only changes the body.

    The two took two fifths of a call. Should a later SDK build requests elsewhere, this is not called, and only time is
    lost.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._known: dict[str, Any] = {}
        """Options of a post, by path."""
        self._built: dict[str, httpx2.Request] = {}
        """A request, by path."""

    async def post_bytes(self, path: str, content: bytes, options: Any) -> httpx2.Response:
        """Posts a body; `options` are the same in every call of a path."""
        if path not in self._known:
            return await self.post(path, content=content, cast_to=httpx2.Response, options=options)
        return await super().request(httpx2.Response, self._known[path].model_copy(update={"content": content}))

    async def request(self, cast_to: Any, options: Any, **kwargs: Any) -> Any:
        if isinstance(options.content, bytes):
            self._known[options.url] = options
        return await super().request(cast_to, options, **kwargs)

    def _build_request(self, options: Any, **kwargs: Any) -> httpx2.Request:
        if not isinstance(options.content, bytes):
            return super()._build_request(options, **kwargs)
        model = self._built.get(options.url)
        if model is None:
            model = self._built[options.url] = super()._build_request(options, **kwargs)
            model.headers.pop("content-length", None)
        return httpx2.Request(
            model.method, model.url, headers=model.headers, content=options.content, extensions=model.extensions
        )


class Endpoint:
    """A keep-alive HTTP/1.1 client for one root URL. Belongs to the loop it is first used on."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout_seconds: float = 120.0) -> None:
        self.url = url
        self._key = api_key
        self._timeout = timeout_seconds
        omitted = openai.Omit()
        headers: dict[str, str | openai.Omit] = {}
        self._options: Any = {}
        if api_key is None:
            self._options = {"headers": {"Authorization": omitted}}
        if not (urlsplit(url).hostname or "").endswith("openai.com"):
            headers |= {"OpenAI-Organization": omitted, "OpenAI-Project": omitted}
        self._client = _LeanClient(
            base_url=url,
            api_key=api_key or "unused",
            max_retries=0,
            timeout=httpx2.Timeout(None, connect=min(_CONNECT_SECONDS, timeout_seconds)),
            default_headers=headers,  # pyright: ignore[reportArgumentType]
            http_client=_LeanHttpClient(
                limits=httpx2.Limits(
                    max_connections=_NO_POOL_LIMIT,
                    max_keepalive_connections=_NO_POOL_LIMIT,
                    keepalive_expiry=_KEEP_ALIVE_SECONDS,
                ),
                trust_env=not _is_loopback(url),  # a proxy for the internet does not lead to this machine
            ),
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

    async def _send(self, path: str, content: bytes | None) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._timeout):
                if content is None:
                    response = await self._client.get(path, cast_to=httpx2.Response, options=self._options)
                else:
                    response = await self._client.post_bytes(path, content, self._options)
            return response.status_code, response.content
        except (TimeoutError, openai.APITimeoutError) as error:
            # The transport reports any lost connection as a timeout of connecting; the cause tells what it was.
            causes = _list_causes(error)
            if any(isinstance(cause, TimeoutError) for cause in causes):
                raise Failure("timeout", f"no reply within {self._timeout:g} s") from None
            refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
            text = "connection refused: nothing listens there" if refused else _describe(causes[-1])
            failure = Failure("broken", text)
        except openai.APIStatusError as error:
            failure = classify_status(error.response.status_code, error.response.content, error.response.headers)
        except openai.APIConnectionError as error:
            failure = Failure("broken", _describe(error.__cause__ or error))
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            failure = Failure("broken", _describe(error))
        raise Failure(
            failure.kind, redact(failure.message, self._key), failure.status, failure.retry_after, failure.field
        ) from None


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
