"""Models: the one way to a model. Journal, permit, endpoint, retry, repair, for every call of every role."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from schemas.config import RunConfig
from schemas.endpoints import EndpointModel, SelfplayModel
from schemas.messages import Message
from schemas.replies import REPLIES, Reply
from schemas.vocabulary import Role
from turnwright.models.budget import BudgetGuard
from turnwright.models.capabilities import Capabilities
from turnwright.models.dispatch import Dispatcher
from turnwright.models.endpoint import Endpoint
from turnwright.models.engine import Engine, shared_engine
from turnwright.models.entry import JournalEntry, make_entry, make_refusal
from turnwright.models.errors import (
    ContextOverflow,
    MalformedReply,
    ModelError,
    ModelSetupError,
    NotInJournal,
    RequestRejected,
)
from turnwright.models.failures import Failure
from turnwright.models.journal import Journal
from turnwright.models.permits import Ceiling, Permits
from turnwright.models.quirks import read_reply
from turnwright.models.rates import RateSource, TokenBucket
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.models.request import ChatRequest, RequestBuilder, endpoint_identity, model_name
from turnwright.models.structured import ReplyProblem, check_chat_reply, parse_reply, repair_messages
from turnwright.models.usage import Usage


def resolve_key(model: SelfplayModel | EndpointModel, environment: Mapping[str, str]) -> str | None:
    """The key of a model, from the environment variable that the config names.

    Raises:
        ModelSetupError: the variable is unset or empty.
    """
    if isinstance(model, SelfplayModel) or model.api_key_env is None:
        return None
    key = environment.get(model.api_key_env, "").strip()
    if not key:
        raise ModelSetupError(f"api_key_env names {model.api_key_env}, but that environment variable is not set")
    return key


class Models:
    """The models of a run. Awaited from any loop; the work is done on the engine's.

    Replies are durable in `journal` before they are handed out; without a journal they are not kept. `selfplay_url`
    is the root of the running embedded endpoint, needed where a role's model is `selfplay`. With `offline` nothing is
    sent. The journal stays open when this is closed: it belongs to the caller. `elsewhere` tells what other processes
    of the run have used and `began` when it began (seconds since the epoch), for the budget; `rates` opens the rates
    that endpoints allow, which several processes may share.

    Raises:
        ModelSetupError: a key is not set, a cost cap has no price, or offline is asked for without a journal.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        journal: Journal | None = None,
        selfplay_url: str | None = None,
        offline: bool = False,
        environment: Mapping[str, str] | None = None,
        engine: Engine | None = None,
        elsewhere: Callable[[], Usage] = Usage,
        began: float | None = None,
        rates: RateSource = TokenBucket,
    ) -> None:
        if offline and journal is None:
            raise ModelSetupError("offline needs the journal of an earlier run")
        self.config = config
        self.usage = Usage()
        self._journal = journal
        self._selfplay_url = selfplay_url
        self._offline = offline
        self._environment = os.environ if environment is None else environment
        self._engine = engine or shared_engine()
        self._budget = BudgetGuard(config.budget, self.usage, elsewhere=elsewhere, began=began)
        self._rates = rates
        self._ceiling = Ceiling(config.concurrency)
        self._builders: dict[Role, RequestBuilder] = {}
        self._dispatchers: dict[tuple[str, str, str | None, float], Dispatcher] = {}
        self._in_flight: dict[str, asyncio.Future[JournalEntry | None]] = {}
        for model in [config.model, *(config.model_for(role) for role in sorted(config.roles))]:
            if not offline:
                resolve_key(model, self._environment)
            if config.budget.cost_usd is not None and isinstance(model, EndpointModel) and model.price is None:
                raise ModelSetupError(f"budget.cost_usd needs a price for model {model.name}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Models({self.config.name!r}, offline={self._offline})"

    async def chat(
        self,
        role: Role,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        draw: int = 0,
        unit: str = "",
        remaining: float = 1.0,
        parallel_tool_calls: bool | None = None,
    ) -> ModelReply:
        """A reply in prose and tool calls.

        `draw` tells repeated identical requests apart; `unit` is the dialogue or row that the call is for;
        `remaining` is the expected number of calls that the unit still needs. An empty or cut-off reply gets one
        repair call.

        Raises:
            MalformedReply: the repair was empty or cut off as well.
            ModelError: see turnwright/models/errors.py.
            OSError: the journal cannot be written.
        """
        work = self._chat(role, messages, tools, draw, unit, remaining, parallel_tool_calls)
        return await self._engine.run(work)

    async def structured(
        self,
        role: Role,
        messages: Sequence[Message],
        *,
        draw: int = 0,
        unit: str = "",
        remaining: float = 1.0,
        fields: Mapping[str, Any] | None = None,
    ) -> StructuredReply[Any]:
        """A reply read into the class of the role; a malformed one gets one repair call.

        `fields` gives the endpoint a JSON Schema of its own for some fields of the reply. Whoever asks checks them: an
        endpoint need not hold to it.

        Raises:
            MalformedReply: the repair was malformed as well.
            ModelError: see turnwright/models/errors.py.
            OSError: the journal cannot be written.
        """
        return await self._engine.run(self._structured(role, messages, draw, unit, remaining, fields))

    def name_of(self, role: Role) -> str:
        """Model that plays a role, as it stands in rows."""
        return model_name(self.config.model_for(role))

    def identity_of(self, role: Role) -> str:
        """Endpoint that plays a role, as it stands in journal and cache keys."""
        return endpoint_identity(self.config.model_for(role))

    async def close(self) -> None:
        """Closes all connections."""
        await self._engine.run(self._close())

    async def _close(self) -> None:
        dispatchers, self._dispatchers = list(self._dispatchers.values()), {}
        for dispatcher in dispatchers:
            await dispatcher.close()

    async def _chat(
        self,
        role: Role,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] | None,
        draw: int,
        unit: str,
        remaining: float,
        parallel_tool_calls: bool | None,
    ) -> ModelReply:
        def build(conversation: Sequence[Message]) -> ChatRequest:
            return self._builder(role).build(
                conversation, draw=draw, unit=unit, tools=tools, parallel_tool_calls=parallel_tool_calls
            )

        first = await self._call(build(messages), remaining)
        try:
            check_chat_reply(first)
            return first
        except ReplyProblem as problem:
            repaired_messages = [*messages, *repair_messages(first, problem, structured=False)]
        second = await self._call(build(repaired_messages), remaining)
        try:
            check_chat_reply(second)
        except ReplyProblem as problem:
            raise self._malformed(role, problem, (first, second)) from None
        self.usage.of(role).repaired += 1
        return _mark_repaired(second)

    async def _structured(
        self,
        role: Role,
        messages: Sequence[Message],
        draw: int,
        unit: str,
        remaining: float,
        fields: Mapping[str, Any] | None,
    ) -> StructuredReply[Any]:
        kind: type[Reply] = REPLIES[role]

        def build(conversation: Sequence[Message]) -> ChatRequest:
            return self._builder(role).build(conversation, draw=draw, unit=unit, structured=True, fields=fields)

        first = await self._call(build(messages), remaining)
        try:
            return StructuredReply(parse_reply(first, kind), (first,), False)
        except ReplyProblem as problem:
            repaired_messages = [*messages, *repair_messages(first, problem, structured=True)]
        second = await self._call(build(repaired_messages), remaining)
        try:
            value = parse_reply(second, kind)
        except ReplyProblem as problem:
            raise self._malformed(role, problem, (first, second)) from None
        self.usage.of(role).repaired += 1
        return StructuredReply(value, (first, _mark_repaired(second)), True)

    def _malformed(self, role: Role, problem: ReplyProblem, replies: tuple[ModelReply, ...]) -> MalformedReply:
        self.usage.of(role).failed += 1
        text = replies[-1].content or ""
        return MalformedReply(
            f"{role}: the reply to the repair call cannot be used either: {problem}",
            problem=str(problem),
            text=text,
            replies=replies,
        )

    async def _call(self, request: ChatRequest, remaining: float) -> ModelReply:
        """One reply: from the journal, from an identical call in flight, or from the endpoint."""
        while True:
            entry = self._journal.get(request.key) if self._journal is not None else None
            if entry is not None:
                return self._read(entry, request, replayed=True)
            if self._offline:
                raise NotInJournal(
                    f"offline, and the journal has no reply to this request of {request.role} ({request.key[:16]})",
                    key=request.key,
                    role=request.role,
                )
            other = self._in_flight.get(request.key)
            if other is None:
                break
            entry = await asyncio.shield(other)
            if entry is not None:
                return self._read(entry, request, replayed=True)
        ours: asyncio.Future[JournalEntry | None] = asyncio.get_running_loop().create_future()
        self._in_flight[request.key] = ours
        sent: JournalEntry | None = None
        try:
            sent, reply = await self._send(request, remaining)
            return self._read(sent, request, replayed=False) if reply is None else reply
        except ModelError:
            self.usage.of(request.role).failed += 1
            raise
        finally:
            del self._in_flight[request.key]
            ours.set_result(sent)  # None: whoever waits for this call has to make its own

    async def _send(self, request: ChatRequest, remaining: float) -> tuple[JournalEntry, ModelReply | None]:
        """A new entry, durable, and its reply; no reply where the endpoint will never answer this request."""
        figures = self.usage.of(request.role)

        def count_request() -> None:
            figures.requests += 1

        def receive(body: Mapping[str, Any]) -> tuple[JournalEntry, ModelReply]:
            entry = make_entry(request, body)
            return entry, self._read(entry, request, replayed=False)

        answer = await self._dispatcher(request.role).send(request, remaining, count_request, receive)
        entry, reply = (make_refusal(request, answer), None) if isinstance(answer, Failure) else answer
        if self._journal is not None:
            await self._journal.append(entry)
        return entry, reply

    def _read(self, entry: JournalEntry, request: ChatRequest, *, replayed: bool) -> ModelReply:
        if entry.kind == "overflow":
            raise ContextOverflow(f"{request.role}: {entry.detail}")
        if entry.kind == "rejected":
            raise RequestRejected(f"{request.role}: {entry.detail}", problem=entry.detail)
        reply = read_reply(entry, request, replayed=replayed)
        model = self.config.model_for(request.role)
        price = model.price if isinstance(model, EndpointModel) else None
        free = isinstance(model, SelfplayModel)
        self.usage.record_reply(request.role, reply, price, free=free, cached=entry.cached_tokens or 0)
        return reply

    def _builder(self, role: Role) -> RequestBuilder:
        builder = self._builders.get(role)
        if builder is None:
            builder = self._builders[role] = RequestBuilder(role, self.config.model_for(role), self.config.seed)
        return builder

    def _dispatcher(self, role: Role) -> Dispatcher:
        """The dispatcher of a role's model; roles with the same endpoint and model share one."""
        model = self.config.model_for(role)
        if isinstance(model, SelfplayModel):
            if self._selfplay_url is None:
                raise ModelSetupError("model is selfplay, but no embedded endpoint is running")
            model_urls, timeout, key_name = (self._selfplay_url.rstrip("/"),), 120.0, None
            rates: tuple[int | None, int | None] = (None, None)
        else:
            model_urls, timeout, key_name = model.urls, model.timeout_seconds, model.api_key_env
            rates = (model.requests_per_minute, model.tokens_per_minute)
        name = (",".join(model_urls), model_name(model), key_name, timeout)
        found = self._dispatchers.get(name)
        if found is None:
            key = resolve_key(model, self._environment)
            found = self._dispatchers[name] = Dispatcher(
                {url: Endpoint(url, api_key=key, timeout_seconds=timeout) for url in model_urls},
                Permits(
                    model_urls,
                    self._ceiling,
                    requests_per_minute=rates[0],
                    tokens_per_minute=rates[1],
                    rates=self._rates,
                    name=f"{model_name(model)} at {','.join(sorted(model_urls))}",
                ),
                Capabilities(endpoint_identity(model), model_name(model), self._journal),
                retry_seconds=self.config.retry_seconds,
                check_budget=self._budget.check,
            )
        return found


def _mark_repaired(reply: ModelReply) -> ModelReply:
    return ModelReply(
        **{name: getattr(reply, name) for name in ModelReply.__slots__ if name != "repaired"}, repaired=True
    )
