"""The fact ledger once more, over a finished dialogue with simulated tools: what was told against itself."""

from collections.abc import Iterator

import orjson

from schemas.findings import Finding
from schemas.messages import CallRecord
from schemas.vocabulary import SIMULATED
from turnwright.environments.simulation.clock import find_now
from turnwright.environments.simulation.ledger import FactLedger
from turnwright.environments.simulation.records import SimulatedCall
from turnwright.rollout.arguments import ArgumentChecker, BadArguments
from turnwright.validation.trajectory import Trajectory

_NEVER_RUN = frozenset({"unknown_tool", "invalid_arguments"})


def check_ledger(trajectory: Trajectory) -> list[Finding]:
    """The layer `ledger`: contradictions that were left in the results, found anew from the recorded calls alone.

    So it also judges dialogues whose simulator kept no ledger. Nothing is found where tools really ran.
    """
    if trajectory.row.paradigm not in SIMULATED:
        return []
    return list(_go_through(trajectory))


def _go_through(trajectory: Trajectory) -> Iterator[Finding]:
    checker, ledger = ArgumentChecker(trajectory.tools), FactLedger(trajectory.row.id)
    for record in trajectory.calls:
        call = _read_call(record, checker)
        if call is None:
            continue
        said = [text for _, text in trajectory.said_by("user", end=record.message)]
        if call.error == "unavailable":
            yield _find("no_result", f"{record.tool} ({record.call_id}): the simulator gave none", record, blocks=False)
        else:
            now = find_now(trajectory.task.reference_time, said)
            for found in ledger.check(call, now):
                text = f"{record.tool} ({record.call_id}): {found.explanation}"
                yield _find(found.code, text, record, blocks=True)
        ledger.learn(call, "\n".join(said))


def _read_call(record: CallRecord, checker: ArgumentChecker) -> SimulatedCall | None:
    """A recorded call as the ledger reads it; none where it never reached the simulator."""
    if record.fault or record.error in _NEVER_RUN:
        return None
    try:
        arguments = checker.check(record.tool, record.arguments)
        value = orjson.loads(record.result)
    except (BadArguments, orjson.JSONDecodeError):
        return None
    tool = checker.tools[record.tool]
    return SimulatedCall(tool, arguments, None if record.error else value, record.error)


def _find(code: str, explanation: str, record: CallRecord, *, blocks: bool) -> Finding:
    return Finding(
        layer="ledger",
        code=code,
        explanation=explanation,
        message=record.message,
        fault="environment",
        blocks=blocks,
    )
