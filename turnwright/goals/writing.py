"""Dialogue tasks: for each slot a plan that is drawn, proved, put into words and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

import prompts
from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.goals import Beginning, Objective, Persona, PlannedCall
from schemas.replies import TaskDraft, TaskDrafts
from schemas.rows import DialogueTaskRow, LedgerRow, SeedRow, ToolsetRow
from schemas.tools import Tool
from turnwright.environments.base import Base
from turnwright.environments.threads import run_blocking
from turnwright.goals.behaviours.refused import find_blocked
from turnwright.goals.behaviours.rubrics import state_behaviour
from turnwright.goals.drafts import Draft, DraftCall
from turnwright.goals.personas import draw_persona
from turnwright.goals.planning import Service, plan_goal, read_service
from turnwright.goals.plans import PlanRejected
from turnwright.goals.proof import Proof
from turnwright.goals.slots import Slot
from turnwright.goals.wording import build_rubric, check_wording
from turnwright.models.errors import ContextOverflow, MalformedReply
from turnwright.models.models import Models
from turnwright.models.reply import ModelReply
from turnwright.roles.task_writer import ask_for_tasks, ask_to_mend, write_tasks
from turnwright.tools.toolsets import read_tools

_REASON = 500
"""Longest reason that the ledger keeps, in characters."""


@dataclass(frozen=True)
class WrittenTask:
    """What became of one slot."""

    row: DialogueTaskRow | None
    rejected: tuple[tuple[str, ...], ...]
    """For each draw that came to nothing its reasons, as `code: explanation`."""
    ledger: LedgerRow


@dataclass(frozen=True)
class _Words:
    drafts: TaskDrafts
    replies: tuple[ModelReply, ...]


async def write_dialogue_task(
    slot: Slot,
    toolset: ToolsetRow,
    seed: SeedRow,
    base: Base | None,
    models: Models,
    config: RunConfig,
    beginning: Beginning | None = None,
) -> WrittenTask:
    """The dialogue task of a slot, in up to `config.limits.task_draws` draws; `beginning` is what was said before it.

    `base` is the state that the seed describes, an SqlBase for databases; none where the tools are specifications.
    Infrastructure errors of the models go through; the stage deals with them. A malformed reply costs a draw.
    """
    tools, service = read_tools(toolset), read_service(seed)
    persona = draw_persona(slot.seed)
    rejected: list[tuple[str, ...]] = []
    row: DialogueTaskRow | None = None
    for draw in range(config.limits.task_draws):
        try:
            draft, proof = await run_blocking(plan_goal, slot, seed, tools, base, draw)
        except PlanRejected as rejection:
            rejected.append((rejection.reason,))
            continue
        if draft.person is not None:
            persona = persona.model_copy(update={"name": draft.person})
        try:
            words = await _put_into_words(slot, draft, persona, tools, service, models, draw)
        except (MalformedReply, ContextOverflow) as error:
            code = "malformed_reply" if isinstance(error, MalformedReply) else "context_overflow"
            rejected.append((f"{code}: {error}",))
            continue
        if isinstance(words, _Words):
            row = _build_row(slot, toolset, draft, proof, persona, words, config, beginning)
            break
        rejected.append(words)
    return WrittenTask(row, tuple(rejected), _record(slot, toolset, row, rejected))


async def _put_into_words(
    slot: Slot,
    draft: Draft[Tool],
    persona: Persona,
    tools: Sequence[Tool],
    service: Service,
    models: Models,
    draw: int,
) -> _Words | tuple[str, ...]:
    """Words that hold, after one request to mend them at most, or what is wrong with them."""
    unit = slot.id
    query = slot.paradigm == "task_oriented"
    given = [objective.description for objective in draft.objectives]
    if not query and all(given):
        return _Words(TaskDrafts(tasks=[TaskDraft(description=text or "", rubric=[""]) for text in given]), ())
    request = ask_for_tasks(draft, persona, service, query=query)
    reply = await write_tasks(models, request, draw=draw, unit=unit, remaining=1.0)
    grave, slight = check_wording(reply.value, draft, persona, tools, query=query)
    if not grave and not slight:
        return _Words(reply.value, reply.replies)
    again = ask_to_mend(request, reply.value, [*grave, *slight])
    mended = await write_tasks(models, again, draw=draw, unit=unit, remaining=1.0)
    grave, _ = check_wording(mended.value, draft, persona, tools, query=query)
    if grave:
        return tuple(f"wording: {problem}" for problem in grave)
    return _Words(mended.value, (*reply.replies, *mended.replies))


def _build_row(
    slot: Slot,
    toolset: ToolsetRow,
    draft: Draft[Tool],
    proof: Proof,
    persona: Persona,
    words: _Words,
    config: RunConfig,
    beginning: Beginning | None,
) -> DialogueTaskRow:
    simulated = slot.paradigm != "user_oriented_executed"
    objectives = build_objectives(draft, proof, words.drafts, simulated=simulated)
    content: dict[str, Any] = {
        "toolset_id": toolset.id,
        "seed_id": toolset.seed_id,
        "domain": toolset.domain,
        "paradigm": slot.paradigm,
        "slot": slot.number,
        "difficulty": draft.difficulty,
        "behaviour": draft.behaviour.name if draft.behaviour else "none",
        "behaviour_plan": canonical_json(draft.behaviour.model_dump() if draft.behaviour else None),
        "persona": canonical_json(persona.model_dump()),
        "objectives": canonical_json([objective.model_dump() for objective in objectives]),
        "task_count": len(objectives),
        "planned_calls": sum(len(objective.calls) for objective in objectives),
        "reference_time": draft.reference_time,
        "start_digest": proof.start_digest,
        "goal_digest": proof.goal_digest,
        "goal_changes": canonical_json([change.model_dump() for change in proof.goal_changes]),
        "role": "task_writer" if words.replies else None,
        "model": words.replies[-1].model if words.replies else None,
        "prompt_digest": prompts.prompt_digest("task_writer") if words.replies else None,
        "seed": config.seed,
        "model_calls": [reply.key for reply in words.replies],
    }
    if slot.arm:
        content["arm"] = slot.arm
    if beginning is not None:
        # Not in canonical form: the order of a given message's fields is part of what is kept.
        content["beginning"] = orjson.dumps(beginning.model_dump()).decode()
    return DialogueTaskRow(id=content_id("task", content), **content)


def build_objectives(
    draft: Draft[Tool], proof: Proof, drafts: TaskDrafts, *, simulated: bool = False
) -> list[Objective]:
    """The objectives of a plan with their words, in order; one that a behaviour blocks has no calls or facts.

    Look-ups that a blocked objective shares with a later one stand in that one, the first that needs them.
    """
    objectives: list[Objective] = []
    blocked = find_blocked(draft.behaviour)
    heir, shared = _find_shared(draft, blocked)
    for number, (planned, task) in enumerate(zip(draft.objectives, drafts.tasks, strict=True)):
        behaviour = draft.behaviour if draft.behaviour is not None and draft.behaviour.objective == number else None
        reachable = number != blocked
        calls = [
            PlannedCall(
                id=call.id,
                tool=call.tool.name,
                arguments=call.arguments,
                sources=call.sources,
                result=proof.results[call.id],
                lookup=call.lookup,
            )
            for call in ((*(shared if number == heir else ()), *planned.calls) if reachable else ())
        ]
        rubric = tuple(state_behaviour(behaviour))
        if reachable:
            before = draft.objectives[:number]
            rubric = build_rubric(task.rubric, planned, behaviour, earlier=before, simulated=simulated)
        objectives.append(
            Objective(
                description=" ".join(task.description.split()),
                relation=planned.relation,
                known_details=planned.known,
                rubric=rubric,
                calls=tuple(calls),
                facts=planned.facts if reachable else (),
            )
        )
    return objectives


def _find_shared(draft: Draft[Tool], blocked: int | None) -> tuple[int | None, list[DraftCall[Tool]]]:
    """The first objective that stands on calls of the blocked one before it, and those of its calls that any needs."""
    if blocked is None:
        return None, []
    after = range(blocked + 1, len(draft.objectives))
    used = {
        number: {one.call for call in draft.objectives[number].calls for one in call.sources.values()}
        for number in after
    }
    needed: set[str | None] = set[str | None]().union(*used.values())
    shared: list[DraftCall[Tool]] = []
    for call in reversed(draft.objectives[blocked].calls):
        if call.id in needed:
            shared.insert(0, call)
            needed |= {source.call for source in call.sources.values()}
    names = {call.id for call in shared}
    return next((number for number in after if used[number] & names), None), shared


def _record(
    slot: Slot, toolset: ToolsetRow, row: DialogueTaskRow | None, rejected: Sequence[tuple[str, ...]]
) -> LedgerRow:
    return LedgerRow(
        id=content_id("ledger", ["write-dialogue-tasks", "dialogue_task", slot.id]),
        stage="write-dialogue-tasks",
        unit="dialogue_task",
        unit_id=slot.id,
        outcome="rejected" if row is None else "accepted",
        reasons=[]
        if row is not None
        else list(dict.fromkeys(reason[:_REASON] for reasons in rejected for reason in reasons)),
        boundary=None,
        domain=toolset.domain,
        difficulty=slot.difficulty if row is None else row.difficulty,
        behaviour=slot.behaviour,
    )
