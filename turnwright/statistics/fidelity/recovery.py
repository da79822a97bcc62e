"""Failed calls and what became of them (TC, error hints): corrected or not, and after how many steps."""

from dataclasses import dataclass

from turnwright.statistics.fidelity.trajectory import Call, Result, Trajectory


@dataclass(frozen=True)
class Recovery:
    """What became of one error; failures of one tool without a success of it in between are one error."""

    corrected: bool
    """A later call of the same tool succeeded before the next but one user message."""
    steps: int
    """Assistant messages with calls from the first failure to the success; zero where it was not corrected."""


def find_recoveries(trajectory: Trajectory) -> list[Recovery]:
    """The errors of a dialogue in the order in which they were corrected, those that were not at the end."""
    calls = {call.position: call for call in trajectory.calls}
    open_errors: dict[str, Call] = {}
    found: list[Recovery] = []
    lost = 0
    for event in trajectory.events:
        if not isinstance(event, Result):
            continue
        call = calls[event.call]
        first = open_errors.get(call.tool)
        if first is not None and call.request > first.request + 1:
            lost += 1
            del open_errors[call.tool]
            first = None
        if event.failed:
            open_errors.setdefault(call.tool, call)
        elif first is not None:
            found.append(Recovery(True, max(1, call.step - first.step)))
            del open_errors[call.tool]
    return found + [Recovery(False, 0)] * (lost + len(open_errors))
