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
    "planner",
    "requester",
    "back_translator",
    "summariser",
    "responder",
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

Paradigm = Literal["task_oriented", "user_oriented", "user_oriented_executed", "stateless", "stateless_executed"]
"""`task_oriented`: whole queries, no user simulator; `user_oriented`: a person who tells their goal bit by bit, both
with simulated tools; `user_oriented_executed`: the same person, and tools that really run; `stateless`: planned turn by
turn, the user's words made of the plan, tools simulated (TC); `stateless_executed`: the same plans, and tools that
really run, for twins only."""
STATELESS: frozenset[Paradigm] = frozenset({"stateless", "stateless_executed"})
"""Paradigms in which plans come first and are made during the dialogue."""
ARMS: tuple[Paradigm, ...] = ("stateless", "stateless_executed", "user_oriented_executed")
"""Of twins: the dialogues of a set over one toolset, in the order in which they stand."""
WITHOUT_USER_SIMULATOR: frozenset[Paradigm] = frozenset({"task_oriented", "stateless", "stateless_executed"})
"""Paradigms in which nobody plays the user during the dialogue: what they say is whole from the start."""
SIMULATED: frozenset[Paradigm] = frozenset({"task_oriented", "user_oriented", "stateless"})
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
    "generation_failed",
]
"""Why a dialogue stopped. Only `task_complete` can be valid."""

Outcome = Literal["accepted", "rejected", "failed", "not_attempted"]
"""What became of a planned unit of work. The four sum to what was planned."""

Boundary = Literal["endpoint", "source", "environment", "code", "budget", "interrupt"]
"""Where a unit that failed, or was not attempted, stopped."""

Judgment = Literal["valid", "invalid", "unscored"]
Match = Literal["match", "mismatch", "unavailable"]
BulletClass = Literal["Critical", "Structural", "NonCritical", "InvalidRubric"]
