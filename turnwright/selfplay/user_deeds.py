"""What the simulated user tells of what they did at a device: what they saw, with its exact values."""

import random
from typing import Any, cast

from turnwright.selfplay.words import join_words, say_name, say_value


def read_deeds(block: Any) -> list[dict[str, Any]]:
    """The steps of a request that were done; nothing where the block is of another form."""
    items = cast("list[Any]", block) if isinstance(block, list) else []
    steps = [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
    return [step for step in steps if "action" in step]


def say_deeds(steps: list[dict[str, Any]], rng: random.Random) -> str:
    """The message that reports them."""
    lead = rng.choice(("Okay, done.", "Done.", "I did that.", "Alright, I did it."))
    return " ".join([lead, *(_say_seen(step.get("seen")) for step in steps)]).strip()


def _say_seen(seen: Any) -> str:
    if not isinstance(seen, dict):
        return f"I see: {say_value(seen)}." if seen is not None else ""
    fields = cast("dict[str, Any]", seen)
    if "error" in fields:
        return f"But that did not work. {say_value(fields.get('message') or fields['error'])}"
    plain = {name: value for name, value in fields.items() if not isinstance(value, dict | list)}
    told = join_words([f"the {say_name(name)} is {say_value(value)}" for name, value in plain.items()])
    return f"{told[0].upper()}{told[1:]}." if told else ""
