"""The gates in a process of their own: Great Expectations and pandas would take more memory than the run itself.

The child is started by the first gate and serves all that follow, so the seconds of importing are spent once. It ends
when its standard input closes, which happens however its parent ends. Requests and answers are pickles with their
length in front; both ends are this file.
"""

import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from data_checks.gate import GateReport
from schemas.config import RunConfig
from schemas.rows import TableRef
from schemas.vocabulary import Stage

_LENGTH = struct.Struct("<Q")


class GateProcessEnded(RuntimeError):
    """The process of the data checks ended before it answered."""


class GateProcess:
    """The child, from the parent's side. Any thread may call it; gates run one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def check_stage(self, stage: Stage, tables: Mapping[str, TableRef], config: RunConfig, folder: Path) -> GateReport:
        """`data_checks.gate.check_stage`, in the child.

        Raises:
            GateProcessEnded: it was ended from outside.
            Whatever the gate raises.
        """
        report: GateReport = self._ask("check_stage", stage, dict(tables), config, folder)
        return report

    def write_index(self, folder: Path) -> None:
        """`data_checks.data_docs.write_index`, in the child.

        Raises:
            GateProcessEnded: it was ended from outside.
            OSError: the folder cannot be written.
        """
        self._ask("write_index", folder)

    def close(self) -> None:
        """Ends the child, if there is one; the next call starts another."""
        with self._lock:
            child, self._child = self._child, None
        if child is None:
            return
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        try:
            child.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _ask(self, name: str, *arguments: Any) -> Any:
        with self._lock:
            if self._child is None or self._child.poll() is not None:
                self._child = _start()
            child = self._child
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                _write(child.stdin, (name, arguments))
                done, value = _read(child.stdout)
            except (EOFError, BrokenPipeError):
                self._child = None
                raise GateProcessEnded(
                    f"the process of the data checks ended (exit status {child.wait()}) during {name}"
                ) from None
        if not done:
            raise value
        return value


def _start() -> "subprocess.Popen[bytes]":
    # -P keeps the working directory off the module path, as for the embedded endpoint.
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "data_checks.process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        # Its own session: ctrl-C reaches the parent, which decides what is still to be finished.
        start_new_session=True,
    )


def _write(stream: BinaryIO | Any, value: Any) -> None:
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def _read(stream: BinaryIO | Any) -> Any:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return pickle.loads(content)


def _answer(name: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    from data_checks.data_docs import write_index
    from data_checks.gate import check_stage

    try:
        return True, {"check_stage": check_stage, "write_index": write_index}[name](*arguments)
    except Exception as error:  # noqa: BLE001 the parent raises it
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001 an error that does not survive the way is told as text
            return False, RuntimeError(f"{type(error).__name__}: {error}")
        return False, error


def main() -> None:
    """Serves until standard input closes."""
    # What the checks print must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            name, arguments = _read(sys.stdin.buffer)
        except EOFError:
            return
        try:
            _write(answers, _answer(name, arguments))
        except BrokenPipeError:
            return


if __name__ == "__main__":
    main()
