"""The command `selfplay serve`."""

from collections.abc import Sequence

from flows.answers import Answer
from flows.exit_codes import UsageError
from turnwright.selfplay.options import ServeOptions, parse_fault
from turnwright.selfplay.process import serve


def serve_selfplay(
    answer: Answer,
    host: str,
    port: int,
    slots: int,
    latency_ms: float,
    latency_sigma: float,
    seed: int,
    mistake_rate: float,
    faults: Sequence[str],
) -> None:
    """Serves until interrupted.

    Raises:
        UsageError: a value is impossible, or the port is taken.
    """
    try:
        options = ServeOptions(
            host=host,
            port=port,
            slots=slots,
            latency_ms=latency_ms,
            latency_sigma=latency_sigma,
            seed=seed,
            mistake_rate=mistake_rate,
            faults=dict(parse_fault(fault) for fault in faults),
        )
    except ValueError as error:
        raise UsageError(str(error)) from None

    def announce(url: str) -> None:
        answer.fields = {"url": url}
        answer.finish()
        answer.say(f"selfplay endpoint at {url} (ctrl-C ends it)")

    try:
        serve(options, announce)
    except OSError as error:
        raise UsageError(f"cannot serve on {host}:{port}: {error.strerror or error}", "choose another --port") from None
    answer.as_json = False
