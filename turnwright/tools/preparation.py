"""prepare-tools for one SQL seed: questions, tools written in one conversation, each verified, then toolsets."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import prompts
from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.databases import Database
from schemas.endpoints import SelfplayModel
from schemas.replies import Reply, SqlToolDraft
from schemas.rows import DataflowEdgeRow, LedgerRow, QuestionRow, SeedRow, ToolsetRow, ToolSpecRow
from schemas.tools import SqlTool
from schemas.vocabulary import Boundary, Outcome, Role
from turnwright.environments.base import SqlBase
from turnwright.environments.threads import run_blocking
from turnwright.models.errors import ContextOverflow, MalformedReply
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.roles.question_writer import drop_repeated, write_questions
from turnwright.roles.sql_tool_writer import ToolConversation
from turnwright.tools.coverage import list_missing
from turnwright.tools.dataflow import build_graph, list_edge_rows
from turnwright.tools.drafts import Judged, judge_draft
from turnwright.tools.entity_types import EntityTypes
from turnwright.tools.preparation_ledger import record_prepared
from turnwright.tools.shapes import Shape
from turnwright.tools.text_vectors import vectorise_text
from turnwright.tools.toolsets import build_toolsets, follow_reference
from turnwright.tools.topics import list_topics

BATCH = 6
"""Questions that one round of the tool writer is about."""
EXTRA_ROUNDS = 2
"""Rounds after the questions are used up, while fewer than `FEW` tools are accepted or none of them writes."""
FEW = 8
MOST_AT_ONCE = 8
"""Tools that one round asks for: a small model that has to write more loses the thread."""
MOST_DRAFTS = 24
"""Drafts of one reply that are looked at; a writer that does not stop is cut off here."""
_ASKED = 2
"""Most rounds that ask for the same shape: a writer that failed at it twice is not going to do better."""
_GUIDED = 0.75
"""Share of a round's tools that code says the shape of."""
_FEWEST_QUESTIONS = 20
"""Of fewer questions a second draw is made (UO: 20-30)."""


@dataclass(frozen=True)
class PreparedTools:
    """All rows that a seed gives in this stage."""

    questions: list[QuestionRow]
    tool_specs: list[ToolSpecRow]
    """Accepted and rejected ones, in the order in which they were written."""
    toolsets: list[ToolsetRow]
    ledger: list[LedgerRow]
    edges: list[DataflowEdgeRow] = field(default_factory=list[DataflowEdgeRow])


async def prepare_tools(seed_row: SeedRow, base: SqlBase, models: Models, config: RunConfig) -> PreparedTools:
    """Makes the questions, tools and toolsets of one SQL seed.

    What a role got wrong ends in a row or in the ledger. What is not its doing is raised:

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
        SourceError: the database could not be reached.
    """
    preparation = _Preparation(seed_row, base, models, config)
    await preparation.ask_questions()
    await preparation.write_tools()
    return preparation.finish()


@dataclass
class _Preparation:
    seed: SeedRow
    base: SqlBase
    models: Models
    config: RunConfig
    questions: list[QuestionRow] = field(default_factory=list[QuestionRow])
    specs: list[ToolSpecRow] = field(default_factory=list[ToolSpecRow])
    accepted: list[tuple[str, SqlTool]] = field(default_factory=list[tuple[str, SqlTool]])
    digests: dict[str, str] = field(default_factory=dict[str, str])
    """Statement digest -> name of accepted tools."""
    asked: dict[Shape, int] = field(default_factory=dict[Shape, int])
    """How often each shape was asked for."""
    ledger: list[LedgerRow] = field(default_factory=list[LedgerRow])

    def __post_init__(self) -> None:
        self.database = Database.model_validate_json(self.seed.content)
        self.types = EntityTypes(self.database, self.base)

    def record(
        self, unit: str, unit_id: str, outcome: Outcome, reasons: tuple[str, ...] = (), boundary: Boundary | None = None
    ) -> None:
        self.ledger.append(record_prepared(self.seed, unit, unit_id, outcome, reasons, boundary))

    def made(self, role: Role, keys: list[str]) -> dict[str, Any]:
        model = self.config.model_for(role)
        return {
            "role": role,
            "model": "selfplay" if isinstance(model, SelfplayModel) else model.name,
            "prompt_digest": prompts.prompt_digest(role),
            "seed": self.config.seed,
            "model_calls": keys,
        }

    async def ask_questions(self) -> None:
        """Draws questions, once more where the first draw gave too few, and records the set."""
        unit_id = content_id("questions", self.seed.id)
        wanted = self.config.tools.questions_per_domain
        texts: list[str] = []
        keys: list[str] = []
        problems: list[str] = []
        for draw in range(2):
            if len(texts) >= min(_FEWEST_QUESTIONS, wanted):
                break
            try:
                rng = random.Random(f"{self.config.seed}:{self.seed.id}:topics:{draw}")
                topics = list_topics(self.database, wanted, rng)
                drawn, replies = await write_questions(
                    self.models, self.database, topics, wanted, unit=self.seed.id, draw=draw
                )
            except (MalformedReply, ContextOverflow) as error:
                problems.append(_explain(error))
                continue
            texts = drop_repeated([*texts, *drawn])[:wanted]
            keys += [key for reply in replies for key in _keys(reply)]
        for position, text in enumerate(texts):
            self.questions.append(
                QuestionRow(
                    id=content_id("question", {"seed_id": self.seed.id, "text": text}),
                    seed_id=self.seed.id,
                    domain=self.seed.domain,
                    position=position,
                    text=text,
                    **self.made("question_writer", keys),
                )
            )
        if texts:
            self.record("question_set", unit_id, "accepted")
        elif problems:
            self.record("question_set", unit_id, "failed", tuple(problems), "endpoint")
        else:
            self.record("question_set", unit_id, "rejected", ("no_questions: No reply held a usable question.",))

    async def write_tools(self) -> None:
        """The conversation with the tool writer: a round for each batch of questions, then extra ones if need be."""
        settings = self.config.tools
        batches = [self.questions[start : start + BATCH] for start in range(0, len(self.questions), BATCH)]
        if not batches:
            return
        planned = max(len(batches), -(-settings.per_domain // MOST_AT_ONCE))
        share = -(-settings.per_domain // planned)
        conversation = ToolConversation(self.models, self.database, self.seed.id)
        feedback: dict[str, Any] | None = None
        for number in range(planned + EXTRA_ROUNDS):
            batch = batches[number % len(batches)]
            missing = settings.per_domain - len(self.accepted)
            extra = number >= planned
            if missing <= 0 or (extra and len(self.accepted) >= FEW and not self.lacks_writes()):
                break
            remaining = float(max(1, planned - number))
            wanted = min(share, missing)
            shapes = self.next_shapes(wanted, writes_first=extra and self.lacks_writes())
            try:
                drafts, reply = await conversation.write_tools(
                    [question.text for question in batch], shapes, wanted, feedback, remaining=remaining
                )
            except (MalformedReply, ContextOverflow) as error:
                self.record(
                    "tool", content_id("round", [self.seed.id, number]), "failed", (_explain(error),), "endpoint"
                )
                if isinstance(error, ContextOverflow):
                    break
                continue
            feedback = await self.judge(drafts[:MOST_DRAFTS], reply, batch, number)
            if _repeats(feedback):
                conversation.begin_afresh([tool.name for _, tool in self.accepted])
                feedback = None

    def lacks_writes(self) -> bool:
        """Whether no tool changes anything, although the database is there to be changed."""
        tools = [tool for _, tool in self.accepted]
        return all(tool.effect == "read" for tool in tools) and any(
            shape.writes for shape in list_missing(self.database, tools)
        )

    def next_shapes(self, wanted: int, *, writes_first: bool = False) -> list[Shape]:
        """Shapes to ask for in a round that wants so many tools: those that are missing, each at most twice.

        Some of the tools are left to the writer, who has the questions before it.
        """
        missing = list_missing(self.database, [tool for _, tool in self.accepted])
        if writes_first:
            missing.sort(key=lambda shape: not shape.writes)
        open_shapes = [shape for shape in missing if self.asked.get(shape, 0) < _ASKED]
        chosen = open_shapes[: max(1, round(wanted * _GUIDED))]
        for shape in chosen:
            self.asked[shape] = self.asked.get(shape, 0) + 1
        return chosen

    async def judge(
        self, drafts: list[SqlToolDraft], reply: StructuredReply[Reply], batch: list[QuestionRow], number: int
    ) -> dict[str, Any]:
        """Judges the drafts of one round and says what became of them, for the next round's `feedback`."""
        told: dict[str, Any] = {"accepted": [], "rejected": []}
        for position, draft in enumerate(drafts):
            if len(self.accepted) >= self.config.tools.per_domain:
                judged = Judged(
                    draft, draft.name, None, None, None, None, ("enough: The domain has all the tools it is to have.",)
                )
            else:
                rng = random.Random(f"{self.config.seed}:{self.seed.id}:{canonical_json(draft.model_dump())}")
                judged = await run_blocking(
                    judge_draft,
                    draft,
                    self.database,
                    self.base,
                    self.types,
                    self.config.tools,
                    rng,
                    accepted=self.digests,
                    beside=[tool for _, tool in self.accepted],
                )
            row = self.spec_row(judged, reply, batch, number, position)
            self.specs.append(row)
            if judged.tool is None:
                told["rejected"].append({"name": draft.name, "reason": "; ".join(judged.reasons)})
                self.record("tool", row.id, "rejected", judged.reasons)
            else:
                told["accepted"].append(judged.name)
                self.accepted.append((row.id, judged.tool))
                self.digests[judged.statement_digest or row.id] = judged.name
                self.record("tool", row.id, "accepted")
        return told

    def spec_row(
        self, judged: Judged, reply: StructuredReply[Reply], batch: list[QuestionRow], number: int, position: int
    ) -> ToolSpecRow:
        draft = judged.draft.model_dump()
        return ToolSpecRow(
            id=content_id("tool", {"seed_id": self.seed.id, "round": number, "position": position, **draft}),
            seed_id=self.seed.id,
            question_ids=[question.id for question in batch],
            domain=self.seed.domain,
            name=judged.name,
            description=judged.tool.description if judged.tool else judged.draft.description,
            sql=judged.draft.sql,
            effect=judged.tool.effect if judged.tool else None,
            statement_digest=judged.statement_digest,
            tool=canonical_json(judged.tool.model_dump(mode="json") if judged.tool else None),
            example_arguments=canonical_json(judged.arguments),
            example_result=canonical_json(judged.result),
            accepted=judged.tool is not None,
            reasons=list(judged.reasons),
            **self.made("sql_tool_writer", _keys(reply)),
        )

    def finish(self) -> PreparedTools:
        toolsets = build_toolsets(self.seed, self.database, self.accepted, self.config.tools)
        for toolset in toolsets:
            self.record("toolset", toolset.id, "accepted")
        if not toolsets:
            self.record(
                "toolset", content_id("toolset", self.seed.id), "rejected", ("no_tools: No tool was accepted.",)
            )
        return PreparedTools(self.questions, self.specs, toolsets, self.ledger, self.list_edges())

    def list_edges(self) -> list[DataflowEdgeRow]:
        graph = build_graph(
            [tool for _, tool in self.accepted],
            vectorise_text,
            follow=lambda table, column: follow_reference(self.database, table, column),
        )
        return list_edge_rows(self.seed, graph, [identifier for identifier, _ in self.accepted])


def _keys(reply: StructuredReply[Reply]) -> list[str]:
    return [part.key for part in reply.replies]


def _repeats(feedback: Mapping[str, Any]) -> bool:
    """Whether a round brought nothing but, for the most part, tools that are there already."""
    rejected: list[dict[str, str]] = feedback["rejected"]
    repeated = sum(each["reason"].startswith("duplicate") for each in rejected)
    return not feedback["accepted"] and 2 * repeated > len(rejected)


def _explain(error: MalformedReply | ContextOverflow) -> str:
    code = "malformed_reply" if isinstance(error, MalformedReply) else "context_overflow"
    return f"{code}: {' '.join(str(error).split())}"
