"""The tool writer: the tools that one question needs and the domain lacks (UO, tool specs)."""

from collections.abc import Mapping, Sequence

from schemas.replies import Reply, SpecDraft
from schemas.tools import Tool
from turnwright.models.reply import StructuredReply
from turnwright.roles.spec_drafting import SpecDrafting


class ToolWriting(SpecDrafting):
    """The conversation with the writer about one question."""

    role = "tool_writer"

    async def write_tools(
        self,
        service: Mapping[str, str],
        tools: Sequence[Tool],
        types: Mapping[str, str],
        question: str,
        wanted: int,
        *,
        remaining: float = 1.0,
    ) -> tuple[list[SpecDraft], StructuredReply[Reply]]:
        """The tools that are missing to answer `question`, which a person asked; see SpecDrafting.begin."""
        return await self.begin(service, tools, types, wanted, remaining=remaining, question=[question])
