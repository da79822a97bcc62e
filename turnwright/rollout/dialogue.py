"""Simulates one dialogue: user simulator, assistant and environment, until the task is complete."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from pydantic import TypeAdapter

import prompts
from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.goals import Objective, Persona
from schemas.messages import CallRecord, Message
from schemas.rows import DialogueRow, DialogueTaskRow, ToolsetRow
from schemas.tools import Tool
from schemas.vocabulary import SIMULATED, Ending
from turnwright.environments.base import Base
from turnwright.environments.domain import policy_of
from turnwright.models.errors import ContextOverflow, MalformedReply
from turnwright.models.models import Models
from turnwright.models.remaining import expect_remaining
from turnwright.models.reply import ModelReply
from turnwright.roles import assistant, user_simulator
from turnwright.rollout.behaviours import behaviour_occurred
from turnwright.rollout.closing import is_farewell, is_settled
from turnwright.rollout.conversation import Conversation
from turnwright.rollout.prefix import Prefix
from turnwright.rollout.simulated_calls import SimulatedCalls
from turnwright.rollout.tool_calls import (
    CallRunner,
    ExecutedCalls,
    list_removed,
    offer_tools,
    read_beginning,
    read_behaviour,
    read_policy,
)
from turnwright.rollout.user_tools import UserSide

_OBJECTIVES = TypeAdapter(tuple[Objective, ...])
_QUESTION_MARKS = "?？؟"


async def simulate_dialogue(
    task: DialogueTaskRow,
    toolset: ToolsetRow,
    base: Base | None,
    models: Models,
    config: RunConfig,
    trial: int = 0,
    *,
    start: Prefix | None = None,
    draw: int | None = None,
    about: Mapping[str, Any] | None = None,
) -> DialogueRow:
    """One trajectory of `task`; `trial` tells repeated ones apart and is the draw index of every call.

    Paradigms with simulated tools need no `base`. With `start` the dialogue goes on from there, with draws of its own
    (`draw`), and calls and tokens are counted from there; `about` has columns that say how it came about. A bad
    dialogue is a row with a typed ending. What is not the dialogue's own doing is raised:

    Raises:
        NotReproduced: the calls of `start` give other results than they gave.
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
        SourceError: the environment's database could not be reached.
    """
    draw = trial if draw is None else draw
    tools = offer_tools(toolset, task)
    objectives = _OBJECTIVES.validate_json(task.objectives)
    runner: SimulatedCalls | ExecutedCalls
    if task.paradigm in SIMULATED:
        runner = SimulatedCalls(tools, task, models, config, trial, draw)
        base = None  # whoever simulates knows nothing of what the tools would run on, their policy included
    else:
        assert base is not None, f"{task.paradigm} needs a base"
        runner = await ExecutedCalls.open(base, tools, task)
    try:
        dialogue = Dialogue(task, objectives, tools, runner, models, config, draw, policy=policy_of(base))
        if isinstance(runner, SimulatedCalls):
            runner.recall_given(dialogue.conversation.messages)
        if start is not None:
            await runner.restore(start)
            dialogue.restore(start)
        ending, detail = await dialogue.run()
        final_digest, changes = await runner.final_state()
    finally:
        await runner.close()
    conversation, plan = dialogue.conversation, read_behaviour(task)
    columns: dict[str, Any] = {
        "role": "assistant",
        "model": models.name_of("assistant"),
        "prompt_digest": prompts.prompt_digest("assistant"),
        "seed": config.seed,
        "model_calls": dialogue.model_calls,
        "dialogue_task_id": task.id,
        "toolset_id": toolset.id,
        "seed_id": task.seed_id,
        "domain": task.domain,
        "paradigm": task.paradigm,
        "slot": task.slot,
        "trial": trial,
        "difficulty": task.difficulty,
        "behaviour": task.behaviour,
        "behaviour_occurred": behaviour_occurred(plan, objectives, conversation.messages, dialogue.calls),
        "messages": orjson.dumps(conversation.messages).decode(),
        "calls": canonical_json([record.model_dump(mode="json") for record in dialogue.calls]),
        "ending": ending,
        "detail": detail,
        "turns": conversation.turns,
        "requests": conversation.requests,
        "steps": conversation.steps,
        "task_count": task.task_count,
        "final_digest": final_digest,
        "changes": canonical_json([change.model_dump(mode="json") for change in changes]),
        "prompt_tokens": dialogue.prompt_tokens,
        "completion_tokens": dialogue.completion_tokens,
        "repairs": dialogue.repairs,
        "early_completions": dialogue.early_completions,
        "removed_tools": list_removed(task),
        "given_messages": dialogue.given,
    }
    if task.arm:
        columns["arm"] = task.arm
    if isinstance(runner, SimulatedCalls):
        columns |= {
            "facts": canonical_json([fact.model_dump(mode="json") for fact in runner.list_facts()]),
            "notices": canonical_json([notice.model_dump(mode="json") for notice in runner.notices]),
        }
    columns |= about or {}
    return DialogueRow(id=content_id("dialogue", columns), **columns)


class _Ended(Exception):
    """The dialogue cannot go on."""

    def __init__(self, ending: Ending, detail: str) -> None:
        super().__init__(detail)
        self.ending: Ending = ending
        self.detail = detail


class Dialogue:
    """One dialogue while it runs.

    The protocol:

    1. The user simulator speaks first. It sees what was said, never a tool call or a result.
    2. The assistant answers in prose, which hands the word back to the user, or in one or more tool calls, whose
       results it gets in the order of the calls, each under its call's id; then it is asked again.
    3. A call that names no offered tool, or whose arguments do not fit the tool's schema, is answered with an error and
       never reaches the environment.
    4. The user ends the dialogue with a thank-you marked as complete, and the assistant has the last word, in prose.
       The mark counts only if the assistant had reported something before it, if the message asks nothing, and if the
       assistant needs no tool to answer it: a user who only agrees to an action has not seen its outcome. A mark that
       comes too early is noted, and the dialogue goes on. A message of nothing but thanks counts as marked where
       everything was told and done, or where it is the second in a row (turnwright/rollout/closing.py).
    5. A message that would break a limit (turns of the dialogue, calls of one request) is not kept, so every stored
       conversation is whole: each call has its result.
    6. A reply that cannot be used, even after its repair, ends the dialogue with what was said before it.
    7. Where the user has tools, the person carries out what the assistant asked for before they answer
       (turnwright/rollout/user_tools.py). The assistant is offered its own side's tools alone.

    8. A dialogue may begin with messages that were given (`given`): they stay as they are, and what they lack, a system
       message for one, they go on lacking. Where they leave the word with the assistant, it answers first. Limits, the
       end and what was settled are about the messages after them.

    In the task-oriented paradigm there is no user simulator: the objectives' descriptions are whole queries, put one
    after the other as the assistant has answered the one before, and the answer to the last one is the end.
    """

    def __init__(
        self,
        task: DialogueTaskRow,
        objectives: Sequence[Objective],
        tools: Sequence[Tool],
        runner: CallRunner,
        models: Models,
        config: RunConfig,
        draw: int,
        policy: str | None = None,
    ) -> None:
        self._task = task
        self._tools = tools
        self._offered = [tool for tool in tools if tool.side == "assistant"]
        self._runner = runner
        self._models = models
        self._objectives = objectives
        self._limits = config.limits
        self._draw = draw
        self._user_side = UserSide(tools, objectives, runner, models, draw=draw, unit=task.id)
        beginning = read_beginning(task)
        self.given = 0 if beginning is None else len(beginning.messages)
        """Messages of the conversation that stood there before this dialogue."""
        self.conversation = (
            Conversation.start(
                assistant.system_prompt(task.domain, task.reference_time, read_policy(task), policy=policy)
            )
            if beginning is None
            else Conversation(cast("tuple[Message, ...]", beginning.messages))
        )
        self._given_turns = 0 if beginning is None else self.conversation.turns
        self._given_requests = 0 if beginning is None else self.conversation.requests
        self._user = self._brief_user()
        self.calls: list[CallRecord] = []
        self.model_calls: list[str] = []
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.repairs = 0
        self.early_completions: list[int] = []
        self._start: Prefix | None = None

    def restore(self, start: Prefix) -> None:
        """Goes on from a stored beginning; before `run`. Costs count from there."""
        self._start = start
        self.conversation = Conversation(start.messages)
        self.calls = list(start.calls)
        self.early_completions = list(start.early_completions)
        self._user_side.restore(start)

    async def run(self) -> tuple[Ending, str]:
        """Plays the dialogue to its end; what was said is in `conversation`, even where it ended badly."""
        try:
            if self.given and self.conversation.messages[-1]["role"] in ("user", "tool"):
                await self._assistant_answers()
                self._user = self._brief_user()
            if self._task.paradigm == "task_oriented":
                await self._answer_queries()
            else:
                await self._converse()
            return "task_complete", ""
        except _Ended as end:
            return end.ending, end.detail
        except MalformedReply as error:
            for part in error.replies:
                self._count(part)
            return "malformed_reply", str(error)
        except ContextOverflow as error:
            return "context_overflow", str(error)

    def _brief_user(self) -> user_simulator.Brief:
        """Tells the person who they are, and what was said in the chat before they come in."""
        self._entry = len(self.conversation.messages) if self.given else 0
        brief = user_simulator.brief(
            Persona.model_validate_json(self._task.persona),
            self._objectives,
            read_behaviour(self._task),
            self.conversation.messages[: self._entry],
        )
        return self._user_side.brief(brief)

    async def _converse(self) -> None:
        """User and assistant take turns until the user is done."""
        start = self._start
        waiting = start is not None and start.messages[-1]["role"] in ("user", "tool")
        while True:
            if waiting and start is not None:
                complete, waiting = start.closed, False
                acted = await self._assistant_answers(start.calls_of_request)
            else:
                complete = await self._user_speaks()
                acted = await self._assistant_answers()
            if complete and not acted:
                return
            if complete:
                self._note_early_completion()

    async def _answer_queries(self) -> None:
        """The assistant answers one whole query after the other (UO, task-oriented simulation)."""
        if self._start is not None and self._start.messages[-1]["role"] in ("user", "tool"):
            await self._assistant_answers(self._start.calls_of_request)
        for objective in self._objectives[self.conversation.requests - self._given_requests :]:
            self._check_turns(1)
            self.conversation = self.conversation.add_user(objective.description)
            await self._assistant_answers()

    async def _user_speaks(self) -> bool:
        """Adds the user's next message; says whether it ends the dialogue, as far as can be known before the answer."""
        self._check_turns(1)
        await self._user_acts()
        reply = await user_simulator.speak(
            self._models,
            self._user,
            Conversation(self.conversation.messages[self._entry :]),
            draw=self._draw,
            unit=self._task.id,
            remaining=self._remaining,
        )
        for part in reply.replies:
            self._count(part)
        self.repairs += reply.repaired
        reported = self.conversation.outcome_reported and any(message["role"] == "user" for message in self._own)
        self.conversation = self.conversation.add_user(reply.value.user_message.strip())
        if not reply.value.is_task_complete:
            return reported and self._is_closed()
        if reported and not any(mark in reply.value.user_message for mark in _QUESTION_MARKS):
            return True
        self._note_early_completion()
        return False

    async def _user_acts(self) -> None:
        """Lets the person carry out what the assistant asked for, where they have tools."""
        earlier = Conversation(self.conversation.messages[: self._entry]).requests
        actions = await self._user_side.act(self.conversation, self._remaining, earlier)
        for part in actions.replies:
            self._count(part)
        self.repairs += actions.repairs
        self.calls += actions.records

    def _is_closed(self) -> bool:
        """Whether the last message, which is not marked as the end, is one all the same."""
        said = [message["content"] or "" for message in self._own if message["role"] == "user"]
        if not is_farewell(said[-1]):
            return False
        repeated = len(said) > 1 and is_farewell(said[-2])
        return repeated or is_settled(self._objectives, self._tools, self._own, self.calls)

    async def _assistant_answers(self, made: int = 0) -> bool:
        """Lets the assistant work until it speaks to the user; says whether it called a tool.

        `made` is the number of calls that it has made for this request before.
        """
        while True:
            self._check_turns(1)
            reply = await assistant.answer(
                self._models,
                self.conversation,
                self._offered,
                draw=self._draw,
                unit=self._task.id,
                remaining=self._remaining,
            )
            self._count(reply)
            self.repairs += reply.repaired
            content = (reply.content or reply.refusal or "").strip()
            if not reply.tool_calls:
                self.conversation = self.conversation.add_assistant(content, reasoning=reply.reasoning)
                return made > 0
            made += len(reply.tool_calls)
            if made > self._limits.calls_per_request:
                raise _Ended("call_limit", f"more than {self._limits.calls_per_request} calls for one request")
            self._check_turns(1 + len(reply.tool_calls))
            self.conversation = self.conversation.add_assistant(content or None, reply.tool_calls, reply.reasoning)
            await self._run_calls()

    async def _run_calls(self) -> None:
        """Answers the calls of the last message."""
        before, message = self.conversation.messages, len(self.conversation.messages) - 1
        for call in before[message].get("tool_calls", []):
            name, arguments = call["function"]["name"], call["function"]["arguments"]
            answer = await self._runner.answer(name, arguments, before)
            for reply in answer.replies:
                self._count(reply)
            self.repairs += answer.repaired
            error = answer.result.error
            self.conversation = self.conversation.add_result(call["id"], answer.result.text)
            self.calls.append(
                CallRecord(
                    message=message,
                    call_id=call["id"],
                    tool=name,
                    arguments=arguments,
                    result=answer.result.text,
                    effect=answer.effect,
                    error=error.kind if error else None,
                    fault=answer.fault,
                    rows_changed=answer.result.rows_changed,
                )
            )

    @property
    def _own(self) -> tuple[Message, ...]:
        """The messages after the given ones."""
        return self.conversation.messages[self.given :]

    @property
    def _remaining(self) -> float:
        """Model calls that are still to come, as far as the plan tells: longer dialogues get their permits first."""
        estimate = 2.0 * (self._task.planned_calls + self._task.task_count)
        return expect_remaining(estimate, len(self.model_calls), longest=self._limits.turns)

    def _check_turns(self, coming: int) -> None:
        if self.conversation.turns - self._given_turns + coming > self._limits.turns:
            raise _Ended("turn_limit", f"more than {self._limits.turns} turns")

    def _note_early_completion(self) -> None:
        messages = self.conversation.messages
        self.early_completions.append(max(n for n, message in enumerate(messages) if message["role"] == "user"))

    def _count(self, reply: ModelReply) -> None:
        self.model_calls.append(reply.key)
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
