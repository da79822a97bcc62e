"""The facts of one simulated dialogue: what was told of each thing, what was written, made and taken away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.content import canonical_json
from schemas.simulation import LedgerFact
from schemas.tools import Tool
from turnwright.environments.simulation.agreement import as_number
from turnwright.environments.simulation.field_names import (
    identified_kind,
    is_context,
    is_depending,
    is_lasting,
    is_line_mark,
    is_lively,
    nouns_of,
    time_role,
)
from turnwright.environments.simulation.records import (
    Entity,
    Record,
    SimulatedCall,
    find_records,
    list_argument_entities,
    list_named_entities,
)
from turnwright.environments.simulation.writes import WriteEffect, read_effect
from turnwright.validation.values import names

_MOST_LINES = 60
"""Facts that the simulator is shown for one call."""

Scope = frozenset[Entity]
Key = tuple[Entity, Scope, str]


@dataclass(frozen=True)
class Known:
    """One fact as it is kept."""

    value: Any
    source: str
    call: int
    tool: str


@dataclass(frozen=True)
class Listing:
    """One list that a read gave."""

    tool: str
    arguments: str
    """Canonical JSON."""
    members: frozenset[Entity]
    call: int


@dataclass
class Facts:
    """What is true so far. `learn` is the only thing that changes it."""

    calls: int = 0
    """Calls learnt from."""
    values: dict[Key, Known] = field(default_factory=dict[Key, Known])
    seen: dict[Entity, int] = field(default_factory=dict[Entity, int])
    """Things that were there, with the call that showed them first."""
    created: dict[Entity, int] = field(default_factory=dict[Entity, int])
    references: dict[Entity, set[Entity]] = field(default_factory=dict[Entity, set[Entity]])
    """What each thing was mentioned with."""
    deleted: dict[tuple[Entity, Scope], int] = field(default_factory=dict[tuple[Entity, Scope], int])
    touched: dict[Entity, int] = field(default_factory=dict[Entity, int])
    """The last call that may have changed a thing."""
    listings: dict[tuple[str, str], Listing] = field(default_factory=dict[tuple[str, str], Listing])
    """The latest list of each tool and arguments."""

    @property
    def known(self) -> frozenset[Entity]:
        """Everything that was there at some time."""
        return frozenset(self.seen)

    def learn(self, call: SimulatedCall, said: str = "") -> WriteEffect | None:
        """Takes in what a call gave, as it was given. `said` is what the user has said so far."""
        self.calls += 1
        if call.error is not None:
            return None
        records = find_records(call)
        effect = read_effect(call, self.known)
        if effect is not None:
            self._forget(effect)
        for record in records:
            self._note(record, call)
        if effect is not None:
            self._apply(effect, call, said)
        else:
            members = [record.entity for record in records if record.listed and not record.entity.by_name]
            if members or call.value == []:
                arguments = canonical_json(dict(call.arguments))
                listing = Listing(call.tool.name, arguments, frozenset(members), self.calls)
                self.listings[call.tool.name, arguments] = listing
        return effect

    def _note(self, record: Record, call: SimulatedCall) -> None:
        entity = record.entity
        for other in (entity, *record.around, *record.parents):
            self.seen.setdefault(other, self.calls)
        self.references.setdefault(entity, set()).update(record.around | record.parents)
        for name, value in record.fields.items():
            if value is not None:
                key = (entity, scope_of(record, name, call, self), name)
                self.values[key] = Known(value, "result", self.calls, call.tool.name)

    def _forget(self, effect: WriteEffect) -> None:
        """Drops what a write may have changed; what code knows it to have set comes in again afterwards."""
        for entity in effect.touched:
            self.touched[entity] = self.calls
        related = {other for entity in effect.touched for other in self.references.get(entity, ())}
        related |= {entity for entity, around in self.references.items() if around & effect.touched}
        for key, known in list(self.values.items()):
            entity, scope, name = key
            reference = identified_kind(name) is not None
            quantity = isinstance(known.value, list | bool) or (as_number(known.value) is not None and not reference)
            if entity in effect.touched or scope & effect.touched:
                written = known.source != "result"
                mine = entity == effect.target
                gone = quantity or is_lively(name) or (reference and len(effect.touched) > 1 and mine)
                if written and (effect.family == "set" or not mine):
                    gone = time_role(name) is not None
                if effect.family not in ("set", "create") and mine and not is_lasting(name):
                    gone = gone or not written
                if gone and not is_lasting(name):
                    del self.values[key]
            elif entity in related and quantity and known.source == "result" and not is_lasting(name):
                del self.values[key]
        # What a list holds may be another thing after it: only what cannot have left it is still expected there.
        for place, listing in list(self.listings.items()):
            gone_members = effect.touched & listing.members
            if gone_members:
                self.listings[place] = Listing(
                    listing.tool, listing.arguments, listing.members - gone_members, listing.call
                )

    def _apply(self, effect: WriteEffect, call: SimulatedCall, said: str) -> None:
        target = effect.target
        if target is None:
            return
        if effect.family == "delete":
            self.deleted[target, effect.within] = self.calls
            return
        self.seen.setdefault(target, self.calls)
        if effect.created is not None:
            self.deleted = {key: made for key, made in self.deleted.items() if key[0] != target}
            self.created[effect.created] = self.calls
            around = set(list_argument_entities(call.tool, call.arguments).values()) | {*effect.touched}
            self.references.setdefault(target, set()).update(around - {target})
        others = frozenset(list_argument_entities(call.tool, call.arguments).values()) - {target}
        for name, value in effect.values.items():
            # The quantity of an item in an order is not the item's alone.
            scope = others if is_depending(name) and effect.created is None else frozenset[Entity]()
            source = "user" if names(value, said) else "written"
            for key in [key for key in self.values if key[0] == target and key[1] == scope and key[2] == name]:
                del self.values[key]
            self.values[target, scope, name] = Known(value, source, self.calls, call.tool.name)

    def list_facts(self) -> tuple[LedgerFact, ...]:
        """All facts, in the order in which they were learnt."""
        return tuple(
            LedgerFact.model_validate(
                {
                    "entity": entity.kind or "record",
                    "id": entity.shown,
                    "field": name,
                    "value": known.value,
                    "source": known.source,
                    "call": known.call,
                }
            )
            for (entity, _, name), known in sorted(self.values.items(), key=lambda item: item[1].call)
        )

    def list_relevant(self, tool: Tool, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the simulator has to keep to in one call: facts of the things that it is about, and what is gone.

        The things that the arguments name, what these were mentioned with, and everything of the kind that the tool is
        about; what was written comes first, then the latest.
        """
        wanted = {*list_argument_entities(tool, arguments).values(), *list_named_entities(arguments)}
        kinds = set(nouns_of(tool.name))
        wanted |= {entity for entity in self.seen if entity.kind in kinds}
        near = {other for entity in sorted(wanted, key=str) for other in self.references.get(entity, ())}
        found: list[tuple[tuple[int, int, str], dict[str, Any]]] = []
        for (entity, _, name), known in self.values.items():
            if entity in wanted or entity in near:
                rank = (0 if known.source != "result" else 1 if entity in wanted else 2, -known.call, name)
                line = {"entity": entity.kind, "id": entity.shown, "field": name, "value": known.value}
                found.append((rank, {**line, "call": known.call}))
        found.sort(key=lambda item: item[0])
        gone = [
            {"entity": entity.kind, "id": entity.shown, "deleted": True, "call": made}
            for (entity, _), made in self.deleted.items()
            if entity in wanted or entity.kind in kinds
        ]
        return [*gone[:_MOST_LINES], *(line for _, line in found)][:_MOST_LINES]


def scope_of(record: Record, name: str, call: SimulatedCall, facts: Facts) -> Scope:
    """What a field's value depends on besides the record itself; facts are compared within one scope only."""
    nothing: Scope = frozenset()
    if is_lasting(name) or identified_kind(name) is not None:
        return nothing
    if any(is_line_mark(other) for other in record.fields):
        return record.parents or (nothing if record.entity in facts.created else record.around)
    if record.entity in facts.created or call.tool.effect == "write":
        return nothing
    if is_depending(name):
        matched = record.entity.kind in nouns_of(call.tool.name)
        return (nothing if matched else record.parents | record.around) | _context_of(call)
    single = not record.listed and record.entity in list_argument_entities(call.tool, call.arguments).values()
    return _context_of(call) if single else nothing


def _context_of(call: SimulatedCall) -> Scope:
    given = {name: value for name, value in call.arguments.items() if is_context(name) and value is not None}
    if not given:
        return frozenset()
    pseudo: list[Entity] = [Entity("arguments", canonical_json(given))]
    return frozenset(pseudo)
