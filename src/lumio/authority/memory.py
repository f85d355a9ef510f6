"""What a node remembers: how far it has read the feed, what ended or changed lately, and statuses that still hold.

Promise: no status that was read before a revocation is ever used after it (I4), and nothing here says "allowed" (I5).
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumio.authority.interface import Loaded
from lumio.authority.subjects import EVERYTHING, Entry, Mark, Subject
from lumio.kernel import clock

ENTRIES_MAX = 50_000
STATUS_SECONDS = 60.0
"""How long a status is used without reading it again, on the monotonic clock: last-seen times move without a word."""
TOMBSTONE_SECONDS = 120.0
"""How long an ending is remembered by name. What is older counts for everybody (`floor`), so this is no promise."""


class Gap(Exception):
    """The feed has a hole: what a node knows is not all that happened."""


@dataclass(slots=True)
class _Known:
    loaded: Loaded[Any]
    stamp: int
    at: float


class Memory:
    """Cursor, tombstones and stamped statuses of one node."""

    def __init__(self) -> None:
        """Know nothing."""
        self.cursor = 0
        """Every number up to here is applied (I2)."""
        self.newest = Mark(0, None)
        """The newest row that is known: a server that has it has all that a read begun now must include."""
        self._floor = 0
        self._tombstones: OrderedDict[Subject, tuple[int, float]] = OrderedDict()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._names: dict[Subject, set[str]] = {}

    def reset(self, cursor: int, written_at: datetime | None) -> None:
        """Forget every status and begin at `cursor`, a row of such a moment; what was stamped before is changed."""
        self._known.clear()
        self._names.clear()
        self._tombstones.clear()
        self.cursor = self._floor = cursor
        self.newest = Mark(cursor, written_at)

    def apply(self, rows: Sequence[Entry]) -> None:
        """Apply rows of the feed, in their order.

        Raises:
            Gap: a number is missing.
        """
        for row in rows:
            if row.seq <= self.cursor:
                continue
            if row.seq != self.cursor + 1:
                message = f"the feed goes on with {row.seq} after {self.cursor}"
                raise Gap(message)
            self._bury(row)
            self.cursor = row.seq
        self._prune()

    def learn(self, rows: Iterable[Entry]) -> None:
        """Take note of rows that this node has just committed itself, before the feed brings them.

        The cursor stays: others may have committed smaller numbers that this node has not read.
        """
        for row in rows:
            self._bury(row)

    def get(self, name: str) -> tuple[Any, int] | None:
        """Return what is known of a credential, and the number that it includes."""
        known = self._known.get(name)
        if known is None:
            return None
        if clock.monotonic() - known.at >= STATUS_SECONDS:
            self._forget(name)
            return None
        return known.loaded.facts, max(known.stamp, self.cursor)

    def keep(self, name: str, loaded: Loaded[Any], ticket: int) -> bool:
        """Remember what was read with a ticket, if it lasts; False when it may be older than an ending."""
        if self.changed(loaded.subjects, ticket):
            return False
        if not loaded.lasting:
            return True
        self._forget(name)
        self._known[name] = _Known(loaded, ticket, clock.monotonic())
        for subject in loaded.subjects:
            self._names.setdefault(subject, set()).add(name)
        if len(self._known) > ENTRIES_MAX:
            self._forget(next(iter(self._known)))
        return True

    def changed(self, subjects: Iterable[Subject], seq: int) -> bool:
        """Tell whether one of the subjects ended or changed after number `seq`, or whether that is not known."""
        if seq < self._floor:
            return True
        tombstones = self._tombstones
        if not tombstones:
            return False
        return any(one in tombstones and tombstones[one][0] > seq for one in (*subjects, EVERYTHING))

    def _bury(self, row: Entry) -> None:
        """Set a tombstone, never an older one over a newer, and drop what stands on the subject."""
        if row.seq > self.newest.seq:
            self.newest = Mark(row.seq, row.at)
        subject = row.ending.subject
        if row.ending.effect == "all":
            subject = EVERYTHING
        before = self._tombstones.pop(subject, None)
        seq = row.seq if before is None else max(before[0], row.seq)
        self._tombstones[subject] = (seq, clock.monotonic())
        if subject == EVERYTHING:
            self._known.clear()
            self._names.clear()
        for name in list(self._names.get(subject, ())):
            self._forget(name)

    def _forget(self, name: str) -> None:
        known = self._known.pop(name, None)
        if known is None:
            return
        for subject in known.loaded.subjects:
            names = self._names.get(subject)
            if names is not None:
                names.discard(name)
                if not names:
                    del self._names[subject]

    def _prune(self) -> None:
        """Forget the oldest tombstones by name; from then on they count for every subject."""
        limit = clock.monotonic() - TOMBSTONE_SECONDS
        while self._tombstones:
            subject, (seq, at) = next(iter(self._tombstones.items()))
            if at > limit:
                return
            del self._tombstones[subject]
            self._floor = max(self._floor, seq)
