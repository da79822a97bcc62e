"""The conversation of one dialogue as an immutable value, and what each role sees of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import prompts
from schemas.messages import Message, ToolCall


def replace_surrogates(text: str) -> str:
    """`text` with code points that UTF-8 cannot hold replaced by `?`; a model's reply may contain them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def join_prose(text: str) -> str:
    """What was said, in one line that UTF-8 can hold."""
    return " ".join(replace_surrogates(text).split())


def _clean_call(call: ToolCall) -> ToolCall:
    function = call["function"]
    name, arguments = replace_surrogates(function["name"]), replace_surrogates(function["arguments"])
    return {**call, "function": {"name": name, "arguments": arguments}}


@dataclass(frozen=True)
class Conversation:
    """The messages of a dialogue so far, system message first; methods return a longer conversation, none changes one.

    What a role is sent is an append-only extension of what it was sent before (the prefix property), so that a server's
    prefix cache holds, and it is made of the messages alone, so that a dialogue can go on from any stored prefix.
    """

    messages: tuple[Message, ...]

    @classmethod
    def start(cls, system: str) -> "Conversation":
        """A conversation in which nobody has spoken yet."""
        return cls(({"role": "system", "content": system},))

    def add_user(self, text: str) -> "Conversation":
        """The person says `text`."""
        return self._add({"role": "user", "content": replace_surrogates(text)})

    def add_assistant(
        self, content: str | None, tool_calls: Sequence[ToolCall] = (), reasoning: str | None = None
    ) -> "Conversation":
        """The assistant answers in prose, in tool calls, or in both; `reasoning` stays in its own field."""
        message: Message = {"role": "assistant", "content": None if content is None else replace_surrogates(content)}
        if reasoning:
            message["reasoning"] = replace_surrogates(reasoning)
        if tool_calls:
            message["tool_calls"] = [_clean_call(call) for call in tool_calls]
        return self._add(message)

    def add_result(self, call_id: str, text: str) -> "Conversation":
        """A tool answers the call with that id."""
        return self._add({"role": "tool", "content": text, "tool_call_id": call_id})

    def _add(self, message: Message) -> "Conversation":
        return Conversation((*self.messages, message))

    @property
    def turns(self) -> int:
        """User, assistant and tool messages (UO appendix B)."""
        return sum(message["role"] != "system" for message in self.messages)

    @property
    def requests(self) -> int:
        """User messages."""
        return sum(message["role"] == "user" for message in self.messages)

    @property
    def steps(self) -> int:
        """Tool-use iterations over all requests; calls made in parallel are one iteration (UO appendix B).

        Calls before anybody asked for something, as a conversation begun elsewhere may have, belong to no request.
        """
        asked = next((n for n, message in enumerate(self.messages) if message["role"] == "user"), len(self.messages))
        return sum(bool(message.get("tool_calls")) for message in self.messages[asked:])

    @property
    def outcome_reported(self) -> bool:
        """Whether the last thing that happened is that the assistant spoke to the user in prose."""
        last = self.messages[-1]
        return last["role"] == "assistant" and not last.get("tool_calls") and bool(last["content"])

    def assistant_view(self) -> list[Message]:
        """The messages as the assistant is sent them: everything but its reasoning, which servers do not want back."""
        return [
            cast(Message, {key: value for key, value in message.items() if key != "reasoning"})
            for message in self.messages
        ]

    def user_view(self, system: str, opening: str, frame: Callable[[str, Sequence[str]], str]) -> list[Message]:
        """The conversation turned round, as the user simulator is sent it.

        `frame` makes a prompt of what the person has heard and of what they had said before that.

        It sees prose only: what the assistant said since the person last spoke is one message. Its own messages stand
        there in the form of its replies, never with the completion flag: where that counted, the dialogue has ended.
        """
        view = prompts.begin_messages(system, opening)
        heard: list[str] = []
        told: list[str] = []
        for message in self.messages:
            if message["role"] == "assistant" and message["content"]:
                heard.append(message["content"])
            elif message["role"] == "user":
                if heard:
                    view.append({"role": "user", "content": frame("\n\n".join(heard), told)})
                heard = []
                told.append(message["content"] or "")
                said = json.dumps({"user_message": message["content"], "is_task_complete": False}, ensure_ascii=False)
                view.append({"role": "assistant", "content": said})
        if heard:
            view.append({"role": "user", "content": frame("\n\n".join(heard), told)})
        return view
