"""The writable database, as a tail asks it: one question, one snapshot, one durable beat.

Promise: whoever answers is the primary, since a beat is a synchronous write; no clock of another machine is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from lumio.authority.subjects import Entry
from lumio.kernel import clock, ids
from lumio.storage.hot import HotReader


@dataclass(frozen=True, slots=True)
class Node:
    """A process that serves: one registration, from its start to its end."""

    name: str
    region: str
    lease_seconds: float
    id: str = field(default_factory=ids.uuid7)
    boot_id: str = field(default_factory=clock.boot)


@dataclass(frozen=True, slots=True)
class Beat:
    """What a node says of itself with each question."""

    node_id: str
    applied_seq: int


@dataclass(frozen=True, slots=True)
class Tailed:
    """The answer: where the feed stands, what is new in it, and of which database this is the state.

    `position` is where the write-ahead log stood: whoever has replayed it has all that this answer has.
    `registered` is False when the beat found no row: then the answer proves nothing.
    `at_cursor` and `at_end` are when the rows with the asker's own number and with `seq` were written: on another
    timeline the same number has another moment.
    """

    seq: int
    epoch: int
    cluster: str
    position: str
    registered: bool
    rows: Sequence[Entry]
    at_cursor: datetime | None = None
    at_end: datetime | None = None


class Primary(Protocol):
    """Raises Unavailable whenever it cannot be known what happened."""

    async def register(self, node: Node) -> None:
        """Insert the node's row; committed when this returns. No lease comes before (I11)."""
        ...

    async def tail(self, beat: Beat, after: int, seconds: float) -> Tailed:
        """Write the beat and read what is newer than `after`, in one statement and within `seconds`."""
        ...

    async def leave(self, node_id: str) -> None:
        """Say that a node holds no lease any more; its row stays until it has been silent long enough (I11)."""
        ...

    async def wait(self, seconds: float) -> None:
        """Return when somebody may have written the feed, after `seconds` at the latest."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class Replica(Protocol):
    """A copy nearby that may lag; believed only when it has come far enough."""

    reader: HotReader

    async def open(self) -> None:
        """Connect. Raises Unavailable; then nothing is read here."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...

    async def has_replayed(self, position: str) -> bool:
        """Tell whether the copy holds everything up to a position of the primary. Raises Unavailable."""
        ...
