"""`turnwright run` with clocks inside and outside of what Prefect calls, and with a fault to order.

    python -m benchmarks.clocked_run SPANS.json [--fail STAGE] -- run CONFIG --runs DIR --json

Writes a JSON list of spans, `{what, name, start, stop}` in seconds since the process began. What there is:

    import   importing Prefect
    server   waiting for the run's own Prefect server to answer, and ending it
    flow     a flow called, until it has given its result; `body` is the time inside of its function
    call     a task called, or all shards of a stage handed out, until there are results; `work` is the time inside of
             a task's function

So a flow without its body, and a call without the work in it, is Prefect's.
"""

import argparse
import errno
import functools
import inspect
import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.vocabulary import Stage

_BEGAN = time.monotonic()


@dataclass
class Clocks:
    """What was measured so far; spans are added from several threads."""

    spans: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @contextmanager
    def measure(self, what: str, name: str) -> Generator[None]:
        """Adds a span for the body."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.add(what, name, start)

    def add(self, what: str, name: str, start: float) -> None:
        """Adds a span that ends at this moment."""
        self.spans.append(
            {"what": what, "name": name, "start": start - _BEGAN, "stop": time.monotonic() - _BEGAN},
        )

    def around(self, what: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """An async function with a clock around it."""

        @functools.wraps(function)
        async def measured(*arguments: Any, **named: Any) -> Any:
            with self.measure(what, name):
                return await function(*arguments, **named)

        return measured

    def around_call(self, what: str, kind: Any) -> None:
        """Puts a clock around calling objects of a class."""
        call = kind.__call__

        @functools.wraps(call)
        def measured(called: Any, *arguments: Any, **named: Any) -> Any:
            start = time.monotonic()
            given = call(called, *arguments, **named)
            if not inspect.isawaitable(given):
                self.add(what, called.name, start)
                return given

            async def finish() -> Any:
                try:
                    return await given
                finally:
                    self.add(what, called.name, start)

            return finish()

        kind.__call__ = measured


def put_clocks(clocks: Clocks, fail: Stage | None) -> None:
    """Puts clocks around all flows and tasks of the pipeline, and a fault into one stage's work."""
    with clocks.measure("import", "prefect"):
        from prefect import Flow, Task
    import flows.pipeline as pipeline
    import tasks.stages as stages
    from flows import build_dataset, collect_seeds, report
    from schemas.vocabulary import STAGES

    clocks.around_call("flow", Flow)
    clocks.around_call("call", Task)
    for found in vars(pipeline).values():
        if isinstance(found, Flow):
            found.fn = clocks.around("body", found.name, found.fn)
    works: list[Task[..., Any]] = [stages.merge_parts, stages.check_tables, build_dataset.write_exports]
    works += [collect_seeds.collect_sources, report.write_run_report]
    for stage in STAGES:
        if stage not in ("collect-seeds", "report"):
            works.append(stages.find_shard_task(stage))
    for work in works:
        function = work.fn if work.name != fail else _failing(work.fn)
        work.fn = clocks.around("work", work.name, function)
    stages.run_shards = clocks.around("call", "shards", stages.run_shards)


def _failing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A shard's work that ends with a full disk: that of the first shard; the others are as they are."""

    @functools.wraps(function)
    async def fail(run: Any, work: Any = None) -> Any:
        if work is None or work.number == 0:
            raise OSError(errno.ENOSPC, "No space left on device", "benchmark")
        return await function(run, work)

    return fail


def main() -> None:
    """Runs the command line with clocks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spans", type=Path)
    parser.add_argument("--fail", help="stage whose first shard fails")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    import flows.run_command as command
    from flows.cli import main as run_command

    clocks = Clocks()
    prefect_server, require_needs = command.prefect_server, command.require_needs

    @contextmanager
    def server(runs: Path, *, verbose: bool) -> Generator[Callable[[], None]]:
        with prefect_server(runs, verbose=verbose) as wait:

            def wait_measured() -> None:
                with clocks.measure("server", "start"):
                    wait()

            yield wait_measured
            ended = time.monotonic()
        clocks.add("server", "end", ended)

    def require(*arguments: Any, **named: Any) -> None:
        put_clocks(clocks, options.fail)
        require_needs(*arguments, **named)

    command.prefect_server, command.require_needs = server, require
    sys.argv = ["turnwright", *options.command]
    try:
        run_command()
    finally:
        clocks.add("process", "whole", _BEGAN)
        options.spans.write_text(json.dumps(clocks.spans), encoding="utf-8")


if __name__ == "__main__":
    main()
