"""What the name of a field, an argument or a tool says: an identifier, whose, a count, a sum, a time, a filter.

A simulated tool has no schema behind it but its own, so names are all that code has to go by. Where a name can be read
in two ways the reading is taken that claims less: a false alarm costs a good dialogue.
"""

from functools import lru_cache
from typing import Literal

from turnwright.tools.naming import singular, split_words

_ID_ENDINGS = frozenset({"id", "uuid", "guid"})
_NUMBERED = frozenset(
    "order booking reservation confirmation tracking invoice ticket account case claim policy transaction receipt "
    "customer employee student member membership patient shipment contract".split()
)
_NUMBERS = frozenset({"number", "no", "code", "reference", "ref"})
_NATURAL = frozenset({"sku", "isbn", "iban", "vin", "username"})
_SIDES = frozenset(
    "from to source target destination new old current parent primary main assigned sender receiver recipient owner "
    "original own".split()
)
"""Words that say in what part somebody takes part: `from_account_id` is an account."""

_LASTING = frozenset(
    "name title surname email phone brand author artist isbn sku gender manufacturer birthday birthdate genre "
    "director publisher vin iban username".split()
)
"""What a thing keeps wherever it is mentioned."""
_DEPENDING = frozenset(
    "quantity qty price amount subtotal total discount position rank score similarity relevance distance grade role "
    "seat seats match available availability rate cost fee duration eta progress remaining selected count note notes "
    "comment reason percentage share weight".split()
)
"""What a thing has in relation to another one: the price of a product in an order, the grade in a course."""
_LINE = frozenset("quantity qty role position grade seat seats".split())
_LEVELS = frozenset(
    "stock available availability count quantity points inventory balance seats capacity remaining left used".split()
)
_LIVELY = frozenset("status state stage phase active enabled locked open closed paid shipped level mode".split())
_FREE_TEXT = frozenset(
    "description summary bio text message content body snippet excerpt details comment overview instructions "
    "explanation remarks".split()
)
_CONTEXT = frozenset(
    "date day time month year week period start end unit units currency language locale timezone nights guests "
    "passengers checkin checkout quantity amount".split()
)
"""Arguments that a single answer depends on besides the thing that it is about."""
_PAGING = frozenset("limit page offset cursor per size top max_results n k first".split())

_READ_FIRST = frozenset(
    "get list search find fetch show view lookup look check query read retrieve count track".split()
)
_SET = frozenset("update set change edit modify rename assign move reschedule configure patch mark".split())
_CREATE = frozenset(
    "create add insert register book reserve place submit open schedule make post send record log enroll buy purchase "
    "order issue upload generate start request file subscribe".split()
)
_DELETE = frozenset("delete remove drop destroy erase purge".split())
_EMPTY_NOUNS = frozenset(
    "details detail info information list all data record summary by of for the an a status history results entry "
    "current my new".split()
)
_CUT = frozenset("by of for from in to with on at using via".split())

_CREATED = frozenset(
    "created registered joined ordered placed issued submitted opened logged sent posted booked".split()
)
_UPDATED = frozenset("updated modified changed edited".split())
_PAST = _CREATED | _UPDATED | frozenset("paid shipped delivered cancelled canceled closed completed resolved".split())
_TIME_ENDINGS = frozenset("at on date time timestamp datetime".split())
_SCHEDULED = frozenset("scheduled expected estimated expires expiry expiration due planned next until valid".split())

Family = Literal["set", "create", "delete", "other"]


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, lower case."""
    return tuple(split_words(name[:200]))


@lru_cache(maxsize=8192)
def identified_kind(name: str) -> str | None:
    """The kind of thing that a field of this name identifies; empty for a bare `id`, none for other fields.

    `order_id` is an `order`, `fromAccountId` an `account`, `booking_reference` a `booking`.
    """
    words = words_of(name)
    if len(words) == 0:
        return None
    if words[-1] in _ID_ENDINGS or (len(words) > 1 and words[-1] in _NUMBERS and words[-2] in _NUMBERED):
        owner = [word for word in words[:-1] if word not in _SIDES] or list(words[:-1])
        return singular(" ".join(owner)) if owner else ""
    if words[-1] in _NATURAL:
        return words[-1]
    return None


@lru_cache(maxsize=8192)
def listed_kind(name: str) -> str | None:
    """The kind of thing that a list of identifiers names: `item_ids` lists `item`s."""
    words = words_of(name)
    if len(words) > 1 and words[-1] == "ids":
        return singular(" ".join(word for word in words[:-1] if word not in _SIDES))
    return None


def is_lasting(field: str) -> bool:
    """Whether the field is the same wherever the thing is mentioned."""
    words = words_of(field.rpartition(".")[2])
    return bool(words) and (words[-1] in _LASTING or words == ("birth", "date") or words == ("date", "of", "birth"))


def is_depending(field: str) -> bool:
    """Whether the field belongs to the thing together with what it is mentioned with."""
    return any(word in _DEPENDING for word in words_of(field.rpartition(".")[2]))


def is_lively(field: str) -> bool:
    """Whether the field is of the kind that any action on the thing may change."""
    words = words_of(field.rpartition(".")[2])
    return any(word in _LIVELY for word in words) or time_role(field) is not None


def is_level(field: str) -> bool:
    """Whether the field says how much is left of something that actions on other things use up."""
    return any(word in _LEVELS for word in words_of(field.rpartition(".")[2]))


def is_free_text(field: str) -> bool:
    """Whether the field holds prose, which may be worded or cut differently each time."""
    words = words_of(field.rpartition(".")[2])
    return bool(words) and words[-1] in _FREE_TEXT


def is_line_mark(field: str) -> bool:
    """Whether a thing with this field is a line of something else: so many pieces of a product, a seat on a flight."""
    return any(word in _LINE for word in words_of(field))


def is_context(argument: str) -> bool:
    """Whether an answer about one thing depends on this argument."""
    return any(word in _CONTEXT for word in words_of(argument))


def is_paging(argument: str) -> bool:
    """Whether an argument says how much of a list is wanted."""
    return any(word in _PAGING for word in words_of(argument))


@lru_cache(maxsize=2048)
def family_of(tool: str) -> Family:
    """What a tool that writes does to what it writes, by its first word."""
    words = words_of(tool)
    first = words[0] if words else ""
    if first in _SET:
        return "set"
    if first in _CREATE:
        return "create"
    return "delete" if first in _DELETE else "other"


@lru_cache(maxsize=2048)
def nouns_of(tool: str) -> tuple[str, ...]:
    """The kinds of thing that a tool's name speaks of, what it is about first: `list_items_of_order` is item, order."""
    words = [singular(word) for word in words_of(tool)]
    body = words[1:] if words and (words[0] in _READ_FIRST | _SET | _CREATE | _DELETE or len(words) > 1) else words
    parts: list[list[str]] = [[]]
    for word in body:
        if word in _CUT:
            parts.append([])
        elif word not in _EMPTY_NOUNS:
            parts[-1].append(word)
    nouns: list[str] = []
    for part in parts:
        # The last word is the head: `customer_orders` are orders.
        nouns += [" ".join(part[start:]) for start in range(len(part))]
        nouns += list(reversed(part))
    return tuple(dict.fromkeys(noun for noun in nouns if noun))


@lru_cache(maxsize=8192)
def time_role(field: str) -> Literal["created", "updated", "past", "other"] | None:
    """What moment a field names: `created` and `updated` of the record, another one in the `past`, or any `other`."""
    words = words_of(field.rpartition(".")[2])
    if not words or (words[-1] not in _TIME_ENDINGS and words[0] != "last"):
        return None
    if any(word in _SCHEDULED for word in words):
        return "other"
    if any(word in _UPDATED for word in words):
        return "updated"
    if any(word in _CREATED for word in words):
        return "created"
    return "past" if any(word in _PAST for word in words) else "other"


def strip_new(argument: str) -> str:
    """The field that an argument sets: `new_status` and `updated_status` set `status`."""
    words = words_of(argument)
    if len(words) > 1 and words[0] in ("new", "updated"):
        return "_".join(words[1:])
    return argument
