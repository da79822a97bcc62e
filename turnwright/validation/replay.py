"""Replay: the recorded calls once more, on a fresh copy, must give the same results and the same final state."""

from dataclasses import dataclass

from schemas.findings import Finding
from schemas.vocabulary import Match
from turnwright.environments.base import Base
from turnwright.rollout.tool_calls import ToolRunner
from turnwright.validation.documents import read_document
from turnwright.validation.trajectory import Trajectory
from turnwright.validation.values import values_equal


@dataclass(frozen=True)
class Replay:
    """What came of running a dialogue's calls again."""

    match: Match
    findings: tuple[Finding, ...]


def replay_calls(trajectory: Trajectory, base: Base) -> Replay:
    """Runs the recorded calls again, with the seed, reference time and fault of the dialogue. Blocks.

    Results are compared by value, the final state by its digest. A result that the clock decided (a statement that ran
    into its time limit) cannot be repeated: then the replay is `unavailable`.
    """
    runner = ToolRunner(base, trajectory.tools, trajectory.task)
    findings: list[Finding] = []
    try:
        for record in trajectory.calls:
            if record.hint:
                continue
            answer = runner.answer(record.tool, record.arguments, record.side)
            if record.error == "timeout" and not record.fault:
                return Replay("unavailable", ())
            same = answer.result.text == record.result or values_equal(
                read_document(answer.result.text), read_document(record.result)
            )
            if not same or answer.fault != record.fault:
                text = f"{record.tool} ({record.call_id}) gives another result"
                findings.append(_find("different_result", text, record.message))
        digest, _ = runner.final_state()
    finally:
        runner.close()
    if digest != trajectory.row.final_digest:
        findings.append(_find("different_state", "the calls lead to another final state", None))
    return Replay("mismatch" if findings else "match", tuple(findings))


def _find(code: str, explanation: str, message: int | None) -> Finding:
    return Finding(
        layer="replay", code=code, explanation=explanation, message=message, fault="environment", blocks=True
    )
