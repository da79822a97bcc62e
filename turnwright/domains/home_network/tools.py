"""The tools of the home network domain: the provider's for the assistant, the device's for the user."""

from schemas.tools import DomainTool
from turnwright.domains.tool_specs import Schema, describe_tool, flag, number, record, text, whole

_CUSTOMER = text("Customer number, e.g. 'C-1042'.")
_SERIAL = text("Serial number on the label of the router, e.g. 'RX-200-1042'.")
_CUSTOMER_FIELDS: dict[str, Schema] = {
    "customer_number": _CUSTOMER,
    "name": text("Full name."),
    "phone": text("Phone number."),
    "area": text("Area of the network."),
    "booked_speed": whole("Booked download speed in Mbit/s."),
    "router_serial": _SERIAL,
    "replacement": {"type": ["object", "null"], "description": "A replacement router that is on its way."},
}

TOOLS: tuple[DomainTool, ...] = (
    describe_tool(
        "find_customer",
        "read",
        "Find a customer by phone number: customer number, booked speed and router.",
        {"phone": text("Phone number as the customer gives it.")},
        record("The customer.", _CUSTOMER_FIELDS),
    ),
    describe_tool(
        "get_line",
        "read",
        "Look at a customer's line: connection of the router, profile, firmware and outages in the area.",
        {"customer_number": _CUSTOMER},
        record(
            "The line.",
            {
                "connected": flag("Whether the router is connected."),
                "profile": text("State of the line's profile.", "fresh", "stale"),
                "firmware": text("Firmware of the router."),
                "newest_firmware": text("Newest firmware there is."),
                "outage_until": {"type": ["string", "null"], "description": "Expected end of an outage, or null."},
            },
        ),
    ),
    describe_tool(
        "reset_line",
        "write",
        "Reset the profile of a customer's line. The router connects again after its next restart.",
        {"customer_number": _CUSTOMER},
        record("The line's profile.", {"profile": text("Its state.")}),
    ),
    describe_tool(
        "update_firmware",
        "write",
        "Send the newest firmware to a connected router. It takes effect with the next restart.",
        {"customer_number": _CUSTOMER},
        record("The firmware.", {"pending_firmware": text("What the next restart installs.")}),
    ),
    describe_tool(
        "order_replacement",
        "write",
        "Order a replacement router for a customer. Whether one is due is not checked.",
        {"customer_number": _CUSTOMER},
        record("The order.", {"order_number": text("Its number."), "delivery_date": text("Day of delivery.")}),
    ),
    describe_tool(
        "read_lights",
        "read",
        "Look at the lights on the front of the router.",
        {"serial": _SERIAL},
        record(
            "Colour of each light.",
            {"power": text("Power."), "internet": text("Internet."), "wifi": text("Wi-Fi.")},
        ),
        side="user",
    ),
    describe_tool(
        "check_cable",
        "read",
        "Look whether the cable between the router and the wall socket is plugged in.",
        {"serial": _SERIAL},
        record("The cable.", {"line_cable": text("Where it is.", "plugged in", "loose")}),
        side="user",
    ),
    describe_tool(
        "plug_in_cable",
        "write",
        "Plug the loose cable between the router and the wall socket in.",
        {"serial": _SERIAL},
        record("The cable.", {"line_cable": text("Where it is.")}),
        side="user",
    ),
    describe_tool(
        "restart_router",
        "write",
        "Restart the router: pull the power plug, wait, and plug it in again.",
        {"serial": _SERIAL},
        record("The lights afterwards.", {"internet": text("Internet."), "wifi": text("Wi-Fi.")}),
        side="user",
    ),
    describe_tool(
        "press_wifi_button",
        "write",
        "Press the Wi-Fi button on the side of the router, which turns Wi-Fi on or off.",
        {"serial": _SERIAL},
        record("The light afterwards.", {"wifi": text("Wi-Fi.")}),
        side="user",
    ),
    describe_tool(
        "run_speed_test",
        "read",
        "Run a speed test on a computer at home.",
        {"serial": _SERIAL},
        record("The result.", {"download_speed": number("Mbit/s.")}),
        side="user",
    ),
)
