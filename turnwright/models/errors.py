"""What can go wrong between a caller and a model.

Infrastructure (`EndpointUnavailable`, `EndpointRefused`) is never a dialogue's fault; semantic failures
(`MalformedReply`, `ContextOverflow`) belong to the one request that had them. Every error can be pickled, so that it
crosses processes.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turnwright.models.reply import ModelReply


class ModelError(Exception):
    """Base of everything that `Models` raises on purpose; the message never holds a secret."""


class ModelSetupError(ModelError):
    """The configuration cannot be served as it stands: a key's variable is unset, a cost cap has no price."""


class EndpointUnavailable(ModelError):
    """The endpoint did not answer usefully for as long as the config lets a call be retried."""

    def __init__(self, message: str, *, url: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.url = url
        """Root of the endpoint that failed last."""
        self.hint = hint
        """What the user can do."""


class EndpointRefused(ModelError):
    """The endpoint answers, but will not serve us: wrong key, no permission, no such model or path."""

    def __init__(self, message: str, *, url: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.url = url
        self.hint = hint


class ContextOverflow(ModelError):
    """The request has more tokens than the model's context."""


class MalformedReply(ModelError):
    """The model's reply could not be used, and neither could its answer to the one repair call."""

    def __init__(
        self, message: str, *, problem: str = "", text: str = "", replies: "tuple[ModelReply, ...]" = ()
    ) -> None:
        super().__init__(message)
        self.problem = problem
        """What was wrong with the last reply."""
        self.text = text
        """The last reply as the model wrote it."""
        self.replies = replies
        """The replies that were paid for, oldest first."""


class RequestRejected(MalformedReply):
    """The endpoint answers others, but never this one: a content filter, or a message that it cannot render."""


class BudgetSpent(ModelError):
    """A hard cap of the config's budget is reached; no new call is sent, what was made is kept."""

    def __init__(self, message: str, *, cap: str = "") -> None:
        super().__init__(message)
        self.cap = cap
        """`tokens`, `cost_usd` or `minutes`."""


class NotInJournal(ModelError):
    """Offline, and the journal has no reply to this request."""

    def __init__(self, message: str, *, key: str = "", role: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.role = role
