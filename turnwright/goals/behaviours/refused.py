"""The assistant has to decline: no tool does it, the tool that did was taken away, or a rule of the house forbids it.

UO's authors saw relevance detection fall after training (evaluation), so refusals are scenarios of their own here.
"""

import random
from collections.abc import Collection, Sequence

from schemas.goals import BehaviourPlan
from schemas.tools import SqlTool, Tool
from turnwright.goals.drafts import DraftCall, DraftObjective
from turnwright.goals.keys import Keys, main_binding, result_rows
from turnwright.goals.verb_phrases import verb_phrase
from turnwright.goals.words import join_words, name_column, name_entity, same_value
from turnwright.tools.naming import split_words, to_words

WISHES = (
    "order a taxi for tomorrow morning",
    "book a table for four at a restaurant nearby",
    "translate the answer into Portuguese",
    "send everything by post to the office",
    "print two copies of the answer",
    "check what the weather will be like at the weekend",
    "play some quiet music",
    "write a birthday poem for a colleague",
    "set an alarm for seven in the evening",
    "look up the latest football scores on the web",
    "make a phone call to the front desk",
    "convert 250 dollars into yen at today's rate",
    "recommend a good film for tonight",
    "draw a small chart of it as a picture",
)
"""What no tool over a database does; the assistant must say so."""
BLOCKING = frozenset({"removed_tool", "forbidden_action"})
"""Behaviours that keep their objective from being met: what is expected is that nothing of it happens."""
_MOST_GONE = 4
"""More tools than that are half a service: taking them away would leave an assistant that can do nothing."""
_LEAST_LEFT = 3
"""Tools that a dialogue keeps when others are taken away."""


def find_blocked(plan: BehaviourPlan | None) -> int | None:
    """Index of the objective that cannot be met because of a behaviour; none where all can."""
    return plan.objective if plan is not None and plan.name in BLOCKING else None


def plan_out_of_scope(
    objectives: Sequence[DraftObjective], tools: Sequence[Tool], rng: random.Random
) -> BehaviourPlan | None:
    """Beside an objective the person asks for something that none of the tools has to do with."""
    wishes = list_wishes(tools)
    if not wishes:
        return None
    wish, index = rng.choice(wishes), rng.randrange(len(objectives))
    return BehaviourPlan(
        name="out_of_scope",
        objective=index,
        instruction=(
            f"While task {index + 1} is being dealt with, also ask the assistant once to {wish}. "
            "When it says that it cannot, accept that and go on."
        ),
        detail={"request": wish},
    )


def list_wishes(tools: Sequence[Tool]) -> list[str]:
    """What none of these tools has to do with."""
    words = {word for tool in tools for word in split_words(f"{tool.name} {tool.description}") if len(word) > 3}
    return [wish for wish in WISHES if len(words & {word for word in split_words(wish) if len(word) > 3}) < 2]


def list_alike(tool: Tool, tools: Sequence[Tool]) -> set[str]:
    """Names of the tools whose names and effect say that they do the same, the tool's own among them."""
    alike = (one for one in tools if split_words(one.name)[1:] == split_words(tool.name)[1:])
    return {one.name for one in alike if one.effect == tool.effect} | {tool.name}


def plan_removed_tool(
    objectives: Sequence[DraftObjective], tools: Sequence[Tool], rng: random.Random
) -> BehaviourPlan | None:
    """Every tool that could do what one objective asks for is not offered in this dialogue."""
    candidates: list[tuple[int, set[str]]] = []
    for index, objective in enumerate(objectives):
        gone = {name for goal in objective.goals for name in _list_doing(goal, objective, tools)}
        used = {call.tool.name for other in _others(objectives, index) for call in other.calls}
        few = len(gone) <= _MOST_GONE and len(tools) - len(gone) >= _LEAST_LEFT
        if gone and few and not gone & used and not _is_built_on(objectives, index):
            candidates.append((index, gone))
    if not candidates:
        return None
    index, gone = rng.choice(candidates)
    return BehaviourPlan(
        name="removed_tool",
        objective=index,
        instruction=f"If the assistant says that it cannot do what task {index + 1} asks for, accept that and go on.",
        detail={"tools": sorted(gone), "request": objectives[index].purpose},
    )


def plan_forbidden_action(
    objectives: Sequence[DraftObjective], tools: Sequence[Tool], keys: Keys | None, rng: random.Random
) -> BehaviourPlan | None:
    """A rule in the assistant's system prompt forbids the change that one objective asks for; the tool is offered."""
    candidates: list[tuple[int, DraftCall, set[str]]] = []
    for index, objective in enumerate(objectives):
        writes = [goal for goal in objective.goals if goal.tool.effect == "write"]
        if len(writes) != 1 or _is_built_on(objectives, index):
            continue
        forbidden = _list_doing(writes[0], objective, tools)
        used = {call.tool.name for other in _others(objectives, index) for call in other.calls}
        if not forbidden & used:
            candidates.append((index, writes[0], forbidden))
    if not candidates:
        return None
    index, goal, forbidden = rng.choice(candidates)
    answer = (
        "ask for it once more; if it stays with that, accept it and go on."
        if rng.random() < 0.5
        else "accept that and go on."
    )
    return BehaviourPlan(
        name="forbidden_action",
        objective=index,
        instruction=f"If the assistant says that it must not do what task {index + 1} asks for, {answer}",
        detail={
            "tools": sorted(forbidden),
            "request": objectives[index].purpose,
            "policy": _word_policy(goal, keys),
        },
    )


def _others(objectives: Sequence[DraftObjective], index: int) -> list[DraftObjective]:
    return [objective for position, objective in enumerate(objectives) if position != index]


def _is_built_on(objectives: Sequence[DraftObjective], index: int) -> bool:
    """Whether a later objective needs a result of this one."""
    own = {call.id for call in objectives[index].calls}
    later = [call for objective in objectives[index + 1 :] for call in objective.calls]
    return any(source.call in own for call in later for source in call.sources.values())


def _list_doing(goal: DraftCall, objective: DraftObjective, tools: Sequence[Tool]) -> set[str]:
    """Names of the tools that do what a goal call does; empty where that cannot be told.

    A change: the tools that write the same columns, or add or remove rows of the same table. A read: the tools that
    show a column which a fact comes from. Of a bare specification: the tools whose names say the same.
    """
    tool: Tool = goal.tool
    statements = [other for other in tools if isinstance(other, SqlTool)]
    if not isinstance(tool, SqlTool):  # pyright: ignore[reportUnnecessaryIsInstance]
        return list_alike(tool, tools)
    if tool.effect == "write":
        written = _list_written(tool, goal.arguments)
        return {
            other.name
            for other in statements
            if other.verb == tool.verb
            and (other.target or "").lower() == (tool.target or "").lower()
            and (tool.verb != "update" or _list_written(other) & written)
        } | {tool.name}
    rows = result_rows(goal.result)
    told = [
        output
        for output in tool.outputs
        if any(same_value(row.get(output.name), fact.value) for row in rows for fact in objective.facts)
    ]
    if not told or any(output.table is None or output.column is None for output in told):
        # A figure that one tool computes can be added up from what others list.
        return set()
    shown = {((output.table or "").lower(), (output.column or "").lower()) for output in told}
    return {
        other.name
        for other in statements
        if any(((output.table or "").lower(), (output.column or "").lower()) in shown for output in other.outputs)
    } | {tool.name}


def _list_written(tool: SqlTool, names: Collection[str] | None = None) -> set[str]:
    """Columns that a tool sets, lower case; with `names` only those that these parameters fill."""
    return {
        (binding.column or "").lower()
        for binding in tool.bindings
        if binding.operator in ("set", "values") and (names is None or binding.name in names)
    }


def _word_policy(goal: DraftCall, keys: Keys | None) -> str:
    """The rule that forbids a change, as one sentence for the assistant."""
    tool: Tool = goal.tool
    action = verb_phrase(tool.description)
    if isinstance(tool, SqlTool) and tool.target is not None:  # pyright: ignore[reportUnnecessaryIsInstance]
        entity = name_entity(tool.target)
        article = "an" if entity[0].lower() in "aeiou" else "a"
        if tool.verb == "delete":
            action = f"remove {article} {entity}"
        elif tool.verb == "insert":
            action = f"add a new {entity}"
        elif labels := _name_written(tool, goal, keys):
            action = f"change the {join_words(labels)} of {article} {entity}"
    return f"Never {action}, whoever asks for it."


def _name_written(tool: SqlTool, goal: DraftCall, keys: Keys | None) -> list[str]:
    labels: list[str] = []
    for name in goal.arguments:
        binding = main_binding(tool, name)
        if binding is None or binding.operator != "set" or binding.column is None:
            continue
        place = keys.place(binding.table, binding.column) if keys else None
        labels.append(name_column(*place) if place is not None else to_words(binding.column))
    return list(dict.fromkeys(labels))
