"""The fact ledger of one simulated dialogue: what code makes itself, what it checks, and what it puts right."""

import random
import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

from schemas.simulation import Contradiction, LedgerFact
from turnwright.environments.simulation.absences import find_list
from turnwright.environments.simulation.arithmetic import find_miscounts
from turnwright.environments.simulation.clock import find_time_faults, stamp_times
from turnwright.environments.simulation.contradictions import find_contradictions
from turnwright.environments.simulation.facts import Facts
from turnwright.environments.simulation.field_names import identified_kind
from turnwright.environments.simulation.identifiers import draw_identifier
from turnwright.environments.simulation.output_check import find_misfits
from turnwright.environments.simulation.records import (
    Entity,
    Path,
    SimulatedCall,
)
from turnwright.environments.simulation.writes import read_effect

_LONGEST_TEXT = 10_000
_ROUNDS = 4
"""Levels of sums that are made of sums."""


class FactLedger:
    """What is true in one simulated dialogue.

    `complete` puts in what code knows better than a model (identifiers, counts, sums, the time of a change), `check`
    says what cannot be, `correct` puts the truth where code knows it, `learn` takes a result in. Only `learn` changes
    the ledger. The same calls give the same answers: chance comes from `seed` and the number of the call.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self.facts = Facts()

    def complete(self, call: SimulatedCall, now: str) -> SimulatedCall:
        """The call with what code makes itself, as far as the output schema allows it."""
        if call.error is not None:
            return call
        made = replace(call, value=deepcopy(call.value))
        effect = read_effect(made, self.facts.known)
        own = next((record for record in made.records if not record.listed), None)
        if made.tool.effect == "write" and own is not None and own.own is not None:
            repeated = any(found.code == "repeated_id" for found in find_contradictions(made, self.facts))
            created = effect is not None and effect.created == own.entity
            chosen = own.entity in call.named.values()
            if (created or repeated) and not chosen and "+" not in own.own:
                made = self._renumber(made, (*own.path, own.own), own.entity)
                created = True
            made = _replace_all(made, stamp_times(made, now, created=created))
        elif made.tool.effect == "write":
            made = _replace_all(made, stamp_times(made, now, created=False))
        return _reckon(made)

    def check(self, call: SimulatedCall, now: str) -> list[Contradiction]:
        """What in a result cannot be; nothing else is looked at where it does not fit its schema."""
        if call.error is None:
            misfits = find_misfits(call.tool, call.value)
            if misfits:
                return [Contradiction(code="invalid_result", path=(), explanation=text) for text in misfits]
        found = find_contradictions(call, self.facts)
        if call.error is None:
            found += [*find_miscounts(call.value), *find_time_faults(call, self.facts, now)]
        return found

    def correct(self, call: SimulatedCall, found: Sequence[Contradiction]) -> SimulatedCall:
        """The call with the truth where code knows it; what it does not know stays as it is."""
        for contradiction in found:
            if contradiction.code in ("created_missing", "known_missing"):
                call = self._restore(call)
        if call.error is not None:
            return call
        call = _replace_all(call, [item for item in found if item.remedy == "replace"])
        removed = [item.path for item in found if item.remedy == "remove"]
        if removed:
            call = _remove(call, removed)
        gone = [item for item in found if item.code == "deleted_returns" and item.remedy == "none"]
        if any(item.path == () for item in gone):
            return replace(call, value=None, error="not_found")
        return _reckon(call)

    def learn(self, call: SimulatedCall, said: str = "") -> None:
        """Takes in a result as it was given; `said` is what the user has said so far."""
        self.facts.learn(call, said)

    def list_facts(self) -> tuple[LedgerFact, ...]:
        """Everything that is true."""
        return self.facts.list_facts()

    def _renumber(self, call: SimulatedCall, path: Path, entity: Entity) -> SimulatedCall:
        rng = random.Random(f"{self._seed}:{self.facts.calls}:{entity.kind}")
        old = _get(call.value, path)
        fresh = draw_identifier(old, entity.kind, self.facts, rng)
        changed = replace(call, value=_rename(deepcopy(call.value), old, fresh, str(path[-1])))
        return changed if not find_misfits(call.tool, changed.value) or find_misfits(call.tool, call.value) else call

    def _restore(self, call: SimulatedCall) -> SimulatedCall:
        """Puts back what must be there, where the facts are enough to make a record that fits the schema."""
        schema, listed = call.tool.output_schema, find_list(call.value)
        if listed is not None:
            for name in listed[0]:
                schema = cast(
                    "dict[str, Any]", cast("dict[str, Any]", schema.get("properties") or {}).get(str(name)) or {}
                )
            items = cast("dict[str, Any]", schema.get("items") or {})
            here = {record.entity for record in call.records}
            for entity in sorted(self._expected(call) - here, key=str):
                value = deepcopy(call.value)
                cast("list[Any]", _get(value, listed[0])).append(self._rebuild(entity, items))
                if not find_misfits(call.tool, value):
                    call = replace(call, value=value)
            return call
        named = list(call.named.values())
        if len(named) == 1 and (call.error is not None or call.value in (None, {})):
            candidate = replace(call, value=self._rebuild(named[0], schema), error=None)
            if not find_misfits(call.tool, candidate.value):
                return candidate
        return call

    def _expected(self, call: SimulatedCall) -> set[Entity]:
        missing = [
            item for item in find_contradictions(call, self.facts) if item.code in ("created_missing", "known_missing")
        ]
        told = {item.explanation for item in missing}
        return {entity for entity in self.facts.seen if any(text.startswith(f"{entity} was ") for text in told)}

    def _rebuild(self, entity: Entity, schema: dict[str, Any]) -> dict[str, Any]:
        properties = cast("dict[str, Any]", schema.get("properties") or {})
        record: dict[str, Any] = {}
        for name in properties:
            if identified_kind(name) in ("", entity.kind):
                record[name] = entity.shown
        for (owners, name), known in self.facts.values.items():
            head = name.partition(".")[0]
            if owners == frozenset({entity}) and (not properties or head in properties) and name not in record:
                _place(record, tuple(name.split(".")), known.value)
        return record


def _reckon(call: SimulatedCall) -> SimulatedCall:
    """The call with right counts and sums, inner ones first, because outer ones are made of them."""
    for _ in range(_ROUNDS):
        wrong = find_miscounts(call.value)
        deepest = max((len(item.path) for item in wrong), default=0)
        changed = _replace_all(call, [item for item in wrong if len(item.path) == deepest])
        if changed is call:
            return call
        call = changed
    return call


def _replace_all(call: SimulatedCall, found: Sequence[Contradiction]) -> SimulatedCall:
    """The call with each truth in its place; one that would not fit the schema is left out."""
    for item in found:
        value = deepcopy(call.value)
        if _place(value, item.path, item.truth) and not find_misfits(call.tool, value):
            call = replace(call, value=value)
    return call


def _remove(call: SimulatedCall, paths: Sequence[Path]) -> SimulatedCall:
    value = deepcopy(call.value)
    for path in sorted(set(paths), key=lambda path: [str(part).zfill(9) for part in path], reverse=True):
        parent = _get(value, path[:-1])
        if isinstance(parent, list) and isinstance(path[-1], int):
            items = cast("list[Any]", parent)
            if path[-1] < len(items):
                del items[path[-1]]
    changed = replace(call, value=value)
    return changed if not find_misfits(call.tool, value) else call


def _get(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _place(value: Any, path: Path, truth: Any) -> bool:
    """Puts `truth` at a path, making objects on the way; False where there is no such place."""
    if not path:
        return False
    for part in path[:-1]:
        if isinstance(value, dict):
            value = cast("dict[Any, Any]", value).setdefault(part, {})
        elif isinstance(value, list) and isinstance(part, int) and part < len(cast("list[Any]", value)):
            value = cast("list[Any]", value)[part]
        else:
            return False
    last = path[-1]
    if isinstance(value, dict):
        cast("dict[Any, Any]", value)[last] = truth
        return True
    if isinstance(value, list) and isinstance(last, int) and last < len(cast("list[Any]", value)):
        cast("list[Any]", value)[last] = truth
        return True
    return False


def _rename(value: Any, old: Any, fresh: Any, field: str) -> Any:
    """`value` with an identifier replaced: in its own field everywhere, and where a text mentions it."""
    if isinstance(value, dict):
        content = cast("dict[str, Any]", value)
        return {
            name: fresh if name == field and child == old else _rename(child, old, fresh, field)
            for name, child in content.items()
        }
    if isinstance(value, list):
        return [_rename(item, old, fresh, field) for item in cast("list[Any]", value)]
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT:
        # Not inside a longer word or number: the 51 of `51.20` is no identifier.
        return re.sub(rf"(?<![\w.-]){re.escape(str(old))}(?!\w|[.,]\d)", lambda _: str(fresh), value)
    return value
