"""One line in the flow's log for each shard that ends: never one for each dialogue."""

from collections import Counter

from prefect.logging import get_run_logger

from tasks.run_context import RunContext
from tasks.runners import Future
from tasks.shards import Shard, ShardResult
from turnwright.storage.tables import read_columns

_OUTCOMES = ("accepted", "rejected", "failed", "not_attempted")


def log_shard(run: RunContext, shard: Shard, of: int, ended: Future) -> None:
    """Says what became of a shard's units.

    Raises:
        TableError: its ledger cannot be read.
    """
    name = f"{shard.stage} shard {shard.number + 1} of {of}"
    state = ended.state
    fields: dict[str, object] = {"run_id": run.run_id, "stage": shard.stage, "shard": shard.number, "state": state.name}
    logger = get_run_logger()
    if not state.is_completed():
        logger.error("%s ended as %s", name, state.name, extra={"turnwright": fields})
        return
    result: ShardResult = ended.result()
    counts = Counter(str(row["outcome"]) for row in read_columns(result.ledger, "ledger", ["outcome"]))
    told = ", ".join(f"{counts[outcome]} {outcome.replace('_', ' ')}" for outcome in _OUTCOMES if counts[outcome])
    reused = " (reused)" if state.name == "Cached" else ""
    fields |= {outcome: counts[outcome] for outcome in _OUTCOMES}
    logger.info("%s: %s%s", name, told or "nothing to do", reused, extra={"turnwright": fields})
