"""A stage that ends early, as Prefect shows it: where, why, and what to do."""

from collections.abc import Generator
from contextlib import contextmanager

from flows.exit_codes import explain


class StageFailed(Exception):
    """A stage did not finish. Its message becomes the message of the flow run's state."""

    def __init__(self, stage: str, error: str, hint: str) -> None:
        super().__init__(stage, error, hint)
        self.stage = stage
        self.error = error
        self.hint = hint

    def __str__(self) -> str:
        """The error, and on lines of their own what to do about it."""
        return (
            f"{self.stage}: {self.error}\n"
            f"What to do: {self.hint or 'look at the logs of this flow run'}.\n"
            "Then retry this flow run, or run the same command again: finished shards and replies are reused."
        )


@contextmanager
def telling_what_to_do(stage: str) -> Generator[None]:
    """Turns what ends the body into a message that helps. A defect of the code stays as it is, with its traceback.

    Raises:
        StageFailed: something that a person can mend.
    """
    try:
        yield
    except StageFailed:
        raise
    except Exception as error:
        failure = explain(error)
        if failure.is_defect:
            raise
        raise StageFailed(stage, failure.error, failure.hint.rstrip(".")) from error
