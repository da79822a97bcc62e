"""What working on a request can lead to: an outcome, or a step that has to come first."""

from dataclasses import dataclass
from typing import Any

from turnwright.selfplay.conversation import Call
from turnwright.selfplay.offered_tools import OfferedTool, Parameter


class Step(Exception):
    """Why a request cannot be finished in this reply."""


class NeedCalls(Step):
    """These calls have to be made next."""

    def __init__(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        super().__init__(calls)
        self.calls = calls


class NeedValues(Step):
    """Only the user can say these."""

    def __init__(self, tool: OfferedTool, parameters: list[Parameter]) -> None:
        super().__init__(tool.name)
        self.tool = tool
        self.parameters = parameters


class NeedRest(Step):
    """The user has announced details and not given them yet."""


class NeedConfirmation(Step):
    """The user has to agree to this change first."""

    def __init__(self, tool: OfferedTool, arguments: dict[str, Any], subject: str) -> None:
        super().__init__(tool.name)
        self.tool = tool
        self.arguments = arguments
        self.subject = subject


class NotFound(Step):
    """A record that the request names is not there, or could not be looked up."""

    def __init__(self, subject: str, failed: Call | None = None) -> None:
        super().__init__(subject)
        self.subject = subject
        self.failed = failed


class Unclear(Step):
    """Several records fit what the user said, and only the user can say which one is meant."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names


class Forbidden(Step):
    """A rule of the service forbids this."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class Declined(Step):
    """No tool does this."""


class Refused(Step):
    """The user took the request back."""


@dataclass(frozen=True)
class Outcome:
    """A request carried out, or as far as it got."""

    tool: OfferedTool
    call: Call
    rows: list[dict[str, Any]]
    """Records that answer it."""
    wanted: tuple[frozenset[str], ...]
    """Labels asked for, as sets of stems; empty where the whole record is meant."""
    subject: str
    """What the person named, in their words; may be empty."""
    nouns: frozenset[str] = frozenset()
    """Stems of what the request is about; a label may leave them out of a field's name."""
    check: Call | None = None
    """A look at the record after a change."""
    beside: tuple[tuple[str, Any], ...] = ()
    """Fields of other results that answer labels which `rows` leave open, with their values."""
