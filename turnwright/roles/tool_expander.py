"""The tool expander: a few tools that go with those that are there, or none (UO, expansion)."""

from collections.abc import Mapping, Sequence

from schemas.replies import Reply, SpecDraft
from schemas.tools import Tool
from turnwright.models.reply import StructuredReply
from turnwright.roles.spec_drafting import SpecDrafting


class ToolExpansion(SpecDrafting):
    """The conversation with the expander about one domain."""

    role = "tool_expander"

    async def expand_tools(
        self,
        service: Mapping[str, str],
        tools: Sequence[Tool],
        types: Mapping[str, str],
        wanted: int,
        *,
        remaining: float = 1.0,
    ) -> tuple[list[SpecDraft], StructuredReply[Reply]]:
        """Tools that complement those of the domain; see SpecDrafting.begin."""
        return await self.begin(service, tools, types, wanted, remaining=remaining)
