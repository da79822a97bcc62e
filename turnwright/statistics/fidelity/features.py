"""Everything that is counted in one dialogue: the one place that says which statistics there are.

A statistic is a spread (numbers, each dialogue gives none, one or several), a rate (so many of so many), or a mix (how
often each of several kinds). All are sums over dialogues, so a sample can be resampled without being read again.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from turnwright.statistics.fidelity.consistency import measure_consistency
from turnwright.statistics.fidelity.graph import measure_graph
from turnwright.statistics.fidelity.hidden_calls import find_hidden_calls
from turnwright.statistics.fidelity.provenance import Trace, trace_arguments
from turnwright.statistics.fidelity.recovery import find_recoveries
from turnwright.statistics.fidelity.trajectory import Call, Result, Said, Trajectory

USER, ANSWER, READ, WRITE, ERROR = "user", "answer", "read", "write", "error"
ACTS = (USER, ANSWER, READ, WRITE, ERROR)
"""What can follow what: a message of the user, an answer in words, a call that reads, writes or fails. Who has the
first and the last word is a habit of the format, not of the dialogue, and no act."""


@dataclass(frozen=True)
class Features:
    """The figures of one dialogue. A statistic that it has no case of is left out, or nothing of nothing."""

    id: str
    cluster: str
    spreads: dict[str, list[int]]
    rates: dict[str, tuple[int, int]]
    mixes: dict[str, dict[str, int]]
    acts: tuple[str, ...]
    """One of ACTS each, in order."""
    tools: tuple[str, ...]
    """Names of the called tools in order."""
    has_results: bool
    """No call, or at least one with a result: what rests on results can be measured."""


def measure_trajectory(trajectory: Trajectory) -> Features:
    """Counts one dialogue; a pure function of it."""
    calls = trajectory.calls
    results = {event.call: event for event in trajectory.events if isinstance(event, Result)}
    trace = trace_arguments(trajectory)
    graph = measure_graph(len(calls), trace.edges)
    failed = {position for position, result in results.items() if result.failed}
    hidden = find_hidden_calls(trajectory, trace)
    recoveries = find_recoveries(trajectory)
    consistency = measure_consistency(trajectory)
    corrected = [recovery.steps for recovery in recoveries if recovery.corrected]
    words = {role: _count_words(trajectory, role) for role in ("user", "assistant")}
    acts = tuple(_list_acts(trajectory, failed))
    per_step = Counter(call.step for call in calls)
    requests = acts.count(USER)
    provenance = Counter(argument.provenance for argument in trace.arguments)
    arguments = len(trace.arguments)
    spreads = {
        "turns": [requests + acts.count(ANSWER) + _count_silent_steps(trajectory) + len(results)],
        "requests": [requests],
        "steps": list(Counter(request for request, _ in {(call.request, call.step) for call in calls}).values()),
        "tasks": [] if trajectory.tasks is None else [trajectory.tasks],
        "calls": [len(calls)],
        "distinct_tools": [len({call.tool for call in calls})],
        "graph_edges": [graph.edges],
        "graph_depth": [graph.depth],
        "graph_width": [graph.width],
        "graph_components": [graph.components] if calls else [],
        "reference_distance": _measure_distances(trace),
        "steps_to_recover": corrected,
        "user_words": words["user"],
        "answer_words": words["assistant"],
    }
    rates = {
        **{f"argument_from_{source}": (provenance[source], arguments) for source in _SHOWN},
        "call_with_reference": (len({end for _, end in trace.edges}), len(calls)),
        "hidden_call": (len(hidden), len(calls)),
        "write": (sum(call.effect == "write" for call in calls), len(calls)),
        "parallel_call": (sum(count for count in per_step.values() if count > 1), len(calls)),
        "request_without_call": (requests - len({call.request for call in calls if call.request >= 0}), requests),
        "error": (len(failed), len(results)),
        "error_corrected": (len(corrected), len(recoveries)),
        "read_after_write_agrees": (consistency.reads_agreeing, consistency.reads_after_write),
        "contradiction": (consistency.contradictions, consistency.comparisons),
    }
    mixes = {
        "argument_provenance": dict(sorted(provenance.items())),
        "graph_shape": {graph.shape: 1},
        "graph_motifs": {name: count for name, count in graph.motifs.items() if count},
    }
    return Features(
        id=trajectory.id,
        cluster=trajectory.cluster,
        spreads=spreads,
        rates=rates,
        mixes=mixes,
        acts=acts,
        tools=tuple(call.tool for call in calls),
        has_results=bool(results) or not calls,
    )


_SHOWN = ("user", "result_same_turn", "result_earlier_turn", "system", "default", "unknown")

NEEDS_RESULTS = frozenset(
    """graph_edges graph_depth graph_width graph_components reference_distance steps_to_recover
    argument_from_result_same_turn argument_from_result_earlier_turn argument_from_unknown call_with_reference
    hidden_call error error_corrected read_after_write_agrees contradiction argument_provenance graph_shape graph_motifs
    turns transitions_acts""".split()
)
"""Statistics that mean nothing in a sample without tool results."""

SPREADS: dict[str, str] = {
    "turns": "turns per dialogue (messages of user, assistant and tools)",
    "requests": "user messages per dialogue",
    "steps": "steps per request that reached the tools",
    "tasks": "tasks per dialogue",
    "calls": "calls per dialogue (nodes of the dependency graph)",
    "distinct_tools": "different tools per dialogue",
    "graph_edges": "edges of the dependency graph",
    "graph_depth": "edges of its longest path",
    "graph_width": "most linked calls on one level",
    "graph_components": "connected components of the graph",
    "reference_distance": "calls between a value's use and the call that brought it",
    "steps_to_recover": "steps from an error to its correction",
    "user_words": "words per user message",
    "answer_words": "words per answer",
}
"""Spreads and what they count."""

RATES: dict[str, str] = {
    "argument_from_user": "arguments whose value the user said",
    "argument_from_result_same_turn": "arguments taken from a result of the same request",
    "argument_from_result_earlier_turn": "arguments taken from a result of an earlier request",
    "argument_from_system": "arguments taken from the system message",
    "argument_from_default": "arguments that the tool's specification offers",
    "argument_from_unknown": "arguments that nobody brought",
    "call_with_reference": "calls that use an earlier result",
    "hidden_call": "calls that others need and the user's words do not ask for",
    "write": "calls that write",
    "parallel_call": "calls made together with others",
    "request_without_call": "user messages answered without a call",
    "error": "results that are errors",
    "error_corrected": "errors that were corrected",
    "read_after_write_agrees": "written facts that were read back as written",
    "contradiction": "facts returned again that differ, with no write in between",
}
"""Rates and what they are rates of."""

MIXES: dict[str, str] = {
    "argument_provenance": "where arguments come from",
    "graph_shape": "shape of a dialogue's dependency graph",
    "graph_motifs": "connected groups of three calls",
}
"""Mixes and what they are mixes of."""


def _measure_distances(trace: Trace) -> list[int]:
    return [argument.call - argument.source for argument in trace.arguments if argument.source is not None]


def _count_words(trajectory: Trajectory, role: str) -> list[int]:
    return [
        len(event.text.split())
        for event in trajectory.events
        if isinstance(event, Said) and event.role == role and event.text
    ]


def _count_silent_steps(trajectory: Trajectory) -> int:
    """Assistant messages with calls and without words: turns that no text stands for."""
    silent: set[int] = set()
    spoken = False
    for event in trajectory.events:
        if isinstance(event, Said):
            spoken = event.role == "assistant"
        elif isinstance(event, Call):
            if not spoken:
                silent.add(event.step)
        else:
            spoken = False
    return len(silent)


def _list_acts(trajectory: Trajectory, failed: set[int]) -> Iterator[str]:
    for event in trajectory.events:
        if isinstance(event, Said):
            if event.role != "system":
                yield USER if event.role == "user" else ANSWER
        elif isinstance(event, Call):
            yield ERROR if event.position in failed else WRITE if event.effect == "write" else READ
