"""Calls that the user's words do not ask for (TC, hide): looked up only because another call needs what they return."""

from turnwright.statistics.fidelity.provenance import Trace
from turnwright.statistics.fidelity.tool_words import is_asked_for, read_words
from turnwright.statistics.fidelity.trajectory import Call, Said, Trajectory


def find_hidden_calls(trajectory: Trajectory, trace: Trace) -> list[int]:
    """Positions of the hidden calls.

    A call is hidden when a later call uses a value that it brought, and the user's words up to it do not ask for it:
    they lack a verb of its kind, or name fewer than half of the things in its tool's name.
    """
    used = {source for source, _ in trace.edges}
    words: set[str] = set()
    hidden: list[int] = []
    for event in trajectory.events:
        if isinstance(event, Said) and event.role == "user":
            words |= read_words(event.text)
        elif isinstance(event, Call) and event.position in used and not is_asked_for(event.tool, words):
            hidden.append(event.position)
    return hidden
