"""The verdict on one dialogue: rules, replay and outcome by code, and the rubric judge for what these leave open."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import prompts
from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.findings import Finding
from schemas.rows import DialogueRow, DialogueTaskRow, ToolsetRow, VerdictRow
from schemas.vocabulary import SIMULATED, STATELESS, Judgment, Match
from turnwright.environments.base import Base
from turnwright.environments.threads import run_blocking
from turnwright.models.errors import ContextOverflow, MalformedReply
from turnwright.models.models import Models
from turnwright.roles import judge
from turnwright.rollout.tool_calls import offer_tools
from turnwright.validation.attribution import attribute_fault
from turnwright.validation.grounding.check import check_grounding
from turnwright.validation.ledger import check_ledger
from turnwright.validation.outcome import Outcome, compare_outcome
from turnwright.validation.reactions import check_reactions
from turnwright.validation.replay import Replay, replay_calls
from turnwright.validation.rules import check_rules
from turnwright.validation.settled import decide_bullets, settle_bullets, write_decided
from turnwright.validation.simulated_outcome import compare_simulated
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.user_conduct import check_user_conduct
from turnwright.validation.voting import Vote, count_votes, decisive_vote, join_bullets, weigh_reply


@dataclass(frozen=True)
class _Opinion:
    """What the judge makes of a dialogue, over all votes."""

    judgment: Judgment
    votes: tuple[Vote, ...]
    keys: tuple[str, ...]


async def validate_dialogue(
    dialogue: DialogueRow,
    task: DialogueTaskRow,
    toolset: ToolsetRow,
    base: Base | None,
    models: Models,
    config: RunConfig,
) -> VerdictRow:
    """Whether a dialogue is kept. Dialogues with simulated tools need no `base`: there is nothing to run again.

    Invalid: code found something that blocks (a rule, the replay, the outcome, a reaction), or the judge did. Unscored:
    code found nothing, and the judge could not be read. Where code has found what makes the dialogue invalid the judge
    is not asked; elsewhere it is asked for the bullets that code has not decided.

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
        SourceError: the environment's database could not be reached.
    """
    trajectory = Trajectory(dialogue, task, offer_tools(toolset, task))
    rules = _check_readable(trajectory)
    replay, outcome = Replay("unavailable", ()), Outcome("unavailable", ())
    findings, settled, decided = list(rules), dict[str, Match](), dict[str, Match]()
    if not rules:
        rules = check_rules(trajectory)
        if dialogue.paradigm in SIMULATED:
            outcome = compare_simulated(trajectory)
        elif dialogue.paradigm in STATELESS:
            assert base is not None, f"{dialogue.paradigm} needs a base"
            # The plan was made without the database, so there is no state that it should lead to: the calls count.
            replay, outcome = await run_blocking(replay_calls, trajectory, base), compare_simulated(trajectory)
        else:
            assert base is not None, f"{dialogue.paradigm} needs a base"
            replay, outcome = await run_blocking(replay_calls, trajectory, base), compare_outcome(trajectory)
        findings = [*rules, *check_grounding(trajectory), *replay.findings, *outcome.findings]
        findings += [*check_ledger(trajectory), *check_reactions(trajectory), *check_user_conduct(trajectory)]
        # What was given is not this dialogue's doing: whatever may be said against it is left unsaid.
        findings = _leave_out_given(findings, dialogue)
        settled = settle_bullets(trajectory)
        decided = decide_bullets(trajectory, outcome, settled)
    asked = not any(finding.blocks for finding in findings)
    opinion = await _ask_judge(trajectory, decided, models, config) if asked else _Opinion("unscored", (), ())
    vote = decisive_vote(opinion.votes, opinion.judgment)
    if opinion.judgment == "invalid" and vote is not None:
        findings += _judge_findings(vote)
    bullets = (*(join_bullets(opinion.votes, vote, settled) if vote is not None else ()), *write_decided(decided))
    blocking = [finding for finding in findings if finding.blocks]
    judgment: Judgment = "invalid" if blocking else opinion.judgment
    culprit = attribute_fault(trajectory, findings)
    columns: dict[str, Any] = {
        "role": "judge" if asked else None,
        "model": models.name_of("judge") if asked else None,
        "prompt_digest": prompts.prompt_digest("judge") if asked else None,
        "seed": config.seed,
        "model_calls": list(opinion.keys),
        "dialogue_id": dialogue.id,
        "dialogue_task_id": task.id,
        "domain": dialogue.domain,
        "difficulty": dialogue.difficulty,
        "behaviour": dialogue.behaviour,
        "judgment": judgment,
        "reasons": _reasons(judgment, blocking, vote),
        "findings": canonical_json([finding.model_dump(mode="json") for finding in findings]),
        "replay": replay.match,
        "outcome": outcome.match,
        "judge": opinion.judgment,
        "bullets": canonical_json([bullet.model_dump(mode="json") for bullet in bullets]),
        "votes": [each.judgment for each in opinion.votes],
        "reasoning": vote.reasoning if vote else "",
        "disagreement": (outcome.match, opinion.judgment) in (("match", "invalid"), ("mismatch", "valid")),
        "first_faulty_message": culprit.message if culprit else None,
        "fault": culprit.fault if culprit else None,
        "fault_reason": culprit.reason if culprit else "",
    }
    return VerdictRow(id=content_id("verdict", columns), **columns)


def _check_readable(trajectory: Trajectory) -> list[Finding]:
    """`unreadable_dialogue`: what cannot be read is invalid for that reason, and nothing else is said of it."""
    if trajectory.problem is None:
        return []
    return [
        Finding(
            layer="rules",
            code="unreadable_dialogue",
            explanation=trajectory.problem,
            message=None,
            fault="environment",
            blocks=True,
        )
    ]


def _leave_out_given(findings: Sequence[Finding], dialogue: DialogueRow) -> list[Finding]:
    """The findings that do not point at a given message."""
    return [one for one in findings if one.message is None or one.message >= dialogue.given_messages]


async def _ask_judge(trajectory: Trajectory, decided: Collection[str], models: Models, config: RunConfig) -> _Opinion:
    votes: list[Vote] = []
    keys: list[str] = []
    rubric = [line["bullet"] for line in judge.list_bullets(trajectory.objectives, decided)]
    stateless = trajectory.row.paradigm in STATELESS
    votes_wanted = max(config.judging.votes, config.stateless.votes) if stateless else config.judging.votes
    for number in range(votes_wanted):
        try:
            reply = await judge.judge(
                models, trajectory.row, trajectory.objectives, trajectory.messages, vote=number, decided=decided
            )
        except (MalformedReply, ContextOverflow) as error:
            votes.append(Vote("unscored", (), f"The judge could not be read: {error}"))
            continue
        keys += [part.key for part in reply.replies]
        votes.append(weigh_reply(reply.value, rubric))
    rule = "unanimous" if stateless else config.judging.rule
    judgment = count_votes([vote.judgment for vote in votes], rule)
    return _Opinion(judgment, tuple(votes), tuple(keys))


def _judge_findings(vote: Vote) -> list[Finding]:
    return [
        Finding(
            layer="judge",
            code="critical_bullet_missed",
            explanation=f"{bullet.bullet} ({bullet.evidence})",
            message=None,
            fault="assistant",
            blocks=True,
        )
        for bullet in vote.bullets
        if bullet.bullet_class == "Critical" and not bullet.met
    ]


def _reasons(judgment: Judgment, blocking: Sequence[Finding], vote: Vote | None) -> list[str]:
    if judgment == "unscored":
        return [f"judge.unscored: {vote.reasoning if vote else 'the judge gave no vote'}"]
    return [f"{finding.layer}.{finding.code}: {finding.explanation}" for finding in blocking]
