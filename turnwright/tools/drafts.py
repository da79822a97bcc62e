"""From a writer's draft to a verified tool, or to the reason why it is none."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.databases import Database
from schemas.replies import SqlToolDraft
from schemas.settings import ToolSettings
from schemas.tools import SqlTool
from turnwright.environments.base import SqlBase
from turnwright.tools.coverage import check_usefulness
from turnwright.tools.entity_types import EntityTypes
from turnwright.tools.naming import fix_function_name
from turnwright.tools.output_schema import build_output_schema
from turnwright.tools.rejection import Rejection
from turnwright.tools.sql_analysis import Analysis, analyse_sql
from turnwright.tools.tool_spec import build_spec
from turnwright.tools.verification import verify_tool


@dataclass(frozen=True)
class Judged:
    """What became of a draft."""

    draft: SqlToolDraft
    name: str
    """The tool's name: the draft's, made legal; the draft's own where it was rejected before that."""
    tool: SqlTool | None
    statement_digest: str | None
    arguments: dict[str, Any] | None
    """Arguments of the example; none for rejected drafts."""
    result: Any
    reasons: tuple[str, ...]


def judge_draft(
    draft: SqlToolDraft,
    database: Database,
    base: SqlBase,
    types: EntityTypes,
    settings: ToolSettings,
    rng: random.Random,
    *,
    accepted: Mapping[str, str],
    beside: Sequence[SqlTool] = (),
) -> Judged:
    """Makes a tool of a draft and tries it. Blocks; never raises for what is wrong with the draft.

    `accepted` maps statement digests to the names of the tools that this domain has already; `beside` are those tools.
    A statement that does what an accepted tool does is a duplicate, whatever its name. A new statement under a taken
    name is renamed after its parameters; where that name is taken too, it is rejected: its writer has to tell them
    apart.
    """
    name, found = draft.name, None
    try:
        analysis = analyse_sql(draft.sql, database, settings.list_limit, types)
        found = analysis.statement_digest
        if analysis.statement_digest in accepted:
            raise Rejection("duplicate", f"It does the same as {accepted[analysis.statement_digest]}.")
        name = _free_name(fix_function_name(draft.name, analysis.verb), analysis, accepted.values())
        tool = _build(name, draft.description, analysis, database, types, settings)
        check_usefulness(tool, beside, database)
        verified = verify_tool(tool, database, base, rng, settings)
        tool = tool.model_copy(update={"output_schema": build_output_schema(analysis, database, types, verified.rows)})
    except Rejection as rejection:
        return Judged(draft, name, None, found, None, None, (rejection.reason,))
    return Judged(draft, name, tool, found, verified.arguments, verified.result, ())


def _free_name(name: str, analysis: Analysis, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    parameters = [b.name for b in analysis.bindings if b.operator not in {"limit", "offset", "set", "values"}]
    by = "_and_".join(dict.fromkeys(parameters))
    longer = f"{name}_by_{by}"
    if by and "_by_" not in name and len(longer) <= 64 and longer not in taken:
        return longer
    raise Rejection("duplicate_name", f"There is already a tool {name}; give this one a name that tells them apart.")


def _build(
    name: str,
    description: str,
    analysis: Analysis,
    database: Database,
    types: EntityTypes,
    settings: ToolSettings,
) -> SqlTool:
    return SqlTool(
        name=name,
        spec=build_spec(name, description, analysis, database, types, settings),
        output_schema={},
        effect=analysis.effect,
        sql=analysis.sql,
        returns=analysis.returns,
        bindings=analysis.bindings,
        outputs=analysis.output_fields,
        verb=analysis.verb,
        target=analysis.target,
    )
