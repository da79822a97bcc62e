"""A scripted tool simulator over a consistent world, and the loop that asks it: what tests of the ledger stand on."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from simulated_worlds import NOW, World

from schemas.content import canonical_json
from schemas.messages import Message
from schemas.replies import ToolSimulation
from schemas.tools import Tool
from turnwright.models.reply import ModelReply, StructuredReply
from turnwright.roles.tool_simulator import SimulatorConversation
from turnwright.rollout.simulated_environment import SimulatedAnswer, SimulatedEnvironment
from turnwright.selfplay.request import read_blocks

Planter = Callable[[Any, str | None], tuple[Any, str | None]]
"""Makes a contradiction of a true answer."""


@dataclass
class WorldModels:
    """Plays the tool simulator from a world; the next first replies may be spoilt by `planter`."""

    world: World
    planter: Planter | None = None
    stubborn: bool = False
    """Spoils the second reply as well."""
    names: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the world calls things that code has given other identifiers, by the JSON of the identifier in use."""
    asked: list[list[Message]] = field(default_factory=list[list[Message]])
    truth: tuple[Any, str | None] = (None, None)

    async def structured(self, role: str, messages: Sequence[Message], **_: Any) -> StructuredReply[ToolSimulation]:
        """One reply: the world's answer to the call in the last `call` block."""
        self.asked.append(list(messages))
        again = "call" not in read_blocks(str(messages[-1]["content"]))
        if not again:
            call = read_blocks(str(messages[-1]["content"]))["call"]
            arguments = rename(call["arguments"], self.names)
            value, error = self.world.answer(call["tool"], arguments)
            back = {canonical_json(old): orjson.loads(new) for new, old in self.names.items()}
            self.truth = rename(deepcopy(value), back), error
        value, error = deepcopy(self.truth)
        if self.planter is not None and (not again or self.stubborn):
            value, error = self.planter(value, error)
        reply = ToolSimulation(error=error, result=value)
        return StructuredReply(reply, (cast(ModelReply, _REPLY),), False)


_REPLY = ModelReply(
    content="",
    tool_calls=(),
    reasoning=None,
    finish_reason="stop",
    prompt_tokens=1,
    completion_tokens=1,
    key="k",
    model="world",
    replayed=False,
)


def rename(value: Any, names: Mapping[str, Any]) -> Any:
    """`value` with each leaf whose JSON is among `names` replaced."""
    if isinstance(value, dict):
        return {key: rename(child, names) for key, child in value.items()}
    if isinstance(value, list):
        return [rename(child, names) for child in value]
    return names.get(canonical_json(value), value) if isinstance(value, str | int) else value


class Session:
    """One dialogue's calls on a world through the simulated environment."""

    def __init__(self, world: World, seed: int = 0) -> None:
        self.world = world
        self.models = WorldModels(world)
        conversation = SimulatorConversation(cast(Any, self.models), list(world.tools.values()), "task_1", 0)
        self.environment = SimulatedEnvironment(conversation, seed=f"s{seed}", reference_time=NOW, result_bytes=60_000)
        self.rng = random.Random(f"session:{seed}")

    def call(self, tool: str, **arguments: Any) -> SimulatedAnswer:
        """Calls a tool with arguments as the dialogue knows them."""
        messages: list[Message] = [{"role": "system", "content": ""}, {"role": "user", "content": "Please."}]
        answer = asyncio.run(self.environment.call(self.world.tools[tool], arguments, messages))
        self._adopt(answer)
        return answer

    def draw(self) -> tuple[Tool, dict[str, Any]]:
        """A call at random, in the identifiers of the dialogue."""
        tool, arguments = self.world.ask()
        back = {canonical_json(old): orjson.loads(new) for new, old in self.models.names.items()}
        return tool, rename(arguments, back)

    def problems(self, since: int = 0) -> list[str]:
        """The notices from the one given on, as `code: resolution`."""
        return [f"{notice.code}: {notice.resolution}" for notice in self.environment.notices[since:]]

    def _adopt(self, answer: SimulatedAnswer) -> None:
        """Remembers what code has renumbered: where the answer differs from the truth in an identifier."""
        told, error = self.models.truth
        if error is None and answer.error is None and isinstance(told, dict) and isinstance(answer.value, dict):
            for name, value in cast("dict[str, Any]", told).items():
                new = answer.value.get(name)
                if (name.endswith("_id") or name == "id") and new != value and answer.wrote:
                    self.models.names[canonical_json(new)] = value
