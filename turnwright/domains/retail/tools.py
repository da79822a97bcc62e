"""The tools of the retail domain: names and parameters as tau2's, descriptions and result schemas our own."""

from schemas.tools import DomainTool
from turnwright.domains.tool_specs import Schema, describe_tool, flag, listed, number, record, text

_ORDER_ID = text("Order number with its leading '#', e.g. '#W0000000'.")
_USER_ID = text("User id, e.g. 'sara_doe_496'.")
_PAYMENT_ID = text("Id of a payment method in the user's profile, e.g. 'credit_card_0000000'.")
_ITEM_IDS = listed("Ids of the items concerned; one that is there twice is listed twice.", text("Item id."))
_NEW_ITEM_IDS = listed("Ids of the items that replace them, in the same order.", text("Item id."))
_ADDRESS: dict[str, Schema] = {
    "address1": text("First line of the address, e.g. '123 Main Street'."),
    "address2": text("Second line of the address, e.g. 'Apt 1'; empty where there is none."),
    "city": text("City, e.g. 'San Francisco'."),
    "state": text("State code, e.g. 'CA'."),
    "country": text("Country, e.g. 'USA'."),
    "zip": text("Zip code, e.g. '12345'."),
}

_OPTIONS: Schema = {
    "type": "object",
    "description": "Product options, e.g. color and size.",
    "additionalProperties": {},
}
_ITEM = record(
    "An ordered item.",
    {
        "name": text("Product name."),
        "product_id": text("Product id."),
        "item_id": text("Item id."),
        "price": number("Price in dollars."),
        "options": _OPTIONS,
    },
)
_PAYMENT = record(
    "A payment or refund.",
    {
        "transaction_type": text("What it was.", "payment", "refund"),
        "amount": number("Dollars."),
        "payment_method_id": text("Id of the payment method."),
    },
)
_ORDER_FIELDS: dict[str, Schema] = {
    "order_id": _ORDER_ID,
    "user_id": _USER_ID,
    "address": record("Shipping address.", _ADDRESS),
    "items": listed("Items of the order.", _ITEM, least=0),
    "status": text("Status of the order."),
    "fulfillments": listed(
        "Shipments.",
        record("A shipment.", {"tracking_id": listed("Tracking numbers.", text("Number."), 0), "item_ids": _ITEM_IDS}),
        least=0,
    ),
    "payment_history": listed("Payments and refunds, oldest first.", _PAYMENT, least=0),
    "cancel_reason": text("Why the order was cancelled."),
    "return_items": _ITEM_IDS,
    "return_payment_method_id": _PAYMENT_ID,
    "exchange_items": _ITEM_IDS,
    "exchange_new_items": _NEW_ITEM_IDS,
    "exchange_payment_method_id": _PAYMENT_ID,
    "exchange_price_difference": number("Dollars that the user pays (or, below zero, gets back)."),
}
_ORDER = record("The order.", _ORDER_FIELDS, frozenset(list(_ORDER_FIELDS)[7:]))
_USER_FIELDS: dict[str, Schema] = {
    "user_id": _USER_ID,
    "name": record("Name.", {"first_name": text("First name."), "last_name": text("Last name.")}),
    "address": record("Default address.", _ADDRESS),
    "email": text("Email address."),
    "payment_methods": {
        "type": "object",
        "description": "Payment methods by id.",
        "additionalProperties": {"type": "object"},
    },
    "orders": listed("Numbers of the user's orders.", _ORDER_ID, least=0),
}
_USER = record("The user's profile.", _USER_FIELDS)
_VARIANT = record(
    "A variant.",
    {"item_id": text("Item id."), "options": _OPTIONS, "available": flag("In stock."), "price": number("Dollars.")},
)

TOOLS: tuple[DomainTool, ...] = (
    describe_tool(
        "find_user_id_by_email",
        "read",
        "Find a user by email address and get the user id.",
        {"email": text("Email address.")},
        record("The user found.", {"user_id": _USER_ID}),
    ),
    describe_tool(
        "find_user_id_by_name_zip",
        "read",
        "Find a user by first name, last name and zip code and get the user id. Ask for the email where that fails.",
        {"first_name": text("First name."), "last_name": text("Last name."), "zip": text("Zip code.")},
        record("The user found.", {"user_id": _USER_ID}),
    ),
    describe_tool(
        "get_user_details",
        "read",
        "Get a user's profile: address, email, payment methods and order numbers.",
        {"user_id": _USER_ID},
        _USER,
    ),
    describe_tool(
        "get_order_details",
        "read",
        "Get an order: status, items, shipping address, shipments and payments.",
        {"order_id": _ORDER_ID},
        _ORDER,
    ),
    describe_tool(
        "get_product_details",
        "read",
        "Get a product with all its variants, their options, prices and whether they are in stock.",
        {"product_id": text("Product id, which is no item id.")},
        record(
            "The product.",
            {
                "name": text("Name."),
                "product_id": text("Product id."),
                "variants": {"type": "object", "description": "Variants by item id.", "additionalProperties": _VARIANT},
            },
        ),
    ),
    describe_tool(
        "get_item_details",
        "read",
        "Get one variant of a product: its options, price and whether it is in stock.",
        {"item_id": text("Item id, which is no product id.")},
        _VARIANT,
    ),
    describe_tool(
        "list_all_product_types",
        "read",
        "List the names of all products with their product ids.",
        {},
        {"type": "object", "description": "Product ids by name.", "additionalProperties": {"type": "string"}},
    ),
    describe_tool(
        "calculate",
        "read",
        "Work out a sum, difference, product or quotient, e.g. a total of several prices.",
        {"expression": text("Numbers with + - * / and parentheses, e.g. '12.5 + 3 * 4'.")},
        record("The result.", {"result": number("Rounded to two decimals.")}),
    ),
    describe_tool(
        "cancel_pending_order",
        "write",
        "Cancel a pending order and refund it to the payment method that paid for it.",
        {"order_id": _ORDER_ID, "reason": text("Why.", "no longer needed", "ordered by mistake")},
        _ORDER,
    ),
    describe_tool(
        "modify_pending_order_address",
        "write",
        "Change the shipping address of a pending order.",
        {"order_id": _ORDER_ID, **_ADDRESS},
        _ORDER,
    ),
    describe_tool(
        "modify_pending_order_payment",
        "write",
        "Move the payment of a pending order to another payment method and refund the first one.",
        {"order_id": _ORDER_ID, "payment_method_id": _PAYMENT_ID},
        _ORDER,
    ),
    describe_tool(
        "modify_pending_order_items",
        "write",
        "Swap items of a pending order for other variants of the same products. Works once per order.",
        {
            "order_id": _ORDER_ID,
            "item_ids": _ITEM_IDS,
            "new_item_ids": _NEW_ITEM_IDS,
            "payment_method_id": _PAYMENT_ID,
        },
        _ORDER,
    ),
    describe_tool(
        "return_delivered_order_items",
        "write",
        "Request the return of items of a delivered order. Works once per order.",
        {"order_id": _ORDER_ID, "item_ids": _ITEM_IDS, "payment_method_id": _PAYMENT_ID},
        _ORDER,
    ),
    describe_tool(
        "exchange_delivered_order_items",
        "write",
        "Request the exchange of delivered items for other variants of the same products. Works once per order.",
        {
            "order_id": _ORDER_ID,
            "item_ids": _ITEM_IDS,
            "new_item_ids": _NEW_ITEM_IDS,
            "payment_method_id": _PAYMENT_ID,
        },
        _ORDER,
    ),
    describe_tool(
        "modify_user_address",
        "write",
        "Change the default address in a user's profile. Orders keep their own.",
        {"user_id": _USER_ID, **_ADDRESS},
        _USER,
    ),
    describe_tool(
        "transfer_to_human_agents",
        "read",
        "Hand the conversation over to a human agent; only for what cannot be done here.",
        {"summary": text("Short summary of what the user needs.")},
        record("Confirmation.", {"transferred": flag("Always true.")}),
    ),
)
