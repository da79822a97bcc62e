"""The edits that planters make: messages, call records, results and final state stay consistent with each other."""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from schemas.content import canonical_json, content_id
from schemas.goals import BehaviourPlan
from schemas.messages import CallRecord, Message, ToolCall
from schemas.rows import DialogueRow, DialogueTaskRow
from turnwright.calibration.subject import CannotPlant, Subject
from turnwright.rollout.behaviours import behaviour_occurred
from turnwright.rollout.tool_calls import ToolRunner, offer_tools


@dataclass(frozen=True)
class PlantedDialogue:
    """A dialogue with one defect, and the task to judge it by."""

    row: DialogueRow
    task: DialogueTaskRow


class Draft:
    """A copy of a dialogue that is being edited.

    Edits of prose leave calls alone. After an edit of calls `execute` runs all of them again, on a fresh environment,
    so that each result is what the call really gives and the final state is what the calls really make.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.task = subject.task
        self.messages: list[Message] = deepcopy(list(subject.messages))
        self.calls: list[CallRecord] = list(subject.calls)
        self._origin: list[int | None] = list(range(len(self.messages)))
        self._final: tuple[str, str] | None = None

    def set_content(self, index: int, text: str) -> None:
        """Replaces what a message says."""
        self.messages[index]["content"] = text

    def add_sentence(self, index: int, sentence: str) -> None:
        """Adds a sentence at the end of what a message says."""
        before = (self.messages[index]["content"] or "").rstrip()
        self.set_content(index, f"{before} {sentence}" if before else sentence)

    def set_call(self, position: int, *, tool: str | None = None, arguments: dict[str, Any] | None = None) -> None:
        """Changes what a call names or gives, in its message and in its record."""
        record = self.calls[position]
        name = record.tool if tool is None else tool
        text = record.arguments if arguments is None else json.dumps(arguments, ensure_ascii=False)
        for call in self.messages[record.message].get("tool_calls", []):
            if call["id"] == record.call_id:
                call["function"] = {"name": name, "arguments": text}
        kind = self.subject.tools.get(name)
        self.calls[position] = record.model_copy(
            update={"tool": name, "arguments": text, "effect": kind.effect if kind else None}
        )

    def drop_call(self, position: int) -> None:
        """Takes a call out, with its result, and the message that made it where it held nothing else."""
        record = self.calls.pop(position)
        self.remove(self.find_result(record))
        message = self.messages[record.message]
        left = [call for call in message.get("tool_calls", []) if call["id"] != record.call_id]
        if left:
            message["tool_calls"] = left
        else:
            self.remove(record.message)

    def add_call(self, index: int, call_id: str, tool: str, arguments: dict[str, Any]) -> None:
        """Puts a message with one call, and its result, before the message at an index."""
        text = json.dumps(arguments, ensure_ascii=False)
        call: ToolCall = {"id": call_id, "type": "function", "function": {"name": tool, "arguments": text}}
        self.insert(
            index,
            [
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "content": "", "tool_call_id": call_id},
            ],
        )
        record = CallRecord(
            message=index,
            call_id=call_id,
            tool=tool,
            arguments=text,
            result="",
            effect=self.subject.tools[tool].effect,
        )
        place = sum(call.message < index for call in self.calls)
        self.calls.insert(place, record)

    def find_result(self, record: CallRecord) -> int:
        """Index of the message with a call's result.

        Raises:
            CannotPlant: there is none.
        """
        for index in range(record.message + 1, len(self.messages)):
            if self.messages[index].get("tool_call_id") == record.call_id:
                return index
        raise CannotPlant("the call's result stands in no message")

    def remove(self, start: int, stop: int | None = None) -> None:
        """Takes messages out; records of calls that they made go with them."""
        stop = start + 1 if stop is None else stop
        del self.messages[start:stop], self._origin[start:stop]
        self.calls = [
            record.model_copy(update={"message": record.message - (stop - start)}) if record.message >= stop else record
            for record in self.calls
            if not start <= record.message < stop
        ]

    def insert(self, index: int, messages: Sequence[Message]) -> None:
        """Puts messages before the one at an index."""
        self.messages[index:index] = messages
        self._origin[index:index] = [None] * len(messages)
        self.calls = [
            record.model_copy(update={"message": record.message + len(messages)}) if record.message >= index else record
            for record in self.calls
        ]

    def set_result(self, position: int, text: str, *, error: str | None = None) -> None:
        """Replaces what a call gave, in its message and in its record, without running anything."""
        record = self.calls[position]
        if record.side == "assistant":
            self.set_content(self.find_result(record), text)
        self.calls[position] = record.model_copy(update={"result": text, "error": error})

    def set_behaviour(self, plan: BehaviourPlan) -> None:
        """Gives the task a plan for something that the environment does; calls have to run again."""
        self.task = self.task.model_copy(
            update={"behaviour": plan.name, "behaviour_plan": canonical_json(plan.model_dump(mode="json"))}
        )

    def execute(self) -> None:
        """Runs all calls again, on a fresh environment.

        Raises:
            CannotPlant: the tools are simulated.
        """
        base = self.subject.base
        if self.subject.simulated or base is None:
            raise CannotPlant("the tools are simulated: nothing answers a changed call")
        runner = ToolRunner(base, offer_tools(self.subject.toolset, self.task), self.task)
        try:
            for position, record in enumerate(self.calls):
                answer = runner.answer(record.tool, record.arguments, record.side)
                error = answer.result.error
                self.set_result(position, answer.result.text, error=error.kind if error else None)
                self.calls[position] = self.calls[position].model_copy(
                    update={"effect": answer.effect, "fault": answer.fault, "rows_changed": answer.result.rows_changed}
                )
            state, changes = runner.final_state()
        finally:
            runner.close()
        self._final = state, canonical_json([change.model_dump(mode="json") for change in changes])

    @property
    def final_digest(self) -> str:
        """State at the end, as of the last execution."""
        return self._final[0] if self._final else self.subject.row.final_digest

    def copy(self) -> "Draft":
        """A draft of its own with the same edits."""
        other = Draft(self.subject)
        other.task, other.messages, other.calls = self.task, deepcopy(self.messages), list(self.calls)
        other._origin, other._final = list(self._origin), self._final
        return other

    def finish(self) -> PlantedDialogue:
        """The dialogue as a row, every derived column fitting its messages."""
        row = self.subject.row
        places = {origin: index for index, origin in enumerate(self._origin)}
        final_digest, changes = self._final or (row.final_digest, row.changes)
        columns: dict[str, Any] = row.model_dump(mode="json", exclude={"id"}) | {
            "messages": json.dumps(self.messages),
            "calls": canonical_json([record.model_dump(mode="json") for record in self.calls]),
            "turns": sum(message["role"] != "system" for message in self.messages),
            "requests": sum(message["role"] == "user" for message in self.messages),
            "steps": sum(bool(message.get("tool_calls")) for message in self.messages),
            "final_digest": final_digest,
            "changes": changes,
            "early_completions": [places[index] for index in row.early_completions if index in places],
            "behaviour": self.task.behaviour,
            "behaviour_occurred": behaviour_occurred(
                self.subject.read_behaviour(self.task), self.subject.objectives, self.messages, self.calls
            ),
        }
        return PlantedDialogue(DialogueRow(id=content_id("dialogue", columns), **columns), self.task)


def copy_unchanged(subject: Subject) -> PlantedDialogue:
    """The control: the dialogue written anew through the same editor, its calls run again where they can be."""
    draft = Draft(subject)
    if not subject.simulated:
        draft.execute()
    return draft.finish()
