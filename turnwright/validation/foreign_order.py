"""The order of roles in dialogues made elsewhere, where several orders are in use."""

from collections.abc import Iterator, Sequence

from schemas.findings import Finding
from schemas.messages import Message


def check_foreign_order(messages: Sequence[Message]) -> Iterator[Finding]:
    """`no_request`, `no_answer`, `role_order`, `open_end`: who speaks after whom.

    Blocks where there is no request or no answer at all, or where a result stands before any call: nothing can be
    learnt there. Everything else is remarked on: two messages in a row of one role, a system message in between, a
    last word of the user's, a last result that nobody reports.
    """
    roles = [message["role"] for message in messages]
    if "user" not in roles:
        yield _find("no_request", "no message is the user's", None, blocks=True)
    if "assistant" not in roles:
        yield _find("no_answer", "no message is the assistant's", None, blocks=True)
    for index, role in enumerate(roles):
        before = messages[index - 1] if index else None
        if role == "system":
            if index:
                yield _find("role_order", f"a system message after {roles[index - 1]}", index)
        elif before is None:
            if role != "user":
                yield _find("role_order", f"the first message is the {role}'s", index, blocks=role == "tool")
        elif role == before["role"] and role != "tool" and not before.get("tool_calls"):
            yield _find("role_order", f"two messages of the {role} in a row", index)
        elif role == "user" and before["role"] == "tool":
            yield _find("role_order", "the user speaks before the result was reported", index)
        elif role == "tool" and before["role"] in ("user", "system"):
            yield _find("role_order", f"a result after a message of the {before['role']}", index, blocks=True)
    if roles and roles[-1] in ("user", "tool"):
        yield _find("open_end", f"the last message is the {roles[-1]}'s", len(roles) - 1)


def _find(code: str, explanation: str, message: int | None, *, blocks: bool = False) -> Finding:
    fault = "environment"
    return Finding(layer="rules", code=code, explanation=explanation, message=message, fault=fault, blocks=blocks)
