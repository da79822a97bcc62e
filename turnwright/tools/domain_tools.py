"""prepare-tools for one seed of a stateful domain: its tools as they are, in one toolset. No model is asked."""

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.rows import SeedRow, ToolsetRow, ToolSpecRow
from schemas.seeds import DomainSeed
from schemas.tools import DomainTool
from turnwright.tools.preparation import PreparedTools
from turnwright.tools.preparation_ledger import record_prepared


def prepare_domain_tools(seed_row: SeedRow, config: RunConfig) -> PreparedTools:
    """The rows of one domain seed: every tool accepted, no questions, one toolset with all of them.

    A domain's tools belong together, because its policy speaks of them; so `tools.per_toolset` does not split them.
    """
    seed = DomainSeed.model_validate_json(seed_row.content)
    specs = [_make_spec(seed_row, tool, config.seed) for tool in seed.tools]
    ids = [spec.id for spec in specs]
    toolset = ToolsetRow(
        id=content_id("toolset", {"seed_id": seed_row.id, "tool_ids": ids}),
        seed_id=seed_row.id,
        domain=seed_row.domain,
        tool_ids=ids,
        tools=canonical_json([tool.model_dump(mode="json") for tool in seed.tools]),
    )
    units = [("question_set", content_id("questions", seed_row.id))]
    units += [("tool", spec.id) for spec in specs] + [("toolset", toolset.id)]
    ledger = [record_prepared(seed_row, unit, unit_id, "accepted") for unit, unit_id in units]
    return PreparedTools([], specs, [toolset], ledger)


def _make_spec(seed_row: SeedRow, tool: DomainTool, seed: int) -> ToolSpecRow:
    text = canonical_json(tool.model_dump(mode="json"))
    return ToolSpecRow(
        id=content_id("tool", {"seed_id": seed_row.id, "tool": text}),
        role=None,
        model=None,
        prompt_digest=None,
        seed=seed,
        model_calls=[],
        seed_id=seed_row.id,
        question_ids=[],
        domain=seed_row.domain,
        name=tool.name,
        description=tool.description,
        sql="",
        effect=tool.effect,
        statement_digest=None,
        tool=text,
        example_arguments="null",
        example_result="null",
        accepted=True,
        reasons=[],
    )
