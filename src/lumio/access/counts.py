"""How often something happened in a window of time, by name: in this process, or together with others of the host.

Promise: bounded memory whatever names come, and no write to a disk. Workers that share count as one would, save what
two of them raise in the same microsecond; names may share a count when a table is full, and never lose one that way.
"""

import mmap
import os
import struct
from collections import OrderedDict
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

NAMES_MAX = 100_000
SLOTS, PROBES = 1 << 15, 8
_SLOT = struct.Struct("<QIi")


class Counts(Protocol):
    """Counts by name and window; windows have growing numbers."""

    def add(self, name: str, window: int) -> int:
        """Count once more; return how often it was in this window."""
        ...

    def forget(self) -> None:
        """Begin anew, as far as the counts are this process's own."""
        ...


class OwnCounts:
    """In this process alone; the name that was counted longest ago is forgotten first."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def add(self, name: str, window: int) -> int:
        """Count once more."""
        known, count = self._counts.pop(name, (window, 0))
        count = count + 1 if known == window else 1
        self._counts[name] = (window, count)
        if len(self._counts) > NAMES_MAX:
            self._counts.popitem(last=False)
        return count

    def forget(self) -> None:
        """Begin anew."""
        self._counts.clear()


class SharedCounts:
    """A table of half a MiB in memory that every worker of the host maps: digest of the name, window, count."""

    def __init__(self, path: Path) -> None:
        """Map the file, making it where it is not there yet."""
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(opened, SLOTS * _SLOT.size)
            self._table = mmap.mmap(opened, SLOTS * _SLOT.size)
        finally:
            os.close(opened)

    def add(self, name: str, window: int) -> int:
        """Count once more; where all places for a name are taken, it shares the first of them."""
        mine = int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
        first, window = mine % SLOTS, window + 1  # 0 is a place that nobody had yet
        free: int | None = None
        for place in (first + probe for probe in range(PROBES)):
            whose, when, count = self._read(place)
            if when == window and whose == mine:
                return self._write(place, mine, window, count + 1)
            if when != window and free is None:
                free = place
        if free is not None:
            return self._write(free, mine, window, 1)
        whose, _, count = self._read(first)
        return self._write(first, whose, window, count + 1)

    def forget(self) -> None:
        """Forget nothing: the counts are the other workers' too."""

    def _read(self, place: int) -> tuple[int, int, int]:
        whose, when, count = _SLOT.unpack_from(self._table, place % SLOTS * _SLOT.size)
        return whose, when, count

    def _write(self, place: int, whose: int, window: int, count: int) -> int:
        _SLOT.pack_into(self._table, place % SLOTS * _SLOT.size, whose, window, count)
        return count
