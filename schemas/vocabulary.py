"""The closed sets of words that rows and configuration share. Each has one meaning, given in docs/glossary.md."""

from typing import Literal

Role = Literal[
    "question_writer",
    "sql_tool_writer",
    "tool_writer",
    "tool_expander",
    "schema_writer",
    "task_writer",
    "user_simulator",
    "user_operator",
    "assistant",
    "judge",
    "tool_simulator",
]
"""Everything that a model is asked to be."""

Stage = Literal[
    "collect-seeds",
    "prepare-tools",
    "write-dialogue-tasks",
    "simulate-dialogues",
    "validate-dialogues",
    "repair-dialogues",
    "build-dataset",
    "report",
]
STAGES: tuple[Stage, ...] = (
    "collect-seeds",
    "prepare-tools",
    "write-dialogue-tasks",
    "simulate-dialogues",
    "validate-dialogues",
    "repair-dialogues",
    "build-dataset",
    "report",
)

Paradigm = Literal["task_oriented", "user_oriented", "user_oriented_executed", "stateless"]
"""`task_oriented`: whole queries, no user simulator; `user_oriented`: a person who tells their goal bit by bit, both
with simulated tools; `user_oriented_executed`: the same person, and tools that really run."""
SIMULATED: frozenset[Paradigm] = frozenset({"task_oriented", "user_oriented"})
"""Paradigms in which the tool simulator answers the calls, whatever the tools could do."""
Difficulty = Literal["easy", "medium", "hard"]

Behaviour = Literal[
    "missing_parameter",
    "out_of_scope",
    "tool_fault",
    "changed_mind",
    "parallel_calls",
    "ambiguous_reference",
    "removed_tool",
    "wrong_premise",
    "forbidden_action",
]
BEHAVIOURS: tuple[Behaviour, ...] = (
    "missing_parameter",
    "out_of_scope",
    "tool_fault",
    "changed_mind",
    "parallel_calls",
    "ambiguous_reference",
    "removed_tool",
    "wrong_premise",
    "forbidden_action",
)

Effect = Literal["read", "write"]

Sampler = Literal["random", "neighbour", "chain", "fan_in", "fan_out", "dag", "sparse", "conflict"]
SAMPLERS: tuple[Sampler, ...] = ("random", "neighbour", "chain", "fan_in", "fan_out", "dag", "sparse", "conflict")
"""Ways to draw a toolset from a dataflow graph; turnwright/tools/samplers.py says what each promises."""

Ending = Literal[
    "task_complete",
    "turn_limit",
    "call_limit",
    "malformed_reply",
    "context_overflow",
    "environment_failed",
]
"""Why a dialogue stopped. Only `task_complete` can be valid."""

Outcome = Literal["accepted", "rejected", "failed", "not_attempted"]
"""What became of a planned unit of work. The four sum to what was planned."""

Boundary = Literal["endpoint", "source", "environment", "code", "budget", "interrupt"]
"""Where a unit that failed, or was not attempted, stopped."""

Judgment = Literal["valid", "invalid", "unscored"]
Match = Literal["match", "mismatch", "unavailable"]
BulletClass = Literal["Critical", "Structural", "NonCritical", "InvalidRubric"]
