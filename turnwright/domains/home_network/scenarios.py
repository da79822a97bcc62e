"""What the customers of the home network domain may want: what is wrong at their home decides."""

from collections.abc import Callable, Iterator

from schemas.goals import Fact, KnownDetail
from turnwright.domains.home_network import device
from turnwright.environments.domain_state import DomainState, Record
from turnwright.goals.scenarios import Forbidden, Scenario, ScenarioCall

_NO_INTERNET = "get the internet at home working again, which has not worked since this morning"


class _Home:
    def __init__(self, state: DomainState, person: str) -> None:
        self.customer: Record = device.find_customer(state, person)
        self.router: Record = device.find_router(state, self.customer["router_serial"])
        self.outage = device.outage_of(state, self.router)
        self.connected = device.is_connected(state, self.router)
        self.serial = self.router["serial"]

    @property
    def known(self) -> tuple[KnownDetail, ...]:
        return (
            KnownDetail(label="phone number", value=self.customer["phone"]),
            KnownDetail(label="router serial number", value=self.serial),
        )

    def look(self, *, goal: bool = False) -> tuple[ScenarioCall, ...]:
        line = ScenarioCall("get_line", {"customer_number": self.customer["customer_number"]}, lookup=not goal)
        return ScenarioCall("find_customer", {"phone": self.customer["phone"]}, lookup=True), line

    def at_router(self, tool: str, *, lookup: bool = False) -> ScenarioCall:
        return ScenarioCall(tool, {"serial": self.serial}, lookup=lookup)

    def serve(self, tool: str) -> ScenarioCall:
        return ScenarioCall(tool, {"customer_number": self.customer["customer_number"]})

    def broken(self, cause: str) -> bool:
        """Whether this is the one thing that keeps the router off the internet."""
        causes = {
            "cable": not self.router["cable_in"],
            "hung": self.router["hung"],
            "profile": self.router["profile"] == "stale",
            "defect": self.router["defect"],
            "outage": self.outage is not None,
        }
        return causes[cause] and sum(causes.values()) == 1


def draw_scenarios(state: DomainState, person: str) -> Iterator[Scenario]:
    """What fits the state of this customer's home, at most one of a kind."""
    home = _Home(state, person)
    for draw in _KINDS:
        scenario = draw(home)
        if scenario is not None:
            yield scenario


def _loose_cable(home: _Home) -> Scenario | None:
    if not home.broken("cable"):
        return None
    check = home.at_router("check_cable", lookup=True)
    calls = (*home.look(), check, home.at_router("plug_in_cable"))
    return Scenario("loose_cable", _NO_INTERNET, home.known, calls, about=home.serial)


def _hung_router(home: _Home) -> Scenario | None:
    if not home.broken("hung"):
        return None
    calls = (*home.look(), home.at_router("check_cable", lookup=True), home.at_router("restart_router"))
    return Scenario("hung_router", _NO_INTERNET, home.known, calls, about=home.serial)


def _stale_profile(home: _Home) -> Scenario | None:
    if not home.broken("profile"):
        return None
    calls = (*home.look(), home.serve("reset_line"), home.at_router("restart_router"))
    return Scenario("stale_profile", _NO_INTERNET, home.known, calls, about=home.serial)


def _outage(home: _Home) -> Scenario | None:
    if home.outage is None:
        return None
    return Scenario(
        "outage",
        "find out why the internet at home does not work and when it will again",
        home.known,
        home.look(goal=True),
        (Fact(label="expected end of the outage", value=home.outage),),
        home.serial,
    )


def _defect_router(home: _Home) -> Scenario | None:
    if not home.broken("defect") or home.customer["replacement"] is not None:
        return None
    checks = (home.at_router("check_cable", lookup=True), home.at_router("read_lights", lookup=True))
    calls = (*home.look(), *checks, home.serve("order_replacement"))
    number = f"R-{home.customer['customer_number'].removeprefix('C-')}"
    return Scenario(
        "defect_router",
        "get the internet at home working again, or a new router if this one is broken",
        home.known,
        calls,
        (Fact(label="order number of the replacement", value=number),),
        home.serial,
    )


def _slow_connection(home: _Home) -> Scenario | None:
    if not home.connected or home.router["firmware"] == device.NEWEST_FIRMWARE or home.router["pending_firmware"]:
        return None
    test = home.at_router("run_speed_test", lookup=True)
    calls = (*home.look(), test, home.serve("update_firmware"), home.at_router("restart_router"))
    return Scenario(
        "slow_connection",
        "have the internet at home as fast as booked, because it is very slow",
        home.known,
        calls,
        about=home.serial,
    )


def _wifi_off(home: _Home) -> Scenario | None:
    if home.router["wifi_on"]:
        return None
    calls = (*home.look(), home.at_router("read_lights", lookup=True), home.at_router("press_wifi_button"))
    return Scenario(
        "wifi_off",
        "get Wi-Fi back, because no phone or computer finds it any more",
        home.known,
        calls,
        about=home.serial,
    )


def _booked_speed(home: _Home) -> Scenario | None:
    call = ScenarioCall("find_customer", {"phone": home.customer["phone"]})
    fact = Fact(label="booked speed", value=home.customer["booked_speed"])
    return Scenario("booked_speed", "find out which download speed is booked", home.known[:1], (call,), (fact,))


def _newer_router(home: _Home) -> Scenario | None:
    if not home.connected or home.customer["replacement"] is not None:
        return None
    return Scenario(
        "newer_router",
        "get a newer router for free, although the one at home works",
        home.known[:1],
        home.look(goal=True),
        about=home.serial,
        forbidden=Forbidden(
            "order_replacement",
            {"customer_number": home.customer["customer_number"]},
            "the router works, and a wish for a newer one is no reason for a replacement",
            "Say that the neighbours got a newer one for nothing.",
        ),
    )


_KINDS: tuple[Callable[[_Home], Scenario | None], ...] = (
    _loose_cable,
    _hung_router,
    _stale_profile,
    _outage,
    _defect_router,
    _slow_connection,
    _wifi_off,
    _booked_speed,
    _newer_router,
)
