"""Slots on their way to the shard that works on them: a file of the store for each shard.

A plan of slots is one of the whole run, so it is drawn once, by whoever plans the shards; a shard reads its own slots
and nothing else, however many dialogues the run has.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import zstandard
from pydantic import TypeAdapter

from turnwright.goals.slots import Slot
from turnwright.storage.store import Store

_SLOTS = TypeAdapter(list[Slot])
_SUFFIX = ".slots"


@dataclass(frozen=True)
class SlotFile:
    """The slots of one shard, stored."""

    sha256: str
    """Names the file."""
    content: str
    """SHA-256 of what it says, however it is compressed: goes into the cache key."""


def write_slots(slots: Sequence[Slot], store: Store) -> SlotFile:
    """Stores the slots of one shard.

    Raises:
        OSError: the store cannot be written.
    """
    content = _SLOTS.dump_json(list(slots))
    packed = zstandard.ZstdCompressor(level=3).compress(content)
    return SlotFile(store.put_bytes(packed, _SUFFIX), hashlib.sha256(content).hexdigest())


def read_slots(sha256: str, store: Store) -> list[Slot]:
    """The slots of one shard.

    Raises:
        OSError: the store does not have them.
    """
    packed = store.find(sha256, _SUFFIX).read_bytes()
    return _SLOTS.validate_json(zstandard.ZstdDecompressor().decompress(packed))
