"""Dialogues whose statistics are known by construction, in OpenAI's chat format."""

import json
import random
from dataclasses import dataclass
from typing import Any

from turnwright.statistics.fidelity.features import measure_trajectory
from turnwright.statistics.fidelity.sample import Sample, make_sample
from turnwright.statistics.fidelity.trajectory import read_trajectory

DOMAINS = ("shop", "clinic", "library", "garage", "school", "museum")
THINGS = ("order", "client", "invoice", "parcel", "contract", "booking")


@dataclass(frozen=True)
class World:
    """How dialogues come about."""

    requests: tuple[int, ...] = (1, 2, 2, 3)
    """Numbers of requests, drawn evenly."""
    depth: tuple[int, ...] = (0, 1, 1, 2)
    """Look-ups that lead to the goal call of a request, each by the id that the one before returned."""
    errors: float = 0.15
    """Chance that a call fails first and is made again."""
    writes: float = 0.4
    """Chance that the goal call writes."""
    shuffled: bool = False
    """The calls of a request stand in random order: the same calls, no dependency."""
    forgetful: float = 0.0
    """Chance that a written value is not there when it is read back."""
    chatty: int = 0
    """Words more in each answer."""


class _Play:
    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": "You help."}]
        self.calls = 0

    def key(self) -> str:
        return f"K{self.rng.randrange(10**9):09d}"

    def say(self, role: str, text: str) -> None:
        self.messages.append({"role": role, "content": text})

    def call(self, tool: str, arguments: dict[str, Any], result: Any) -> None:
        self.calls += 1
        function = {"name": tool, "arguments": json.dumps(arguments)}
        made = {"id": f"call_{self.calls}", "type": "function", "function": function}
        self.messages.append({"role": "assistant", "content": None, "tool_calls": [made]})
        self.messages.append({"role": "tool", "tool_call_id": made["id"], "content": json.dumps(result)})

    def request(self) -> None:
        rng, world = self.rng, self.world
        start, value = self.key(), f"note {self.key()}"
        depth = rng.choice(world.depth)
        things = rng.sample(THINGS, depth + 1)
        write = rng.random() < world.writes
        verb = "update" if write else "get"
        self.say("user", f"Please {'change the memo of' if write else 'show me'} the {things[-1]} for {start} {value}.")
        keys = [start, *(self.key() for _ in range(depth))]
        steps: list[tuple[str, dict[str, Any], Any]] = [
            (f"find_{thing}", {f"{thing}_id": keys[place]}, {f"{things[place + 1]}_id": keys[place + 1]})
            for place, thing in enumerate(things[:-1])
        ]
        goal = {f"{things[-1]}_id": keys[-1]}
        steps.append((f"{verb}_{things[-1]}", goal | ({"memo": value} if write else {}), {"state": "ok"}))
        if write:
            kept = value if rng.random() >= world.forgetful else "nothing"
            steps.append((f"get_{things[-1]}", goal, goal | {"memo": kept}))
        if world.shuffled:
            rng.shuffle(steps)
        for tool, arguments, result in steps:
            if rng.random() < world.errors:
                self.call(tool, arguments, {"error": "timeout", "message": "try again"})
            self.call(tool, arguments, result)
        self.say("assistant", " ".join(["It is done."] + ["indeed"] * (rng.randrange(4) + world.chatty)))


def play(world: World, seed: str) -> list[dict[str, Any]]:
    """One dialogue."""
    game = _Play(world, random.Random(seed))
    for _ in range(game.rng.choice(world.requests)):
        game.request()
    game.say("user", "Thanks!")
    game.say("assistant", "Bye.")
    return game.messages


def sample(world: World, count: int, seed: str, *, domains: tuple[str, ...] = DOMAINS) -> Sample:
    """Measured dialogues; each domain has as many as the others."""
    return make_sample(
        seed,
        (
            measure_trajectory(
                read_trajectory(
                    play(world, f"{seed}:{n}"),
                    identity=f"{seed}:{n}",
                    cluster=domains[n % len(domains)],
                    tasks=1 + n % 2,
                )
            )
            for n in range(count)
        ),
    )
