"""What a run says on stderr: plain lines for people, or one JSON object a line for whoever collects logs.

The same formatter serves workers: docs/operate.md names the two variables that give it to Prefect.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

_PREFECT_FIELDS = ("flow_name", "flow_run_id", "flow_run_name", "task_run_id", "task_run_name", "worker_name")
_OUR_FIELDS = "turnwright"
"""Attribute of a record that holds further fields, as in `extra={"turnwright": {"stage": ...}}`."""


class JsonFormatter(logging.Formatter):
    """One JSON object a record: time (UTC), level, logger, message, and the fields that the record brings along."""

    def __init__(self, *_: object) -> None:
        # Logging's configuration passes a format text; the form here is fixed.
        super().__init__()

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {name: getattr(record, name) for name in _PREFECT_FIELDS if getattr(record, name, None)}
        fields |= getattr(record, _OUR_FIELDS, {})
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=True, default=str)


def set_up_logging(*, verbose: bool, as_json: bool = False) -> None:
    """Sends turnwright's own messages to stderr, and tells Prefect how to write its own.

    Must be called before Prefect is imported.

    Args:
        verbose: INFO of turnwright and Prefect, too.
        as_json: one JSON object a line, with what a log collector wants to know of stages and shards.
    """
    if as_json:
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "INFO")
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "NOTSET")
        os.environ.setdefault("PREFECT_LOGGING_FORMATTERS_JSON_CLASS", "flows.logs.JsonFormatter")
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER", "json")
        os.environ.setdefault("PREFECT_LOGGING_COLORS", "false")
    log = logging.getLogger("turnwright")
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(levelname)s: %(message)s" if verbose else "%(message)s")
    handler.setFormatter(JsonFormatter() if as_json else plain)
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.INFO if verbose or as_json else logging.WARNING)
    # Whatever other packages tell at INFO is theirs to know.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
