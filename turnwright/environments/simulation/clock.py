"""The time that counts as now in a simulated dialogue, and times in results that cannot be."""

import datetime
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from schemas.simulation import Contradiction
from turnwright.environments.simulation.agreement import read_moment
from turnwright.environments.simulation.facts import Facts
from turnwright.environments.simulation.field_names import time_role, words_of
from turnwright.environments.simulation.records import Path, SimulatedCall
from turnwright.environments.simulation.writes import read_effect, succeeded

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = rf"(?P<month>{'|'.join(f'{name}|{name[:3]}' for name in _MONTHS)})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_CUE = (
    r"\b(?:today(?:'s date)? is|today(?:'s date)?:|now is|it(?:'s| is) (?:now|currently|already|today)|"
    r"current (?:date|time|date and time) is|the date (?:today )?is|the time (?:now )?is|today,|as of today,?)"
    r"\s+(?:the\s+)?(?:\w+day,?\s+)?(?:the\s+)?"
)
_DATES = (
    re.compile(_CUE + r"(?:the\s+)?(?P<year>\d{4})-(?P<number>\d{1,2})-(?P<day>\d{1,2})", re.IGNORECASE),
    re.compile(_CUE + rf"{_DAY}(?:\s+of)?\s+{_MONTH},?\s+(?P<year>\d{{4}})", re.IGNORECASE),
    re.compile(_CUE + rf"{_MONTH}\s+{_DAY},?\s+(?P<year>\d{{4}})", re.IGNORECASE),
)
_CLOCK = re.compile(
    r"^[\sT,]*(?:at\s+|and (?:the time is|it(?:'s| is))\s+)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::\d{2})?\s*(?P<half>[ap]\.?m\.?)?",
    re.IGNORECASE,
)
_ONLY_CLOCK = re.compile(
    r"\b(?:it(?:'s| is) (?:now|currently|already)|now is|the time (?:now )?is|current time is)\s+"
    r"(?P<rest>\d{1,2}(?::\d{2}|\s*[ap]\.?m).*)",
    re.IGNORECASE,
)
_SLACK = datetime.timedelta(hours=14)
"""Farthest that two local clocks can be apart."""
_PAIRS = (
    ("start", "end"),
    ("check_in", "check_out"),
    ("checkin", "checkout"),
    ("from", "to"),
    ("valid_from", "valid_until"),
    ("pickup", "return"),
    ("pick_up", "drop_off"),
    ("opened", "closed"),
    ("begin", "end"),
)


def find_now(reference_time: str, said: Sequence[str]) -> str:
    """The reference time, or the time that the user has named as now, the latest one (UO, simulation).

    A date alone keeps the reference's time of day, a time alone its date. Only what the user says of the present
    counts ("today is 5 March 2024", "it is now 14:30"): a date that something is wanted for is none of that.
    """
    now = _parse(reference_time)
    if now is None:
        return reference_time
    for text in said:
        now = _read_named(text.replace("’", "'")[:4000], now) or now
    return now.isoformat()


def _parse(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None


def _read_named(text: str, now: datetime.datetime) -> datetime.datetime | None:
    for pattern in _DATES:
        if match := pattern.search(text):
            named = match.groupdict()
            month = named.get("number") or str(_month_number(named["month"]))
            try:
                day = now.replace(year=int(named["year"]), month=int(month), day=int(named["day"]))
            except ValueError:
                return None
            return _read_clock(text[match.end() :], day) or day
    if match := _ONLY_CLOCK.search(text):
        return _read_clock(match["rest"], now)
    return None


def _month_number(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, start=1) if month[:3] == name[:3].lower())


def _read_clock(text: str, day: datetime.datetime) -> datetime.datetime | None:
    match = _CLOCK.match(text)
    if match is None or (match["minute"] is None and match["half"] is None):
        return None
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0) if hour < 24 and minute < 60 else None


def find_time_faults(call: SimulatedCall, facts: Facts, now: str) -> list[Contradiction]:
    """`time_order`, `future_time`: no end before its start, nothing recorded that is still to come, no going back."""
    if call.error is not None:
        return []
    return [*_look(call.value, (), now), *_check_backwards(call, facts), *_check_stamps(call, facts, now)]


def _look(value: Any, path: Path, now: str) -> Iterator[Contradiction]:
    if isinstance(value, list):
        for position, item in enumerate(cast("list[Any]", value)):
            yield from _look(item, (*path, position), now)
    elif isinstance(value, dict):
        content = cast("dict[str, Any]", value)
        yield from _check_pairs(content, path)
        yield from _check_future(content, path, now)
        for name, child in content.items():
            yield from _look(child, (*path, name), now)


def _check_pairs(content: dict[str, Any], path: Path) -> Iterator[Contradiction]:
    moments = {name: moment for name, value in content.items() if (moment := read_moment(value)) is not None}
    created = [name for name in moments if time_role(name) == "created"]
    for first, second in [
        *((a, b) for a in moments for b in moments if _are_pair(a, b)),
        *((a, b) for a in created for b in moments if time_role(b) == "updated"),
    ]:
        one, two = moments[first], moments[second]
        if _is_before(two, one):
            text = f"{second} {content[second]} is before {first} {content[first]}"
            remedy = "replace" if time_role(second) == "updated" else "none"
            truth = content[first] if remedy == "replace" else None
            yield Contradiction(code="time_order", path=(*path, second), explanation=text, remedy=remedy, truth=truth)


def _are_pair(first: str, second: str) -> bool:
    one, two = words_of(first), words_of(second)
    for left, right in _PAIRS:
        a, b = tuple(left.split("_")), tuple(right.split("_"))
        for start in range(len(one) - len(a) + 1):
            if one[start : start + len(a)] == a and two == (*one[:start], *b, *one[start + len(a) :]):
                return True
    return False


def _check_future(content: dict[str, Any], path: Path, now: str) -> Iterator[Contradiction]:
    present = read_moment(now)
    if present is None:
        return
    for name, value in content.items():
        moment = read_moment(value)
        if moment is not None and time_role(name) in ("created", "updated", "past") and _is_before(present, moment):
            text = f"{name} {value} is after now, {now}"
            truth = now if moment[1] else now[:10]
            yield Contradiction(code="future_time", path=(*path, name), explanation=text, remedy="replace", truth=truth)


def _check_backwards(call: SimulatedCall, facts: Facts) -> Iterator[Contradiction]:
    """The time of the last change of a thing never goes back."""
    for record in call.records:
        for name, value in record.fields.items():
            if time_role(name) != "updated":
                continue
            known = facts.values.get((frozenset({record.entity}), name))
            before, moment = read_moment(known.value) if known else None, read_moment(value)
            if known is None or before is None or moment is None:
                continue
            wrote = facts.touched.get(record.entity, 0) > known.call or call.tool.effect == "write"
            if _is_before(moment, before) or (not wrote and moment[1] == before[1] and _is_before(before, moment)):
                text = f"{record.entity}: {name} is {value}, in call {known.call} it was {known.value}"
                yield Contradiction(
                    code="time_order",
                    path=(*record.path, *name.split(".")),
                    explanation=text,
                    remedy="replace",
                    truth=known.value,
                )


def _check_stamps(call: SimulatedCall, facts: Facts, now: str) -> Iterator[Contradiction]:
    """What a write says of its own time is about now; code puts the very moment there (`stamp_times`)."""
    effect, present = read_effect(call, facts.known), read_moment(now)
    if effect is None or present is None:
        return
    for stamp in stamp_times(call, now, created=effect.created is not None):
        told: Any = call.value
        for part in stamp.path:
            told = told[part]
        moment = read_moment(told)
        if moment is not None and abs(moment[0] - present[0]) > datetime.timedelta(days=1):
            yield stamp


def _is_before(first: tuple[datetime.datetime, bool, bool], second: tuple[datetime.datetime, bool, bool]) -> bool:
    """Whether one moment is surely before another: by the day where one has no time, with slack between clocks."""
    if not (first[1] and second[1]):
        return first[0].date() < second[0].date() - (
            datetime.timedelta(days=1) if first[2] != second[2] else datetime.timedelta()
        )
    return first[0] < second[0] - (_SLACK if first[2] != second[2] else datetime.timedelta())


def stamp_times(call: SimulatedCall, now: str, *, created: bool) -> list[Contradiction]:
    """The times of a write that code knows: when the record was changed, and made if it was; each as a replacement."""
    if call.tool.effect != "write" or not succeeded(call) or not isinstance(call.value, dict):
        return []
    found: list[Contradiction] = []
    content = cast("dict[str, Any]", call.value)
    places: list[tuple[Path, dict[str, Any]]] = [((), content)]
    places += [((name,), cast("dict[str, Any]", child)) for name, child in content.items() if isinstance(child, dict)]
    for path, fields in places:
        for name, value in fields.items():
            moment, role = read_moment(value), time_role(name)
            own = role == "updated" or (role == "created" and created) or name in ("timestamp", "processed_at")
            if moment is None or not own or name in call.arguments:
                continue
            truth = _write_like(str(value), now)
            if truth != value:
                text = f"{name} is {value}, it is {now}"
                found.append(
                    Contradiction(
                        code="time_order", path=(*path, name), explanation=text, remedy="replace", truth=truth
                    )
                )
    return found


def _write_like(value: str, now: str) -> str:
    """Now in the form of `value`: a day alone, a space for the T, an offset."""
    moment = read_moment(value)
    if moment is None or not moment[1]:
        return now[:10]
    text = now[:19]
    return (text.replace("T", " ") if "T" not in value else text) + ("Z" if moment[2] else "")
