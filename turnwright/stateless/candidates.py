"""Candidates: each step of a turn is drawn several times, and the best valid one is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from schemas.content import digest
from schemas.stateless import GenerationStage, Rejection
from turnwright.models.errors import ContextOverflow, MalformedReply
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.stateless.plans import Problem

V = TypeVar("V")

_EXPLANATION = 300


@dataclass
class Account:
    """What a dialogue has cost so far, and what came to nothing."""

    model_calls: list[str] = field(default_factory=list[str])
    prompt_tokens: int = 0
    completion_tokens: int = 0
    repairs: int = 0
    candidates: dict[GenerationStage, int] = field(default_factory=dict[GenerationStage, int])
    rejections: list[Rejection] = field(default_factory=list[Rejection])

    def count(self, replies: Sequence[ModelReply], repaired: int = 0) -> None:
        """Adds what was said for the dialogue."""
        for reply in replies:
            self.model_calls.append(reply.key)
            self.prompt_tokens += reply.prompt_tokens
            self.completion_tokens += reply.completion_tokens
        self.repairs += repaired

    def reject(self, turn: int, stage: GenerationStage, attempt: int, draw: int, problems: Sequence[Problem]) -> None:
        """Notes why a candidate is not used: every problem that it has, each code once."""
        for problem in {problem.code: problem for problem in reversed(problems)}.values():
            self.rejections.append(
                Rejection(
                    turn=turn,
                    stage=stage,
                    attempt=attempt,
                    draw=draw,
                    code=problem.code,
                    explanation=problem.explanation[:_EXPLANATION],
                )
            )


@dataclass(frozen=True)
class Candidate(Generic[V]):
    """One reading of a reply."""

    value: V
    problems: tuple[Problem, ...]
    score: tuple[float, ...] = ()
    """Higher is better; only compared between candidates without problems."""


@dataclass(frozen=True)
class Drawn(Generic[V]):
    """What a step came to."""

    best: V | None
    """None where no candidate is valid."""
    others: tuple[V, ...]
    """What could be read of the other candidates, valid or not."""


async def draw_candidates(
    ask: Callable[[int], Awaitable[StructuredReply[Any]]],
    read: Callable[[Any], Candidate[V]],
    *,
    account: Account,
    turn: int,
    stage: GenerationStage,
    attempt: int,
    count: int,
) -> Drawn[V]:
    """Asks `count` times side by side and keeps the best valid answer; the first of equals.

    Replies that say the same are read once. A malformed reply is a rejected candidate (`malformed_reply`), and so is
    one for which the conversation has grown too long (`context_overflow`).

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
    """
    results = await asyncio.gather(*(ask(draw) for draw in range(count)), return_exceptions=True)
    account.candidates[stage] = account.candidates.get(stage, 0) + count
    valid: list[Candidate[V]] = []
    others: list[V] = []
    seen: dict[str, tuple[Problem, ...]] = {}
    for draw, result in enumerate(results):
        if isinstance(result, MalformedReply | ContextOverflow):
            account.count(result.replies if isinstance(result, MalformedReply) else ())
            code = "malformed_reply" if isinstance(result, MalformedReply) else "context_overflow"
            account.reject(turn, stage, attempt, draw, [Problem(code, str(result))])
            continue
        if isinstance(result, BaseException):
            raise result
        account.count(result.replies, int(result.repaired))
        same = digest(result.value.model_dump(mode="json"))
        if same in seen:
            account.reject(turn, stage, attempt, draw, seen[same])
            continue
        candidate = read(result.value)
        seen[same] = candidate.problems
        if candidate.problems:
            account.reject(turn, stage, attempt, draw, candidate.problems)
            others.append(candidate.value)
        else:
            valid.append(candidate)
    if not valid:
        return Drawn(None, tuple(others))
    best = max(valid, key=lambda candidate: candidate.score)
    return Drawn(best.value, (*others, *(one.value for one in valid if one is not best)))
