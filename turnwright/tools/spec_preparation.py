"""prepare-tools for one seed of tool specifications: checked, completed and described tools, then toolsets.

Steps (UO, questions to output schemas; TC, enrich and sample): the given tools are checked; questions are asked over
them; tools are written for the questions that they answer least, and complementary ones beside them; every tool without
an output schema is given one, in one conversation per group; toolsets are drawn from the dataflow graph.

A domain can start anywhere on this way. Given questions are kept and none are asked; a given tool with an output schema
keeps it; `tools.synthesise` with `asked_questions: 0` and `expansion: 0` writes no tools. given_tools.py makes a
seed of a tool_specs table, so that its tools can be completed; a toolsets table needs none of this.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import prompts
from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.endpoints import SelfplayModel
from schemas.replies import Reply, SpecDraft
from schemas.rows import DataflowEdgeRow, LedgerRow, QuestionRow, SeedRow, ToolSpecRow
from schemas.seeds import ToolSeed
from schemas.vocabulary import Boundary, Outcome, Role
from turnwright.environments.threads import run_blocking
from turnwright.models.errors import ContextOverflow, MalformedReply
from turnwright.models.models import Models
from turnwright.models.reply import StructuredReply
from turnwright.roles.question_writer import drop_repeated, write_tool_questions
from turnwright.roles.tool_expander import ToolExpansion
from turnwright.roles.tool_writer import ToolWriting
from turnwright.tools.dataflow import DataflowGraph, build_graph, list_edge_rows
from turnwright.tools.output_writing import explain_error, list_keys, write_outputs
from turnwright.tools.preparation import PreparedTools
from turnwright.tools.preparation_ledger import record_prepared
from turnwright.tools.question_coverage import rank_uncovered
from turnwright.tools.spec_judging import MENDABLE, Candidate, Domain
from turnwright.tools.spec_toolsets import build_toolset_rows, draw_toolsets
from turnwright.tools.text_vectors import Vectoriser, vectorise_text
from turnwright.tools.tool_topics import list_tool_topics

MOST_DRAFTS = 8
"""Tools that one question may ask for."""
_FEWEST_QUESTIONS = 20
"""Of fewer questions a second draw is made (UO: 20-30)."""


async def prepare_spec_tools(
    seed_row: SeedRow,
    models: Models,
    config: RunConfig,
    *,
    questions: Sequence[QuestionRow] | None = None,
    vectoriser: Vectoriser = vectorise_text,
) -> PreparedTools:
    """Makes the questions, tools, toolsets and dataflow edges of one seed of kind `tools`, `mcp` or `openapi`.

    What a source or a role got wrong ends in a row or in the ledger. What is not its doing is raised:

    Args:
        seed_row: its content is a ToolSeed.
        models: the way to the models.
        config: `tools` and `seed` are read.
        questions: of this seed, where there are some already.
        vectoriser: compares texts of tools.

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
    """
    preparation = _Preparation(seed_row, models, config, vectoriser)
    await run_blocking(preparation.check_given)
    if questions is not None:
        preparation.questions = list(questions)
    elif preparation.domain.accepted:
        await preparation.ask_questions()
    await preparation.write_tools()
    await preparation.expand_tools()
    await write_outputs(seed_row.id, preparation.service, preparation.domain, models, config)
    return await run_blocking(preparation.finish)


@dataclass
class _Preparation:
    seed: SeedRow
    models: Models
    config: RunConfig
    vectoriser: Vectoriser
    questions: list[QuestionRow] = field(default_factory=list[QuestionRow])
    ledger: list[LedgerRow] = field(default_factory=list[LedgerRow])

    def __post_init__(self) -> None:
        self.content = ToolSeed.model_validate_json(self.seed.content)
        self.settings = self.config.tools.synthesise
        self.domain = Domain(self.config, self.vectoriser)
        self.service = {"name": self.content.name, "description": self.content.description[:1000]}

    def check_given(self) -> None:
        self.domain.take_given(self.content.tools)

    async def ask_questions(self) -> None:
        """Draws questions, once more where the first draw gave too few, and records the set."""
        unit_id = content_id("questions", self.seed.id)
        wanted = self.config.tools.questions_per_domain
        tools = self.domain.tools
        graph = await run_blocking(self.build_graph)
        texts: list[str] = []
        keys: list[str] = []
        problems: list[str] = []
        for draw in range(2):
            if len(texts) >= min(_FEWEST_QUESTIONS, wanted):
                break
            rng = random.Random(f"{self.config.seed}:{self.seed.id}:topics:{draw}")
            topics = list_tool_topics(tools, graph, wanted, rng)
            try:
                drawn, replies = await write_tool_questions(
                    self.models, self.service, tools, topics, wanted, unit=self.seed.id, draw=draw
                )
            except (MalformedReply, ContextOverflow) as error:
                problems.append(explain_error(error))
                continue
            texts = drop_repeated([*texts, *drawn])[:wanted]
            keys += [key for reply in replies for key in list_keys(reply)]
        self.questions = [
            QuestionRow(
                id=content_id("question", {"seed_id": self.seed.id, "text": text}),
                seed_id=self.seed.id,
                domain=self.seed.domain,
                position=position,
                text=text,
                **self.made("question_writer", keys),
            )
            for position, text in enumerate(texts)
        ]
        if texts:
            self.record("question_set", unit_id, "accepted")
        elif problems:
            self.record("question_set", unit_id, "failed", problems, "endpoint")
        else:
            self.record("question_set", unit_id, "rejected", ["no_questions: No reply held a usable question."])

    async def write_tools(self) -> None:
        """Asks for the tools of the questions that are answered least, one question at a time."""
        for asked in range(self.settings.asked_questions):
            missing = self.settings.written - self.count_written("tool_writer")
            question = await self.next_question(asked)
            if missing <= 0 or question is None:
                return
            conversation = ToolWriting(self.models, self.seed.id)
            origin = {"question": question.id}
            wanted = min(MOST_DRAFTS, missing)
            remaining = float(self.settings.asked_questions - asked + 1)
            try:
                drafts, reply = await conversation.write_tools(
                    self.service,
                    self.domain.tools,
                    self.domain.canon.list_types(),
                    question.text,
                    wanted,
                    remaining=remaining,
                )
                await self.judge(conversation, "tool_writer", drafts, reply, [question.id], origin, remaining)
            except (MalformedReply, ContextOverflow) as error:
                unit_id = content_id("round", [self.seed.id, "tool_writer", question.id])
                self.record("tool", unit_id, "failed", [explain_error(error)], "endpoint")

    async def next_question(self, asked: int) -> QuestionRow | None:
        """The question that the tools answer least, of those that were not asked about."""
        if asked == 0:
            self.open_questions = list(self.questions)
        if not self.open_questions or not self.domain.tools:
            return None
        texts = [question.text for question in self.open_questions]
        ranked = await run_blocking(rank_uncovered, texts, self.domain.tools, self.vectoriser)
        return self.open_questions.pop(ranked[0])

    async def expand_tools(self) -> None:
        """Asks once for complementary tools; none is an answer."""
        if not self.settings.expansion or not self.domain.tools:
            return
        conversation = ToolExpansion(self.models, self.seed.id)
        try:
            drafts, reply = await conversation.expand_tools(
                self.service,
                self.domain.tools,
                self.domain.canon.list_types(),
                self.settings.expansion,
                remaining=2.0,
            )
            await self.judge(conversation, "tool_expander", drafts, reply, [], {"expansion": True}, 1.0)
        except (MalformedReply, ContextOverflow) as error:
            unit_id = content_id("round", [self.seed.id, "tool_expander"])
            self.record("tool", unit_id, "failed", [explain_error(error)], "endpoint")

    async def judge(
        self,
        conversation: ToolWriting | ToolExpansion,
        role: Role,
        drafts: Sequence[SpecDraft],
        reply: StructuredReply[Reply],
        question_ids: list[str],
        origin: dict[str, Any],
        remaining: float,
    ) -> None:
        """Judges drafts; what can be mended is asked for once more, with the fault named."""
        made = await run_blocking(self.domain.take_drafts, drafts, role, list_keys(reply), question_ids, origin)
        problems = [
            {"name": candidate.name, "reason": "; ".join(candidate.reasons)}
            for candidate in made
            if any(reason.split(":", 1)[0] in MENDABLE for reason in candidate.reasons)
        ]
        if problems:
            mended, again = await conversation.mend_tools(problems, remaining=remaining)
            keys = [*list_keys(reply), *list_keys(again)]
            await run_blocking(self.domain.take_drafts, mended, role, keys, question_ids, {**origin, "mended": True})

    def count_written(self, role: Role) -> int:
        return sum(candidate.role == role for candidate in self.domain.accepted)

    def build_graph(self) -> DataflowGraph:
        return build_graph(self.domain.tools, self.vectoriser, least_weight=self.settings.edge_weight)

    def reject_unchained(self) -> None:
        """Rejects written tools that stand alone, until none is left that does."""
        while self.settings.chained:
            graph = self.build_graph()
            alone = [
                candidate
                for candidate, near in zip(self.domain.accepted, graph.neighbours, strict=True)
                if candidate.role is not None and not near
            ]
            if not alone:
                return
            for candidate in alone:
                candidate.reject(["unchained: No other tool gives what it asks for, or asks for what it gives."])

    def finish(self) -> PreparedTools:
        self.reject_unchained()
        rows = [self.build_row(candidate) for candidate in self.domain.candidates]
        for row in rows:
            self.record("tool", row.id, "accepted" if row.accepted else "rejected", row.reasons)
        ids = [row.id for row in rows if row.accepted]
        tools = self.domain.tools
        graph = self.build_graph()
        rng = random.Random(f"{self.config.seed}:{self.seed.id}:toolsets")
        sets = draw_toolsets(graph, tools, self.config.tools, rng)
        toolsets = build_toolset_rows(self.seed, sets, list(zip(ids, tools, strict=True)))
        for toolset in toolsets:
            self.record("toolset", toolset.id, "accepted")
        if not toolsets:
            self.record("toolset", content_id("toolset", self.seed.id), "rejected", ["no_tools: No tool was accepted."])
        edges: list[DataflowEdgeRow] = list_edge_rows(self.seed, graph, ids)
        return PreparedTools(self.questions, rows, toolsets, self.ledger, edges)

    def build_row(self, candidate: Candidate) -> ToolSpecRow:
        """The row of a candidate. A given tool whose result was written rests on the schema writer."""
        role = candidate.role or ("schema_writer" if candidate.keys else None)
        tool = candidate.tool if candidate.accepted else None
        return ToolSpecRow(
            id=content_id("tool", {"seed_id": self.seed.id, **candidate.origin}),
            seed_id=self.seed.id,
            question_ids=candidate.question_ids,
            domain=self.seed.domain,
            name=candidate.name,
            description=candidate.description,
            sql="",
            effect=tool.effect if tool else None,
            statement_digest=None,
            tool=canonical_json(tool.model_dump(mode="json") if tool else None),
            example_arguments=canonical_json(None),
            example_result=canonical_json(None),
            accepted=tool is not None,
            reasons=candidate.reasons,
            **self.made(role, candidate.keys),
        )

    def made(self, role: Role | None, keys: list[str]) -> dict[str, Any]:
        model = self.config.model_for(role) if role else None
        return {
            "role": role,
            "model": None if model is None else "selfplay" if isinstance(model, SelfplayModel) else model.name,
            "prompt_digest": prompts.prompt_digest(role) if role else None,
            "seed": self.config.seed,
            "model_calls": keys,
        }

    def record(
        self, unit: str, unit_id: str, outcome: Outcome, reasons: Sequence[str] = (), boundary: Boundary | None = None
    ) -> None:
        self.ledger.append(record_prepared(self.seed, unit, unit_id, outcome, reasons, boundary))
