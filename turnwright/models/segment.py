"""The file format of the call journal: one segment is an append-only file of framed records.

    segment = magic, record*, [footer]
    record  = RECORD (tag, payload length, CRC-32 of key and payload, key of 32 bytes), zstd payload
    footer  = key prefixes (uint64 each), offsets (uint64 each), TRAILER (count, CRC-32, magic)

A footer makes a segment *sealed*: complete, immutable, indexed without reading its records. A segment without one
ends in whole records and perhaps a torn one, which its checksum tells apart.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zstandard

MAGIC = b"TWCALLS1"
_SEALED = b"TWSEALED"
_TAG = 0x5443
RECORD = struct.Struct("<HII32s")
_TRAILER = struct.Struct("<QI8s")
_MAX_PAYLOAD = 1 << 28
SUFFIX = ".calls"

Array = npt.NDArray[np.uint64]


class SegmentError(ValueError):
    """The file is no segment of a call journal, or a sealed one was damaged."""


def key_prefix(key: bytes) -> int:
    """The first 64 bits of a key, by which segments are indexed."""
    return int.from_bytes(key[:8], "big")


def encode_record(key: bytes, payload: bytes, compressor: zstandard.ZstdCompressor) -> bytes:
    """One framed record."""
    packed = compressor.compress(payload)
    return RECORD.pack(_TAG, len(packed), zlib.crc32(packed, zlib.crc32(key)), key) + packed


def read_record(descriptor: int, offset: int) -> tuple[bytes, bytes, int] | None:
    """`(key, payload, next offset)` of the record at `offset`; None where there is no whole record."""
    header = os.pread(descriptor, RECORD.size, offset)
    if len(header) < RECORD.size:
        return None
    tag, length, checksum, key = RECORD.unpack(header)
    if tag != _TAG or length > _MAX_PAYLOAD:
        return None
    packed = os.pread(descriptor, length, offset + RECORD.size)
    if len(packed) < length or zlib.crc32(packed, zlib.crc32(key)) != checksum:
        return None
    payload = zstandard.ZstdDecompressor().decompress(packed)
    return key, payload, offset + RECORD.size + length


def scan_records(descriptor: int, end: int, start: int = len(MAGIC)) -> Iterator[tuple[int, bytes, int]]:
    """`(offset, key, next offset)` of each whole record from `start` to `end`; stops at the first torn one."""
    block, block_start, offset = b"", 0, start
    while offset < end:
        if offset - block_start + RECORD.size > len(block):
            block, block_start = os.pread(descriptor, min(1 << 20, end - offset), offset), offset
        at = offset - block_start
        if len(block) - at < RECORD.size:
            return
        tag, length, checksum, key = RECORD.unpack_from(block, at)
        if tag != _TAG or length > _MAX_PAYLOAD or offset + RECORD.size + length > end:
            return
        if at + RECORD.size + length > len(block):
            size = max(1 << 20, RECORD.size + length)
            block, block_start, at = os.pread(descriptor, min(size, end - offset), offset), offset, 0
        packed = memoryview(block)[at + RECORD.size : at + RECORD.size + length]
        if zlib.crc32(packed, zlib.crc32(key)) != checksum:
            return
        following = offset + RECORD.size + length
        yield offset, key, following
        offset = following


def read_footer(descriptor: int) -> tuple[Array, Array, int] | None:
    """`(key prefixes, offsets, end of records)` of a sealed segment; None for one that is not sealed.

    Raises:
        SegmentError: the footer is there but damaged.
    """
    size = os.fstat(descriptor).st_size
    if size < len(MAGIC) + _TRAILER.size:
        return None
    count, checksum, magic = _TRAILER.unpack(os.pread(descriptor, _TRAILER.size, size - _TRAILER.size))
    if magic != _SEALED:
        return None
    start = size - _TRAILER.size - 16 * count
    if start < len(MAGIC):
        raise SegmentError("the footer claims more records than the file can hold")
    table = os.pread(descriptor, 16 * count, start)
    if zlib.crc32(table) != checksum:
        raise SegmentError("the footer does not match its checksum")
    numbers = np.frombuffer(table, dtype="<u8").astype(np.uint64)
    return numbers[:count], numbers[count:], start


def load_index(read: Callable[[int, int | None], bytes], name: str) -> tuple[Array, Array]:
    """Key prefixes and offsets of a sealed segment that is somewhere else, without reading its records.

    Args:
        read: gives the bytes from a position, counted from the end, to another.
        name: of the segment, for messages.

    Raises:
        SegmentError: it is not sealed, or damaged.
    """
    end = read(-_TRAILER.size, None)
    if len(end) < _TRAILER.size:
        raise SegmentError(f"{name} is not a segment of a call journal")
    count, checksum, magic = _TRAILER.unpack(end)
    if magic != _SEALED:
        raise SegmentError(f"{name} is not sealed")
    table = read(-_TRAILER.size - 16 * count, None)[: 16 * count]
    if zlib.crc32(table) != checksum:
        raise SegmentError(f"{name}: the footer does not match its checksum")
    numbers = np.frombuffer(table, dtype="<u8").astype(np.uint64)
    return numbers[:count], numbers[count:]


def is_sealed(path: Path) -> bool:
    """Whether a segment is complete.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return read_footer(descriptor) is not None
    finally:
        os.close(descriptor)


def scan_segment(path: Path, start: int) -> tuple[Array, Array]:
    """Key prefixes and offsets of the whole records from an offset on; 0 is the beginning.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        found = list(scan_records(descriptor, os.fstat(descriptor).st_size, max(start, len(MAGIC))))
    finally:
        os.close(descriptor)
    prefixes = np.array([key_prefix(key) for _, key, _ in found], dtype=np.uint64)
    return prefixes, np.array([offset for offset, _, _ in found], dtype=np.uint64)


def seal(descriptor: int, prefixes: Array, offsets: Array) -> None:
    """Appends the footer and makes it durable."""
    table = prefixes.astype("<u8").tobytes() + offsets.astype("<u8").tobytes()
    write_all(descriptor, table + _TRAILER.pack(len(prefixes), zlib.crc32(table), _SEALED))
    os.fsync(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Appends all of `content`; on failure the file is cut back to where it was.

    Raises:
        OSError: the disk is full or gone.
    """
    start = os.lseek(descriptor, 0, os.SEEK_END)
    view = memoryview(content)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        os.ftruncate(descriptor, start)
        raise


def load_segment(path: Path) -> tuple[Array, Array]:
    """Key prefixes and offsets of a segment's records.

    The segment of a process that died is cut after its last whole record and sealed; that of one still at work (it
    holds the file's lock), or one that we may not write, is read as far as it is whole and left alone.

    Raises:
        SegmentError: the file is no segment, or is damaged.
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        head = os.pread(descriptor, len(MAGIC), 0)
        if head != MAGIC and not MAGIC.startswith(head):
            raise SegmentError(f"{path} is not a segment of a call journal")
        try:
            footer = read_footer(descriptor)
        except SegmentError as error:
            raise SegmentError(f"{path}: {error}") from None
        if footer is not None:
            return footer[0], footer[1]
        prefixes, offsets, end = _scan(descriptor)
    finally:
        os.close(descriptor)
    _adopt(path, end)
    return prefixes, offsets


def _scan(descriptor: int) -> tuple[Array, Array, int]:
    prefixes: list[int] = []
    offsets: list[int] = []
    end = len(MAGIC)
    for offset, key, following in scan_records(descriptor, os.fstat(descriptor).st_size):
        prefixes.append(key_prefix(key))
        offsets.append(offset)
        end = following
    return np.array(prefixes, dtype=np.uint64), np.array(offsets, dtype=np.uint64), end


def _adopt(path: Path, end: int) -> None:
    """Cuts the torn tail of an abandoned segment and seals it; an empty one is removed."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError:
        return  # a read-only journal is still readable
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        if read_footer(descriptor) is not None:
            return
        prefixes, offsets, end = _scan(descriptor)  # again: its owner may have appended before it let go of the lock
        if not len(prefixes):
            path.unlink(missing_ok=True)
            return
        os.ftruncate(descriptor, end)
        seal(descriptor, prefixes, offsets)
    finally:
        os.close(descriptor)
