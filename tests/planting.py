"""Contradictions planted in the answers of a consistent world, of many kinds; written against worlds, not the ledger.

A planter is given what the session has seen so far and the next call with its true answer; it returns a spoilt answer,
or none where this kind of contradiction cannot be planted there.
"""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, cast

from schemas.tools import Tool

Path = tuple[str | int, ...]
Spoilt = tuple[Any, str | None]


@dataclass
class Seen:
    """What was told in the session, kept as simply as can be."""

    told: dict[tuple[str, str, str], Any] = field(default_factory=dict[tuple[str, str, str], Any])
    """The latest value of `(name of the identifier, identifier, field)`, while nothing was written since."""
    set_by_call: dict[tuple[str, str, str], Any] = field(default_factory=dict[tuple[str, str, str], Any])
    made: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    """Identifier's name and value of what the last write made."""
    deleted: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict[tuple[str, str], dict[str, Any]])
    """The last record shown of what was deleted."""
    records: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict[tuple[str, str], dict[str, Any]])

    def note(self, tool: Tool, arguments: dict[str, Any], value: Any, failed: bool) -> None:
        """Takes in an answer that was given."""
        if failed:
            return
        if tool.effect == "write":
            self.told.clear()
            self.made = []
            verb = tool.name.split("_")[0]
            target = next(((n, v) for n, v in arguments.items() if n.endswith("_id")), None)
            if verb == "update" and target is not None and sum(n.endswith("_id") for n in arguments) == 1:
                for name, given in arguments.items():
                    if not name.endswith("_id") and not name.startswith("new_"):
                        self.set_by_call[target[0], str(target[1]), name] = given
            if verb == "delete" and target is not None and len(arguments) == 1:
                known = self.records.get((target[0], str(target[1])))
                self.deleted[target[0], str(target[1])] = known or {}
            if verb in ("place", "create", "book") and isinstance(value, dict):
                made = next(((n, v) for n, v in cast(dict[str, Any], value).items() if n.endswith("_id")), None)
                self.made = [made] if made else []
        for _, key, content in list_records(value):
            self.records[key, str(content[key])] = content
            if tool.effect == "read":
                for name, told in content.items():
                    if isinstance(told, str | int | float) and name != key and not name.endswith("_id"):
                        self.told[key, str(content[key]), name] = told


def list_records(value: Any) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Outer objects that begin with their identifier: the result itself, items of a list, of a list one level down."""
    if isinstance(value, dict):
        content = cast(dict[str, Any], value)
        lists = [name for name, child in content.items() if isinstance(child, list) and name in ("orders", "tasks")]
        if not lists and next(iter(content), "").endswith("_id") and "course_id" not in content:
            yield (), next(iter(content)), content
        for name in lists:
            for position, item in enumerate(content[name]):
                yield (name, position), next(iter(item)), item
    elif isinstance(value, list):
        for position, item in enumerate(cast(list[Any], value)):
            if isinstance(item, dict) and next(iter(cast(dict[str, Any], item)), "").endswith("_id"):
                yield (position,), next(iter(item)), item


def change(value: Any, rng: random.Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice([-3, 4, 11])
    if isinstance(value, float):
        return round(value + rng.choice([-2.5, 7.25, 30.0]), 2)
    if len(value) >= 19 and value[4] == "-" and value[10] == "T":
        return f"2023{value[4:]}"
    return rng.choice([word for word in ("pending", "Ostend", "Quinn Abara", "silver") if word != value])


def put(value: Any, path: Path, new: Any) -> Any:
    """A copy of `value` with another value at a path."""
    copy = deepcopy(value)
    place = copy
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = new
    return copy


def find_paths(value: Any, names: tuple[str, ...], path: Path = ()) -> list[Path]:
    """Where fields of these names stand."""
    found: list[Path] = []
    if isinstance(value, dict):
        for name, child in cast(dict[str, Any], value).items():
            found += [(*path, name)] if name in names and child is not None else []
            found += find_paths(child, names, (*path, name))
    elif isinstance(value, list):
        for position, child in enumerate(cast(list[Any], value)):
            found += find_paths(child, names, (*path, position))
    return found


def get(value: Any, path: Path) -> Any:
    """What stands at a path."""
    for part in path:
        value = value[part]
    return value


Planter = Callable[[Seen, Tool, dict[str, Any], Any, str | None, random.Random], Spoilt | None]


def another_value(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """A field of a record is told otherwise than a moment ago."""
    if tool.effect != "read" or error or "date" in arguments:
        return None
    places = [
        ((*path, name), told)
        for path, key, content in list_records(value)
        for name, told in content.items()
        if isinstance(told, str | int | float) and seen.told.get((key, str(content[key]), name)) == told
    ]
    if not places:
        return None
    path, told = rng.choice(places)
    return put(value, path, change(told, rng)), None


def lost_write(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """A value that was set comes back as another one, in the write's own result or in a later read."""
    if error:
        return None
    for path, key, content in list_records(value):
        for name, told in content.items():
            own = tool.name.startswith("update") and name in arguments and not name.endswith("_id")
            if own or (tool.effect == "read" and seen.set_by_call.get((key, str(content[key]), name)) == told):
                return put(value, (*path, name), change(told, rng)), None
    return None


def deleted_returns(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """A deleted record is told again, alone or in a list."""
    for (key, identifier), record in seen.deleted.items():
        if tool.name == f"get_{key[:-3]}" and str(arguments.get(key)) == identifier and record:
            wanted = tool.output_schema.get("required", [])
            if all(name in record for name in wanted):
                return {name: record[name] for name in wanted}, None
        if tool.name in ("list_tasks", "list_customer_orders") and error is None and record:
            name = "tasks" if tool.name == "list_tasks" else "orders"
            wanted = tool.output_schema["properties"][name]["items"]["required"]
            fits = arguments.get("customer_id") in (None, record.get("customer_id")) and "status" not in arguments
            if key == f"{name[:-1]}_id" and fits and all(field in record for field in wanted):
                content = deepcopy(value)
                content[name].append({field: record[field] for field in wanted})
                return content, None
    return None


def made_missing(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """What was just made is not found, or not in the list that it belongs to."""
    for key, identifier in seen.made:
        if tool.effect != "read" or error:
            return None
        if tool.name == f"get_{key[:-3]}" and arguments.get(key) == identifier:
            return None, f"The {key[:-3]} was not found."
        for path, other, content in list_records(value):
            if other == key and content[key] == identifier and path:
                copy = deepcopy(value)
                del get(copy, path[:-1])[path[-1]]
                for count in ("count", "total"):
                    if isinstance(copy, dict) and isinstance(copy.get(count), int):
                        copy[count] -= 1
                if isinstance(copy, dict) and "total_spent" in copy:
                    copy["total_spent"] = round(sum(order["total"] for order in copy["orders"]), 2)
                return copy, None
    return None


def known_missing(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """A record that was shown before is not found."""
    for (key, identifier), _ in seen.records.items():
        if error is None and tool.name == f"get_{key[:-3]}" and str(arguments.get(key)) == identifier:
            return None, f"No such {key[:-3]}."
    return None


def _wrong_figure(*names: str) -> Planter:
    def plant(
        seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
    ) -> Spoilt | None:
        paths = [] if error else find_paths(value, names)
        if not paths:
            return None
        path = rng.choice(paths)
        return put(value, path, change(get(value, path), rng)), None

    return plant


def wrong_shape(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """A field is missing, of another type, or no date."""
    if error or not isinstance(value, dict):
        return None
    content = deepcopy(cast(dict[str, Any], value))
    name = rng.choice(sorted(content))
    dates = find_paths(content, ("created_at", "start_time", "date"))
    kind = rng.choice(["drop", "type", "date" if dates else "drop"])
    if kind == "drop":
        del content[name]
    elif kind == "type":
        content[name] = {"value": content[name]}
    else:
        return put(content, dates[0], "some time soon"), None
    return content, None


def repeated_id(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """Two different records have one identifier: in one list, or a new record that of an old one."""
    if error:
        return None
    records = list(list_records(value))
    if len(records) > 1 and tool.effect == "read":
        (_, key, first), (path, _, second) = records[0], records[1]
        if any(first.get(name) != told for name, told in second.items() if name != key):
            return put(value, (*path, key), first[key]), None
    if tool.name in ("place_order", "create_task", "book_appointment"):
        key = records[0][1]
        old = [content[key] for (name, _), content in seen.records.items() if name == key]
        if old and old[0] != records[0][2][key]:
            return put(value, (key,), old[0]), None
    return None


def to_come(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """A record was made or changed at a time that is still to come."""
    paths = [] if error else find_paths(value, ("created_at", "updated_at"))
    return (put(value, rng.choice(paths), "2024-11-20T08:00:00"), None) if paths else None


def end_before_start(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """Something ends before it starts, or was changed before it was made."""
    paths = [] if error else find_paths(value, ("end_time", "updated_at"))
    return (put(value, rng.choice(paths), "2019-01-20T08:00:00"), None) if paths else None


def another_record(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """The result is about something that was not asked for."""
    if error or not isinstance(value, dict):
        return None
    for name, wanted in arguments.items():
        if name.endswith("_id") and len(arguments) == 1 and cast(dict[str, Any], value).get(name) == wanted:
            return put(value, (name,), wanted + 1 if isinstance(wanted, int) else f"{wanted}9"), None
    return None


def filter_ignored(
    seen: Seen, tool: Tool, arguments: dict[str, Any], value: Any, error: str | None, rng: random.Random
) -> Spoilt | None:
    """A list has a record that the filter leaves out."""
    properties = tool.parameters["properties"]
    for name, wanted in arguments.items():
        choices = [choice for choice in properties[name].get("enum", []) if choice != wanted]
        paths = find_paths(value, (name,)) if choices and not error else []
        if paths:
            return put(value, rng.choice(paths), choices[0]), None
    return None


PLANTERS: dict[str, Planter] = {
    "another_value": another_value,
    "lost_write": lost_write,
    "deleted_returns": deleted_returns,
    "made_missing": made_missing,
    "known_missing": known_missing,
    "wrong_count": _wrong_figure("count", "item_count", "slot_count", "total_courses"),
    "wrong_total": _wrong_figure("subtotal", "total_spent", "new_balance"),
    "wrong_line": _wrong_figure("line_total"),
    "wrong_shape": wrong_shape,
    "repeated_id": repeated_id,
    "to_come": to_come,
    "end_before_start": end_before_start,
    "another_record": another_record,
    "filter_ignored": filter_ignored,
}
