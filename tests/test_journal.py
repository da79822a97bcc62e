"""The call journal: what was handed out is on the disk, whatever happens next."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from turnwright.models import segment
from turnwright.models.entry import JournalEntry
from turnwright.models.journal import Journal

ROOT = Path(__file__).parent.parent


def make_entry(number: int, **changes: object) -> JournalEntry:
    """An entry with a key of its own."""
    plain = {
        "key": f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" * 4,
        "role": "assistant",
        "unit": f"dialogue_{number}",
        "draw": 0,
        "model": "tiny",
        "endpoint": "http://x/v1",
        "message": {"role": "assistant", "content": f"reply {number} é", "tool_calls": [{"id": "c", "function": {}}]},
        "finish_reason": "stop",
        "prompt_tokens": 3,
        "completion_tokens": None,
        "prefixes": ((10, "aabbccddeeff"),),
    }
    return JournalEntry(**(plain | changes))  # type: ignore[arg-type]


def append(journal: Journal, *entries: JournalEntry) -> None:
    async def run() -> None:
        await asyncio.gather(*(journal.append(entry) for entry in entries))

    asyncio.run(run())


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{segment.SUFFIX}"))


def test_entries_come_back_whole(tmp_path: Path) -> None:
    entries = [make_entry(number) for number in range(50)]
    with Journal(tmp_path) as journal:
        append(journal, *entries)
        assert journal.get(entries[7].key) == entries[7]
        assert journal.get("ff" * 32) is None
    with Journal(tmp_path) as journal:
        assert len(journal) == 50
        assert [journal.get(entry.key) for entry in entries] == entries
        assert sorted(journal.iter_entries(), key=lambda entry: entry.key) == sorted(
            entries, key=lambda entry: entry.key
        )


def test_keys_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    one, two = make_entry(1, key="ab" * 8 + "00" * 24), make_entry(2, key="ab" * 8 + "11" * 24)
    with Journal(tmp_path) as journal:
        append(journal, one)
    with Journal(tmp_path) as journal:
        append(journal, two)
        assert (journal.get(one.key), journal.get(two.key)) == (one, two)


def test_reading_alone_makes_no_segment(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        append(journal, make_entry(1))
    for _ in range(2):
        with Journal(tmp_path) as journal:
            assert journal.get(make_entry(1).key)
    assert len(segments(tmp_path)) == 1
    assert segment.read_footer(os.open(segments(tmp_path)[0], os.O_RDONLY)) is not None


@pytest.mark.parametrize("cut", [1, 10, 30, 60])
def test_a_torn_tail_is_cut_and_the_rest_is_kept(tmp_path: Path, cut: int) -> None:
    entries = [make_entry(number) for number in range(5)]
    with Journal(tmp_path) as journal:
        append(journal, *entries)
    path = segments(tmp_path)[0]
    descriptor = os.open(path, os.O_RDWR)
    footer = segment.read_footer(descriptor)
    assert footer
    os.ftruncate(descriptor, footer[2] - cut)  # as after a kill in the middle of the last record
    os.close(descriptor)
    with Journal(tmp_path) as journal:
        assert len(journal) == 4
        append(journal, make_entry(9))
    with Journal(tmp_path) as journal:
        assert len(list(journal.iter_entries())) == len(journal) == 5


def test_a_tail_of_rubbish_is_cut(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        append(journal, make_entry(1), make_entry(2))
    path = segments(tmp_path)[0]
    whole = path.read_bytes()
    footer_size = 2 * 16 + 20
    path.write_bytes(whole[:-footer_size] + b"\0" * 4096)  # a file system may leave zeros after a power cut
    with Journal(tmp_path) as journal:
        assert len(journal) == 2
    assert path.read_bytes() == whole


def test_a_damaged_sealed_segment_and_a_foreign_file_are_said(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        append(journal, make_entry(1))
    path = segments(tmp_path)[0]
    content = bytearray(path.read_bytes())
    content[-25] ^= 1
    path.write_bytes(content)
    with pytest.raises(segment.SegmentError, match=path.name):
        Journal(tmp_path)
    path.write_bytes(b"something else entirely")
    with pytest.raises(segment.SegmentError, match="not a segment"):
        Journal(tmp_path)


def test_two_writers_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)
    append(first, make_entry(1))
    append(second, make_entry(2))
    with Journal(tmp_path) as third:  # reads both although both are at work
        assert len(third) == 2
    append(first, make_entry(3))
    append(second, make_entry(4))
    first.close()
    second.close()
    with Journal(tmp_path) as journal:
        assert all(journal.get(make_entry(number).key) for number in (1, 2, 3, 4))
    assert len(segments(tmp_path)) == 2


def test_a_reply_recorded_twice_is_the_older_one(tmp_path: Path) -> None:
    for content in ("old", "new"):
        journal = Journal(tmp_path / content)
        append(journal, make_entry(1, message={"content": content}))
        journal.close()
    together = tmp_path / "together"
    together.mkdir()
    for content in ("old", "new"):
        path = segments(tmp_path / content)[0]
        path.rename(together / path.name)
    with Journal(together) as journal:
        found = journal.get(make_entry(1).key)
    assert found
    assert found.message == {"content": "old"}


def test_the_index_is_small(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for start in range(0, 3000, 1000):
            append(journal, *(make_entry(number) for number in range(start, start + 1000)))
    with Journal(tmp_path) as journal:
        size = journal._prefixes.nbytes + journal._places.nbytes  # pyright: ignore[reportPrivateUsage]
        assert size <= 100 * len(journal)


def test_a_full_disk_is_raised_to_whoever_waits_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    append(journal, make_entry(1))
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        real(descriptor, bytes(content[:20]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("turnwright.models.segment.os.write", full)
    with pytest.raises(OSError, match="No space"):
        append(journal, make_entry(2))
    monkeypatch.setattr("turnwright.models.segment.os.write", real)
    append(journal, make_entry(3))
    journal.close()
    with Journal(tmp_path) as journal:
        assert [bool(journal.get(make_entry(number).key)) for number in (1, 2, 3)] == [True, False, True]


WRITER = """
import asyncio, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from test_journal import make_entry
from turnwright.models.journal import Journal

async def write(journal, worker):
    for number in range(worker, 1 << 30, 16):
        await journal.append(make_entry(number))
        print(number, flush=True)  # handed out

async def main():
    journal = Journal(Path(sys.argv[1]))
    await asyncio.gather(*(write(journal, worker) for worker in range(16)))

asyncio.run(main())
"""


def test_kill_in_the_middle_of_writing_loses_nothing_that_was_handed_out(tmp_path: Path) -> None:
    folder, handed_out = tmp_path / "journal", set[int]()
    for patience in (40, 150):
        command = [sys.executable, "-c", WRITER, str(folder), str(ROOT), str(ROOT / "tests")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        lines: list[str] = [process.stdout.readline() for _ in range(patience)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        handed_out |= {int(line) for line in lines if line.endswith("\n") and line.strip()}
        with Journal(folder) as journal:
            missing = [number for number in handed_out if journal.get(make_entry(number).key) != make_entry(number)]
            assert not missing
            assert len(list(journal.iter_entries())) == len(journal)
    assert len(handed_out) >= 150


def test_groups_share_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[float] = []
    real = os.fdatasync

    def counted(descriptor: int) -> None:
        commits.append(time.monotonic())
        real(descriptor)

    monkeypatch.setattr("turnwright.models.journal.os.fdatasync", counted)
    with Journal(tmp_path) as journal:
        append(journal, *(make_entry(number) for number in range(200)))
    assert 1 <= len(commits) < 20


def test_replies_of_several_loops_are_all_kept(tmp_path: Path) -> None:
    """Two threads with loops of their own append to one journal, each through its own groups."""
    journal = Journal(tmp_path)

    async def write(numbers: range) -> None:
        await asyncio.gather(*(journal.append(make_entry(number)) for number in numbers))

    def write_in_a_thread(first: int) -> None:
        asyncio.run(write(range(first, first + 50)))

    threads = [threading.Thread(target=write_in_a_thread, args=(first,)) for first in (0, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(write(range(100, 150)))  # a third loop, after the others were closed
    journal.close()
    with Journal(tmp_path) as reopened:
        assert all(reopened.get(make_entry(number).key) == make_entry(number) for number in range(150))


def test_closing_writes_what_was_gathered_and_not_yet_handed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)

    async def work() -> None:
        await journal.append(make_entry(3))
        appends = [asyncio.create_task(journal.append(make_entry(number))) for number in range(3)]
        await asyncio.sleep(0)  # gathered, and not handed over so soon after the first
        await asyncio.to_thread(journal.close)
        await asyncio.gather(*appends)

    asyncio.run(work())
    with Journal(tmp_path) as reopened:
        assert len(reopened) == 4


def test_appending_to_a_closed_journal_is_an_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.close()
    with pytest.raises(RuntimeError, match="closed"):
        append(journal, make_entry(1))
