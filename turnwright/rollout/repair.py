"""Repair: a dialogue once more from before its first faulty message, with other draws."""

from schemas.config import RunConfig
from schemas.rows import DialogueRow, DialogueTaskRow, ToolsetRow
from turnwright.environments.base import Base
from turnwright.models.models import Models
from turnwright.rollout.dialogue import simulate_dialogue
from turnwright.rollout.prefix import cut_prefix

DRAWS_APART = 1000
"""Distance of the draws of two tries: more than a task ever has trials, so that no two share a reply by number."""


async def repair_dialogue(
    dialogue: DialogueRow,
    task: DialogueTaskRow,
    toolset: ToolsetRow,
    base: Base | None,
    models: Models,
    config: RunConfig,
    *,
    message: int,
    reason: str,
    attempt: int,
) -> DialogueRow:
    """The dialogue with everything from a message on made again; what stands before it is kept byte for byte.

    The environment starts from its base and makes the kept calls once more; a simulated one learns what it had
    answered. No model is asked for the part that is kept. Where the dialogue cannot go on from right there (a result of
    parallel calls, a result that was spoilt on purpose), it goes on from before the message that made the call.

    Args:
        dialogue: as it was simulated.
        task: its task.
        toolset: its toolset.
        base: what its state starts from; none for simulated tools.
        models: who plays the roles.
        config: limits and seed.
        message: index of the first faulty message; one past the last message only goes on.
        reason: what is wrong there, for the row.
        attempt: number of the try, from 1; another one has other draws.

    Raises:
        NoPrefix: there is nothing to go on from.
        NotReproduced: the kept calls do not give what they gave.
        EndpointUnavailable, EndpointRefused, BudgetSpent, NotInJournal: no reply could be had.
        SourceError: the environment's database could not be reached.
    """
    start = cut_prefix(dialogue, message)
    return await simulate_dialogue(
        task,
        toolset,
        base,
        models,
        config,
        dialogue.trial,
        start=start,
        draw=dialogue.trial + DRAWS_APART * attempt,
        about={
            "repaired_from": dialogue.id,
            "repaired_at": len(start.messages),
            "repaired_because": reason,
            "repair_try": attempt,
        },
    )
