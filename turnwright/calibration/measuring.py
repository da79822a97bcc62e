"""Plants defects, has each dialogue judged, and counts what was caught by whom."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import TypeAdapter

from schemas.config import RunConfig
from schemas.findings import Finding
from schemas.rows import VerdictRow
from turnwright.calibration.draft import PlantedDialogue, copy_unchanged
from turnwright.calibration.kinds import KINDS, plant
from turnwright.calibration.record import ANY, LAYERS, Calibration, Declined, KindRecall, LayerAlarms, Missed
from turnwright.calibration.silent_judge import SilentJudge
from turnwright.calibration.subject import CannotPlant, Subject
from turnwright.environments.threads import run_blocking
from turnwright.models.models import Models
from turnwright.statistics.intervals import wilson_interval
from turnwright.validation.verdict import validate_dialogue

_FINDINGS = TypeAdapter(list[Finding])
_MISSED_SHOWN = 3
_EXCERPT = 300
_CONTROL = "control"


@dataclass
class _Tally:
    """What was counted so far."""

    planted: Counter[str] = field(default_factory=Counter[str])
    caught: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    declined: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    missed: list[Missed] = field(default_factory=list[Missed])


async def calibrate(
    subjects: Sequence[Subject],
    controls: Sequence[Subject],
    models: Models | None,
    config: RunConfig,
    *,
    run: str,
    seed: int,
    every: bool = False,
    kinds: Iterable[str] = tuple(KINDS),
    at_once: int = 8,
    advance: Callable[[], None] = lambda: None,
) -> Calibration:
    """Recall over defects planted in `subjects`, and false alarms over `controls`, left as they are.

    Args:
        subjects: dialogues that were judged valid; each kind is planted in each of them where it has a place.
        controls: dialogues that count as clean.
        models: asks the judge; none leaves it out.
        config: the run's, for the judging.
        run: name of the run.
        seed: decides every draw of the planters.
        every: whether the controls were taken without looking at their verdicts.
        kinds: kinds to plant.
        at_once: dialogues in work at once.
        advance: called after each dialogue.

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: the judge could not be had.
        SourceError: a database could not be reached.
    """
    tally, wanted = _Tally(), tuple(kinds)
    permits = asyncio.Semaphore(at_once)

    async def measure(subject: Subject, kind: str) -> None:
        async with permits:
            try:
                planted = await run_blocking(_make, kind, subject, seed)
            except CannotPlant as reason:
                tally.declined[kind, str(reason)] += 1
                return
            layers = _read_layers(await _judge(subject, planted, models, config))
            tally.planted[kind] += 1
            tally.caught.update((kind, layer) for layer in layers)
            if not layers:
                tally.missed.append(
                    Missed(kind=kind, dialogue_id=subject.row.id, excerpt=_find_difference(subject, planted))
                )

    async def work(subject: Subject, names: Sequence[str]) -> None:
        for name in names:
            await measure(subject, name)
        advance()

    try:
        async with asyncio.TaskGroup() as group:
            for subject in controls:
                group.create_task(work(subject, (_CONTROL,)))
            for subject in subjects:
                group.create_task(work(subject, wanted))
    except ExceptionGroup as failures:
        # What a caller can act on is the first failure; the others followed from it, or from the same cause.
        raise failures.exceptions[0] from None
    return _sum_up(tally, wanted, run=run, seed=seed, judge=models is not None, every=every)


def _make(kind: str, subject: Subject, seed: int) -> PlantedDialogue:
    return copy_unchanged(subject) if kind == _CONTROL else plant(kind, subject, seed)


async def _judge(subject: Subject, planted: PlantedDialogue, models: Models | None, config: RunConfig) -> VerdictRow:
    asked: Any = models or SilentJudge()
    base = None if subject.simulated else subject.base
    return await validate_dialogue(planted.row, planted.task, subject.toolset, base, asked, config)


def _read_layers(verdict: VerdictRow) -> set[str]:
    """The layers that found something for which the dialogue is invalid, and `any`; empty where it is not."""
    if verdict.judgment != "invalid":
        return set()
    blocking = {str(finding.layer) for finding in _FINDINGS.validate_json(verdict.findings) if finding.blocks}
    if verdict.judge == "invalid":
        blocking.add("judge")
    return blocking | {ANY}


def _find_difference(subject: Subject, planted: PlantedDialogue) -> str:
    """The first message that the defect changed."""
    messages = cast("list[dict[str, Any]]", json.loads(planted.row.messages))
    for index, message in enumerate(messages):
        if index >= len(subject.messages) or message != subject.messages[index]:
            text = message.get("content") or json.dumps(message.get("tool_calls") or "", ensure_ascii=False)
            return f"message {index}, {message['role']}: {text[:_EXCERPT]}"
    return f"ends after message {len(messages) - 1}"


def _sum_up(tally: _Tally, kinds: Sequence[str], *, run: str, seed: int, judge: bool, every: bool) -> Calibration:
    clean, alarms = tally.planted[_CONTROL], tally.caught[_CONTROL, ANY]
    planted, caught = sum(tally.planted[kind] for kind in kinds), sum(tally.caught[kind, ANY] for kind in kinds)
    shares = [tally.caught[kind, ANY] / tally.planted[kind] for kind in kinds if tally.planted[kind]]
    missed = sorted(tally.missed, key=lambda row: (row.kind, row.dialogue_id))
    return Calibration(
        run=run,
        seed=seed,
        judge=judge,
        every=every,
        kinds=[_make_row(tally, kind, layer) for kind in kinds for layer in (ANY, *LAYERS)],
        clean=clean,
        false_alarms=alarms,
        false_alarm_rate=_divide(alarms, clean) or 0.0,
        false_alarm_ci_high=wilson_interval(alarms, clean)[1],
        alarms=[_make_alarms(tally, layer, kinds) for layer in (ANY, *LAYERS)],
        planted=planted,
        caught=caught,
        recall=_divide(caught, planted),
        macro_recall=round(sum(shares) / len(shares), 6) if shares else None,
        precision=_divide(caught, caught + alarms),
        declined=[
            Declined(kind=kind, reason=reason, dialogues=count)
            for (kind, reason), count in sorted(tally.declined.items())
        ],
        missed=[row for kind in kinds for row in [row for row in missed if row.kind == kind][:_MISSED_SHOWN]],
    )


def _make_row(tally: _Tally, kind: str, layer: str) -> KindRecall:
    planted, caught = tally.planted[kind], tally.caught[kind, layer]
    low, high = wilson_interval(caught, planted)
    return KindRecall(
        kind=kind,
        layer=layer,
        planted=planted,
        caught=caught,
        recall=_divide(caught, planted),
        ci_low=low,
        ci_high=high,
    )


def _make_alarms(tally: _Tally, layer: str, kinds: Sequence[str]) -> LayerAlarms:
    clean, alarms = tally.planted[_CONTROL], tally.caught[_CONTROL, layer]
    caught = sum(tally.caught[kind, layer] for kind in kinds)
    return LayerAlarms(
        layer=layer,
        alarms=alarms,
        rate=_divide(alarms, clean) or 0.0,
        ci_high=wilson_interval(alarms, clean)[1],
        precision=_divide(caught, caught + alarms),
    )


def _divide(count: int, total: int) -> float | None:
    return round(count / total, 6) if total else None
