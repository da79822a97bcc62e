"""Records the replies that tests/test_recorded_run.py stands on: `make record`, with the model of the config serving.

Replies that are there already are not asked for again, so a change of one prompt costs the calls that depend on it.
Stop it and start it again as you like: what was answered is kept in the work folder.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from recording import FACTS, JOURNAL, NotingJournal, copy_used, read_config, rebuild  # noqa: E402

WORK = Path(tempfile.gettempdir()) / "turnwright-recording"


def record(work: Path) -> None:
    """Runs against the endpoint, then ships the replies that the run used and what came of it."""
    replies = work / "journal"
    if not replies.exists() and JOURNAL.exists():
        shutil.copytree(JOURNAL, replies)
    journal = NotingJournal(replies)
    try:
        rebuilt = rebuild(read_config(), journal, work, offline=False)
    finally:
        journal.close()
    shutil.rmtree(JOURNAL, ignore_errors=True)
    copy_used(journal, JOURNAL)
    FACTS.write_text(json.dumps(rebuilt.facts(), indent=2) + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in JOURNAL.iterdir())
    sys.stdout.write(f"{len(journal.used)} replies, {size:,} bytes; {json.dumps(rebuilt.facts())}\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else WORK)
