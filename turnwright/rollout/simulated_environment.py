"""The simulated environment: asks the tool simulator, holds what it says against the fact ledger, puts it right."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from schemas.content import canonical_json
from schemas.messages import CallRecord, Message, ToolError
from schemas.replies import ToolSimulation
from schemas.simulation import Contradiction, ContradictionCode, LedgerFact, LedgerNotice
from schemas.tools import Tool
from turnwright.environments.simulation.clock import find_now
from turnwright.environments.simulation.ledger import FactLedger
from turnwright.environments.simulation.records import SimulatedCall, is_within_bounds
from turnwright.environments.simulation.writes import succeeded
from turnwright.environments.values import json_text
from turnwright.models.errors import MalformedReply
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.roles.tool_simulator import SimulatorConversation

_NOT_THERE = re.compile(
    r"\b(?:not found|no such|does(?:n't| not) exist|(?:could not|cannot|can't) be found|unknown|"
    r"no \w+ (?:found|with|for))\b",
    re.IGNORECASE,
)
_LONGEST_ERROR = 300
_ROUNDS = 3
_SAID = 4_000
"""Characters of one message that the simulator is shown."""


@dataclass(frozen=True)
class SimulatedAnswer:
    """What one simulated call gave, and what it cost."""

    text: str
    value: Any
    error: ToolError | None
    wrote: bool
    """A write that worked."""
    replies: tuple[ModelReply, ...]
    repaired: int


@dataclass(frozen=True)
class _Draft:
    """A reply of the simulator, read and completed by code."""

    reply: ToolSimulation | None
    """None where it could not be read."""
    call: SimulatedCall
    message: str | None
    """The error in words."""
    found: tuple[Contradiction, ...]
    mended: tuple[Contradiction, ...]
    """What code has put right by itself."""

    @property
    def is_unusable(self) -> bool:
        """Whether there is no result that fits the schema."""
        return any(item.code == "invalid_result" for item in self.found)


class SimulatedEnvironment:
    """The world behind the tools of one dialogue. One call at a time.

    A call goes through these steps. A read that was asked before, with nothing written since, is answered as it was.
    Otherwise the simulator is asked; code puts in what it makes itself; the ledger looks for contradictions; where
    there are any the simulator is asked once more with them named; what is left code puts right where it knows the
    truth, and records where it does not. A result that fits no schema even then is an error of the tool.
    """

    def __init__(
        self, conversation: SimulatorConversation, *, seed: str, reference_time: str, result_bytes: int
    ) -> None:
        self._conversation = conversation
        self._ledger = FactLedger(seed)
        self._reference_time = reference_time
        self._result_bytes = result_bytes
        self._told = 1
        """Messages of the dialogue that the simulator has seen; the system message is the assistant's."""
        self._answers: dict[tuple[str, str], SimulatedAnswer] = {}
        self.notices: list[LedgerNotice] = []

    def list_facts(self) -> tuple[LedgerFact, ...]:
        """What is true so far."""
        return self._ledger.list_facts()

    async def call(self, tool: Tool, arguments: Mapping[str, Any], messages: Sequence[Message]) -> SimulatedAnswer:
        """Answers one call whose arguments fit the tool; `messages` is the dialogue up to it.

        Raises:
            ContextOverflow: the simulator's conversation has grown too long for its model.
            ModelError: no reply could be had.
        """
        place = tool.name, canonical_json(dict(arguments))
        known = self._answers.get(place)
        if known is not None and tool.effect == "read":
            return replace(known, replies=(), repaired=0)
        said = [message["content"] or "" for message in messages if message["role"] == "user"]
        answer = await self._simulate(tool, arguments, messages, "\n".join(said), find_now(self._reference_time, said))
        if answer.wrote:
            self._answers.clear()
        elif answer.error is None:
            self._answers[place] = answer
        return answer

    @property
    def calls_told(self) -> int:
        """Calls that the ledger has learnt from so far."""
        return self._ledger.facts.calls

    def recall(self, tool: Tool, arguments: Mapping[str, Any], messages: Sequence[Message], record: CallRecord) -> None:
        """Takes in a call that was answered before, as `call` left it; nobody is asked.

        Contradictions that were noticed then are not noticed again: they stand in the dialogue's notices.
        """
        place = tool.name, canonical_json(dict(arguments))
        if place in self._answers and tool.effect == "read":
            return
        said = [message["content"] or "" for message in messages if message["role"] == "user"]
        facts = self._ledger.facts.list_relevant(tool, arguments)
        now = find_now(self._reference_time, said)
        self._conversation.recall(tool, arguments, facts=facts, said=self._list_heard(messages), now=now)
        value = orjson.loads(record.result)
        if record.error is not None:
            self._ledger.learn(SimulatedCall(tool, arguments, None, record.error), "\n".join(said))
            self._conversation.settle(None, value["message"])
            return
        call = SimulatedCall(tool, arguments, value)
        self._ledger.learn(call, "\n".join(said))
        self._conversation.settle(value, None)
        if tool.effect == "write" and succeeded(call):
            self._answers.clear()
        else:
            self._answers[place] = SimulatedAnswer(record.result, value, None, False, (), 0)

    async def _simulate(
        self, tool: Tool, arguments: Mapping[str, Any], messages: Sequence[Message], said: str, now: str
    ) -> SimulatedAnswer:
        asked = SimulatedCall(tool, arguments, None)
        facts = self._ledger.facts.list_relevant(tool, arguments)
        heard = self._list_heard(messages)
        replies: list[StructuredReply[ToolSimulation]] = []
        spent: list[ModelReply] = []

        async def draw(again: _Draft | None = None) -> _Draft:
            try:
                if again is None:
                    reply = await self._conversation.ask(
                        tool, arguments, facts=facts, said=heard, now=now, remaining=2.0
                    )
                else:
                    problems = [item.explanation for item in again.found]
                    reply = await self._conversation.ask_again(tool, again.reply, problems, remaining=1.0)
            except MalformedReply as malformed:
                spent.extend(malformed.replies)
                found = Contradiction(code="invalid_result", path=(), explanation="the reply is no JSON of that shape")
                return _Draft(None, asked, None, (found,), ())
            replies.append(reply)
            spent.extend(reply.replies)
            return self._read(asked, reply.value, now)

        draft = await draw()
        self._note(draft.mended, "corrected")
        if draft.found:
            second = await draw(draft)
            self._note(second.mended, "corrected")
            left = {item.code for item in second.found}
            if second.is_unusable and not draft.is_unusable:
                second, left = draft, {item.code for item in draft.found}
            self._note([item for item in draft.found if item.code not in left], "asked_again")
            draft = self._correct(second, now)
        return self._settle(draft, said, tuple(spent), sum(reply.repaired for reply in replies))

    def _read(self, asked: SimulatedCall, reply: ToolSimulation, now: str) -> _Draft:
        """A reply with what code makes itself, and what is wrong with it."""
        value, problem = self._clean(reply.result)
        error = None if reply.error is None or (value is not None and not problem) else reply.error.strip()
        if error is not None:
            message = error[:_LONGEST_ERROR] or "The call failed."
            kind = "not_found" if _NOT_THERE.search(message) else "refused"
            call = replace(asked, error=kind)
            return _Draft(reply, call, message, tuple(self._ledger.check(call, now)), ())
        if problem:
            found = Contradiction(code="invalid_result", path=(), explanation=problem)
            return _Draft(reply, asked, None, (found,), ())
        drafted = replace(asked, value=value)
        before = self._ledger.check(drafted, now)
        call = self._ledger.complete(drafted, now)
        found = tuple(self._ledger.check(call, now))
        left = {(item.code, item.path) for item in found}
        mended = tuple(item for item in before if item.code != "invalid_result" and (item.code, item.path) not in left)
        return _Draft(reply, call, None, found, mended)

    def _clean(self, value: Any) -> tuple[Any, str]:
        """The result as plain JSON, and why it is none or too large."""
        try:
            # A lenient reading may hold what JSON cannot: tuples, infinities, half characters.
            content = orjson.dumps(value)
            if len(content) > self._result_bytes:
                return None, f"the result is longer than {self._result_bytes} bytes; give fewer records"
            plain = orjson.loads(content)
        except (TypeError, ValueError, RecursionError):
            return None, "the result is no JSON"
        return (plain, "") if is_within_bounds(plain) else (None, "the result is too deep or too large")

    def _correct(self, draft: _Draft, now: str) -> _Draft:
        """The last draft with the truth where code knows it; what is left is recorded."""
        if not draft.found or draft.is_unusable:
            self._note(draft.found, "recorded")
            return draft
        call, found = draft.call, draft.found
        for _ in range(_ROUNDS):
            # One truth put in its place may show another figure to be wrong.
            call = self._ledger.correct(call, found)
            found = tuple(self._ledger.check(call, now))
            if not any(item.remedy != "none" for item in found):
                break
        left = {(item.code, item.explanation) for item in found}
        self._note([item for item in draft.found if (item.code, item.explanation) not in left], "corrected")
        self._note(found, "recorded")
        message = draft.message
        if call.error == "not_found" and draft.call.error is None:
            message = "There is no such record."
        return replace(draft, call=call, found=found, message=message)

    def _settle(self, draft: _Draft, said: str, replies: tuple[ModelReply, ...], repaired: int) -> SimulatedAnswer:
        """The answer, and the ledger and the conversation with it."""
        call, message = draft.call, draft.message
        if draft.is_unusable:
            failed = ToolError(kind="unavailable", message="The service gave no valid answer.")
            self._conversation.settle(None, failed.message)
            self._ledger.learn(replace(call, value=None, error="unavailable"))
            return _refuse(failed, replies, repaired)
        self._ledger.learn(call, said)
        if call.error is not None:
            failed = ToolError.model_validate({"kind": call.error, "message": message or "The call failed."})
            self._conversation.settle(None, failed.message)
            return _refuse(failed, replies, repaired)
        self._conversation.settle(call.value, None)
        wrote = call.tool.effect == "write" and succeeded(call)
        return SimulatedAnswer(json_text(call.value), call.value, None, wrote, replies, repaired)

    def _list_heard(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        """What was said in prose since the call before."""
        heard = [
            {"role": message["role"], "content": (message["content"] or "")[:_SAID]}
            for message in messages[self._told :]
            if message["role"] in ("user", "assistant") and message["content"]
        ]
        self._told = len(messages)
        return heard

    def _note(self, found: Sequence[Contradiction], resolution: Any) -> None:
        for item in found:
            code: ContradictionCode = item.code
            self.notices.append(
                LedgerNotice(
                    call=self._ledger.facts.calls + 1,
                    code=code,
                    path=item.path,
                    explanation=item.explanation,
                    resolution=resolution,
                )
            )


def _refuse(error: ToolError, replies: tuple[ModelReply, ...], repaired: int) -> SimulatedAnswer:
    value = {"error": error.kind, "message": error.message}
    return SimulatedAnswer(json_text(value), value, error, False, replies, repaired)
