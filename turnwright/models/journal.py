"""The call journal: a model's reply is durable before it is used.

A folder of segments, one or more per process that ever wrote there (turnwright/models/segment.py). Replies are
gathered on the loop that they came to, and a writer thread commits group by group: compressed, written and fsynced at
once, and only then handed out. Opening indexes all segments into sorted arrays, 16 bytes a reply; entries are read from
their file when asked for. Where the folder mirrors an object store, sealed segments are moved there; of those that
others put there only the index is read, until one of their entries is asked for.
"""

import asyncio
import fcntl
import os
import secrets
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import zstandard

from turnwright.models.entry import JournalEntry, decode_entry, encode_entry
from turnwright.models.segment import (
    MAGIC,
    SUFFIX,
    Array,
    encode_record,
    is_sealed,
    key_prefix,
    load_index,
    load_segment,
    read_record,
    scan_records,
    scan_segment,
    seal,
    write_all,
)
from turnwright.storage.mirrors import find_url, list_files, pull_file, push_file, push_new, read_range

_GATHER_SECONDS = 0.015
"""Least time between two groups of a loop: each costs two wake-ups and an fsync, most of what the journal takes. A
reply that comes alone is written at once, so a chain of calls at the end of a run does not wait."""
_RECENT = 1 << 13
_LARGEST_SEGMENT = 1 << 26
"""Bytes after which a new segment is begun: what a lost machine has not moved to the runs' store is at most this."""
_OFFSET_BITS = 44


_Append = tuple[JournalEntry, "asyncio.Future[None]"]
"""A reply on its way to the disk, and who waits for it."""


@dataclass
class _Gathering:
    """The replies of one loop that the writer has not been given yet."""

    loop: asyncio.AbstractEventLoop
    waiting: list[_Append] = field(default_factory=list[_Append])
    handed_over: float = 0.0
    """When the writer last got a group, by the loop's clock."""


@dataclass
class _Segment:
    """The segment that this process writes."""

    path: Path
    descriptor: int
    size: int
    prefixes: "array[int]" = field(default_factory=lambda: array("Q"))
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))


class Journal:
    """The replies under one folder. Safe to use from several threads and loops; several processes may share the folder.

    Raises:
        SegmentError: a file of the folder is not a segment, or a sealed one is damaged.
        OSError: the folder cannot be made or read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._paths: list[Path] = []
        self._descriptors: dict[int, int] = {}
        self._lock = threading.Lock()
        self._recent: dict[int, int] = {}
        self._prefixes: Array = np.array([], dtype=np.uint64)
        self._places: Array = np.array([], dtype=np.uint64)
        self._own: _Segment | None = None
        self._own_number = -1
        self._gatherings: dict[asyncio.AbstractEventLoop, _Gathering] = {}
        self._groups: SimpleQueue[tuple[asyncio.AbstractEventLoop, list[_Append]] | None] = SimpleQueue()
        """What the writer is to commit; None ends it."""
        self._gate = threading.Lock()
        """Between appending and closing."""
        self._writer: threading.Thread | None = None
        self._closing = False
        self._growing: dict[Path, int] = {}
        """Segments that other processes still write, and the offset of the last record known of each."""
        self.refresh()
        self._push_left_behind()

    def __len__(self) -> int:
        return len(self._prefixes) + len(self._recent)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, key: str) -> JournalEntry | None:
        """The entry of a request, or None. If two processes recorded one request, the older segment's reply counts."""
        wanted = bytes.fromhex(key)
        prefix = key_prefix(wanted)
        with self._lock:
            places: list[int] = []
            index = int(self._prefixes.searchsorted(np.uint64(prefix))) if len(self._prefixes) else 0
            while index < len(self._prefixes) and self._prefixes[index] == prefix:
                places.append(int(self._places[index]))
                index += 1
            if prefix in self._recent:
                places.append(self._recent[prefix])
            for place in places:
                number, offset = place >> _OFFSET_BITS, place & ((1 << _OFFSET_BITS) - 1)
                record = read_record(self._open(number), offset)
                if record is not None and record[0] == wanted:
                    return decode_entry(record[0], record[1])
        return None

    async def append(self, entry: JournalEntry) -> None:
        """Records an entry; when this returns it is on the disk.

        Raises:
            OSError: the disk is full or gone; the entry is not recorded.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._gate:
            if self._closing:
                raise RuntimeError("the journal is closed")
            gathering = self._gatherings.get(loop) or self._begin_gathering(loop)
            gathering.waiting.append((entry, done))
            if len(gathering.waiting) == 1:
                pause = gathering.handed_over + _GATHER_SECONDS - loop.time()
                loop.call_later(max(0.0, pause), self._hand_over, gathering)
        await done

    def iter_entries(self) -> Iterator[JournalEntry]:
        """All entries that are whole on the disk, segment by segment, oldest first; holds one entry at a time."""
        for path in list_files(self.folder, SUFFIX):
            pull_file(path)
            descriptor = os.open(path, os.O_RDONLY)
            try:
                for offset, _, _ in scan_records(descriptor, os.fstat(descriptor).st_size):
                    record = read_record(descriptor, offset)
                    if record is not None:
                        yield decode_entry(record[0], record[1])
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Commits what waits, seals this process's segment and lets go of all files."""
        with self._gate:
            if self._closing:
                return
            self._closing = True
        for gathering in self._gatherings.values():
            self._hand_over(gathering)
        self._groups.put(None)
        if self._writer is not None:
            self._writer.join()
        try:
            self._finish_segment()
        finally:
            self._let_go()

    def _finish_segment(self) -> None:
        """Seals this process's segment and moves it to the store that the folder mirrors, if it does."""
        with self._lock:
            own, self._own = self._own, None
            if own is None:
                return
            try:
                seal(own.descriptor, np.array(own.prefixes, dtype=np.uint64), np.array(own.offsets, dtype=np.uint64))
            finally:
                os.close(own.descriptor)
        push_file(own.path)

    def _let_go(self) -> None:
        with self._lock:
            for descriptor in self._descriptors.values():
                os.close(descriptor)
            self._descriptors.clear()

    def refresh(self) -> None:
        """Takes in what other processes have recorded since the folder was last looked at.

        Raises:
            SegmentError: a segment is damaged.
            OSError: the folder, or the store that it mirrors, cannot be read.
        """
        with self._lock:
            known = {path: number for number, path in enumerate(self._paths)}
            own = self._own_number
        prefixes: list[Array] = []
        places: list[Array] = []
        for path in list_files(self.folder, SUFFIX):
            number = known.get(path)
            if number == own and number is not None:
                continue
            if number is not None and path not in self._growing:
                continue
            try:
                if number is not None:
                    found, offsets = self._follow(path)
                elif path.exists():
                    found, offsets = load_segment(path)
                    if not is_sealed(path):
                        self._growing[path] = int(offsets[-1]) if len(offsets) else 0
                else:
                    found, offsets = load_index(lambda start, end, path=path: read_range(path, start, end), str(path))
            except FileNotFoundError:
                continue  # another process just removed an empty segment
            if number is None:
                with self._lock:
                    number = len(self._paths)
                    self._paths.append(path)
            prefixes.append(found)
            places.append(offsets | np.uint64(number << _OFFSET_BITS))
        if any(len(found) for found in prefixes):
            with self._lock:
                self._merge(prefixes, places)

    def _follow(self, path: Path) -> tuple[Array, Array]:
        """What was added to another process's segment."""
        last = self._growing[path]
        found, offsets = scan_segment(path, last)
        fresh = offsets > last
        if len(offsets):
            self._growing[path] = int(offsets[-1])
        if is_sealed(path):
            del self._growing[path]
        return found[fresh], offsets[fresh]

    def _push_left_behind(self) -> None:
        """Puts sealed segments into the store that a process which died did not."""
        if find_url(self.folder) is not None:
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                if is_sealed(path):
                    push_new(path)

    def _merge(self, prefixes: list[Array], places: list[Array]) -> None:
        """Adds to the sorted arrays; equal prefixes stay in the order of their segments."""
        fresh = np.concatenate(prefixes)
        order = np.argsort(fresh, kind="stable")
        fresh = fresh[order]
        after = self._prefixes.searchsorted(fresh, side="right")
        self._places = np.insert(self._places, after, np.concatenate(places)[order])
        self._prefixes = np.insert(self._prefixes, after, fresh)

    def _open(self, number: int) -> int:
        descriptor = self._descriptors.get(number)
        if descriptor is None:
            if len(self._descriptors) >= 64:
                os.close(self._descriptors.pop(next(iter(self._descriptors))))
            pull_file(self._paths[number])
            descriptor = self._descriptors[number] = os.open(self._paths[number], os.O_RDONLY)
        return descriptor

    def _begin_gathering(self, loop: asyncio.AbstractEventLoop) -> _Gathering:
        for other in [other for other in self._gatherings if other.is_closed()]:
            self._groups.put((other, self._gatherings.pop(other).waiting))
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_groups, name="turnwright-journal", daemon=True)
            self._writer.start()
        gathering = self._gatherings[loop] = _Gathering(loop)
        return gathering

    def _hand_over(self, gathering: _Gathering) -> None:
        """Gives the writer what a loop has gathered."""
        with self._gate:
            group, gathering.waiting = gathering.waiting, []
            if group:
                gathering.handed_over = gathering.loop.time()
                self._groups.put((gathering.loop, group))

    def _write_groups(self) -> None:
        compressor = zstandard.ZstdCompressor(level=3)
        closing = False
        while not closing:
            groups = [self._groups.get()]
            while not self._groups.empty():  # what came while the disk was busy shares the next fsync
                groups.append(self._groups.get())
            closing = None in groups
            given = [group for group in groups if group is not None]
            error: OSError | None = None
            try:
                self._commit([append for _, appends in given for append in appends], compressor)
            except OSError as failure:
                error = failure
            for loop, appends in given:
                with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                    loop.call_soon_threadsafe(_settle, appends, error)

    def _commit(self, group: list[_Append], compressor: zstandard.ZstdCompressor) -> None:
        if not group:
            return
        if self._own is not None and self._own.size > _LARGEST_SEGMENT:
            self._finish_segment()
        own = self._own or self._create_segment()
        records: list[bytes] = []
        added: list[tuple[int, int]] = []
        offset = own.size
        for entry, _ in group:
            key = bytes.fromhex(entry.key)
            record = encode_record(key, encode_entry(entry), compressor)
            records.append(record)
            added.append((key_prefix(key), offset))
            offset += len(record)
        write_all(own.descriptor, b"".join(records))
        try:
            os.fdatasync(own.descriptor)
        except OSError:
            os.ftruncate(own.descriptor, own.size)
            raise
        with self._lock:
            own.size = offset
            for prefix, place in added:
                own.prefixes.append(prefix)
                own.offsets.append(place)
                self._recent.setdefault(prefix, place | (self._own_number << _OFFSET_BITS))
            if len(self._recent) > _RECENT:
                pairs = np.array(list(self._recent.items()), dtype=np.uint64)
                self._merge([pairs[:, 0]], [pairs[:, 1]])
                self._recent.clear()

    def _create_segment(self) -> _Segment:
        """A new segment, locked for as long as this process lives; its name sorts by the time of its creation."""
        path = self.folder / f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(3)}{SUFFIX}"
        unborn = path.with_suffix(
            ".new"
        )  # nobody may see a segment that is not locked yet: it would pass for abandoned
        descriptor = os.open(unborn, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            write_all(descriptor, MAGIC)
            os.fsync(descriptor)
            unborn.rename(path)
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError:
            os.close(descriptor)
            unborn.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise
        with self._lock:
            self._own = _Segment(path, descriptor, len(MAGIC))
            self._own_number = len(self._paths)
            self._paths.append(path)
            return self._own


def _settle(appends: list[_Append], error: OSError | None) -> None:
    for _, done in appends:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
