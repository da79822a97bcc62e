"""Sends the requests of one model: permit, endpoint, retry, and doing without what the endpoint lacks."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from turnwright.models.capabilities import Capabilities, Feature
from turnwright.models.endpoint import Endpoint
from turnwright.models.errors import BudgetSpent, EndpointRefused, EndpointUnavailable
from turnwright.models.failures import Failure, read_body
from turnwright.models.patience import Patience
from turnwright.models.permits import CallOutcome, Permit, Permits
from turnwright.models.request import ChatRequest

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 20.0
_REJECT_AFTER = 6
_OTHERS_ANSWERED = 20
"""A request that gets a 500 six times, while so many others were answered, is the problem itself."""


T = TypeVar("T")


class Dispatcher:
    """The way to one model on one or several endpoint roots. Used on the engine's loop only.

    `check_budget` is called before each request and may raise; `count_request` after it was sent.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        permits: Permits,
        capabilities: Capabilities,
        *,
        retry_seconds: float,
        check_budget: Callable[[], None],
    ) -> None:
        self._endpoints = endpoints
        self._permits = permits
        self._capabilities = capabilities
        self._retry_seconds = retry_seconds
        self._check_budget = check_budget
        self._patience = Patience()
        self._answered = 0
        # Spreads retries in time; no data depends on it.
        self._jitter = random.Random()

    async def send(
        self,
        request: ChatRequest,
        remaining: float,
        count_request: Callable[[], None],
        receive: Callable[[Mapping[str, Any]], T],
    ) -> T | Failure:
        """What `receive` makes of the endpoint's reply, or the endpoint's last word that there will be none.

        `receive` runs before the permit is given back, so that the next look at the budget knows what it counted. The
        failure returned is an `overflow` or `rejected`, about this request alone.

        Raises:
            EndpointUnavailable: infrastructure failed for `retry_seconds`.
            EndpointRefused: wrong key, model or path; or the first request ever is rejected.
            BudgetSpent: raised by `check_budget`.
        """
        first_failure: float | None = None
        failures = 0
        answered_before = self._answered
        tokens = request.estimated_prompt_tokens
        while True:
            self._check_budget()
            permit = await self._permits.acquire(remaining, tokens)
            left_out = frozenset(self._capabilities.missing)
            try:
                self._check_budget()
                count_request()
                status, content = await self._post(permit, request, count_request)
                body = read_body(status, content)
                received = receive(body)
            except Failure as failure:
                self._permits.release(permit, _outcome(failure), retry_after=failure.retry_after)
                if not failure.is_infrastructure:
                    if not await self._do_without(request, failure, left_out):
                        return self._last_word(failure, permit)
                    continue
                now = time.monotonic()
                first_failure = now if first_failure is None else first_failure
                failures += 1
                others = self._answered - answered_before
                if failure.status == 500 and failures >= _REJECT_AFTER and others >= _OTHERS_ANSWERED:
                    return Failure("rejected", failure.message, failure.status)
                self._give_up_in_time(failure, permit, now - first_failure)
                await asyncio.sleep(self._pause(failures, failure.retry_after))
            except BaseException:
                self._permits.release(permit, "cancelled")
                raise
            else:
                self._permits.release(permit, "ok", tokens=_tokens(body) or tokens)
                self._answered += 1
                return received

    async def _post(self, permit: Permit, request: ChatRequest, count_request: Callable[[], None]) -> tuple[int, bytes]:
        """Status and body of a successful answer; a request that is overdue is sent a second time.

        Raises:
            Failure: there was no successful answer.
        """
        endpoint, content = self._endpoints[permit.lane.url], self._capabilities.body(request)

        def may_send() -> bool:
            try:
                self._check_budget()
            except BudgetSpent:
                return False
            count_request()
            return True

        return await self._patience.run(request.role, lambda: endpoint.post("/chat/completions", content), may_send)

    async def close(self) -> None:
        """Closes the connections."""
        for endpoint in self._endpoints.values():
            await endpoint.close()

    async def _do_without(self, request: ChatRequest, failure: Failure, left_out: frozenset[Feature]) -> bool:
        """Learns from a refusal; true if the request can be put differently."""
        feature = self._capabilities.blamed_feature(request, failure, left_out)
        if feature is None:
            return False
        await self._capabilities.record_missing(feature, failure)
        return True

    def _last_word(self, failure: Failure, permit: Permit) -> Failure:
        url = permit.lane.url
        if failure.kind == "refused":
            raise EndpointRefused(f"{url} refused the call: {failure.message}", url=url, hint=refusal_hint(failure))
        if failure.kind == "rejected" and not self._answered:
            hint = "nothing was answered yet: check the model's settings, such as max_tokens and extra_body"
            raise EndpointRefused(f"{url} rejected the call: {failure.message}", url=url, hint=hint)
        return failure

    def _give_up_in_time(self, failure: Failure, permit: Permit, seconds: float) -> None:
        outage = self._permits.failing_for()
        if max(seconds, outage) < self._retry_seconds:
            return
        url = permit.lane.url
        error = EndpointUnavailable(
            f"{url} did not answer for {max(seconds, outage):.0f} s, last: {failure.message}",
            url=url,
            hint="start the endpoint or raise retry_seconds; the same run continues where it stopped",
        )
        if outage >= self._retry_seconds:
            self._permits.fail_waiting(error)
        raise error

    def _pause(self, failures: int, retry_after: float | None) -> float:
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (failures - 1)) * self._jitter.uniform(0.5, 1.0)
        return max(pause, (retry_after or 0.0) * self._jitter.uniform(1.0, 1.2))


def refusal_hint(failure: Failure) -> str:
    """What a user can do about a refusal."""
    if failure.status in (401, 403):
        return "check the key in the variable that api_key_env names"
    if failure.status == 402 or "quota" in failure.message:
        return "the account has no credit left"
    if "certificate" in failure.message:
        return "SSL_CERT_FILE can name a file with the authorities to trust"
    if "TLS" in failure.message:
        return "base_url may have to begin with http://"
    return "check base_url (it usually ends in /v1) and the model's name"


def _outcome(failure: Failure) -> CallOutcome:
    if failure.kind in ("overload", "timeout"):
        return "overload"
    return "broken" if failure.kind == "broken" else "answered"


def _tokens(body: Mapping[str, Any]) -> int:
    usage = body.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None  # pyright: ignore
    return total if isinstance(total, int) else 0
