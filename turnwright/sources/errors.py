"""What can be wrong with a source, said so that a person can mend it."""


class SourceError(Exception):
    """A source that cannot be reached, read or used.

    The message names the source by position and safe locator, the hint says what to do. Neither ever holds a password.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})"

    def __reduce__(self) -> tuple[type["SourceError"], tuple[str, str]]:
        return SourceError, (self.message, self.hint)
