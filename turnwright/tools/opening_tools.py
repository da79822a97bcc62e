"""prepare-tools for conversations that were begun elsewhere: the tools that they bring along, and nothing more.

A conversation goes on with the tools that it was begun with. They are checked as any given tool is, and those without
an output schema get one, because their calls are to be simulated. None are written beside them: a new tool in the
middle of a conversation would be one that the assistant had not been offered before.
"""

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.rows import LedgerRow, SeedRow, ToolsetRow
from schemas.seeds import Opening, SeedTool, ToolSeed
from schemas.tools import TOOLS
from schemas.vocabulary import Outcome
from turnwright.goals.openings import read_openings
from turnwright.models.models import Models
from turnwright.tools.preparation import PreparedTools
from turnwright.tools.spec_preparation import prepare_spec_tools


async def prepare_opening_tools(seed_row: SeedRow, models: Models, config: RunConfig) -> PreparedTools:
    """Makes the tools and toolsets of one seed of kind `dialogues`, one toolset for each list of tools among them.

    A conversation that cannot be gone on with is a rejected toolset in the ledger, with its reason. One that brings no
    tools asks for nothing here: it gets a toolset of another source.

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
    """
    prepared = PreparedTools([], [], [], [])
    groups: dict[str, list[int]] = {}
    openings = read_openings(seed_row)
    for position, opening in enumerate(openings):
        if opening.problem is not None:
            prepared.ledger.append(_record(seed_row, position, "rejected", f"{opening.problem} ({opening.origin})"))
        elif opening.tools:
            groups.setdefault(_list_offered(opening.tools), []).append(position)
    for positions in groups.values():
        await _prepare_group(seed_row, openings, positions, models, config, prepared)
    return prepared


async def _prepare_group(
    seed_row: SeedRow,
    openings: tuple[Opening, ...],
    positions: list[int],
    models: Models,
    config: RunConfig,
    into: PreparedTools,
) -> None:
    """Prepares the tools that several conversations have in common."""
    first = positions[0]
    service = ToolSeed(name=seed_row.domain, description="", tools=openings[first].tools)
    lone = seed_row.model_copy(update={"content": canonical_json(service.model_dump(mode="json"))})
    only_given = config.tools.synthesise.model_copy(update={"asked_questions": 0, "expansion": 0})
    settings = config.model_copy(
        update={"tools": config.tools.model_copy(update={"synthesise": only_given, "per_toolset": 64})}
    )
    made = await prepare_spec_tools(lone, models, settings, questions=[])
    # Ids are of the position among the given tools, which several groups have: the group tells them apart.
    ids = {row.id: content_id("tool", {"opening": first, "row": row.id}) for row in made.tool_specs}
    rows = [row.model_copy(update={"id": ids[row.id]}) for row in made.tool_specs]
    into.tool_specs.extend(rows)
    into.edges.extend(
        edge.model_copy(
            update={
                "id": content_id("edge", {"opening": first, "row": edge.id}),
                "source_id": ids[edge.source_id],
                "target_id": ids[edge.target_id],
            }
        )
        for edge in made.edges
    )
    into.ledger.extend(
        row.model_copy(
            update={
                "unit_id": ids.get(row.unit_id, row.unit_id),
                "id": content_id("ledger", {"opening": first, "row": row.id}),
            }
        )
        for row in made.ledger
        if row.unit == "tool"
    )
    accepted = [row for row in rows if row.accepted]
    if not accepted:
        reason = "no_tools: None of the conversation's tools was accepted."
        into.ledger.extend(_record(seed_row, position, "rejected", reason) for position in positions)
        return
    tools = [tool for row in accepted for tool in TOOLS.validate_json(f"[{row.tool}]")]
    columns = {
        "seed_id": seed_row.id,
        "domain": seed_row.domain,
        "tool_ids": [row.id for row in accepted],
        "tools": canonical_json([tool.model_dump(mode="json") for tool in tools]),
        "openings": positions,
    }
    toolset = ToolsetRow.model_validate({"id": content_id("toolset", columns), **columns})
    into.toolsets.append(toolset)
    into.ledger.append(_record(seed_row, first, "accepted").model_copy(update={"unit_id": toolset.id}))


def _list_offered(tools: tuple[SeedTool, ...]) -> str:
    """What tells two lists of tools apart: everything but where they stood."""
    return canonical_json([tool.model_dump(mode="json", exclude={"origin"}) for tool in tools])


def _record(seed_row: SeedRow, position: int, outcome: Outcome, reason: str = "") -> LedgerRow:
    unit_id = content_id("opening", {"seed_id": seed_row.id, "position": position})
    return LedgerRow(
        id=content_id("ledger", ["prepare-tools", "toolset", unit_id]),
        stage="prepare-tools",
        unit="toolset",
        unit_id=unit_id,
        outcome=outcome,
        reasons=[reason] if reason else [],
        boundary=None,
        domain=seed_row.domain,
        difficulty="",
        behaviour="",
    )
