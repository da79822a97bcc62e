"""The words of a turn and what they are translated back from: a request, alone or with what was said around it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.content import canonical_json
from schemas.goals import PlannedCall
from schemas.messages import Message
from schemas.replies import PlanDraft, RequestDraft
from schemas.stateless import Clarification, ErrorHint, Refusal
from schemas.tools import Tool
from turnwright.roles.back_translator import Line, ask_for_calls
from turnwright.rollout.conversation import join_prose
from turnwright.stateless.acceptance import FEWEST
from turnwright.stateless.candidates import Candidate
from turnwright.stateless.exchanges import Said
from turnwright.stateless.execution import Progress
from turnwright.stateless.plan_schema import plan_schema
from turnwright.stateless.plans import Problem
from turnwright.stateless.request_checks import check_request
from turnwright.stateless.steps import Steps, Try
from turnwright.stateless.user_words import check_reaction, check_wish, check_withheld
from turnwright.stateless.withholding import Withheld

Plan = tuple[PlannedCall, ...]


@dataclass(frozen=True)
class Spoken:
    """A turn before anything is carried out: what is said, and the calls that answer it."""

    request: str
    calls: Plan
    planned: Plan
    """As the planner had it; empty where it is the same."""
    hints: tuple[ErrorHint, ...] = ()
    clarification: Clarification | None = None
    refusal: Refusal | None = None
    refused: str = ""
    """What the assistant says to a request that it declines; then there are no calls."""

    @property
    def asked(self) -> str:
        """All that the user said to have these calls made."""
        return self.request if self.clarification is None else f"{self.request} {self.clarification.answer}"


async def draw_request(
    steps: Steps,
    place: Try,
    messages: Sequence[Message],
    asked: Sequence[PlannedCall],
    kept_back: Sequence[PlannedCall],
    tools: Mapping[str, Tool],
    said: Said,
    *,
    withheld: Withheld | None = None,
    wish: str = "",
) -> str:
    """The shortest valid words for a plan or a wish.

    Args:
        steps: what the dialogue rests on.
        place: which try at which turn.
        messages: what the requester is asked.
        asked: the calls that the request asks for, without what it leaves out.
        kept_back: the calls of which it says the literals alone.
        tools: those that the calls are of, by name.
        said: requests and answers so far.
        withheld: what it must not say.
        wish: what no tool can do and it has to ask for.

    Raises:
        TurnFailed: no candidate is valid.
        ModelError: no reply could be had.
    """
    first, now = place.turn == 0, steps.task.reference_time
    earlier = {request.strip() for request, _ in said}
    heard = [canonical_json(steps.persona.model_dump()), wish, *(line for exchange in said for line in exchange)]

    def read(draft: RequestDraft) -> Candidate[str]:
        text = join_prose(draft.request)
        problems = check_request(text, asked, kept_back, tools, first=first, now=now, heard=heard)
        if text in earlier:
            problems.append(Problem("repeated_request", "the same was said before"))
        if withheld is not None:
            problems += check_withheld(text, withheld)
        if wish:
            problems += check_wish(text, wish, tools, asked)
        if steps.reactive and said:
            problems += check_reaction(text, said[-1][1], [*asked, *kept_back], [wish], tools)
        return Candidate(text, tuple(problems), (-float(len(text)),))

    best, _ = await steps.draw("requester", messages, read, stage="request", place=place, remaining=3)
    return best


def list_talk(request: str, question: str, answer: str, said: Said) -> list[Line]:
    """Who said what for the calls of a turn; empty where the request says it all."""
    talk: list[Line] = []
    if said:
        talk.append(("assistant", said[-1][1]))
    talk.append(("user", request))
    if question:
        talk.append(("assistant", question))
        talk.append(("user", answer))
    return talk if len(talk) > 1 else []


async def draw_recovered(
    steps: Steps,
    place: Try,
    request: str,
    talk: Sequence[Line],
    progress: Progress,
    most: int,
    read: Callable[[PlanDraft], Candidate[Plan]],
) -> tuple[Plan, list[Plan]]:
    """The calls that a request is translated back into, and what the other candidates made of it.

    Raises:
        TurnFailed: no candidate is valid.
        ModelError: no reply could be had.
    """
    tools, earlier = list(steps.tools.values()), progress.earlier
    messages = ask_for_calls(tools, steps.scenario.links, request, earlier, most, talk=talk, refusing=steps.refusing)
    schema = plan_schema(tools, earlier, least=0 if steps.refusing else FEWEST, most=most)
    return await steps.draw(
        "back_translator",
        messages,
        read,
        stage="back_translation",
        place=place,
        remaining=2,
        fields={"calls": schema},
    )
