"""The player of the simulated user: from its persona, its goal and what was said, the next message of the person.

It walks through the conversation from the start each time, taking the same decisions again (they depend on the system
message and the number of the turn alone), so that no state is kept between calls. It gives the goal out piece by piece,
tells what it is asked for and knows, and thanks only after the outcome of the last thing it wants has been reported.
"""

from typing import Any, cast

import orjson

from turnwright.selfplay.persona_voice import read_voice
from turnwright.selfplay.request import NotUnderstood, Request, read_blocks
from turnwright.selfplay.user_behaviour import read_behaviour
from turnwright.selfplay.user_deeds import read_deeds, say_deeds
from turnwright.selfplay.user_goal import read_goal
from turnwright.selfplay.user_moves import Decisions, Move, State
from turnwright.selfplay.user_script import write_script
from turnwright.selfplay.user_wording import Words


def reply(request: Request) -> dict[str, Any]:
    """`{user_message, is_task_complete}`.

    Raises:
        NotUnderstood: the request holds no goal.
    """
    found = request.blocks.get("goal")
    if not isinstance(found, dict):
        raise NotUnderstood("the system message must hold a JSON block `goal`")
    goal_block = cast(dict[str, Any], found)
    goal = read_goal(goal_block)
    if not goal.wants:
        raise NotUnderstood("the goal has no tasks")
    persona: dict[str, Any] = request.blocks.get("persona") or {}
    system = str(request.messages[0].get("content") or "")
    said, heard, deeds = _read_conversation(request.messages)
    behaviour, voice = read_behaviour(goal_block.get("behaviour"), goal), read_voice(persona)
    rng = request.rng_for("user", system)
    script = write_script(goal, behaviour, voice, mistake_rate=request.mistake_rate, rng=rng)
    decisions, words = Decisions(script), Words(request, script, persona, system)
    state = State()
    move: Move = decisions.decide(state, None)
    for text, done in zip(heard, deeds, strict=True):
        # What was done at the device is told before anything else; where the person stands stays the same.
        move = "tell" if done else decisions.decide(state, text)
    message = say_deeds(deeds[-1], words.chance(said)) if move == "tell" else words.word(move, state, said)
    return {"user_message": message, "is_task_complete": move == "end"}


def _read_conversation(messages: list[dict[str, Any]]) -> tuple[list[str], list[str], list[list[dict[str, Any]]]]:
    """What the person said, what the assistant answered, and what the person did because of each answer.

    A reply that was sent back for repair is left out.
    """
    said: list[str] = []
    deeds: list[list[dict[str, Any]]] = []
    heard: list[str] = []
    waiting = False
    bad = False
    for message in messages[2:] if len(messages) > 1 else []:
        content = str(message.get("content") or "")
        if message["role"] == "assistant":
            text = _read_own(content)
            bad = text is None
            if text is not None:
                said.append(text)
                waiting = True
        elif message["role"] == "user":
            if bad:
                bad = False
            elif waiting:
                blocks = read_blocks(content)
                heard.append(str(blocks.get("answer", content)))
                deeds.append(read_deeds(blocks.get("done")))
                waiting = False
    return said, heard, deeds


def _read_own(content: str) -> str | None:
    try:
        value = orjson.loads(content)
    except ValueError:
        return None
    fields = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    return str(fields["user_message"]) if "user_message" in fields else None
