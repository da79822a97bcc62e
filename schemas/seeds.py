"""What the seeds hold that are no databases: tools as specifications, conversations, stateful domains."""

from typing import Any, Literal

from schemas.closed import Closed
from schemas.tools import DomainTool
from schemas.vocabulary import Effect


class SeedTool(Closed):
    """One tool as its source gives it, good or bad: prepare-tools says which."""

    spec: Any
    """OpenAI function format where the source could be read as such; otherwise whatever stood there."""
    output_schema: dict[str, Any] | None = None
    """JSON Schema of the result, where the source tells (MCP, OpenAPI)."""
    effect: Effect | None = None
    """Where the source tells: a GET only reads, an MCP tool may say so."""
    origin: str
    """Where it stood, for messages: `tools.jsonl:12`, `GET /orders/{id}`."""
    problem: str | None = None
    """Why it could not be read at all, as `code: explanation`; then `spec` is what was there, as text."""


class ToolSeed(Closed):
    """The content of a seed of kind `tools`, `mcp` or `openapi`."""

    name: str
    """Of the domain."""
    description: str
    """What the service is, where the source says so; otherwise empty."""
    tools: tuple[SeedTool, ...]


class Opening(Closed):
    """A conversation that was begun elsewhere."""

    origin: str
    """Where it stood: `dialogues.jsonl:3`."""
    messages: tuple[dict[str, Any], ...]
    """In OpenAI's chat format, byte for byte what will be kept."""
    tools: tuple[SeedTool, ...]
    problem: str | None = None
    """Why it cannot be gone on with, as `code: explanation`."""


class DialogueSeed(Closed):
    """The content of a seed of kind `dialogues`."""

    name: str
    openings: tuple[Opening, ...]


class DomainTask(Closed):
    """A task that a domain brings along."""

    id: str
    instructions: str
    """What the user is told."""
    known_details: dict[str, Any]
    actions: tuple[dict[str, Any], ...]
    """`{name, arguments, side}`: what reaches the goal, in order."""
    facts: tuple[str, ...]
    """What has to reach the user."""
    rubric: tuple[str, ...] = ()
    """What else has to hold, one statement each."""


class DomainSeed(Closed):
    """The content of a seed of kind `domain`: a stateful domain, by its module."""

    name: str
    module: str
    """`package.module:Class`, an implementation of turnwright.environments.domain.Domain."""
    policy: str
    """The assistant's system prompt."""
    tools: tuple[DomainTool, ...]
    tasks: tuple[DomainTask, ...]
    reference_time: str | None = None
    """The time that counts as now in all dialogues; none: one is drawn for each."""
    code: str = ""
    """Digest of the code that the module is made of: what was made with other code is made anew."""
    own_tasks: float = 0.25
    """Share of dialogues made from `tasks`; the others get tasks written for the database."""


SeedKind = Literal["sql", "tools", "mcp", "openapi", "dialogues", "domain"]
