"""The clerk of an internet provider's helpdesk: works on the line, and asks the user to do what only they can reach."""

import re
from typing import Any, cast

from turnwright.selfplay.desk import Answer, Desk, find_last
from turnwright.selfplay.words import say_value

SIGNATURE = frozenset({"find_customer", "get_line", "order_replacement"})
_PHONE = r"(?<![\w-])\+?\d[\d ()-]{5,}\d(?![\w-])"
_BESIDE = re.compile(r"\bI (?:only need|meant only|should have said)\b|\bonly for\b", re.IGNORECASE)
_CABLE = "check whether the cable between the router and the wall socket is plugged in, and tell me what you see"
_PLUG = "plug the loose cable between the router and the wall socket in, and tell me where it is then"
_RESTART = "restart the router, that is pull the power plug, wait and plug it in again, and tell me what it shows"
_LIGHTS = "look at the lights on the front of the router and tell me which colours they have"
_BUTTON = "press the Wi-Fi button on the side of the router, which turns Wi-Fi on, and tell me what its light shows"
_SPEED = "run a speed test on a computer at home and tell me the result"
_ABILITIES = ("check the line", "tell which speed is booked")


def serve(desk: Desk) -> Answer:
    """What to say to the user.

    Raises:
        NextCall, Answer: see Desk.
    """
    for text in (desk.texts[0], desk.text):
        work = next((work for pattern, work in _WORKS if re.search(pattern, text, re.IGNORECASE)), None)
        if work is not None:
            return work(desk, _identify(desk))
    raise desk.decline(*_ABILITIES)


def _identify(desk: Desk) -> dict[str, Any]:
    phone = find_last(_PHONE, desk.history)
    if phone is None:
        raise desk.ask("phone number")
    customer = desk.read("find_customer", phone=phone)
    if not customer:
        raise Answer("I could not find a customer with that number. Could you tell me the phone number again?")
    return customer


def _look(desk: Desk, customer: dict[str, Any], skip: int = 0) -> dict[str, Any]:
    """The line; the user's deeds change it unseen, so what an earlier request brought does not count."""
    found = desk.look("get_line", skip=skip, fresh=True, customer_number=customer.get("customer_number"))
    line = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if line.get("outage_until"):
        raise desk.tell(
            f"There is an outage in your area, {customer.get('area')}. It is expected to end at "
            f"{line['outage_until']}, and until then there is nothing to do on your side."
        )
    return line


def _list_answers(desk: Desk, request: str) -> list[str]:
    """What the user answered to a request to do something, oldest first."""
    answers = [text for text in desk.texts[1:] if not _BESIDE.search(text)]
    pairs = zip(desk.episode.questions, answers, strict=False)
    return [answer for question, answer in pairs if request in question]


def _ask_for(desk: Desk, request: str, lead: str = "") -> Answer:
    lead = lead or desk.rng.choice(("Let us find out what is wrong.", "Thank you.", "All right."))
    return Answer(f"{lead} Could you please {request}?")


def _do(desk: Desk, request: str, number: int = 1, lead: str = "") -> str:
    """The user's answer to a request, made for the `number`th time.

    Raises:
        Answer: the request, where it is not made yet.
    """
    answers = _list_answers(desk, request)
    if len(answers) < number:
        raise _ask_for(desk, request, lead)
    return answers[number - 1]


def _serve_line(desk: Desk, tool: str, customer: dict[str, Any], words: str, *, agreed: bool = True) -> dict[str, Any]:
    return desk.change(tool, {"customer_number": customer.get("customer_number")}, words, agreed=agreed)


def _repair(desk: Desk, customer: dict[str, Any]) -> Answer:
    line = _look(desk, customer)
    if line.get("connected"):
        return desk.tell("The line shows that your router is connected, so the internet should work at your home.")
    looks = 1
    if line.get("profile") == "stale":
        _serve_line(desk, "reset_line", customer, "reset the profile of the line")
        _do(desk, _RESTART, lead="I have reset the profile of your line.")
    else:
        if re.search(r"\bloose\b", _do(desk, _CABLE)):
            _do(desk, _PLUG, lead="That is the reason, I think.")
            if _look(desk, customer, looks).get("connected"):
                return _tell_connected(desk, "the cable was loose, and it is plugged in again")
            looks += 1
        _do(desk, _RESTART, lead="Then the cable is not the reason.")
    if _look(desk, customer, looks).get("connected"):
        return _tell_connected(desk, "the router was restarted")
    words = "order a replacement router, because this one stays disconnected"
    order = _serve_line(desk, "order_replacement", customer, words, agreed=False)
    return desk.tell(
        f"The router seems to be broken, so I ordered a replacement router. The order number is "
        f"{order.get('order_number')}, and it is delivered on {order.get('delivery_date')}."
    )


def _tell_connected(desk: Desk, why: str) -> Answer:
    return desk.tell(f"The line now shows that your router is connected: {why}. The internet works again.")


def _speed_up(desk: Desk, customer: dict[str, Any]) -> Answer:
    line = _look(desk, customer)
    before = _do(desk, _SPEED)
    if line.get("firmware") == line.get("newest_firmware"):
        return desk.tell("The firmware of your router is the newest, and I could not find anything wrong on the line.")
    _serve_line(desk, "update_firmware", customer, "send the newest firmware to the router")
    _do(
        desk,
        _RESTART,
        lead=f"The firmware {line.get('firmware')} is old, and the newest one waits for the next restart.",
    )
    after = _do(desk, _SPEED, 2, "Thank you. Let us see whether that helped.")
    speeds = [find_last(r"\d+(?:\.\d+)?", [text]) for text in (before, after)]
    return desk.tell(
        f"The speed test shows {speeds[1] or 'more'} megabits per second, after {speeds[0] or 'less'} before, and "
        f"{say_value(customer.get('booked_speed'))} are booked. The firmware is {line.get('newest_firmware')} now."
    )


def _bring_wifi(desk: Desk, customer: dict[str, Any]) -> Answer:
    _look(desk, customer)
    if re.search(r"\bwifi (?:is )?green\b", _do(desk, _LIGHTS), re.IGNORECASE):
        return desk.tell("The Wi-Fi light is green, so Wi-Fi is on.")
    after = _do(desk, _BUTTON, lead="Wi-Fi is off.")
    if not re.search(r"\bgreen\b", after):
        return desk.tell("Wi-Fi did not work after that, I am sorry.")
    return desk.tell("The Wi-Fi light is green, so Wi-Fi is on again, and your devices find it.")


def _tell_speed(desk: Desk, customer: dict[str, Any]) -> Answer:
    return desk.tell(f"The booked download speed is {say_value(customer.get('booked_speed'))} megabits per second.")


def _renew(desk: Desk, customer: dict[str, Any]) -> Answer:
    line = _look(desk, customer)
    if not line.get("connected"):
        return _repair(desk, customer)
    reason = "your router is connected and works, and a wish for a newer one is no reason for a replacement"
    raise desk.forbid("order a replacement router", reason, *_ABILITIES)


_WORKS = (
    (r"\bnewer router\b|\brouter for free\b", _renew),
    (r"\bwi-?fi back\b|\bno phone or computer\b", _bring_wifi),
    (r"\bas fast as\b|\bvery slow\b", _speed_up),
    (r"\bspeed is booked\b|\bdownload speed\b", _tell_speed),
    (r"\binternet\b|\bconnection\b", _repair),
)
