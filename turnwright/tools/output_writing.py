"""Output schemas for the tools of a domain that lack one: one tool at a time, in one conversation per group of tools.

(UO, output schemas.) Earlier results and the settled types are in view; a result that conflicts with them is asked for
once more with the conflict named, then its tool is rejected.
"""

from collections.abc import Mapping

from schemas.config import RunConfig
from schemas.replies import Reply
from schemas.tools import SpecTool
from turnwright.models.errors import ContextOverflow, MalformedReply
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.roles.schema_writer import SchemaConversation
from turnwright.tools.rejection import Rejection
from turnwright.tools.spec_judging import Candidate, Domain
from turnwright.tools.spec_outputs import build_output


async def write_outputs(
    unit: str, service: Mapping[str, str], domain: Domain, models: Models, config: RunConfig
) -> None:
    """Gives every accepted tool a result, group by group; a tool that gets none is rejected.

    Args:
        unit: id of the seed, for the journal.
        service: `{name, description}` of the domain.
        domain: its candidates; those without an output schema are changed.
        models: the way to the model.
        config: `tools.per_toolset` is the size of a group, `tools.synthesise.output_schemas` bounds the calls.

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
    """
    candidates = domain.accepted
    for candidate in candidates:
        # What the sources tell counts first, wherever it stands.
        if candidate.tool and candidate.tool.output_schema:
            domain.canon.note(candidate.tool)
    size = config.tools.per_toolset
    most = left = config.tools.synthesise.output_schemas
    for start in range(0, len(candidates), size):
        group = candidates[start : start + size]
        tools = [candidate.tool for candidate in group if candidate.tool]
        conversation = SchemaConversation(models, service, tools, unit)
        for position, candidate in enumerate(group, start):
            if candidate.tool is None or candidate.tool.output_schema:
                continue
            if left <= 0:
                candidate.reject([f"no_output_schema: {most} are written (tools.synthesise.output_schemas)."])
                continue
            left -= 1
            remaining = float(len(candidates) - position)
            await _write_output(conversation, domain, candidate, candidate.tool, config.tools.list_limit, remaining)


async def _write_output(
    conversation: SchemaConversation,
    domain: Domain,
    candidate: Candidate,
    tool: SpecTool,
    list_limit: int,
    remaining: float,
) -> None:
    try:
        draft, reply = await conversation.write_output(tool, domain.canon.list_types(tool), remaining=remaining)
        candidate.keys = [*candidate.keys, *list_keys(reply)]
        for attempt in range(2):
            try:
                described = tool.model_copy(update={"output_schema": build_output(draft, tool, list_limit)})
                faults, code = domain.find_output_faults(described), "entity_type"
            except Rejection as rejection:
                described, faults, code = tool, [rejection.explanation], rejection.code
            if not faults:
                candidate.tool = described
                domain.canon.note(described)
                return
            if attempt == 0:
                draft, again = await conversation.mend_output(faults, remaining=remaining)
                candidate.keys = [*candidate.keys, *list_keys(again)]
            else:
                candidate.reject([f"{code}: {'; '.join(faults)}"])
    except (MalformedReply, ContextOverflow) as error:
        candidate.reject([f"no_output_schema: {explain_error(error)}"])


def list_keys(reply: StructuredReply[Reply]) -> list[str]:
    """Journal keys of the replies behind a structured one."""
    return [part.key for part in reply.replies]


def explain_error(error: MalformedReply | ContextOverflow) -> str:
    """Why there is no usable reply, as `code: explanation`."""
    code = "malformed_reply" if isinstance(error, MalformedReply) else "context_overflow"
    return f"{code}: {' '.join(str(error).split())}"
