"""What is said beyond TC's requests and summaries: a question back and its answer, a refusal, the end of a dialogue."""

from collections.abc import Sequence

from schemas.replies import RequestDraft, ResponseDraft
from schemas.stateless import Closing
from turnwright.roles.requester import ask_for_answer, ask_for_farewell
from turnwright.roles.responder import ask_for_decline, ask_for_goodbye, ask_for_question
from turnwright.rollout.conversation import join_prose
from turnwright.stateless.candidates import Candidate
from turnwright.stateless.responses import check_decline, check_goodbye, check_question
from turnwright.stateless.steps import Steps, Try
from turnwright.stateless.user_words import check_answer, check_farewell
from turnwright.stateless.withholding import Withheld

Said = Sequence[tuple[str, str]]
"""Requests and answers so far."""


async def ask_back(steps: Steps, place: Try, request: str, withheld: Withheld, said: Said) -> str:
    """The assistant's question for the value that a request leaves out; the shortest valid one.

    Raises:
        TurnFailed: no candidate is valid.
        ModelError: no reply could be had.
    """
    messages = ask_for_question(request, said, withheld.label, withheld.about)
    heard = _list_heard(steps, said, request)

    def read(draft: ResponseDraft) -> Candidate[str]:
        text = join_prose(draft.response)
        return Candidate(text, tuple(check_question(text, withheld, steps.tools, heard)), (-float(len(text)),))

    best, _ = await steps.draw("responder", messages, read, stage="question", place=place, remaining=3)
    return best


async def answer_back(steps: Steps, place: Try, request: str, question: str, withheld: Withheld, said: Said) -> str:
    """The user's answer with the value; the shortest valid one.

    Raises:
        TurnFailed: no candidate is valid.
        ModelError: no reply could be had.
    """
    messages = ask_for_answer(request, question, withheld.label, withheld.value, steps.persona)
    heard = _list_heard(steps, said, request, question)

    def read(draft: RequestDraft) -> Candidate[str]:
        text = join_prose(draft.request)
        return Candidate(text, tuple(check_answer(text, withheld, steps.tools, heard)), (-float(len(text)),))

    best, _ = await steps.draw("requester", messages, read, stage="answer", place=place, remaining=3)
    return best


async def decline(steps: Steps, place: Try, request: str, said: Said) -> str:
    """The assistant's refusal of what no tool can do; the shortest valid one.

    Raises:
        TurnFailed: no candidate is valid.
        ModelError: no reply could be had.
    """
    messages = ask_for_decline(request, said, list(steps.tools.values()))
    heard = [*_list_heard(steps, said, request), *(tool.description for tool in steps.tools.values())]

    def read(draft: ResponseDraft) -> Candidate[str]:
        text = join_prose(draft.response)
        return Candidate(text, tuple(check_decline(text, steps.tools, heard)), (-float(len(text)),))

    best, _ = await steps.draw("responder", messages, read, stage="decline", place=place, remaining=1)
    return best


async def close(steps: Steps, place: Try, said: Said) -> Closing:
    """A reactive user's last words, and the assistant's.

    Raises:
        TurnFailed: no candidate of one of them is valid.
        ModelError: no reply could be had.
    """
    heard = _list_heard(steps, said)

    def read_farewell(draft: RequestDraft) -> Candidate[str]:
        text = join_prose(draft.request)
        return Candidate(text, tuple(check_farewell(text, steps.tools, heard)), (-float(len(text)),))

    def read_goodbye(draft: ResponseDraft) -> Candidate[str]:
        text = join_prose(draft.response)
        return Candidate(text, tuple(check_goodbye(text, steps.tools, heard)), (-float(len(text)),))

    farewell, _ = await steps.draw(
        "requester", ask_for_farewell(steps.persona, said), read_farewell, stage="farewell", place=place, remaining=2
    )
    goodbye, _ = await steps.draw(
        "responder", ask_for_goodbye(farewell, said), read_goodbye, stage="goodbye", place=place, remaining=1
    )
    return Closing(farewell=farewell, goodbye=goodbye)


def _list_heard(steps: Steps, said: Said, *more: str) -> list[str]:
    """Everything that either side may know from what was said, the moment included."""
    return [steps.task.reference_time, *(text for exchange in said for text in exchange), *more]
