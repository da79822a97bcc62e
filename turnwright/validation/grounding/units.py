"""Units of measure: how they are written, what they measure, and what turns one into another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by its usual name."""

    name: str
    dimension: str
    factor: float
    """How many of the dimension's smallest unit one of this is; 0 where none converts (currencies, temperatures)."""


_TABLE: dict[str, dict[str, tuple[float, str]]] = {
    "time": {
        "second": (1, "seconds sec secs"),
        "minute": (60, "minutes min mins"),
        "hour": (3600, "hours hr hrs"),
        "day": (86400, "days"),
        "week": (604800, "weeks"),
        "month": (2629746, "months"),
        "year": (31556952, "years yr yrs"),
        "millisecond": (0.001, "milliseconds ms"),
    },
    "length": {
        "metre": (1, "metres meter meters"),
        "kilometre": (1000, "kilometres kilometer kilometers km kms"),
        "centimetre": (0.01, "centimetres centimeter centimeters cm"),
        "millimetre": (0.001, "millimetres millimeter millimeters mm"),
        "mile": (1609.344, "miles mi"),
        "foot": (0.3048, "feet ft"),
        "inch": (0.0254, "inches"),
        "yard": (0.9144, "yards yd"),
    },
    "mass": {
        "kilogram": (1, "kilograms kg kgs kilo kilos"),
        "gram": (0.001, "grams"),
        "milligram": (1e-6, "milligrams mg"),
        "pound weight": (0.45359237, "lb lbs"),
        "ounce": (0.028349523, "ounces oz"),
        "tonne": (1000, "tonnes ton tons"),
    },
    "volume": {
        "litre": (1, "litres liter liters"),
        "millilitre": (0.001, "millilitres milliliter milliliters ml"),
        "gallon": (3.785411784, "gallons"),
    },
    "data": {
        "byte": (1, "bytes"),
        "kilobyte": (1e3, "kilobytes kb"),
        "megabyte": (1e6, "megabytes mb"),
        "gigabyte": (1e9, "gigabytes gb"),
        "terabyte": (1e12, "terabytes tb"),
    },
    "speed": {
        "kilometre per hour": (1000 / 3600, "km/h kmh kph"),
        "mile per hour": (0.44704, "mph"),
        "knot": (0.514444, "knots kn"),
        "metre per second": (1, "m/s"),
    },
    "area": {
        "hectare": (10000, "hectares ha"),
        "acre": (4046.8564, "acres"),
        "square metre": (1, "sqm m²"),
        "square kilometre": (1e6, "km²"),
        "square foot": (0.09290304, "sqft ft²"),
    },
    "temperature": {"celsius": (0, "°c"), "fahrenheit": (0, "°f"), "kelvin": (0, "")},
    "currency": {
        "dollar": (0, "dollars $ usd us$ aud cad bucks"),
        "euro": (0, "euros € eur"),
        "pound": (0, "pounds £ gbp sterling quid"),
        "yen": (0, "¥ jpy"),
        "rupee": (0, "rupees ₹ inr"),
        "franc": (0, "francs chf"),
        "krona": (0, "kronor krone kroner sek nok dkk"),
        "yuan": (0, "cny rmb"),
        "peso": (0, "pesos mxn"),
        "won": (0, "₩ krw"),
        "ruble": (0, "rubles ₽ rub"),
        "cent": (0, "cents"),
    },
    "share": {"percent": (0, "% percentage pct")},
}
UNITS: dict[str, Unit] = {
    alias: Unit(name, dimension, factor)
    for dimension, units in _TABLE.items()
    for name, (factor, aliases) in units.items()
    for alias in [name, *aliases.split()]
}
"""Each way to write a unit, in lower case."""

_SIGNS = ("$", "€", "£", "¥", "₹", "₩", "₽", "°c", "°f", "m²", "km²", "ft²", "km/h", "m/s")
_FITS: dict[str, frozenset[str]] = {
    "year": frozenset("age years experience tenure".split()),
    "dollar": frozenset(
        "price cost amount salary earnings fee budget total revenue payment paid balance income wage value worth sales "
        "spent money earn earns earned pays costs priced makes charge rate sum fare rent tax profit credit "
        "discount refund cash funds deposit bill due".split()
    ),
    "percent": frozenset("share ratio rate percent percentage proportion discount fraction probability".split()),
}
"""A unit that readers take for granted where nothing says another, by words of the field or of the sentence."""
_AMBIGUOUS = frozenset("min sec second mi kn ha ms won mm ton rub foot yard pound pounds cent mark kilo %".split())
"""Words that often mean something else: they count as a unit of a claim, never as evidence by themselves."""


_EVIDENT: dict[str, str] = {
    word: unit.name for word, unit in UNITS.items() if word not in _AMBIGUOUS or word in ("pounds", "ms", "mm", "cent")
}
"""Words of evidence that speak of a unit, with its name."""


def units_in(words: list[str]) -> set[str]:
    """Names of the units that these words of evidence speak of."""
    return {_EVIDENT[word] for word in _EVIDENT.keys() & words}


def list_marks(folded: str, words: list[str]) -> list[str]:
    """The words of a text, and the signs in it that are units."""
    return words + [sign for sign in _SIGNS if sign in folded]


def is_usual(unit: Unit, words: set[str]) -> bool:
    """Whether this unit is what anybody assumes for a value that is called so."""
    return not _FITS.get(unit.name, frozenset()).isdisjoint(words)


def convert(value: float, source: Unit, target: Unit) -> float | None:
    """`value` of `source` in `target`, where one turns into the other."""
    if source.name == "celsius" and target.name == "fahrenheit":
        return value * 9 / 5 + 32
    if source.name == "fahrenheit" and target.name == "celsius":
        return (value - 32) * 5 / 9
    if source.dimension != target.dimension or not source.factor or not target.factor:
        return None
    return value * source.factor / target.factor
