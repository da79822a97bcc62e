"""The rows of every table, one class a table. A row is frozen and closed, its id is a content hash.

Columns of type JsonText hold JSON as text (see schemas/content.py); everything else is a scalar or a list of strings.
No row holds a time of day or a duration, and the only path is a seed's locator, as the config gives it: the same inputs
give the same bytes.
"""

from typing import Annotated

from pydantic import Field

from schemas.closed import Closed
from schemas.content import JsonText
from schemas.seeds import SeedKind
from schemas.vocabulary import Boundary, Difficulty, Effect, Ending, Judgment, Match, Outcome, Paradigm, Sampler, Stage

Text = Annotated[str, Field(min_length=1)]


class Row(Closed):
    """What every row has."""

    id: Text
    """Content hash with the table's prefix."""


class Made(Row):
    """A row that came out of a role."""

    role: str | None
    """Role that wrote it; none if code did."""
    model: str | None
    """Model that played the role; `selfplay` for the embedded endpoint."""
    prompt_digest: str | None
    """Digest of the role's prompt files."""
    seed: int
    """Seed of the draw that made it."""
    model_calls: list[str]
    """Keys of the journal entries that it rests on."""


class SeedRow(Row):
    """Where data starts: one source as it was found."""

    kind: SeedKind
    domain: Text
    """Name of the domain, unique within a run."""
    source: int
    """Position of the source in the config."""
    locator: Text
    """The source without its secrets, for people."""
    base_digest: Text
    """Digest of the source's whole content; names the stored copy where there is one."""
    dialect: str
    """Of SQL, as sqlglot names it; empty where there is none."""
    content: JsonText
    """By kind: a schemas.databases.Database, or one of the classes of schemas.seeds."""


class QuestionRow(Made):
    """Something that a person might want from a domain."""

    seed_id: Text
    domain: Text
    position: int
    text: Text


class ToolSpecRow(Made):
    """A tool as written, and whether it holds."""

    seed_id: Text
    question_ids: list[str]
    domain: Text
    name: str
    description: str
    sql: str
    """As the role wrote it; `tool` has the statement that runs. Empty for tools that are no SQL."""
    effect: Effect | None
    statement_digest: str | None
    """Digest of the normalised syntax tree; two tools with the same one are duplicates."""
    tool: JsonText
    """A schemas.tools.AnyTool, or `null` where it was rejected."""
    example_arguments: JsonText
    example_result: JsonText
    accepted: bool
    reasons: list[str]
    """Why it was rejected, as `code: explanation`."""


class ToolsetRow(Row):
    """The tools offered together in one dialogue."""

    seed_id: Text
    domain: Text
    tool_ids: list[str]
    """Ids of tool_specs rows, in the order of `tools`."""
    tools: JsonText
    """A list of schemas.tools.AnyTool."""
    sampler: Sampler | None = None
    """How it was drawn from the dataflow graph; none where code covered the domain's tools."""
    openings: list[int] = []
    """Positions of the seed's conversations that go on with these tools; only of seeds of kind `dialogues`."""


class DataflowEdgeRow(Row):
    """An output field of one tool that can fill a parameter of another."""

    seed_id: Text
    domain: Text
    source_id: Text
    """Id of the tool_specs row whose result has the field."""
    target_id: Text
    """Id of the tool_specs row that asks for the parameter."""
    source: Text
    """Name of the tool."""
    target: Text
    """Name of the tool."""
    field: Text
    """Field of a result, or of each of its items."""
    parameter: Text
    required: bool
    """Whether the target cannot be called without the parameter."""
    weight: float
    """From 0 to 1; 1 for a database's own keys."""


class DialogueTaskRow(Made):
    """The latent goal of one dialogue, with the proof that it can be met."""

    toolset_id: Text
    seed_id: Text
    domain: Text
    paradigm: Paradigm
    slot: int
    """Number of the dialogue in the run, from 0."""
    difficulty: Difficulty
    behaviour: str
    """`none`, or what is to happen in the dialogue."""
    behaviour_plan: JsonText
    """A schemas.goals.BehaviourPlan, or `null`."""
    persona: JsonText
    """A schemas.goals.Persona."""
    objectives: JsonText
    """A list of schemas.goals.Objective."""
    task_count: int
    planned_calls: int
    reference_time: Text
    """ISO 8601 time that counts as now in the dialogue."""
    start_digest: Text
    """State before the plan."""
    goal_digest: Text
    """State after it; equal to start_digest for plans that only read."""
    goal_changes: JsonText
    """A list of schemas.goals.RowChange: what the plan changes."""
    beginning: JsonText = "null"
    """A schemas.goals.Beginning: the messages that the dialogue starts from, or `null` for an empty slate."""
    scenario: JsonText = "null"
    """A schemas.stateless.Scenario, or `null` where the goal is planned before the dialogue."""
    arm: str = ""
    """With `twins`, the arm of the comparison; the three dialogues of a set have the same toolset."""


class DialogueRow(Made):
    """One trajectory."""

    dialogue_task_id: Text
    toolset_id: Text
    seed_id: Text
    domain: Text
    paradigm: Paradigm
    slot: int
    trial: int
    difficulty: Difficulty
    behaviour: str
    behaviour_occurred: bool
    """Seen by code; false where none was planned."""
    messages: JsonText
    """A list of schemas.messages.Message, system message first."""
    calls: JsonText
    """A list of schemas.messages.CallRecord, in the order of execution."""
    ending: Ending
    detail: str
    """What happened, where the ending is not task_complete; otherwise empty."""
    turns: int
    """User, assistant and tool messages (UO appendix B)."""
    requests: int
    """User messages."""
    steps: int
    """Tool-use iterations, over all requests."""
    task_count: int
    final_digest: Text
    """State of the environment at the end."""
    changes: JsonText
    """A list of schemas.goals.RowChange: the state against the base."""
    prompt_tokens: int
    completion_tokens: int
    repairs: int
    """Malformed replies that a repair call mended."""
    early_completions: list[int] = []
    """Indexes of the user messages that declared the task complete too early; the dialogue went on."""
    facts: JsonText = "[]"
    """A list of schemas.simulation.LedgerFact: what was true at the end, where tools were simulated."""
    notices: JsonText = "[]"
    """A list of schemas.simulation.LedgerNotice: contradictions of the tool simulator, and what became of them."""
    removed_tools: list[str] = []
    """Names of the toolset's tools that were not offered in this dialogue (removed_tool)."""
    repaired_from: str | None = None
    """The dialogue whose beginning this one has; then `model_calls` and tokens are those of the rest alone."""
    repaired_at: int | None = None
    """Index of the first message that was made again; all before it are those of `repaired_from`, byte for byte."""
    repaired_because: str = ""
    """What was wrong there, as `fault: layer.code: explanation`."""
    repair_try: int = 0
    """Which try of the repair it is, from 1; 0 where it is none."""
    given_messages: int = 0
    """How many of `messages`, from the first, were given and are not this dialogue's own."""
    generation: JsonText = "null"
    """A schemas.stateless.Generation: plans, hidden calls, requests and rejected candidates; `null` for others."""
    arm: str = ""
    """With `twins`, the arm of the comparison."""


class VerdictRow(Made):
    """Whether a dialogue is kept, and why."""

    dialogue_id: Text
    dialogue_task_id: Text
    domain: Text
    difficulty: Difficulty
    behaviour: str
    judgment: Judgment
    reasons: list[str]
    """Why it is not valid, as `layer.code: explanation`; empty for valid ones."""
    findings: JsonText
    """A list of schemas.findings.Finding, of all layers, harmless ones too."""
    replay: Match
    """The recorded calls on a fresh copy: same results and same final state."""
    outcome: Match
    """State difference and facts against the proved plan."""
    judge: Judgment
    """The rubric judge alone; `unscored` where it was not asked or could not be read."""
    bullets: JsonText
    """A list of schemas.findings.BulletVerdict."""
    votes: list[str]
    reasoning: str
    disagreement: bool
    """Outcome and judge contradict each other."""
    first_faulty_message: int | None
    fault: str | None
    """user_simulator, assistant, environment, endpoint or task."""
    fault_reason: str = ""
    """The finding behind the first fault, as `layer.code: explanation`."""


class DatasetRow(Row):
    """One dialogue that is handed to a trainer."""

    dialogue_id: Text
    verdict_id: Text
    domain: Text
    paradigm: Paradigm
    difficulty: Difficulty
    behaviour: str
    split: Text
    """`train` or `validation`."""
    messages: JsonText
    tools: JsonText
    """A list of OpenAI function specs."""
    turns: int
    task_count: int
    calls: int
    model: str
    """Model that played the assistant."""
    given_messages: int = 0
    """How many of `messages`, from the first, began elsewhere: context to a trainer, nothing to learn from."""


class LedgerRow(Row):
    """What became of one planned unit of work."""

    stage: Stage
    unit: Text
    """One of `seed`, `question_set`, `tool`, `toolset`, `dialogue_task`, `dialogue`, `verdict`, `repair`, `example`."""
    unit_id: Text
    outcome: Outcome
    reasons: list[str]
    boundary: Boundary | None
    """Where it stopped, for failed and not_attempted."""
    domain: str
    difficulty: str
    behaviour: str


class TableRef(Closed):
    """A table file, by content."""

    table: str
    path: str
    """Absolute path or URL of the Parquet file."""
    sha256: str
    rows: int
    schema_fingerprint: str
