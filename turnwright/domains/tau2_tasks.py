"""Tasks in tau2's files: a user's instructions and the calls that reach the goal."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from schemas.seeds import DomainTask
from schemas.tools import DomainTool

_PARTS = ("reason_for_call", "task_instructions")
_EMPTY = ("", ".", "none", "n/a")


def read_tasks(raw: Sequence[Any], tools: Sequence[DomainTool]) -> tuple[DomainTask, ...]:
    """Tasks as they stand in a file: in tau2's layout, or as DomainTask objects.

    Raises:
        ValueError: one cannot be read, names a tool that does not exist, or has an id that another one has.
    """
    sides = {tool.name: tool.side for tool in tools}
    tasks: dict[str, DomainTask] = {}
    for position, entry in enumerate(raw):
        if not isinstance(entry, dict):
            raise ValueError(f"task {position} is no object")
        fields = cast("dict[str, Any]", entry)
        try:
            task = _read_tau2(fields, sides) if "user_scenario" in fields else DomainTask.model_validate(fields)
        except (ValidationError, KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"task {position} cannot be read: {type(problem).__name__} {str(problem)[:200]}") from None
        for action in task.actions:
            if action["name"] not in sides:
                raise ValueError(f"task {task.id} calls {action['name']}, which is no tool of this domain")
        if task.id in tasks:
            raise ValueError(f"two tasks have the id {task.id}")
        tasks[task.id] = task
    return tuple(tasks.values())


def _read_tau2(fields: Mapping[str, Any], sides: Mapping[str, Any]) -> DomainTask:
    told = fields["user_scenario"]["instructions"]
    if isinstance(told, str):
        told = {"reason_for_call": told}
    criteria: dict[str, Any] = fields.get("evaluation_criteria") or {}
    actions: list[dict[str, Any]] = criteria.get("actions") or []
    facts: list[Any] = criteria.get("communicate_info") or []
    statements: list[Any] = criteria.get("nl_assertions") or []
    known = {
        label: " ".join(str(told[name]).split())
        for name, label in (("known_info", "what they know"), ("unknown_info", "what they do not know"))
        if _is_said(told.get(name))
    }
    return DomainTask(
        id=str(fields["id"]),
        instructions=" ".join(" ".join(str(told[name]).split()) for name in _PARTS if _is_said(told.get(name))),
        known_details=known,
        actions=tuple(
            {
                "name": action["name"],
                "arguments": dict(action["arguments"]),
                "side": "user" if action.get("requestor") == "user" else sides.get(action["name"], "assistant"),
            }
            for action in actions
        ),
        facts=tuple(str(fact) for fact in facts),
        rubric=tuple(str(statement) for statement in statements),
    )


def _is_said(value: Any) -> bool:
    return value is not None and str(value).strip().casefold() not in _EMPTY
