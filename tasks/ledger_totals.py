"""The ledger of a run, counted: what became of the units of each stage, and of the dialogues."""

from collections import Counter
from collections.abc import Mapping

from schemas.config import RunConfig
from schemas.rows import TableRef
from schemas.vocabulary import STAGES, Stage
from turnwright.storage.tables import read_columns

_OUTCOMES = ("accepted", "rejected", "failed", "not_attempted")


def sum_ledger(ledger: TableRef) -> dict[str, dict[str, dict[str, int]]]:
    """Stage -> unit -> planned and the four outcomes; planned is their sum."""
    counts = Counter(
        (str(row["stage"]), str(row["unit"]), str(row["outcome"]))
        for row in read_columns(ledger, "ledger", ["stage", "unit", "outcome"])
    )
    units = sorted({key[:2] for key in counts}, key=lambda key: (STAGES.index(_as_stage(key[0])), key[1]))
    totals: dict[str, dict[str, dict[str, int]]] = {}
    for stage, unit in units:
        outcomes = {outcome: counts[stage, unit, outcome] for outcome in _OUTCOMES}
        totals.setdefault(stage, {})[unit] = {"planned": sum(outcomes.values()), **outcomes}
    return totals


def count_dialogues(ledger: Mapping[str, Mapping[str, Mapping[str, int]]], config: RunConfig) -> dict[str, int]:
    """What became of the dialogues that were to be attempted: `planned` is the sum of the others."""
    # A task that is not there takes all of its trials with it.
    written = ledger.get("write-dialogue-tasks", {}).get("dialogue_task", {})
    tasks = {outcome: count * config.trials for outcome, count in written.items()}
    dialogues = ledger.get("simulate-dialogues", {}).get("dialogue", {})
    verdicts = ledger.get("validate-dialogues", {}).get("verdict", {})
    repairs = ledger.get("repair-dialogues", {}).get("repair", {})
    stages = (tasks, dialogues, verdicts)
    # A stage that ran by itself plans what it was given.
    planned = next((stage["planned"] for stage in stages if stage), config.dialogues * config.trials)
    valid = verdicts.get("accepted", 0) + repairs.get("accepted", 0)
    failed = sum(stage.get("failed", 0) for stage in stages)
    if verdicts:
        # A dialogue that went wrong has a verdict as well: what is left over was rejected, once.
        not_attempted = sum(stage.get("not_attempted", 0) for stage in stages)
        rejected = planned - valid - failed - not_attempted
    else:
        rejected = sum(stage.get("rejected", 0) for stage in stages)
        not_attempted = planned - failed - rejected
    return {
        "planned": planned,
        "valid": valid,
        "rejected": rejected,
        "failed": failed,
        "not_attempted": not_attempted,
    }


def _as_stage(name: str) -> Stage:
    return next(stage for stage in STAGES if stage == name)
