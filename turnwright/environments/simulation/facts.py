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
    is_level,
    is_line_mark,
    is_lively,
    nouns_of,
    strip_new,
    time_role,
    words_of,
)
from turnwright.environments.simulation.records import (
    Entity,
    Record,
    SimulatedCall,
    list_argument_entities,
    list_named_entities,
    name_entity,
)
from turnwright.environments.simulation.writes import WriteEffect, read_effect
from turnwright.validation.values import names

_MOST_LINES = 60
"""Facts that the simulator is shown for one call."""

NOTHING: frozenset[Entity] = frozenset()
Key = tuple[frozenset[Entity], str]
"""Whose field it is, and the field. A grade is of a student and a course together, whichever is named first."""


@dataclass(frozen=True)
class Known:
    """One fact as it is kept."""

    entity: Entity
    """The thing that it was told of; others of its key were around."""
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
    deleted: dict[tuple[Entity, frozenset[Entity]], int] = field(
        default_factory=dict[tuple[Entity, frozenset[Entity]], int]
    )
    """What was taken away, and what out of: the empty set where it is gone altogether; with the call that did it."""
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
        records = call.records
        effect = read_effect(call, self.known)
        if effect is not None:
            self._forget(effect)
        for record in records:
            self._note(record, call)
        if effect is not None:
            self._apply(effect, call, said)
        else:
            outer = [record for record in records if record.listed and not record.parents]
            members = [record.entity for record in outer if not record.entity.by_name]
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
                key = key_of(record, name, call, self)
                self.values[key] = Known(entity, value, "result", self.calls, call.tool.name)

    def _forget(self, effect: WriteEffect) -> None:
        """Drops what a write may have changed; what code knows it to have set comes in again afterwards."""
        for entity in effect.touched:
            self.touched[entity] = self.calls
        related = {other for entity in effect.touched for other in self.references.get(entity, ())}
        related |= {entity for entity, around in self.references.items() if around & effect.touched}
        shown = {entity.kind for entity in self.references.get(effect.target, ())} if effect.target else set[str]()
        for key, known in list(self.values.items()):
            owners, name = key
            if is_lasting(name) and not _is_set(name, effect):
                continue
            # What hangs on a thing in a way that was never shown is not known: cancelling an order fills up some stock.
            unsure = effect.family != "set" and is_level(name) and not any(owner.kind in shown for owner in owners)
            if (unsure and known.source == "result") or self._may_change(owners, name, known, effect, related):
                del self.values[key]
        # What a list holds may be another thing after it: only what cannot have left it is still expected there.
        for place, listing in list(self.listings.items()):
            gone_members = effect.touched & listing.members
            if gone_members:
                self.listings[place] = Listing(
                    listing.tool, listing.arguments, listing.members - gone_members, listing.call
                )

    def _may_change(
        self, owners: frozenset[Entity], name: str, known: Known, effect: WriteEffect, related: set[Entity]
    ) -> bool:
        """Whether a write may have changed a fact: the closer the thing is to what was written, the sooner."""
        reference = identified_kind(name) is not None
        quantity = isinstance(known.value, list | bool) or (as_number(known.value) is not None and not reference)
        if not owners & effect.touched:
            return bool(owners & related) and quantity and known.source == "result"
        mine = effect.target in owners
        if mine and _is_set(name, effect):
            return True
        lively = quantity or is_lively(name) or (mine and reference and len(effect.touched) > 1)
        if known.source != "result" and (effect.family == "set" or not mine):
            return time_role(name) is not None
        if mine and effect.family not in ("set", "create"):
            return lively or known.source == "result"
        return lively

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
            around = set(call.named.values()) | {*effect.touched}
            self.references.setdefault(target, set()).update(around - {target})
        others = frozenset(call.named.values()) - {target}
        for name, value in effect.values.items():
            # The quantity of an item in an order is not the item's alone.
            owners = frozenset({target}) | (others if is_depending(name) and effect.created is None else NOTHING)
            source = "user" if names(value, said) else "written"
            self.values[owners, name] = Known(target, value, source, self.calls, call.tool.name)

    def list_facts(self) -> tuple[LedgerFact, ...]:
        """All facts, in the order in which they were learnt."""
        return tuple(
            LedgerFact.model_validate(
                {
                    "entity": known.entity.kind or "record",
                    "id": known.entity.shown,
                    "field": name,
                    "value": known.value,
                    "source": known.source,
                    "call": known.call,
                }
            )
            for (_, name), known in sorted(self.values.items(), key=lambda item: item[1].call)
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
        for (owners, name), known in self.values.items():
            if owners & wanted or owners & near:
                rank = (0 if known.source != "result" else 1 if owners & wanted else 2, -known.call, name)
                line = {"entity": known.entity.kind, "id": known.entity.shown, "field": name, "value": known.value}
                others = sorted(f"{owner}" for owner in owners - {known.entity} if owner.kind != "arguments")
                line |= {"with": others} if others else {}
                found.append((rank, {**line, "call": known.call}))
        found.sort(key=lambda item: item[0])
        gone = [
            {"entity": entity.kind, "id": entity.shown, "deleted": True, "call": made}
            for (entity, _), made in self.deleted.items()
            if entity in wanted or entity.kind in kinds
        ]
        return [*gone[:_MOST_LINES], *(line for _, line in found)][:_MOST_LINES]


def key_of(record: Record, name: str, call: SimulatedCall, facts: Facts) -> Key:
    """Whose field it is: the record's alone, the record's with what it is told with, or that of another thing.

    Facts are compared among the same owners only, so what a field depends on has to be among them. `customer_name`
    beside `customer_id` is the customer's name.
    """
    alone: frozenset[Entity] = frozenset({record.entity})
    if call.tool.effect == "write" and name not in call.arguments:
        name = strip_new(name)  # the `new_balance` of a deposit is the balance from then on
    line = any(is_line_mark(other) for other in record.fields)
    if identified_kind(name) is not None:
        reference = name_entity(name, record.fields.get(name))
        return alone | {reference} if line and reference is not None else alone, name
    if is_lasting(name):
        return _lasting_key(record, name)
    if line:
        return alone | (record.parents or (NOTHING if record.entity in facts.created else record.around)), name
    if record.entity in facts.created or call.tool.effect == "write":
        return alone, name
    if is_depending(name):
        matched = record.entity.kind in nouns_of(call.tool.name)
        return alone | (NOTHING if matched else record.parents | record.around) | _context_of(call), name
    single = not record.listed and record.entity in call.named.values()
    return alone | (_context_of(call) if single else NOTHING), name


def _lasting_key(record: Record, name: str) -> Key:
    words = words_of(name)
    kind, own = " ".join(words[:-1]), words[-1]
    if kind == record.entity.kind:
        return frozenset({record.entity}), own
    owner = next((entity for entity in record.around if kind and entity.kind == kind), None)
    references = {entity for field, value in record.fields.items() if (entity := name_entity(field, value)) is not None}
    if owner is not None and owner in references:
        return frozenset({owner}), own
    return frozenset({record.entity}), name


def _is_set(name: str, effect: WriteEffect) -> bool:
    """Whether an argument of a write sets the field, by its whole name or its end: `address`, `shipping_address`."""
    words = words_of(name)
    for argument in effect.values:
        ending = words_of(argument)
        if ending and words[-len(ending) :] == ending:
            return True
    return False


def _context_of(call: SimulatedCall) -> frozenset[Entity]:
    given = {name: value for name, value in call.arguments.items() if is_context(name) and value is not None}
    if not given:
        return frozenset()
    pseudo: list[Entity] = [Entity("arguments", canonical_json(given))]
    return frozenset(pseudo)
