"""Tools that are there already as the beginning of another domain: a tool_specs table instead of a source."""

from collections.abc import Sequence

from schemas.rows import ToolSpecRow
from schemas.seeds import SeedTool, ToolSeed
from schemas.tools import TOOLS, SpecTool


def read_given_tools(rows: Sequence[ToolSpecRow], name: str, description: str = "") -> ToolSeed:
    """A seed of the accepted tools of a tool_specs table, in the order of its rows. SQL tools need their database.

    Raises:
        ValueError: a tool is none that a specification stands for.
    """
    tools = [tool for row in rows if row.accepted for tool in TOOLS.validate_json(f"[{row.tool}]")]
    if not all(isinstance(tool, SpecTool) for tool in tools):
        raise ValueError("only tools that are specifications can be completed; SQL and domain tools are complete")
    return ToolSeed(
        name=name,
        description=description,
        tools=tuple(
            SeedTool(
                spec=tool.spec, output_schema=tool.output_schema or None, effect=tool.effect, origin=f"tool {tool.name}"
            )
            for tool in tools
        ),
    )
