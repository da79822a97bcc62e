"""Why a drafted tool does not become a tool."""


class Rejection(ValueError):
    """A draft that cannot be used, with a reason that its writer can act on.

    `code` is a stable name of the rule; `explanation` says what is wrong and what to do, in one line.
    """

    def __init__(self, code: str, explanation: str) -> None:
        self.code = code
        self.explanation = " ".join(explanation.split())
        super().__init__(self.reason)

    @property
    def reason(self) -> str:
        """`code: explanation`, as it stands in rows and in the feedback to the writer."""
        return f"{self.code}: {self.explanation}"
