"""What the roles that draft tools as specifications have in common (UO, tool specs and expansion).

A conversation of two messages at most: the tools, and once more those of them that could not be used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import prompts
from schemas.messages import Message
from schemas.replies import Reply, SpecDraft, SpecDrafts
from schemas.tools import Tool
from schemas.vocabulary import Role
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.tools.tool_text import view_tools

_MANY_TOOLS = 40
"""Tools that are shown with their parameters."""


@dataclass
class SpecDrafting:
    """The conversation with one such role about one thing."""

    role: ClassVar[Role]
    models: Models
    unit: str
    """Id of the seed, for the journal."""
    messages: list[Message] = field(default_factory=list[Message])

    async def begin(
        self,
        service: Mapping[str, str],
        tools: Sequence[Tool],
        types: Mapping[str, str],
        wanted: int,
        *,
        remaining: float,
        **more: Any,
    ) -> tuple[list[SpecDraft], StructuredReply[Reply]]:
        """The drafts, at most `wanted`, possibly none, and the reply they came in.

        Args:
            service: `{name, description}` of the domain.
            tools: the tools that are there.
            types: entity -> JSON type that it has everywhere.
            wanted: most drafts.
            remaining: calls of this seed that are still to come.
            more: what else the role's prompt wants.

        Raises:
            MalformedReply: no usable reply, even after the repair call.
            ContextOverflow: the tools do not fit the model.
        """
        shown = view_tools(tools, most=_MANY_TOOLS)
        user = prompts.render(
            self.role, "user", service=dict(service), tools=shown, types=dict(types), wanted=wanted, **more
        )
        self.messages = prompts.begin_messages(prompts.render(self.role, "system"), user)
        drafts, reply = await self._ask(remaining)
        return drafts[:wanted], reply

    async def mend_tools(
        self, problems: Sequence[Mapping[str, Any]], *, remaining: float = 1.0
    ) -> tuple[list[SpecDraft], StructuredReply[Reply]]:
        """Drafts instead of those that could not be used. `problems` are `{name, reason}`.

        Raises:
            MalformedReply: no usable reply, even after the repair call.
            ContextOverflow: the conversation does not fit the model.
        """
        mend = prompts.render(self.role, "mend", problems=[dict(problem) for problem in problems])
        self.messages = [*self.messages, {"role": "user", "content": mend}]
        drafts, reply = await self._ask(remaining)
        return drafts[: len(problems)], reply

    async def _ask(self, remaining: float) -> tuple[list[SpecDraft], StructuredReply[Reply]]:
        reply = await self.models.structured(self.role, self.messages, unit=self.unit, remaining=remaining)
        value = cast(SpecDrafts, reply.value)
        self.messages = [*self.messages, {"role": "assistant", "content": value.model_dump_json()}]
        return list(value.tools), reply
