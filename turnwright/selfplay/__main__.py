"""`python -m turnwright.selfplay`: the embedded endpoint as a process of its own."""

import argparse
import json
import sys

from turnwright.selfplay.options import ServeOptions, parse_fault
from turnwright.selfplay.process import exit_with_parent, serve


def _announce(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop.

    Returns:
        The exit status: 0 done, 2 bad usage, 4 the port cannot be taken.
    """
    defaults = ServeOptions()
    parser = argparse.ArgumentParser(prog="python -m turnwright.selfplay", description=__doc__)
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=int, default=defaults.port)
    parser.add_argument("--slots", type=int, default=defaults.slots)
    parser.add_argument("--latency-ms", type=float, default=defaults.latency_ms)
    parser.add_argument("--latency-sigma", type=float, default=defaults.latency_sigma)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--mistake-rate", type=float, default=defaults.mistake_rate)
    parser.add_argument("--fault", action="append", default=[], metavar="KIND=RATE")
    parser.add_argument(
        "--embedded", action="store_true", help="announce the URL as JSON; end when standard input ends"
    )
    given = parser.parse_args(arguments)
    try:
        options = ServeOptions(
            host=given.host,
            port=given.port,
            slots=given.slots,
            latency_ms=given.latency_ms,
            latency_sigma=given.latency_sigma,
            seed=given.seed,
            mistake_rate=given.mistake_rate,
            faults=dict(parse_fault(text) for text in given.fault),
        )
    except ValueError as error:
        parser.error(str(error))
    if given.embedded:
        exit_with_parent()
    try:
        serve(options, _announce if given.embedded else None)
    except OSError as error:
        sys.stderr.write(f"cannot serve on {options.host}:{options.port}: {error.strerror or error}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
