"""How many calls each role makes in a run, as its config alone tells."""

import math
from collections.abc import Mapping

from schemas.config import RunConfig
from schemas.vocabulary import SIMULATED, STATELESS, Paradigm, Role

_TOOLS_PER_CALL = 8
_SPECIFIED = frozenset({"tools", "mcp", "openapi"})
"""Kinds of sources that give tools as specifications."""
_GIVEN_TOOLS = 20
"""Of a source, where nothing is known of it."""
_TASK_DRAWS = 1.1
"""Calls per written task: some drafts are asked for again."""
_A_DIALOGUE: Mapping[Role, tuple[float, float]] = {"user_simulator": (1.0, 1.6), "assistant": (2.0, 3.4)}
"""Calls of a dialogue between a person and an assistant: so many, and so many more for each of its tasks."""
_WITHOUT_USER = (0.0, 2.4)
"""Calls of the assistant where nobody answers it."""
_SIMULATED_CALLS = 2.2
"""Calls of tools that a simulator answers, for each task."""
_A_TURN: Mapping[Role, float] = {
    "planner": 1.3,
    "requester": 1.0,
    "back_translator": 1.0,
    "summariser": 0.9,
}
"""Calls of a stateless turn for each candidate; some turns are tried again."""
_A_BEHAVIOUR: Mapping[str, Mapping[Role, float]] = {
    "missing_parameter": {"responder": 0.9, "requester": 0.9},
    "out_of_scope": {"responder": 0.9},
    "removed_tool": {"responder": 0.9},
}
"""Calls besides of a dialogue in which one of its turns has this behaviour, for each candidate."""
_A_CLOSING: Mapping[Role, float] = {"requester": 1.0, "responder": 1.0}
"""Calls of the end of a dialogue with a reactive user, for each candidate."""
_TURN_RESULTS = 2.5
"""Calls of tools in a stateless turn."""
_REPAIRED = 0.15
"""Share of dialogues that are invalid."""
_REPAIR = 0.7
"""Calls of one try of a repair, of those of a dialogue."""
DIALOGUE_ROLES: tuple[Role, ...] = (*_A_DIALOGUE, "tool_simulator", *_A_TURN, "responder")
"""Roles whose calls grow with the dialogues."""


def share_paradigms(config: RunConfig) -> dict[Paradigm, float]:
    """Share of the dialogues made each way; where the config leaves it open, by what its sources can bear."""
    if config.twins:
        return {"stateless": 1 / 3, "stateless_executed": 1 / 3, "user_oriented_executed": 1 / 3}
    if config.paradigms:
        return dict(config.paradigms)
    simulated = sum(str(source.kind) in _SPECIFIED for source in config.sources) / len(config.sources)
    return {"user_oriented": simulated, "user_oriented_executed": 1.0 - simulated}


def expect_calls(config: RunConfig) -> dict[Role, float]:
    """Calls of each role; those that are not expected to be asked are left out."""
    calls = _expect_tools(config) | _expect_dialogues(config)
    return {role: expected for role, expected in calls.items() if expected}


def _expect_tools(config: RunConfig) -> dict[Role, float]:
    kinds = [str(source.kind) for source in config.sources]
    specified, databases = sum(kind in _SPECIFIED for kind in kinds), kinds.count("sql")
    calls: dict[Role, float] = {
        "question_writer": specified + databases,
        "sql_tool_writer": databases * math.ceil(config.tools.per_domain / _TOOLS_PER_CALL),
    }
    if specified:
        synthesis = config.tools.synthesise
        written = min(synthesis.written, 2 * synthesis.asked_questions)
        calls["tool_writer"] = specified * synthesis.asked_questions
        calls["tool_expander"] = specified * bool(synthesis.expansion)
        calls["schema_writer"] = specified * min(synthesis.output_schemas, _GIVEN_TOOLS + written)
    return calls


def _expect_dialogues(config: RunConfig) -> dict[Role, float]:
    tasks = sum(count * share for count, share in config.tasks_per_dialogue.items())
    turns = sum(count * share for count, share in config.stateless.turns.items())
    written: dict[Role, float] = dict.fromkeys((*DIALOGUE_ROLES, "task_writer", "judge"), 0.0)
    for paradigm, share in share_paradigms(config).items():
        dialogues = config.dialogues * config.trials * share
        votes = config.judging.votes
        if paradigm in STATELESS:
            votes = max(votes, config.stateless.votes)
            # The executed twin of a dialogue asks nothing that was not asked for the simulated one.
            made = turns * dialogues if paradigm == "stateless" else 0.0
            for role, each in _A_TURN.items():
                written[role] += made * config.stateless.candidates * each
            if not config.twins:
                for role, each in _expect_exchanges(config).items():
                    written[role] += dialogues * config.stateless.candidates * each
            written["tool_simulator"] += made * _TURN_RESULTS
        else:
            again = 1.0 + config.repair.tries * _REPAIRED * _REPAIR
            written["task_writer"] += config.dialogues * share * _TASK_DRAWS
            for role, (base, each) in _A_DIALOGUE.items():
                if paradigm == "task_oriented":
                    base, each = (0.0, 0.0) if role == "user_simulator" else _WITHOUT_USER
                written[role] += dialogues * (base + each * tasks) * again
            if paradigm in SIMULATED:
                written["tool_simulator"] += dialogues * _SIMULATED_CALLS * tasks * again
        written["judge"] += dialogues * votes
    return written


def _expect_exchanges(config: RunConfig) -> dict[Role, float]:
    """Calls of a stateless dialogue for what is said besides requests and summaries, for each candidate."""
    calls: dict[Role, float] = {}
    for behaviour, roles in _A_BEHAVIOUR.items():
        for role, each in roles.items():
            calls[role] = calls.get(role, 0.0) + each * float({**config.behaviours}.get(behaviour, 0.0))
    for role, each in _A_CLOSING.items() if config.stateless.reactive_user else ():
        calls[role] = calls.get(role, 0.0) + each
    return calls
