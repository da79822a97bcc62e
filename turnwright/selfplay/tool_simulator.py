"""The player of the tool simulator: invents a result of the schema asked for, and keeps to the facts that it is told.

It reads the blocks `tools`, `now`, `facts` and `call`, and `problems` where it is asked again. A thing's fields follow
from its identifier, so that every call tells the same of it; what was written, made or deleted it knows from the facts
alone. In a share of its replies it contradicts one of them: the ledger has to see it.
"""

import random
from dataclasses import dataclass, field
from typing import Any, cast

from turnwright.selfplay.request import NotUnderstood, Request
from turnwright.selfplay.simulated_values import make_number, make_text, pick_type
from turnwright.selfplay.words import CREATE_VERBS, DELETE_VERBS
from turnwright.tools.naming import singular, split_words

_DEEPEST = 10
_FLAGS = frozenset(
    {"success", "ok", "sent", "deleted", "removed", "updated", "created", "confirmed", "available", "valid"}
)
_STATES = {"cancel": "cancelled", "close": "closed", "delete": "deleted", "ship": "shipped", "pay": "paid"}


def reply(request: Request) -> dict[str, Any]:
    """What the call gives back: `{error, result}`.

    Raises:
        NotUnderstood: the blocks are not there, or the call names a tool that was not listed.
    """
    blocks = request.blocks
    call = cast("dict[str, Any]", blocks.get("call") or {})
    tools = {tool["name"]: tool for tool in cast("list[dict[str, Any]]", blocks.get("tools") or [])}
    tool = tools.get(call.get("tool", ""))
    if tool is None:
        raise NotUnderstood("the request has no block `call` with a tool of the block `tools`")
    world = _World(request, tool, dict(call["arguments"]), cast("list[dict[str, Any]]", blocks.get("facts") or []))
    gone = world.find_deleted()
    if gone is not None:
        return {"error": f"The {gone} was not found.", "result": None}
    result = world.make(tool.get("output_schema") or {"type": "object", "properties": {"success": {"type": "boolean"}}})
    slip = request.rng_for("tool_simulator", request.body)
    if "problems" not in blocks and slip.random() < request.mistake_rate:
        world.contradict(result, slip)
    return {"error": None, "result": result}


@dataclass
class _World:
    """One call, with what is known to be true."""

    request: Request
    tool: dict[str, Any]
    arguments: dict[str, Any]
    facts: list[dict[str, Any]]
    told: dict[tuple[str, str, str], Any] = field(default_factory=dict[tuple[str, str, str], Any])

    def __post_init__(self) -> None:
        words = split_words(str(self.tool["name"]))
        self.now = str(self.request.blocks.get("now") or "")
        self.verb, self.nouns = (words[0] if words else ""), [singular(word) for word in words[1:]]
        for fact in reversed(self.facts):
            if "field" in fact and not fact.get("with"):
                self.told[str(fact["entity"]), _key(fact["id"]), str(fact["field"])] = fact["value"]

    def find_deleted(self) -> str | None:
        """The thing that the arguments name and that is gone, in words."""
        gone = {(str(fact["entity"]), _key(fact["id"])) for fact in self.facts if fact.get("deleted")}
        for name, value in self.arguments.items():
            kind = _kind(name)
            if kind is not None and (kind or (self.nouns or ["record"])[0], _key(value)) in gone:
                return kind or "record"
        return None

    def make(self, given: Any, name: str = "", owner: str = "", depth: int = 0) -> Any:
        """A value of a schema; anything goes where the schema is none."""
        if depth > _DEEPEST:
            return None
        schema = cast("dict[str, Any]", given if isinstance(given, dict) else {})
        if "const" in schema:
            return schema["const"]
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            return self._rng(owner, name).choice(cast("list[Any]", choices))
        for joined in ("anyOf", "oneOf", "allOf"):
            if isinstance(schema.get(joined), list) and schema[joined]:
                options = cast("list[dict[str, Any]]", schema[joined])
                real = next((option for option in options if option.get("type") != "null"), options[0])
                return self.make(real, name, owner, depth + 1)
        match pick_type(schema):
            case "object":
                return self._make_object(schema, name, owner, depth)
            case "array":
                return self._make_list(schema, name, owner, depth)
            case "boolean":
                flags = set(split_words(name)) & _FLAGS
                return True if flags else self._rng(owner, name).random() < 0.5
            case "integer" | "number":
                return make_number(name, schema, self._rng(owner, name))
            case "null":
                return None
            case _:
                return make_text(name, schema, self.now, self._rng(owner, name))

    def _make_list(self, schema: dict[str, Any], name: str, owner: str, depth: int) -> list[Any]:
        inner = schema.get("items")
        items = cast("dict[str, Any]", inner) if isinstance(inner, dict) and inner else {"type": "string"}
        rng = self._rng(owner, f"{name}[]")
        count = max(int(schema.get("minItems") or 0), rng.randint(2, 4))
        count = min(count, int(schema.get("maxItems") or count), int(self.arguments.get("limit") or count))
        made = [self.make(items, name, f"{owner}/{name}/{position}", depth + 1) for position in range(count)]
        kept: list[Any] = []
        for item in (*made, *self._list_created(items)):
            if item not in kept and not self._is_gone(item):
                kept.append(item)
        return kept

    def _list_created(self, items: dict[str, Any]) -> list[Any]:
        """Records that the facts know and this list has to have: those whose fields say what the arguments ask for."""
        properties = cast("dict[str, Any]", items.get("properties") or {})
        own = next((name for name in properties if _kind(name) is not None), None)
        if own is None or not properties:
            return []
        kind = _kind(own) or (self.nouns[-1] if self.nouns else "")
        keys = {key: None for known, key, _ in self.told if known == kind}
        found: list[Any] = []
        for key in keys:
            known = {
                name: value for (k, identifier, name), value in self.told.items() if (k, identifier) == (kind, key)
            }
            asked = {name: value for name, value in self.arguments.items() if value is not None}
            if all(_key(known.get(name)) == _key(value) for name, value in asked.items()):
                shown = next((fact["id"] for fact in self.facts if _key(fact["id"]) == key), key)
                found.append(self._fill(properties, {own: shown}, f"{kind}:{key}", 0))
        return found

    def _is_gone(self, item: Any) -> bool:
        if not isinstance(item, dict):
            return False
        content = cast("dict[str, Any]", item)
        gone = {(str(fact["entity"]), _key(fact["id"])) for fact in self.facts if fact.get("deleted")}
        return any(
            (_kind(name) or "", _key(value)) in gone for name, value in content.items() if _kind(name) is not None
        )

    def _make_object(self, schema: dict[str, Any], name: str, owner: str, depth: int) -> dict[str, Any]:
        properties = cast("dict[str, Any]", schema.get("properties") or {})
        given: dict[str, Any] = {}
        own = next((key for key in properties if _kind(key) is not None), None)
        top = depth == 0
        for key, inner in properties.items():
            if key in self.arguments and (top or key != own):
                given[key] = self._complete(self.arguments[key], cast("dict[str, Any]", inner), key, depth)
        if own is not None and own not in given:
            about = next((noun for noun in self.nouns if any(_kind(key) == noun for key in self.arguments)), None)
            asked = [value for key, value in self.arguments.items() if _kind(key) in ("", _kind(own) or about) and top]
            given[own] = asked[0] if asked else self.make(properties[own], own, owner)
        kind = (_kind(own) if own else "") or (singular(" ".join(split_words(name))) or " ".join(self.nouns[-1:]))
        whose = f"{kind}:{_key(given[own])}" if own is not None else f"{owner}/{name}/{_key(self.arguments)}"
        return self._fill(properties, given, whose, depth)

    def _complete(self, value: Any, schema: dict[str, Any], name: str, depth: int) -> Any:
        """An argument as it comes back: objects in it with the fields that the result has besides."""
        items = schema.get("items")
        if isinstance(value, list) and isinstance(items, dict):
            inner = cast("dict[str, Any]", items)
            return [self._complete(item, inner, name, depth + 1) for item in cast("list[Any]", value)]
        properties = schema.get("properties")
        if isinstance(value, dict) and isinstance(properties, dict):
            content, known = cast("dict[str, Any]", value), cast("dict[str, Any]", properties)
            given = {key: child for key, child in content.items() if key in known}
            return self._fill(known, given, f"argument/{name}/{_key(content)}", depth + 1)
        return cast("Any", value)

    def _fill(self, properties: dict[str, Any], given: dict[str, Any], whose: str, depth: int) -> dict[str, Any]:
        kind, _, key = whose.partition(":")
        content: dict[str, Any] = {}
        writes = self.verb in CREATE_VERBS | DELETE_VERBS | set(_STATES) | {"update", "set", "change", "edit", "move"}
        for name, schema in properties.items():
            if name in given:
                content[name] = given[name]
            elif depth == 0 and (renamed := self._find_new(name)) is not None:
                content[name] = self.arguments[renamed]
            elif writes and split_words(name)[:1] in (["created"], ["updated"]) and schema.get("type") == "string":
                content[name] = self.now[:10] if schema.get("format") == "date" else self.now
            elif (kind, key, name) in self.told and not (writes and name == "status"):
                content[name] = self.told[kind, key, name]
            elif depth == 0 and name == "status" and self.verb in _STATES and "enum" not in schema:
                content[name] = _STATES[self.verb]
            else:
                content[name] = self.make(cast("dict[str, Any]", schema), name, whose, depth + 1)
        return content

    def _find_new(self, name: str) -> str | None:
        """The argument that sets a field under another name: `new_status`, or `new_address` of `shipping_address`."""
        for argument in self.arguments:
            words = split_words(argument)
            if words[:1] == ["new"] and split_words(name)[-len(words) + 1 :] == words[1:]:
                return argument
        return None

    def contradict(self, result: Any, rng: random.Random) -> None:
        """Tells one known field otherwise, or adds wrongly."""
        places = [place for place in _walk(result) if isinstance(place[0][place[1]], int | float | str)]
        known = [place for place in places if any(fact.get("value") == place[0][place[1]] for fact in self.facts)]
        if known or places:
            holder, name = rng.choice(known or places)
            value = holder[name]
            holder[name] = f"{value} II" if isinstance(value, str) else value + 3

    def _rng(self, owner: str, name: str) -> random.Random:
        """Chance that is the same whenever this field of this thing is told."""
        if ":" in owner:
            return self.request.rng_for("world", owner, name)
        return self.request.rng_for("world", self.tool["name"], self.arguments, owner, name)


def _walk(value: Any) -> list[tuple[dict[str, Any], str]]:
    found: list[tuple[dict[str, Any], str]] = []
    if isinstance(value, dict):
        content = cast("dict[str, Any]", value)
        for name, child in content.items():
            found += _walk(child) if isinstance(child, dict | list) else [(content, name)]
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            found += _walk(item)
    return [(holder, name) for holder, name in found if not isinstance(holder[name], bool)]


def _kind(name: str | None) -> str | None:
    """The kind of thing that a field identifies; empty for a bare `id`."""
    words = split_words(name or "")
    if not words or words[-1] not in ("id", "uuid"):
        return None
    return singular(" ".join(words[:-1]))


def _key(value: Any) -> str:
    return str(value).casefold()
