"""The closed sets of words that rows and configuration share. Each has one meaning, given in docs/glossary.md."""

from typing import Literal

Role = Literal[
    "question_writer", "sql_tool_writer", "task_writer", "user_simulator", "user_operator", "assistant", "judge"
]
"""Everything that a model is asked to be."""

Stage = Literal[
    "collect-seeds",
    "prepare-tools",
    "write-dialogue-tasks",
    "simulate-dialogues",
    "validate-dialogues",
    "build-dataset",
    "report",
]
STAGES: tuple[Stage, ...] = (
    "collect-seeds",
    "prepare-tools",
    "write-dialogue-tasks",
    "simulate-dialogues",
    "validate-dialogues",
    "build-dataset",
    "report",
)

Paradigm = Literal["user_oriented_executed"]
Difficulty = Literal["easy", "medium", "hard"]

Behaviour = Literal["missing_parameter", "out_of_scope", "tool_fault", "changed_mind", "parallel_calls"]
BEHAVIOURS: tuple[Behaviour, ...] = (
    "missing_parameter",
    "out_of_scope",
    "tool_fault",
    "changed_mind",
    "parallel_calls",
)

Effect = Literal["read", "write"]

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
