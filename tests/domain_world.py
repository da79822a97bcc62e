"""Domains opened for tests, with small databases of their own, and tasks made of drawn plans."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id
from schemas.replies import TaskDraft, TaskDrafts
from schemas.rows import DialogueTaskRow, SeedRow, ToolsetRow
from schemas.sources import DomainSource
from schemas.tools import DomainTool
from turnwright.environments.domain import DomainBase, DomainEnvironment
from turnwright.goals.domain_proof import prove_domain_plan
from turnwright.goals.drafts import Draft
from turnwright.goals.personas import draw_persona
from turnwright.goals.slots import Slot
from turnwright.goals.writing import build_objectives
from turnwright.sources.domain import collect_domain_seed, open_domain_base
from turnwright.storage.store import Store
from turnwright.tools.domain_tools import prepare_domain_tools

NOW = "2024-05-15T15:00:00"
HOME = "turnwright.domains.home_network:HomeNetwork"
RETAIL = "turnwright.domains.retail:Retail"
AIRLINE = "turnwright.domains.airline:Airline"

RETAIL_DATABASE: dict[str, Any] = {
    "products": {
        "p1": {
            "name": "Mug",
            "product_id": "p1",
            "variants": {
                "m-red": {"item_id": "m-red", "options": {"color": "red"}, "available": True, "price": 10.1},
                "m-blue": {"item_id": "m-blue", "options": {"color": "blue"}, "available": True, "price": 12.35},
                "m-gold": {"item_id": "m-gold", "options": {"color": "gold"}, "available": True, "price": 99.0},
                "m-gone": {"item_id": "m-gone", "options": {"color": "green"}, "available": False, "price": 9.0},
            },
        },
        "p2": {
            "name": "Lamp",
            "product_id": "p2",
            "variants": {
                "l-1": {"item_id": "l-1", "options": {"size": "small"}, "available": True, "price": 30.0},
                "l-2": {"item_id": "l-2", "options": {"size": "large"}, "available": True, "price": 20.0},
            },
        },
    },
    "users": {
        "ann_1": {
            "user_id": "ann_1",
            "name": {"first_name": "Ann", "last_name": "Lee"},
            "address": {
                "address1": "1 Oak Road",
                "address2": "",
                "city": "Leeds",
                "country": "USA",
                "state": "CO",
                "zip": "80279",
            },
            "email": "ann@example.com",
            "payment_methods": {
                "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "balance": 20.0},
                "paypal_1": {"source": "paypal", "id": "paypal_1"},
                "card_1": {"source": "credit_card", "id": "card_1", "brand": "visa", "last_four": "1234"},
            },
            "orders": ["#W1", "#W2", "#W3", "#W4", "#W6"],
        },
        "bob_2": {
            "user_id": "bob_2",
            "name": {"first_name": "Bob", "last_name": "Ray"},
            "address": {
                "address1": "7 Elm Street",
                "address2": "Suite 9",
                "city": "Austin",
                "country": "USA",
                "state": "TX",
                "zip": "78701",
            },
            "email": "bob@example.com",
            "payment_methods": {"paypal_2": {"source": "paypal", "id": "paypal_2"}},
            "orders": ["#W5"],
        },
    },
    "orders": {},
}


def _order(number: str, user: str, status: str, paid_with: str, items: list[tuple[str, str, str, float]]) -> None:
    bought = [
        {
            "name": name,
            "product_id": product,
            "item_id": item,
            "price": price,
            "options": RETAIL_DATABASE["products"][product]["variants"][item]["options"],
        }
        for name, product, item, price in items
    ]
    total = round(sum(price for *_, price in items), 2)
    RETAIL_DATABASE["orders"][number] = {
        "order_id": number,
        "user_id": user,
        "address": RETAIL_DATABASE["users"][user]["address"],
        "items": bought,
        "status": status,
        "fulfillments": [] if status == "pending" else [{"tracking_id": ["777"], "item_ids": ["m-red"]}],
        "payment_history": [{"transaction_type": "payment", "amount": total, "payment_method_id": paid_with}],
    }


_order("#W1", "ann_1", "pending", "gift_card_1", [("Mug", "p1", "m-red", 10.1), ("Lamp", "p2", "l-1", 30.0)])
_order("#W2", "ann_1", "delivered", "paypal_1", [("Mug", "p1", "m-red", 10.1), ("Mug", "p1", "m-red", 10.1)])
_order("#W3", "ann_1", "processed", "card_1", [("Lamp", "p2", "l-2", 20.0)])
_order("#W4", "ann_1", "pending", "card_1", [("Mug", "p1", "m-blue", 12.35)])
_order("#W6", "ann_1", "pending", "card_1", [("Lamp", "p2", "l-1", 30.0)])
_order("#W5", "bob_2", "pending", "paypal_2", [("Lamp", "p2", "l-1", 30.0)])


def _departure(status: str = "available", seats: int = 4) -> dict[str, Any]:
    if status != "available":
        return {"status": status}
    return {
        "status": status,
        "available_seats": {"basic_economy": seats, "economy": seats, "business": seats},
        "prices": {"basic_economy": 50, "economy": 100, "business": 300},
    }


def _flight(number: str, origin: str, destination: str, leaves: str, lands: str) -> dict[str, Any]:
    days = {f"2024-05-{day:02d}": _departure() for day in range(16, 29)}
    days |= {
        "2024-05-10": _departure("landed"),
        "2024-05-17": _departure("cancelled"),
        "2024-05-18": _departure(seats=1),
    }
    return {
        "flight_number": number,
        "origin": origin,
        "destination": destination,
        "scheduled_departure_time_est": leaves,
        "scheduled_arrival_time_est": lands,
        "dates": days,
    }


AIRLINE_DATABASE: dict[str, Any] = {
    "flights": {
        "HAT001": _flight("HAT001", "SFO", "JFK", "06:00:00", "14:00:00"),
        "HAT002": _flight("HAT002", "JFK", "SFO", "08:00:00", "11:00:00"),
        "HAT003": _flight("HAT003", "JFK", "BOS", "16:00:00", "17:00:00"),
        "HAT004": _flight("HAT004", "SFO", "JFK", "22:00:00", "06:00:00+1"),
        "HAT005": _flight("HAT005", "JFK", "BOS", "07:00:00", "08:00:00"),
    },
    "users": {
        "mia_1": {
            "name": {"first_name": "Mia", "last_name": "Li"},
            "address": {"city": "Austin"},
            "email": "mia@example.com",
            "dob": "1990-04-05",
            "payment_methods": {
                "credit_card_1": {"source": "credit_card", "brand": "visa", "last_four": "7447", "id": "credit_card_1"},
                "gift_card_1": {"source": "gift_card", "amount": 150, "id": "gift_card_1"},
                "certificate_1": {"source": "certificate", "amount": 100, "id": "certificate_1"},
                "certificate_2": {"source": "certificate", "amount": 250, "id": "certificate_2"},
            },
            "saved_passengers": [{"first_name": "Tom", "last_name": "Li", "dob": "1992-01-02"}],
            "membership": "silver",
            "reservations": ["AAA111", "BBB222", "CCC333"],
        }
    },
    "reservations": {},
}


def _reservation(number: str, cabin: str, day: str, price: int, passengers: int, **rest: Any) -> None:
    people = [{"first_name": "Mia", "last_name": "Li", "dob": "1990-04-05"}]
    people += [{"first_name": "Tom", "last_name": "Li", "dob": "1992-01-02"}] * (passengers - 1)
    segment = {"flight_number": "HAT001", "origin": "SFO", "destination": "JFK", "date": day, "price": price}
    AIRLINE_DATABASE["reservations"][number] = {
        "reservation_id": number,
        "user_id": "mia_1",
        "origin": "SFO",
        "destination": "JFK",
        "flight_type": "one_way",
        "cabin": cabin,
        "flights": [segment],
        "passengers": people,
        "payment_history": [{"payment_id": "credit_card_1", "amount": price * passengers}],
        "created_at": "2024-05-02T03:10:19",
        "total_baggages": 1,
        "nonfree_baggages": 0,
        "insurance": "no",
    } | rest


_reservation("AAA111", "economy", "2024-05-20", 90, 2)
_reservation("BBB222", "basic_economy", "2024-05-21", 50, 1)
_reservation("CCC333", "business", "2024-05-10", 300, 1)


@dataclass(frozen=True)
class DomainWorld:
    """An opened domain with everything that a dialogue needs."""

    config: RunConfig
    seed_row: SeedRow
    base: DomainBase
    tools: list[DomainTool]
    toolset: ToolsetRow

    def environment(self) -> DomainEnvironment:
        return self.base.open(self.tools, seed="", reference_time=NOW)

    def slot(self, number: int, **changes: Any) -> Slot:
        plain = {"difficulty": "medium", "task_count": 1, "behaviour": "none", "paradigm": "user_oriented_executed"}
        fields = {"number": number, "toolset_id": self.toolset.id, "domain": self.toolset.domain, **plain, **changes}
        return Slot(seed=f"7:{number}", **fields)

    def task(self, slot: Slot, draft: Draft[DomainTool]) -> DialogueTaskRow:
        """The row of a plan, with its purposes as descriptions."""
        given = any(objective.description for objective in draft.objectives)
        proof = prove_domain_plan(draft, self.tools, self.base, seed=slot.seed, given=given)
        words = [
            TaskDraft(
                description=objective.description or f"{draft.person} wants to {objective.purpose}.", rubric=["Done."]
            )
            for objective in draft.objectives
        ]
        objectives = build_objectives(draft, proof, TaskDrafts(tasks=words))  # pyright: ignore[reportArgumentType]
        persona = draw_persona(slot.seed).model_copy(update={"name": draft.person})
        content: dict[str, Any] = {
            "toolset_id": self.toolset.id,
            "seed_id": self.toolset.seed_id,
            "domain": self.toolset.domain,
            "paradigm": slot.paradigm,
            "slot": slot.number,
            "difficulty": draft.difficulty,
            "behaviour": draft.behaviour.name if draft.behaviour else "none",
            "behaviour_plan": canonical_json(draft.behaviour.model_dump() if draft.behaviour else None),
            "persona": canonical_json(persona.model_dump()),
            "objectives": canonical_json([objective.model_dump() for objective in objectives]),
            "task_count": len(objectives),
            "planned_calls": len(draft.calls),
            "reference_time": draft.reference_time,
            "start_digest": proof.start_digest,
            "goal_digest": proof.goal_digest,
            "goal_changes": canonical_json([change.model_dump() for change in proof.goal_changes]),
            "role": "task_writer",
            "model": "none",
            "prompt_digest": None,
            "seed": 7,
            "model_calls": [],
        }
        return DialogueTaskRow(id=content_id("task", content), **content)


def open_world(folder: Path, module: str, database: dict[str, Any] | None = None, **source: Any) -> DomainWorld:
    """A domain with the given database, or with the path of `source`, or with its own."""
    if database is not None:
        (folder / "db.json").write_bytes(orjson.dumps(database))
        source["path"] = str(folder)
    described = DomainSource(kind="domain", module=module, **source)
    store = Store(folder / "store")
    config = RunConfig(name="domains", seed=7, sources=[described])
    seed_row = collect_domain_seed(described, 0, 7, store)
    base = open_domain_base(seed_row, store, config)
    return DomainWorld(
        config, seed_row, base, list(base.seed.tools), prepare_domain_tools(seed_row, config).toolsets[0]
    )
