"""Records the replies that the tests of recorded models stand on: `make record`, with the model of the configs serving.

Replies that are there already are not asked for again, so a change of one prompt costs the calls that depend on it.
Stop it and start it again as you like: what was answered is kept in the work folder.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import recording  # noqa: E402
import recording_requests  # noqa: E402
from recording import NotingJournal, copy_used  # noqa: E402

WORK = Path(tempfile.gettempdir()) / "turnwright-recording"


def record_run(work: Path) -> None:
    """The whole run on the club."""

    def rebuild(journal: NotingJournal) -> dict[str, Any]:
        return recording.rebuild(recording.read_config(), journal, work, offline=False).facts()

    _record(work / "journal", recording.JOURNAL, recording.FACTS, rebuild)


def record_requests(work: Path) -> None:
    """The requests for given plans, and what they are translated back into."""

    def rebuild(journal: NotingJournal) -> dict[str, Any]:
        config = recording_requests.read_requests_config()
        return recording_requests.count_facts(recording_requests.rebuild_errands(config, journal, offline=False))

    _record(work / "requests", recording_requests.JOURNAL, recording_requests.FACTS, rebuild)


def _record(replies: Path, shipped: Path, facts: Path, rebuild: Callable[[NotingJournal], dict[str, Any]]) -> None:
    """Asks the endpoint what was not asked before, then ships the replies that were used and what came of them."""
    if not replies.exists() and shipped.exists():
        shutil.copytree(shipped, replies)
    journal = NotingJournal(replies)
    try:
        found = rebuild(journal)
    finally:
        journal.close()
    shutil.rmtree(shipped, ignore_errors=True)
    copy_used(journal, shipped)
    facts.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in shipped.iterdir())
    sys.stdout.write(f"{len(journal.used)} replies, {size:,} bytes; {json.dumps(found)}\n")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else WORK
    record_run(folder)
    record_requests(folder)
