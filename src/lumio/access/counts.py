"""How often something happened in a window of time, by name: in this process, or together with others of the host.

Promise: bounded memory whatever names come, and nobody waits for a disk or for another worker: each writes a table of
its own and reads those of the others. Names may share a count when a table is full, and lose none that way.
"""

import mmap
import os
import struct
from collections import OrderedDict
from collections.abc import Iterable
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
    """What this worker counts in a table of its own, added to what the others have in theirs."""

    def __init__(self, own: Path, others: Iterable[Path]) -> None:
        """Map the tables, half a MiB each, and make those that are not there yet; only `own` is ever changed."""
        self._own = _Table(own)
        self._others = [_Table(path) for path in others]

    def add(self, name: str, window: int) -> int:
        """Count once more; return how often all workers together did."""
        whose, when = int.from_bytes(blake2b(name.encode(), digest_size=8).digest()), window + 1
        return self._own.add(whose, when) + sum(table.count(whose, when) for table in self._others)

    def forget(self) -> None:
        """Forget nothing: a worker goes on where the one before it with its number stopped."""


class _Table:
    """Places of (whose, when, count) in memory that several processes map; `when` is 0 where nobody was yet."""

    def __init__(self, path: Path) -> None:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(opened, SLOTS * _SLOT.size)
            self._memory = mmap.mmap(opened, SLOTS * _SLOT.size)
        finally:
            os.close(opened)

    def add(self, whose: int, when: int) -> int:
        """Count once more; where all places for a name are taken, it shares the first of them."""
        places = self._places(whose)
        for place in places:
            owner, then, count = _SLOT.unpack_from(self._memory, place)
            if then != when:  # free since the window before: what came later in the row is of that window too
                return self._write(place, whose, when, 1)
            if owner == whose:
                return self._write(place, whose, when, count + 1)
        owner, _, count = _SLOT.unpack_from(self._memory, places[0])
        return self._write(places[0], owner, when, count + 1)

    def count(self, whose: int, when: int) -> int:
        """Return how often it was counted here."""
        for place in self._places(whose):
            owner, then, count = _SLOT.unpack_from(self._memory, place)
            if then == when and owner == whose:
                return int(count)
        return 0

    def _places(self, whose: int) -> list[int]:
        return [(whose + probe) % SLOTS * _SLOT.size for probe in range(PROBES)]

    def _write(self, place: int, whose: int, when: int, count: int) -> int:
        _SLOT.pack_into(self._memory, place, whose, when, count)
        return count
