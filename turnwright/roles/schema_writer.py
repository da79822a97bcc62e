"""The schema writer: what each tool returns, one at a time, in one conversation per group (UO, output schemas).

Earlier results stay in view, so that the same thing has the same name and type in all of them. Messages are only ever
added: a server's prefix cache keeps the tools.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import prompts
from schemas.messages import Message
from schemas.replies import OutputDraft, Reply
from schemas.tools import Tool
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.tools.tool_text import list_fields, view_parameter, view_tools


@dataclass
class SchemaConversation:
    """The conversation with the writer about tools that are offered together."""

    models: Models
    service: Mapping[str, str]
    """`{name, description}` of the domain."""
    tools: Sequence[Tool]
    """All tools of the group; those with an output schema are shown with its fields."""
    unit: str
    """Id of the seed, for the journal."""
    messages: list[Message] = field(default_factory=list[Message])

    async def write_output(
        self, tool: Tool, types: Mapping[str, str], *, remaining: float = 1.0
    ) -> tuple[OutputDraft, StructuredReply[Reply]]:
        """The draft of a tool's result, and the reply it came in. `types` are the settled types of its entities.

        Raises:
            MalformedReply: no usable reply, even after the repair call; the tool is not in the conversation then.
            ContextOverflow: the conversation has grown too long for the model.
        """
        if self.messages:
            asked: list[Message] = [
                {
                    "role": "user",
                    "content": prompts.render("schema_writer", "next", types=dict(types), tool=[tool.name]),
                }
            ]
        else:
            user = prompts.render(
                "schema_writer",
                "user",
                service=dict(self.service),
                tools=self._view(),
                types=dict(types),
                tool=[tool.name],
            )
            asked = prompts.begin_messages(prompts.render("schema_writer", "system"), user)
        return await self._ask(asked, remaining)

    async def mend_output(
        self, problems: Sequence[str], *, remaining: float = 1.0
    ) -> tuple[OutputDraft, StructuredReply[Reply]]:
        """Another draft of the last result, without these problems.

        Raises:
            MalformedReply: no usable reply, even after the repair call.
            ContextOverflow: the conversation has grown too long for the model.
        """
        mend = prompts.render("schema_writer", "mend", problems=list(problems))
        return await self._ask([{"role": "user", "content": mend}], remaining)

    def _view(self) -> list[dict[str, object]]:
        shown = view_tools(self.tools, most=len(self.tools))
        for entry, tool in zip(shown, self.tools, strict=True):
            fields = list_fields(tool.output_schema)
            if fields:
                entry["returns"] = [view_parameter(name, part) for name, part in fields.items()]
        return shown

    async def _ask(self, asked: list[Message], remaining: float) -> tuple[OutputDraft, StructuredReply[Reply]]:
        request = [*self.messages, *asked]
        reply = await self.models.structured("schema_writer", request, unit=self.unit, remaining=remaining)
        value = cast(OutputDraft, reply.value)
        self.messages = [*request, {"role": "assistant", "content": value.model_dump_json()}]
        return value, reply
