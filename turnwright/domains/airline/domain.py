"""The airline domain: users book, change and cancel flights.

Facts (tables, tools, policy) are tau2's; the database, the policy and the tasks are loaded from the path of the config.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from schemas.tools import DomainTool
from turnwright.domains.airline import flights
from turnwright.domains.airline.reservations import WRITES, find_reservation, find_user
from turnwright.domains.airline.scenarios import draw_scenarios
from turnwright.domains.airline.tools import TOOLS
from turnwright.domains.arithmetic import calculate
from turnwright.domains.shapes import read_tables
from turnwright.domains.tau2_tasks import read_tasks
from turnwright.environments.domain import DomainContent, DomainFiles, Refusal
from turnwright.environments.domain_state import DomainState
from turnwright.goals.scenarios import Scenario

NOW = "2024-05-15T15:00:00"
"""The time that the database and the policy take as now."""
_WANTED = {
    "flights": ("flight_number", "origin", "destination", "dates"),
    "users": ("name", "payment_methods", "saved_passengers", "membership", "reservations"),
    "reservations": (
        "reservation_id",
        "user_id",
        "origin",
        "destination",
        "flight_type",
        "cabin",
        "flights",
        "passengers",
        "payment_history",
        "created_at",
        "total_baggages",
        "nonfree_baggages",
        "insurance",
    ),
}
_POLICY = (
    "You help the users of an airline to book, change and cancel flights. First ask for the user id. Before you change "
    "anything, say what you are going to do and wait for a yes."
)


class Airline:
    """Flights with seats and prices on their days, users with payment methods, and reservations."""

    name = "airline"
    tools: Sequence[DomainTool] = TOOLS
    unordered: Mapping[str, frozenset[str]] = {
        "reservations": frozenset({"passengers"}),
        "users": frozenset({"reservations", "saved_passengers"}),
    }

    def load(self, files: DomainFiles) -> DomainContent:
        """Database, policy and tasks as tau2's files have them; the policy may be left out, tasks as well.

        Raises:
            ValueError: the database lacks something.
        """
        tables = read_tables(files.database, _WANTED)
        users = {key: {**user, "user_id": key} for key, user in tables["users"].items()}
        content = {**flights.split_flights(tables["flights"]), "users": users, "reservations": tables["reservations"]}
        return DomainContent(content, files.policy or _POLICY, read_tasks(files.tasks or [], TOOLS), NOW)

    def call(self, tool: str, arguments: Mapping[str, Any], state: DomainState, now: str) -> Any:
        """The result of a call; a reservation that was changed is returned whole.

        Raises:
            Refusal: it cannot be done.
        """
        if tool in WRITES:
            return WRITES[tool](state, arguments, now)
        match tool:
            case "get_user_details":
                return find_user(state, arguments["user_id"])
            case "get_reservation_details":
                return find_reservation(state, arguments["reservation_id"])
            case "list_all_airports":
                return flights.list_airports(state)
            case "search_direct_flight":
                return flights.search_direct(state, arguments["origin"], arguments["destination"], arguments["date"])
            case "search_onestop_flight":
                return flights.search_onestop(state, arguments["origin"], arguments["destination"], arguments["date"])
            case "get_flight_status":
                departure = flights.find_departure(state, arguments["flight_number"], arguments["date"])[1]
                return {name: departure[name] for name in ("flight_number", "date", "status")}
            case "calculate":
                return {"result": calculate(arguments["expression"])}
            case "transfer_to_human_agents":
                return {"transferred": True}
            case _:
                raise Refusal("not_found", f"There is no tool named {tool}.")

    def people(self, state: DomainState) -> Sequence[str]:
        """The users who may come, by id."""
        return [key for key, _ in state.records("users")]

    def full_name(self, state: DomainState, person: str) -> str:
        """First and last name."""
        name = find_user(state, person)["name"]
        return f"{name['first_name']} {name['last_name']}"

    def scenarios(self, state: DomainState, person: str, now: str, rng: Random) -> Iterator[Scenario]:
        """What this user may want, see turnwright/domains/airline/scenarios.py."""
        return draw_scenarios(state, person, now, rng)
