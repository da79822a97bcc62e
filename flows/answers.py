"""How a command answers: text for people, or one JSON object on the last line of stdout and all else on stderr."""

import json
import logging
import sys
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from flows.exit_codes import Failure, explain


class Exit(Exception):
    """Ends the program with a code; what there is to say was said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Answer:
    """What a command has to say."""

    def __init__(self, *, as_json: bool, log_json: bool = False) -> None:
        self.as_json = as_json
        self.log_json = log_json
        """stderr holds one JSON object a line and nothing else."""
        self.fields: dict[str, Any] = {}
        """Fields of the JSON answer so far; those of a failed command hold what was made."""

    def say(self, *renderables: Any) -> None:
        """Prints for people; beside the JSON answer that goes to stderr, and nowhere where that is JSON as well."""
        if self.as_json and self.log_json:
            return
        from rich.console import Console

        stream = sys.stderr if self.as_json else sys.stdout
        console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
        for renderable in renderables:
            console.print(renderable, markup=False)

    def tell(self, line: str, level: int = logging.INFO) -> None:
        """Says something by the way, on stderr."""
        if self.log_json:
            logging.getLogger("turnwright.command").log(level, line.strip())
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def finish(self) -> None:
        """Prints the JSON answer, if that was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(self.fields, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def fail(self, failure: Failure) -> None:
        """Says what went wrong, and what to do."""
        if failure.error:
            self.tell(f"error: {failure.error}", logging.ERROR)
        for line in failure.hint.splitlines():
            self.tell(f"hint: {line}", logging.ERROR)
        self.fields = self.fields | failure.to_json()
        self.finish()


@contextmanager
def answering(*, as_json: bool, log_json: bool = False) -> Generator[Answer]:
    """Runs the body of a command; its errors become messages and exit codes.

    Raises:
        Exit: the command failed.
    """
    answer = Answer(as_json=as_json, log_json=log_json)
    try:
        yield answer
    except Exit:
        raise
    except BrokenPipeError:
        raise Exit(0) from None
    except BaseException as error:
        failure = explain(error)
        if failure.is_defect and log_json:
            logging.getLogger("turnwright.command").error("a defect", exc_info=error)
        elif failure.is_defect:
            traceback.print_exc()
        answer.fail(failure)
        raise Exit(failure.exit_code) from error
    answer.finish()


def to_fields(value: Any) -> Mapping[str, Any]:
    """A Pydantic model as JSON fields."""
    return value.model_dump(mode="json")
