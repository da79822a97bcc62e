"""Messages of a dialogue in OpenAI's chat format, and the events behind them."""

from typing import Any, Literal, NotRequired, TypedDict

from schemas.closed import Closed
from schemas.tools import Side
from schemas.vocabulary import Effect


class FunctionCall(TypedDict):
    """Name and arguments of a call; arguments are the text exactly as the model wrote it."""

    name: str
    arguments: str


class ToolCall(TypedDict):
    """A call inside an assistant message; its result is paired by `id`, never by position."""

    id: str
    type: Literal["function"]
    function: FunctionCall


class Message(TypedDict):
    """One message. `reasoning` is kept apart from `content`, and only assistant messages have it."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None
    reasoning: NotRequired[str]
    tool_calls: NotRequired[list[ToolCall]]
    tool_call_id: NotRequired[str]


class ToolError(Closed):
    """Why a call gave no result."""

    kind: Literal[
        "unknown_tool",
        "invalid_arguments",
        "not_found",
        "refused",
        "database",
        "timeout",
        "too_large",
        "unavailable",
        "rate_limit",
        "http_500",
        "malformed",
        "partial",
        "stale",
    ]
    """`refused`: the sandbox; `unavailable`, `rate_limit` and some `timeout`: injected faults, as are `http_500` and
    what gives a spoilt result instead of none: `malformed`, `partial`, `stale`."""
    message: str


class ToolResult(Closed):
    """What came back from one call."""

    text: str
    """JSON text, verbatim what the model is given."""
    value: Any = None
    """The same as a value; for an error `{"error": kind, "message": ...}`."""
    error: ToolError | None = None
    rows_changed: int = 0
    truncated: bool = False


class CallRecord(Closed):
    """One executed call of a dialogue."""

    message: int
    """Index of the assistant message that made it."""
    call_id: str
    tool: str
    arguments: str
    """JSON text exactly as the model wrote it."""
    result: str
    """JSON text given back."""
    effect: Effect | None
    """None for a tool that does not exist."""
    error: str | None = None
    """Kind of the error."""
    fault: bool = False
    """The error was injected by code."""
    rows_changed: int = 0
    hint: bool = False
    """A wrong call that code put in, answered by a hint that sets it right (TC, error hints); it never ran."""
    side: Side = "assistant"
    """Who made it. A call of the user's side stands in no message; `message` is the assistant's that asked for it."""
