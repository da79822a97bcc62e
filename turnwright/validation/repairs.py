"""Which invalid dialogues can be repaired, and the tries at it until one of them is valid."""

from dataclasses import dataclass

from schemas.config import RunConfig
from schemas.rows import DialogueRow, DialogueTaskRow, ToolsetRow, VerdictRow
from schemas.vocabulary import SIMULATED, STATELESS
from turnwright.environments.base import Base
from turnwright.models.models import Models
from turnwright.rollout.prefix import NoPrefix
from turnwright.rollout.repair import repair_dialogue
from turnwright.rollout.tool_calls import NotReproduced
from turnwright.validation.verdict import validate_dialogue


@dataclass(frozen=True)
class Repair:
    """What came of the repair of one dialogue."""

    tries: tuple[tuple[DialogueRow, VerdictRow], ...]
    """Each try with its verdict; only the last one can be valid."""
    reasons: tuple[str, ...]
    """Why it was not repaired, as `code: explanation`; empty where it was."""

    @property
    def kept(self) -> DialogueRow | None:
        """The dialogue that takes the place of the invalid one."""
        valid = [dialogue for dialogue, verdict in self.tries if verdict.judgment == "valid"]
        return valid[-1] if valid else None


def find_obstacle(dialogue: DialogueRow, verdict: VerdictRow) -> str | None:
    """Why a dialogue cannot be repaired, as `code: explanation`, or none.

    Another draw mends what a role did. It mends neither a task that cannot be met nor an environment that does not do
    twice what it did once; and where nobody can say which message is at fault, there is nowhere to begin.
    """
    if verdict.judgment != "invalid":
        return f"not_invalid: the verdict is {verdict.judgment}"
    if dialogue.paradigm in STATELESS:
        return "planned_with_it: a stateless dialogue is tried again turn by turn while it is made"
    if verdict.fault == "task":
        return f"faulty_task: another draw would meet the same task; {verdict.fault_reason}"
    if verdict.fault == "environment" and dialogue.paradigm not in SIMULATED:
        return f"faulty_environment: it would answer as it did; {verdict.fault_reason}"
    if verdict.first_faulty_message is None:
        return f"no_place: no message is known to be the first at fault; {verdict.fault_reason}"
    return None


async def repair_until_valid(
    dialogue: DialogueRow,
    verdict: VerdictRow,
    task: DialogueTaskRow,
    toolset: ToolsetRow,
    base: Base | None,
    models: Models,
    config: RunConfig,
) -> Repair:
    """Makes an invalid dialogue again from before its first faulty message, at most `config.repair.tries` times.

    Each try starts from the dialogue itself, never from another try, so that a repaired dialogue has one seam.

    Raises:
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
        SourceError: the environment's database could not be reached.
    """
    obstacle = find_obstacle(dialogue, verdict)
    if obstacle is not None:
        return Repair((), (obstacle,))
    assert verdict.first_faulty_message is not None
    reason = f"{verdict.fault}: {verdict.fault_reason}"
    tries: list[tuple[DialogueRow, VerdictRow]] = []
    for attempt in range(1, config.repair.tries + 1):
        try:
            again = await repair_dialogue(
                dialogue,
                task,
                toolset,
                base,
                models,
                config,
                message=verdict.first_faulty_message,
                reason=reason,
                attempt=attempt,
            )
        except (NoPrefix, NotReproduced) as error:
            return Repair(tuple(tries), (f"no_snapshot: {error}",))
        judged = await validate_dialogue(again, task, toolset, base, models, config)
        tries.append((again, judged))
        if judged.judgment == "valid":
            return Repair(tuple(tries), ())
    return Repair(tuple(tries), (f"in_vain: {len(tries)} tries; {(tries[-1][1].reasons or ['unscored'])[0]}",))
