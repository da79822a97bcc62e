"""The SQL tool writer: one append-only conversation per database, a batch of questions at a time.

Each round tells what became of the drafts of the round before, so that the writer mends what was rejected and repeats
nothing. Messages are only ever added: a server's prefix cache keeps the database's view. A writer that repeats itself
all the same begins afresh, with the names of the tools that are there: small models copy what they read of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import prompts
from schemas.databases import Database
from schemas.messages import Message
from schemas.replies import Reply, SqlToolDraft, SqlToolDrafts
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.roles.question_writer import view_database
from turnwright.tools.shapes import Shape


@dataclass
class ToolConversation:
    """The conversation with the writer about one database."""

    models: Models
    database: Database
    unit: str
    """Id of the seed, for the journal."""
    messages: list[Message] = field(default_factory=list[Message])
    present: Sequence[str] = ()
    """Tools that were there when the conversation began, by name."""

    def begin_afresh(self, present: Sequence[str]) -> None:
        """Forgets what was said; the next round begins with these tools."""
        self.messages, self.present = [], tuple(present)

    async def write_tools(
        self,
        questions: Sequence[str],
        shapes: Sequence[Shape],
        wanted: int,
        feedback: dict[str, Any] | None,
        *,
        remaining: float = 1.0,
    ) -> tuple[list[SqlToolDraft], StructuredReply[Reply]]:
        """The drafts of one round, and the reply they came in.

        Args:
            questions: what the tools of this round should help to answer.
            shapes: tools that the domain lacks; may be none.
            wanted: about how many drafts are asked for.
            feedback: `{accepted: [names], rejected: [{name, reason}]}` on the round before; none in the first round.
            remaining: rounds that are still to come, this one included.

        Raises:
            MalformedReply: no usable reply, even after the repair call; the round is not in the conversation then.
            ContextOverflow: the conversation has grown too long for the model.
        """
        request = [*self.messages, *self._ask(questions, shapes, wanted, feedback)]
        reply = await self.models.structured("sql_tool_writer", request, unit=self.unit, remaining=remaining)
        # A repaired reply is kept as if it had been right at once: the writer learns from good examples.
        value = cast(SqlToolDrafts, reply.value)
        self.messages = [*request, {"role": "assistant", "content": value.model_dump_json()}]
        return list(value.tools), reply

    def _ask(
        self, questions: Sequence[str], shapes: Sequence[Shape], wanted: int, feedback: dict[str, Any] | None
    ) -> list[Message]:
        lines = [shape.line for shape in shapes]
        if not self.messages:
            system = prompts.render("sql_tool_writer", "system")
            user = prompts.render(
                "sql_tool_writer",
                "afresh" if self.present else "user",
                database=view_database(self.database),
                questions=list(questions),
                shapes=lines,
                wanted=wanted,
                **({"present": list(self.present)} if self.present else {}),
            )
            return prompts.begin_messages(system, user)
        told = feedback or {"accepted": [], "rejected": []}
        again = prompts.render(
            "sql_tool_writer", "again", feedback=told, questions=list(questions), shapes=lines, wanted=wanted
        )
        return [{"role": "user", "content": again}]
