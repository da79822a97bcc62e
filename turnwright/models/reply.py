"""What a caller gets back from a model."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from schemas.messages import Message, ToolCall
from schemas.replies import Reply

R = TypeVar("R", bound=Reply, covariant=True)


@dataclass(frozen=True, slots=True)
class ModelReply:
    """One reply, whatever the provider's habits were."""

    content: str | None
    """What the model says; None where it only calls tools."""
    tool_calls: tuple[ToolCall, ...]
    """Calls with unique ids; arguments are the text exactly as the model wrote it."""
    reasoning: str | None
    """Thinking that the provider gave, kept apart from `content`."""
    finish_reason: str
    """`stop`, `tool_calls`, `length` or `content_filter`."""
    prompt_tokens: int
    completion_tokens: int
    key: str
    """Key of the journal entry."""
    model: str
    """Model name as configured; `selfplay` for the embedded endpoint."""
    replayed: bool
    """Came from the journal: no request was sent."""
    usage_estimated: bool = False
    """The endpoint gave no usage; tokens are bytes / 4."""
    repaired: bool = False
    """Answer to a repair call."""
    refusal: str | None = field(default=None)
    """The model declined, in the provider's own field."""

    def message(self) -> Message:
        """The assistant message to append to the conversation."""
        message: Message = {"role": "assistant", "content": self.content}
        if self.reasoning:
            message["reasoning"] = self.reasoning
        if self.tool_calls:
            message["tool_calls"] = list(self.tool_calls)
        return message


@dataclass(frozen=True, slots=True)
class StructuredReply(Generic[R]):
    """A reply read into the class of its role."""

    value: R
    replies: tuple[ModelReply, ...]
    """One reply, or the malformed one and its repair."""
    repaired: bool
    """The first reply was malformed."""
