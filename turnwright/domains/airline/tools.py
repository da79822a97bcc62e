"""The tools of the airline domain: names and parameters as tau2's, descriptions and result schemas our own."""

from schemas.tools import DomainTool
from turnwright.domains.tool_specs import Schema, describe_tool, flag, listed, number, record, text, whole

_USER_ID = text("User id, e.g. 'sara_doe_496'.")
_RESERVATION_ID = text("Reservation number, e.g. 'ZFA04Y'.")
_FLIGHT_NUMBER = text("Flight number, e.g. 'HAT001'.")
_DATE = text("Date of departure as YYYY-MM-DD, e.g. '2024-05-20'.")
_ORIGIN = text("Airport of departure, three letters, e.g. 'SFO'.")
_DESTINATION = text("Airport of arrival, three letters, e.g. 'JFK'.")
_CABIN = text("Cabin of all flights and passengers.", "basic_economy", "economy", "business")
_PAYMENT_ID = text("Id of a credit card or gift card in the user's profile, e.g. 'gift_card_7815826'.")
_TOTAL_BAGS = whole("All checked bags of the reservation.", 0)
_PAID_BAGS = whole("How many of them are charged for.", 0)
_INSURANCE = text("Whether travel insurance is bought.", "yes", "no")
_TRIP = text("Trip type.", "one_way", "round_trip")
_FLIGHTS = listed(
    "All flights of the reservation in the order of travel, kept ones too.",
    record("A flight on a day.", {"flight_number": _FLIGHT_NUMBER, "date": _DATE}),
    most=8,
)
_PASSENGERS = listed(
    "All passengers.",
    record(
        "A passenger.",
        {
            "first_name": text("First name."),
            "last_name": text("Last name."),
            "dob": text("Date of birth as YYYY-MM-DD."),
        },
    ),
    most=9,
)

_SEGMENT = record(
    "A flight of the reservation.",
    {
        "flight_number": _FLIGHT_NUMBER,
        "origin": _ORIGIN,
        "destination": _DESTINATION,
        "date": _DATE,
        "price": number("Dollars for each passenger."),
    },
)
_PAYMENT = record(
    "A payment, or below zero a refund.", {"payment_id": text("Payment method."), "amount": number("Dollars.")}
)
_RESERVATION = record(
    "The reservation.",
    {
        "reservation_id": _RESERVATION_ID,
        "user_id": _USER_ID,
        "origin": _ORIGIN,
        "destination": _DESTINATION,
        "flight_type": _TRIP,
        "cabin": _CABIN,
        "flights": listed("Flights in the order of travel.", _SEGMENT, least=0),
        "passengers": _PASSENGERS,
        "payment_history": listed("Payments and refunds, oldest first.", _PAYMENT, least=0),
        "created_at": text("When it was booked."),
        "total_baggages": _TOTAL_BAGS,
        "nonfree_baggages": _PAID_BAGS,
        "insurance": _INSURANCE,
        "status": text("`cancelled` where it was cancelled; otherwise not there."),
    },
    frozenset({"status"}),
)
_OFFER_FIELDS: dict[str, Schema] = {
    "flight_number": _FLIGHT_NUMBER,
    "origin": _ORIGIN,
    "destination": _DESTINATION,
    "date": _DATE,
    "scheduled_departure_time_est": text("Departure, local time."),
    "scheduled_arrival_time_est": text("Arrival, local time; `+1` marks the next day."),
    "status": text("Always available."),
    "available_seats": {"type": "object", "description": "Free seats by cabin.", "additionalProperties": {}},
    "prices": {"type": "object", "description": "Dollars for each passenger by cabin.", "additionalProperties": {}},
}
_OFFER = record("A flight that can be booked.", _OFFER_FIELDS)
_SEARCH: dict[str, Schema] = {"origin": _ORIGIN, "destination": _DESTINATION, "date": _DATE}
_USER = record(
    "The user's profile.",
    {
        "user_id": _USER_ID,
        "name": record("Name.", {"first_name": text("First name."), "last_name": text("Last name.")}),
        "address": {"type": "object", "description": "Address.", "additionalProperties": {}},
        "email": text("Email address."),
        "dob": text("Date of birth."),
        "payment_methods": {"type": "object", "description": "By id.", "additionalProperties": {"type": "object"}},
        "saved_passengers": {**_PASSENGERS, "minItems": 0},
        "membership": text("Membership level.", "regular", "silver", "gold"),
        "reservations": listed("Reservation numbers.", _RESERVATION_ID, least=0),
    },
)

TOOLS: tuple[DomainTool, ...] = (
    describe_tool(
        "get_user_details",
        "read",
        "Get a user's profile: membership, payment methods, saved passengers and reservation numbers.",
        {"user_id": _USER_ID},
        _USER,
    ),
    describe_tool(
        "get_reservation_details",
        "read",
        "Get a reservation: flights, cabin, passengers, bags, insurance and payments.",
        {"reservation_id": _RESERVATION_ID},
        _RESERVATION,
    ),
    describe_tool(
        "list_all_airports",
        "read",
        "List the airports that are served, with their cities.",
        {},
        listed("The airports.", record("An airport.", {"iata": text("Three letters."), "city": text("City.")}), 0),
    ),
    describe_tool(
        "search_direct_flight",
        "read",
        "Find the direct flights between two airports on a day that can be booked, with seats and prices.",
        _SEARCH,
        listed("The flights, by time of departure.", _OFFER, least=0),
    ),
    describe_tool(
        "search_onestop_flight",
        "read",
        "Find connections with one stop between two airports on a day that can be booked.",
        _SEARCH,
        listed("The connections.", listed("Its two flights.", _OFFER, 2, 2), least=0),
    ),
    describe_tool(
        "get_flight_status",
        "read",
        "Get the status of a flight on a day: available, on time, delayed, flying, landed or cancelled.",
        {"flight_number": _FLIGHT_NUMBER, "date": _DATE},
        record("The status.", {"flight_number": _FLIGHT_NUMBER, "date": _DATE, "status": text("Status.")}),
    ),
    describe_tool(
        "calculate",
        "read",
        "Work out a sum, difference, product or quotient, e.g. a total price.",
        {"expression": text("Numbers with + - * / and parentheses, e.g. '2 * (350 - 122)'.")},
        record("The result.", {"result": number("Rounded to two decimals.")}),
    ),
    describe_tool(
        "book_reservation",
        "write",
        "Book flights for up to five passengers and charge stored payment methods, which must add up to the price.",
        {
            "user_id": _USER_ID,
            "origin": _ORIGIN,
            "destination": _DESTINATION,
            "flight_type": _TRIP,
            "cabin": _CABIN,
            "flights": _FLIGHTS,
            "passengers": _PASSENGERS,
            "payment_methods": listed(
                "What is charged to which payment method; a certificate may be used for a part.",
                record(
                    "A payment.",
                    {"payment_id": text("Id of a payment method of the user."), "amount": whole("Dollars.", 0)},
                ),
                most=5,
            ),
            "total_baggages": _TOTAL_BAGS,
            "nonfree_baggages": _PAID_BAGS,
            "insurance": _INSURANCE,
        },
        _RESERVATION,
    ),
    describe_tool(
        "cancel_reservation",
        "write",
        "Cancel all flights of a reservation and refund what was paid. Whether it may be cancelled is not checked.",
        {"reservation_id": _RESERVATION_ID},
        _RESERVATION,
    ),
    describe_tool(
        "update_reservation_flights",
        "write",
        "Change the flights or the cabin of a reservation and charge or refund the difference. "
        "Whether the fare may be changed is not checked.",
        {"reservation_id": _RESERVATION_ID, "cabin": _CABIN, "flights": _FLIGHTS, "payment_id": _PAYMENT_ID},
        _RESERVATION,
    ),
    describe_tool(
        "update_reservation_baggages",
        "write",
        "Add checked bags to a reservation and charge for those that are not free.",
        {
            "reservation_id": _RESERVATION_ID,
            "total_baggages": _TOTAL_BAGS,
            "nonfree_baggages": _PAID_BAGS,
            "payment_id": _PAYMENT_ID,
        },
        _RESERVATION,
    ),
    describe_tool(
        "update_reservation_passengers",
        "write",
        "Change the names and dates of birth of a reservation's passengers; their number stays.",
        {"reservation_id": _RESERVATION_ID, "passengers": _PASSENGERS},
        _RESERVATION,
    ),
    describe_tool(
        "send_certificate",
        "write",
        "Give a user a travel certificate as compensation. Whether one is due is not checked.",
        {"user_id": _USER_ID, "amount": whole("Dollars.", 1)},
        record("The certificate.", {"payment_id": text("Its id in the user's profile."), "amount": number("Dollars.")}),
    ),
    describe_tool(
        "transfer_to_human_agents",
        "read",
        "Hand the conversation over to a human agent; only for what cannot be done here.",
        {"summary": text("Short summary of what the user needs.")},
        record("Confirmation.", {"transferred": flag("Always true.")}),
    ),
)
