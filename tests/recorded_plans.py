"""Twelve plans over the services of the examples, as a person's errands: what the recorded requests are made of."""

import json
from functools import cache

from recording import ROOT
from stateless_world import call

from schemas.goals import PlannedCall
from schemas.stateless import FieldLink
from schemas.tools import SpecTool


@cache
def read_service(name: str) -> tuple[SpecTool, ...]:
    """The tools of a service of the examples."""
    lines = (ROOT / "examples" / "services" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_read_tool(line) for line in lines)


def _read_tool(line: str) -> SpecTool:
    entry = json.loads(line)
    spec = {"type": "function", "function": entry["function"]}
    return SpecTool(
        name=entry["function"]["name"], spec=spec, output_schema=entry["output_schema"], effect=entry["effect"]
    )


def list_links(tools: tuple[SpecTool, ...]) -> tuple[FieldLink, ...]:
    """Each id that one tool returns and another one asks for."""
    return tuple(
        FieldLink(source=source.name, field=field, target=target.name, parameter=field)
        for source in tools
        for field in _list_fields(source)
        for target in tools
        if target is not source and field.endswith("_id") and field in target.parameters["properties"]
    )


def _list_fields(tool: SpecTool) -> list[str]:
    schema = tool.output_schema or {}
    return list((schema.get("items") or schema)["properties"])


PLANS: tuple[tuple[str, tuple[PlannedCall, ...]], ...] = (
    (
        "hotel_desk",
        (
            call("c1", "search_bookings", guest_name="Priya Nair"),
            call("c2", "add_breakfast", booking_id=("c1", "booking_id"), guests=2),
        ),
    ),
    (
        "hotel_desk",
        (
            call("c1", "search_bookings", guest_name="Tom Okafor"),
            call("c2", "cancel_booking", booking_id=("c1", "booking_id"), reason="a family matter"),
        ),
    ),
    (
        "hotel_desk",
        (
            call("c1", "search_rooms", city="Lisbon", check_in="2025-05-02", nights=3, room_type="double"),
            call(
                "c2",
                "create_booking",
                room_id=("c1", "room_id"),
                guest_name="Marta Silva",
                check_in="2025-05-02",
                nights=3,
            ),
        ),
    ),
    (
        "hotel_desk",
        (
            call("c1", "search_bookings", guest_name="Jon Berg"),
            call("c2", "update_booking_nights", booking_id=("c1", "booking_id"), nights=5),
        ),
    ),
    (
        "hotel_desk",
        (
            call("c1", "search_rooms", city="Prague", check_in="2025-06-10", nights=2),
            call("c2", "get_room", room_id=("c1", "room_id")),
        ),
    ),
    (
        "hotel_desk",
        (
            call("c1", "search_bookings", guest_name="Ana Horvat"),
            call("c2", "get_room", room_id=("c1", "room_id")),
            call("c3", "add_breakfast", booking_id=("c1", "booking_id"), guests=4),
        ),
    ),
    (
        "parcel_service",
        (
            call("c1", "search_parcels", recipient_name="Lena Fischer", city="Graz"),
            call("c2", "book_pickup", parcel_id=("c1", "parcel_id"), pickup_date="2025-03-14", time_window="morning"),
        ),
    ),
    (
        "parcel_service",
        (
            call("c1", "search_parcels", recipient_name="Omar Haddad"),
            call("c2", "update_delivery_date", parcel_id=("c1", "parcel_id"), delivery_date="2025-03-20"),
        ),
    ),
    (
        "parcel_service",
        (
            call("c1", "quote_shipment", from_city="Leeds", to_city="York", weight_kg=4.5, service="express"),
            call(
                "c2",
                "create_shipment",
                quote_id=("c1", "quote_id"),
                sender_name="Ivy Clarke",
                recipient_name="Noah Reed",
            ),
        ),
    ),
    (
        "parcel_service",
        (
            call("c1", "search_parcels", recipient_name="Mia Rossi"),
            call("c2", "track_parcel", parcel_id=("c1", "parcel_id")),
        ),
    ),
    (
        "parcel_service",
        (
            call("c1", "search_parcels", recipient_name="Paul Meyer"),
            call("c2", "report_damage", parcel_id=("c1", "parcel_id"), description="one corner is crushed"),
        ),
    ),
    (
        "parcel_service",
        (
            call("c1", "search_parcels", recipient_name="Eva Lind", city="Bergen"),
            call("c2", "track_parcel", parcel_id=("c1", "parcel_id")),
            call("c3", "update_delivery_date", parcel_id=("c1", "parcel_id"), delivery_date="2025-03-18"),
        ),
    ),
)
"""Service and calls of each."""
