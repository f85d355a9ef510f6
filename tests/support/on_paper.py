"""An authority's surroundings on paper: clocks that stand until they are moved, and answers that a test has written.

Promise: nothing here waits, sleeps or guesses; what happens is what the test says.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from lumio.authority import feed, nodes
from lumio.authority.interface import Loaded
from lumio.authority.lease import Instant
from lumio.authority.primary import Beat, Node, Tailed
from lumio.authority.subjects import Effect, Ending, Entry, Mark, Subject
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.storage.hot import HotQuery, HotReader
from tests.simulation import tables
from tests.simulation.tables import Reading, Row, Rows

Answer = TypeVar("Answer")
KEY, ACCOUNT = Subject("key", "k"), Subject("account", "a")
LEASE = 9.5
MOMENT = datetime(2031, 5, 1, tzinfo=UTC)


class Clocks:
    """The clocks of one machine; call it to read them as a lease does."""

    def __init__(self) -> None:
        self.boot, self.wall = 1000.0, 50_000.0

    def __call__(self) -> Instant:
        return Instant(self.boot, self.wall)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.boot += seconds
        self.wall += seconds


def entry(seq: int, subject: Subject = KEY, effect: Effect = "ended", moment: datetime | None = None) -> Entry:
    """Return a row of the feed; its moment follows from its number."""
    return Entry(seq, Ending(subject, effect, "robin", "revoked"), moment or MOMENT + timedelta(seconds=seq))


def mark(seq: int) -> Mark:
    return Mark(seq, entry(seq).at)


def loaded(*subjects: Subject, lasting: bool = True) -> Loaded[str]:
    return Loaded("facts", subjects or (KEY, ACCOUNT), lasting)


class Feed:
    """A primary that has a feed and a list of nodes, and can be told how its next answer differs."""

    def __init__(self, rows: Iterable[Entry] = ()) -> None:
        self.rows = list(rows)
        self.epoch, self.cluster = 1, "one"
        self.registered: list[Node] = []
        self.beats: list[Beat] = []
        self.left: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens between question and answer."""

    async def register(self, node: Node) -> None:
        self.meanwhile()
        self.registered.append(node)

    async def tail(self, beat: Beat, after: int, seconds: float) -> Tailed:
        assert seconds < LEASE / 4
        self.beats.append(beat)
        self.meanwhile()
        seq = max((row.seq for row in self.rows), default=0)
        moments = {row.seq: row.at for row in self.rows}
        known = beat.node_id in [node.id for node in self.registered]
        rows = [row for row in self.rows if row.seq > after]
        return Tailed(
            seq, self.epoch, self.cluster, f"0/{seq}", known, rows, moments.get(beat.applied_seq), moments.get(seq)
        )

    async def leave(self, node_id: str) -> None:
        self.left.append(node_id)

    async def wait(self, seconds: float) -> None:
        raise AssertionError(f"nobody waits for {seconds} s here")

    async def close(self) -> None:
        """Do nothing."""


class Paper:
    """A database on paper: units and views that read the rows which the test has written."""

    def __init__(self) -> None:
        self.rows: dict[str, Rows] = {"node": {}, "revocation": {}}

    def node(self, name: str, applied: int, lease: float = LEASE, beat: int = 1) -> None:
        """Write a node's row."""
        columns: dict[str, Any] = dict.fromkeys((column.name for column in nodes.nodes.columns), 0)
        times = dict.fromkeys(("registered_at", "beat_at", "applied_at"), MOMENT)
        told = {"node_id": name, "region": "here", "applied_seq": applied, "lease_seconds": lease, "beat": beat}
        self.rows["node"][name] = Row(**{**columns, **times, **told})

    def ended(self, seq: int) -> None:
        """Write a row of the feed."""
        one = entry(seq)
        words = {"effect": "ended", "actor": "robin", "reason": "revoked"}
        self.rows["revocation"][seq] = Row(seq=seq, at=one.at, subject_kind="key", subject_id="k", **words)

    async def read(self, work: Callable[[Any], Awaitable[Answer]]) -> Answer:
        return await work(self)

    async def execute(self, statement: Any, values: Any = None) -> tables.Result:
        if statement.is_delete:
            rows = Reading(self.rows, {}).matching(statement.table.name, statement, values or {})
            for row in rows:
                self.rows[statement.table.name].pop(row.node_id)
            return tables.returned(statement, rows)
        return tables.read(statement, Reading(self.rows, {}), values or {})


class Hot:
    """A server to read from, which has the feed up to some row; `closed` counts connections that were given up."""

    def __init__(self, newest: Mark) -> None:
        self.newest = newest
        self.closed = 0
        self.available = True

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        self.closed += 1

    async def row(self, query: HotQuery, **values: Any) -> Any:
        assert query is feed.WRITTEN
        seq = values["seq"]
        if not self.available:
            raise Unavailable("away")
        if seq > self.newest.seq or not seq:
            return None
        at = self.newest.at if seq == self.newest.seq else entry(seq).at
        assert at is not None
        return [clock.to_micros(at)]

    async def rows(self, query: HotQuery, **values: Any) -> Any:  # noqa: ARG002
        raise AssertionError

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[HotReader]:
        yield self

    def sound(self) -> bool:
        return True
