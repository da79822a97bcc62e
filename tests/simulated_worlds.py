"""Small consistent worlds behind tools of several domains: what a tool simulator without a flaw would answer.

A world keeps state, so its answers never contradict each other; `ask` makes a sensible call at random. Tests of the
fact ledger take clean results from here, and plant contradictions in them.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from schemas.tools import SpecTool

NOW = "2024-05-03T10:00:00"
TEXT, WHOLE, NUMBER, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}
WHEN = {"type": "string", "format": "date-time"}
DAY = {"type": "string", "format": "date"}


def thing(**properties: Any) -> dict[str, Any]:
    """The schema of an object with these fields, all required."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def several(items: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list."""
    return {"type": "array", "items": items}


def spec(name: str, effect: str, output: dict[str, Any], optional: tuple[str, ...] = (), **parameters: Any) -> SpecTool:
    """A tool that nothing executes."""
    required = [parameter for parameter in parameters if parameter not in optional]
    shape = {"type": "object", "properties": parameters, "required": required, "additionalProperties": False}
    function = {"name": name, "description": f"{name.replace('_', ' ').capitalize()}.", "parameters": shape}
    return SpecTool.model_validate(
        {"name": name, "spec": {"type": "function", "function": function}, "output_schema": output, "effect": effect}
    )


Answer = tuple[Any, str | None]
"""A result, or none and an error in words."""


@dataclass
class World:
    """One domain's state and tools."""

    rng: random.Random
    tools: dict[str, SpecTool] = field(default_factory=dict[str, SpecTool])
    handlers: dict[str, Callable[..., Answer]] = field(default_factory=dict[str, Callable[..., Answer]])
    draws: dict[str, Callable[[], dict[str, Any]]] = field(default_factory=dict[str, Callable[[], dict[str, Any]]])

    def offer(self, tool: SpecTool, handler: Callable[..., Answer], draw: Callable[[], dict[str, Any]]) -> None:
        """Adds a tool with what answers it and what draws arguments for it."""
        self.tools[tool.name] = tool
        self.handlers[tool.name] = handler
        self.draws[tool.name] = draw

    def ask(self) -> tuple[SpecTool, dict[str, Any]]:
        """A call drawn at random."""
        name = self.rng.choice(sorted(self.tools))
        return self.tools[name], self.draws[name]()

    def answer(self, tool: str, arguments: dict[str, Any]) -> Answer:
        """What the call gives."""
        return self.handlers[tool](**arguments)


NAMES = "Ada Byron,Ben Okafor,Cleo Marsh,Dan Petrov,Eva Lindqvist,Farid Haddad,Gina Rossi,Hugo Meyer".split(",")
GOODS = "desk lamp,wool scarf,steel bottle,garden chair,coffee mill,travel bag,wall clock,tea pot".split(",")
CITIES = "Leeds,York,Bath,Ghent,Turin,Porto,Malmo,Graz".split(",")


def shop(seed: int) -> World:
    """Orders with lines, totals, statuses; products with stock; customers."""
    rng = random.Random(f"shop:{seed}")
    products = {
        f"P-{100 + n}": {
            "product_id": f"P-{100 + n}",
            "name": name,
            "price": rng.randrange(500, 9000) / 100,
            "stock": rng.randint(5, 60),
            "category": rng.choice(["home", "garden", "travel"]),
        }
        for n, name in enumerate(GOODS)
    }
    customers = {
        n: {
            "customer_id": n,
            "name": name,
            "email": f"{name.split()[0].lower()}@mail.net",
            "city": rng.choice(CITIES),
            "loyalty_points": rng.randint(0, 400),
        }
        for n, name in enumerate(NAMES[:5], start=11)
    }
    orders: dict[str, dict[str, Any]] = {}
    counter = [10_040]

    def lines(chosen: list[tuple[str, int]]) -> list[dict[str, Any]]:
        return [
            {
                "product_id": p,
                "name": products[p]["name"],
                "quantity": q,
                "unit_price": products[p]["price"],
                "line_total": round(q * products[p]["price"], 2),
            }
            for p, q in chosen
        ]

    def add(customer: int, chosen: list[tuple[str, int]], when: str, status: str, address: str) -> dict[str, Any]:
        counter[0] += 1_000  # far enough apart that identifiers made by code never meet those of the world
        items = lines(chosen)
        subtotal = round(sum(line["line_total"] for line in items), 2)
        order = {
            "order_id": f"ORD-{counter[0]}",
            "customer_id": customer,
            "status": status,
            "shipping_address": address,
            "items": items,
            "item_count": len(items),
            "subtotal": subtotal,
            "shipping_fee": 4.9,
            "total": round(subtotal + 4.9, 2),
            "created_at": when,
            "updated_at": when,
        }
        orders[order["order_id"]] = order
        return order

    for n in range(6):
        chosen = [(p, rng.randint(1, 4)) for p in rng.sample(sorted(products), rng.randint(1, 3))]
        add(
            rng.choice(sorted(customers)),
            chosen,
            f"2024-04-{10 + n}T09:3{n}:00",
            rng.choice(["paid", "shipped"]),
            rng.choice(CITIES),
        )

    line = thing(product_id=TEXT, name=TEXT, quantity=WHOLE, unit_price=NUMBER, line_total=NUMBER)
    order_shape = thing(
        order_id=TEXT,
        customer_id=WHOLE,
        status=TEXT,
        shipping_address=TEXT,
        items=several(line),
        item_count=WHOLE,
        subtotal=NUMBER,
        shipping_fee=NUMBER,
        total=NUMBER,
        created_at=WHEN,
        updated_at=WHEN,
    )
    short = thing(order_id=TEXT, status=TEXT, total=NUMBER, created_at=WHEN)
    product_shape = thing(product_id=TEXT, name=TEXT, price=NUMBER, stock=WHOLE, category=TEXT)
    customer_shape = thing(customer_id=WHOLE, name=TEXT, email=TEXT, city=TEXT, loyalty_points=WHOLE)

    def get_order(order_id: str) -> Answer:
        return (orders[order_id], None) if order_id in orders else (None, f"Order {order_id} was not found.")

    def list_orders(customer_id: int) -> Answer:
        mine = [o for o in orders.values() if o["customer_id"] == customer_id]
        brief = [{k: o[k] for k in ("order_id", "status", "total", "created_at")} for o in mine]
        return {
            "customer_id": customer_id,
            "orders": brief,
            "count": len(brief),
            "total_spent": round(sum(o["total"] for o in brief), 2),
        }, None

    def cancel(order_id: str) -> Answer:
        if order_id not in orders:
            return None, f"Order {order_id} was not found."
        order = orders[order_id]
        if order["status"] in ("cancelled", "shipped"):
            return None, f"An order that is {order['status']} cannot be cancelled."
        order |= {"status": "cancelled", "updated_at": NOW}
        for item in order["items"]:
            products[item["product_id"]]["stock"] += item["quantity"]
        return {"order_id": order_id, "status": "cancelled", "refund_amount": order["total"], "updated_at": NOW}, None

    def move(order_id: str, new_address: str) -> Answer:
        if order_id not in orders:
            return None, f"Order {order_id} was not found."
        orders[order_id] |= {"shipping_address": new_address, "updated_at": NOW}
        return {"order_id": order_id, "shipping_address": new_address, "updated_at": NOW}, None

    def place(customer_id: int, items: list[dict[str, Any]], shipping_address: str) -> Answer:
        order = add(customer_id, [(i["product_id"], i["quantity"]) for i in items], NOW, "paid", shipping_address)
        for i in items:
            products[i["product_id"]]["stock"] -= i["quantity"]
        customers[customer_id]["loyalty_points"] += 5
        return order, None

    def delete(order_id: str) -> Answer:
        if orders.pop(order_id, None) is None:
            return None, f"Order {order_id} was not found."
        return {"order_id": order_id, "deleted": True}, None

    def edit(customer_id: int, email: str | None = None, city: str | None = None) -> Answer:
        customers[customer_id] |= {k: v for k, v in (("email", email), ("city", city)) if v is not None}
        return customers[customer_id], None

    def find(category: str) -> Answer:
        return [p for p in products.values() if p["category"] == category], None

    world = World(rng)
    an_order = lambda: {"order_id": rng.choice(sorted(orders) or ["ORD-1"])}  # noqa: E731
    a_customer = lambda: {"customer_id": rng.choice(sorted(customers))}  # noqa: E731
    brief = thing(order_id=TEXT, status=TEXT, refund_amount=NUMBER, updated_at=WHEN)
    world.offer(spec("get_order", "read", order_shape, order_id=TEXT), get_order, an_order)
    listed = thing(customer_id=WHOLE, orders=several(short), count=WHOLE, total_spent=NUMBER)
    world.offer(spec("list_customer_orders", "read", listed, customer_id=WHOLE), list_orders, a_customer)
    world.offer(spec("cancel_order", "write", brief, order_id=TEXT), cancel, an_order)
    moved = thing(order_id=TEXT, shipping_address=TEXT, updated_at=WHEN)
    world.offer(
        spec("update_order_address", "write", moved, order_id=TEXT, new_address=TEXT),
        lambda order_id, new_address: move(order_id, new_address),
        lambda: an_order() | {"new_address": rng.choice(CITIES)},
    )
    world.offer(
        spec(
            "place_order",
            "write",
            order_shape,
            customer_id=WHOLE,
            shipping_address=TEXT,
            items=several(thing(product_id=TEXT, quantity=WHOLE)),
        ),
        place,
        lambda: (
            a_customer()
            | {
                "shipping_address": rng.choice(CITIES),
                "items": [{"product_id": p, "quantity": rng.randint(1, 3)} for p in rng.sample(sorted(products), 2)],
            }
        ),
    )
    world.offer(spec("delete_order", "write", thing(order_id=TEXT, deleted=FLAG), order_id=TEXT), delete, an_order)
    world.offer(
        spec("get_customer", "read", customer_shape, customer_id=WHOLE),
        lambda customer_id: (customers[customer_id], None),
        a_customer,
    )
    world.offer(
        spec("update_customer", "write", customer_shape, ("email", "city"), customer_id=WHOLE, email=TEXT, city=TEXT),
        edit,
        lambda: (
            a_customer() | rng.choice([{"email": f"new{rng.randint(1, 99)}@mail.net"}, {"city": rng.choice(CITIES)}])
        ),
    )
    world.offer(
        spec(
            "search_products",
            "read",
            several(product_shape),
            category={"type": "string", "enum": ["home", "garden", "travel"]},
        ),
        find,
        lambda: {"category": rng.choice(["home", "garden", "travel"])},
    )
    world.offer(
        spec("get_product", "read", product_shape, product_id=TEXT),
        lambda product_id: (products[product_id], None),
        lambda: {"product_id": rng.choice(sorted(products))},
    )
    return world


def bank(seed: int) -> World:
    """Accounts with balances, transfers between them, transactions, cards."""
    rng = random.Random(f"bank:{seed}")
    accounts = {
        n: {
            "account_id": n,
            "owner_name": rng.choice(NAMES),
            "type": rng.choice(["checking", "savings"]),
            "currency": "EUR",
            "balance": rng.randrange(20_000, 900_000) / 100,
            "is_frozen": False,
        }
        for n in (7001, 7002, 7003, 7004)
    }
    moves: list[dict[str, Any]] = []
    counter = [90_000]

    def book(source: int, target: int, amount: float, memo: str) -> dict[str, Any]:
        counter[0] += 1_000
        row = {
            "transaction_id": f"TX{counter[0]}",
            "from_account_id": source,
            "to_account_id": target,
            "amount": amount,
            "memo": memo,
            "status": "completed",
            "created_at": NOW,
        }
        moves.append(row)
        return row

    def transfer(from_account_id: int, to_account_id: int, amount: float, memo: str) -> Answer:
        source, target = accounts[from_account_id], accounts[to_account_id]
        if source["is_frozen"] or source["balance"] < amount:
            return None, "The transfer was refused: the balance does not cover it or the account is frozen."
        source["balance"] = round(source["balance"] - amount, 2)
        target["balance"] = round(target["balance"] + amount, 2)
        return book(from_account_id, to_account_id, amount, memo) | {"new_balance": source["balance"]}, None

    def history(account_id: int) -> Answer:
        mine = [m for m in moves if account_id in (m["from_account_id"], m["to_account_id"])]
        return [{k: m[k] for k in ("transaction_id", "amount", "memo", "status", "created_at")} for m in mine], None

    def freeze(account_id: int) -> Answer:
        accounts[account_id]["is_frozen"] = True
        return {"account_id": account_id, "is_frozen": True, "success": True}, None

    def deposit(account_id: int, amount: float) -> Answer:
        before = accounts[account_id]["balance"]
        accounts[account_id]["balance"] = round(before + amount, 2)
        return {
            "account_id": account_id,
            "previous_balance": before,
            "amount": amount,
            "new_balance": accounts[account_id]["balance"],
        }, None

    account = thing(account_id=WHOLE, owner_name=TEXT, type=TEXT, currency=TEXT, balance=NUMBER, is_frozen=FLAG)
    row = thing(transaction_id=TEXT, amount=NUMBER, memo=TEXT, status=TEXT, created_at=WHEN)
    full = thing(
        transaction_id=TEXT,
        from_account_id=WHOLE,
        to_account_id=WHOLE,
        amount=NUMBER,
        memo=TEXT,
        status=TEXT,
        created_at=WHEN,
        new_balance=NUMBER,
    )
    world = World(rng)
    one = lambda: {"account_id": rng.choice(sorted(accounts))}  # noqa: E731
    world.offer(
        spec("get_account", "read", account, account_id=WHOLE), lambda account_id: (accounts[account_id], None), one
    )
    world.offer(spec("list_accounts", "read", several(account)), lambda: (list(accounts.values()), None), dict)
    world.offer(
        spec("get_balance", "read", thing(balance=NUMBER, currency=TEXT), account_id=WHOLE),
        lambda account_id: ({k: accounts[account_id][k] for k in ("balance", "currency")}, None),
        one,
    )
    world.offer(spec("list_transactions", "read", several(row), account_id=WHOLE), history, one)
    world.offer(
        spec("transfer_funds", "write", full, from_account_id=WHOLE, to_account_id=WHOLE, amount=NUMBER, memo=TEXT),
        transfer,
        lambda: (
            dict(zip(("from_account_id", "to_account_id"), rng.sample(sorted(accounts), 2), strict=True))
            | {"amount": rng.randrange(100, 20_000) / 100, "memo": rng.choice(["rent", "books", "dinner"])}
        ),
    )
    world.offer(
        spec("freeze_account", "write", thing(account_id=WHOLE, is_frozen=FLAG, success=FLAG), account_id=WHOLE),
        freeze,
        one,
    )
    moved = thing(account_id=WHOLE, previous_balance=NUMBER, amount=NUMBER, new_balance=NUMBER)
    world.offer(
        spec("deposit_money", "write", moved, account_id=WHOLE, amount=NUMBER),
        deposit,
        lambda: one() | {"amount": float(rng.randint(5, 400))},
    )
    return world


def clinic(seed: int) -> World:
    """Appointments that are booked, moved and cancelled; doctors; free slots by day; nested patient and visit lists."""
    rng = random.Random(f"clinic:{seed}")
    doctors = {
        f"D{n}": {
            "id": f"D{n}",
            "name": f"Dr. {name}",
            "specialty": rng.choice(["skin", "heart"]),
            "rating": round(rng.uniform(3, 5), 1),
        }
        for n, name in enumerate(NAMES[:4], start=1)
    }
    patients = {
        n: {"id": n, "name": name, "birth_date": f"19{60 + n}-0{n}-1{n}", "phone": f"0{n}55-77{n}"}
        for n, name in enumerate(NAMES[4:], start=1)
    }
    visits: dict[int, dict[str, Any]] = {}
    counter = [300]

    def show(visit: dict[str, Any]) -> dict[str, Any]:
        patient = patients[visit["patient"]]
        return {
            "appointment_id": visit["id"],
            "doctor_id": visit["doctor"],
            "doctor_name": doctors[visit["doctor"]]["name"],
            "patient": {"id": patient["id"], "name": patient["name"]},
            "start_time": visit["start"],
            "end_time": visit["start"][:14] + "45:00",
            "status": visit["status"],
            "reason": visit["reason"],
        }

    def book(patient_id: int, doctor_id: str, start_time: str, reason: str) -> Answer:
        counter[0] += 1_000
        visits[counter[0]] = {
            "id": counter[0],
            "patient": patient_id,
            "doctor": doctor_id,
            "start": start_time,
            "status": "booked",
            "reason": reason,
        }
        return show(visits[counter[0]]), None

    for _ in range(4):
        book(
            rng.choice(sorted(patients)),
            rng.choice(sorted(doctors)),
            f"2024-05-{rng.randint(10, 28)}T09:00:00",
            rng.choice(["check-up", "rash"]),
        )

    def get(appointment_id: int) -> Answer:
        return (
            (show(visits[appointment_id]), None)
            if appointment_id in visits
            else (None, "There is no such appointment.")
        )

    def listed(patient_id: int) -> Answer:
        return [show(v) for v in visits.values() if v["patient"] == patient_id], None

    def move(appointment_id: int, start_time: str) -> Answer:
        if appointment_id not in visits:
            return None, "There is no such appointment."
        visits[appointment_id]["start"] = start_time
        return show(visits[appointment_id]), None

    def cancel(appointment_id: int) -> Answer:
        if appointment_id not in visits:
            return None, "There is no such appointment."
        visits[appointment_id]["status"] = "cancelled"
        return {"success": True, "message": f"Appointment {appointment_id} was cancelled."}, None

    def slots(doctor_id: str, date: str) -> Answer:
        fixed = random.Random(f"{seed}:{doctor_id}:{date}")
        times = [f"{date}T{hour:02d}:00:00" for hour in sorted(fixed.sample(range(8, 17), 3))]
        return {"doctor_id": doctor_id, "date": date, "available": True, "slots": times, "slot_count": len(times)}, None

    visit = thing(
        appointment_id=WHOLE,
        doctor_id=TEXT,
        doctor_name=TEXT,
        patient=thing(id=WHOLE, name=TEXT),
        start_time=WHEN,
        end_time=WHEN,
        status=TEXT,
        reason=TEXT,
    )
    doctor = thing(id=TEXT, name=TEXT, specialty=TEXT, rating=NUMBER)
    world = World(rng)
    day = lambda: f"2024-06-{rng.randint(10, 28)}"  # noqa: E731
    a_visit = lambda: {"appointment_id": rng.choice(sorted(visits) or [1])}  # noqa: E731
    world.offer(spec("get_appointment", "read", visit, appointment_id=WHOLE), get, a_visit)
    world.offer(
        spec("list_appointments", "read", several(visit), patient_id=WHOLE),
        listed,
        lambda: {"patient_id": rng.choice(sorted(patients))},
    )
    world.offer(
        spec("book_appointment", "write", visit, patient_id=WHOLE, doctor_id=TEXT, start_time=WHEN, reason=TEXT),
        book,
        lambda: {
            "patient_id": rng.choice(sorted(patients)),
            "doctor_id": rng.choice(sorted(doctors)),
            "start_time": f"{day()}T11:00:00",
            "reason": rng.choice(["rash", "pain"]),
        },
    )
    world.offer(
        spec("reschedule_appointment", "write", visit, appointment_id=WHOLE, start_time=WHEN),
        move,
        lambda: a_visit() | {"start_time": f"{day()}T15:00:00"},
    )
    world.offer(
        spec("cancel_appointment", "write", thing(success=FLAG, message=TEXT), appointment_id=WHOLE), cancel, a_visit
    )
    world.offer(
        spec(
            "get_free_slots",
            "read",
            thing(doctor_id=TEXT, date=DAY, available=FLAG, slots=several(WHEN), slot_count=WHOLE),
            doctor_id=TEXT,
            date=DAY,
        ),
        slots,
        lambda: {"doctor_id": rng.choice(sorted(doctors)), "date": day()},
    )
    world.offer(
        spec("find_doctors", "read", several(doctor), specialty=TEXT),
        lambda specialty: ([d for d in doctors.values() if d["specialty"] == specialty], None),
        lambda: {"specialty": rng.choice(["skin", "heart"])},
    )
    world.offer(
        spec("get_patient", "read", thing(id=WHOLE, name=TEXT, birth_date=DAY, phone=TEXT), patient_id=WHOLE),
        lambda patient_id: (patients[patient_id], None),
        lambda: {"patient_id": rng.choice(sorted(patients))},
    )
    return world


def campus(seed: int) -> World:
    """Pairs: a grade belongs to a student and a course. Carts: the quantity belongs to the cart. Deep lists."""
    rng = random.Random(f"campus:{seed}")
    courses = {
        n: {"course_id": n, "title": t, "credits": rng.choice([3, 5])}
        for n, t in enumerate(("Logic", "Optics", "Poetry", "Law"), start=1)
    }
    grades = {(s, c): rng.choice("ABCD") for s in (31, 32, 33) for c in rng.sample(sorted(courses), 3)}
    tasks: dict[str, dict[str, Any]] = {}
    counter = [10]

    def row(s: int, c: int) -> dict[str, Any]:
        return {"student_id": s, "course_id": c, "course_title": courses[c]["title"], "grade": grades[s, c]}

    def transcript(student_id: int) -> Answer:
        rows = [row(s, c) for s, c in grades if s == student_id]
        return {
            "student_id": student_id,
            "courses": rows,
            "total_courses": len(rows),
            "total_credits": sum(courses[r["course_id"]]["credits"] for r in rows),
        }, None

    def grade(student_id: int, course_id: int) -> Answer:
        if (student_id, course_id) not in grades:
            return None, "This student is not enrolled in that course."
        return {k: v for k, v in row(student_id, course_id).items() if k != "course_title"}, None

    def regrade(student_id: int, course_id: int, grade: str) -> Answer:
        if (student_id, course_id) not in grades:
            return None, "This student is not enrolled in that course."
        grades[student_id, course_id] = grade
        return row(student_id, course_id), None

    def create(title: str, priority: str) -> Answer:
        counter[0] += 1_000
        tasks[f"task-{counter[0]:06d}"] = {
            "task_id": f"task-{counter[0]:06d}",
            "title": title,
            "priority": priority,
            "status": "open",
            "created_at": NOW,
        }
        return tasks[f"task-{counter[0]:06d}"], None

    def close(task_id: str) -> Answer:
        if task_id not in tasks:
            return None, "There is no such task."
        tasks[task_id]["status"] = "done"
        return {"task_id": task_id, "status": "done"}, None

    def drop(task_id: str) -> Answer:
        return ({"success": True}, None) if tasks.pop(task_id, None) else (None, "There is no such task.")

    def listing(status: str | None = None) -> Answer:
        rows = [t for t in tasks.values() if status in (None, t["status"])]
        return {"tasks": rows, "total": len(rows)}, None

    world = World(rng)
    pair = thing(student_id=WHOLE, course_id=WHOLE, course_title=TEXT, grade=TEXT)
    s = lambda: {"student_id": rng.choice((31, 32, 33))}  # noqa: E731
    sc = lambda: s() | {"course_id": rng.choice(sorted(courses))}  # noqa: E731
    t = lambda: {"task_id": rng.choice(sorted(tasks) or ["task-000001"])}  # noqa: E731
    world.offer(
        spec(
            "get_transcript",
            "read",
            thing(student_id=WHOLE, courses=several(pair), total_courses=WHOLE, total_credits=WHOLE),
            student_id=WHOLE,
        ),
        transcript,
        s,
    )
    world.offer(
        spec(
            "get_grade", "read", thing(student_id=WHOLE, course_id=WHOLE, grade=TEXT), student_id=WHOLE, course_id=WHOLE
        ),
        grade,
        sc,
    )
    world.offer(
        spec("update_grade", "write", pair, student_id=WHOLE, course_id=WHOLE, grade=TEXT),
        regrade,
        lambda: sc() | {"grade": rng.choice("ABCD")},
    )
    world.offer(
        spec("get_course", "read", thing(course_id=WHOLE, title=TEXT, credits=WHOLE), course_id=WHOLE),
        lambda course_id: (courses[course_id], None),
        lambda: {"course_id": rng.choice(sorted(courses))},
    )
    task = thing(task_id=TEXT, title=TEXT, priority=TEXT, status=TEXT, created_at=WHEN)
    world.offer(
        spec("create_task", "write", task, title=TEXT, priority=TEXT),
        create,
        lambda: {"title": rng.choice(["Read", "Write", "Sum up"]), "priority": rng.choice(["low", "high"])},
    )
    world.offer(spec("close_task", "write", thing(task_id=TEXT, status=TEXT), task_id=TEXT), close, t)
    world.offer(spec("delete_task", "write", thing(success=FLAG), task_id=TEXT), drop, t)
    world.offer(
        spec("get_task", "read", task, task_id=TEXT),
        lambda task_id: (tasks[task_id], None) if task_id in tasks else (None, "There is no such task."),
        t,
    )
    world.offer(
        spec(
            "list_tasks",
            "read",
            thing(tasks=several(task), total=WHOLE),
            ("status",),
            status={"type": "string", "enum": ["open", "done"]},
        ),
        listing,
        lambda: rng.choice([{}, {"status": "open"}, {"status": "done"}]),
    )
    return world


WORLDS: dict[str, Callable[[int], World]] = {"shop": shop, "bank": bank, "clinic": clinic, "campus": campus}
