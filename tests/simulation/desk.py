"""A fleet on a desk: one database on paper, and nodes whose every message waits until a hand lets it go on.

Promise: nothing moves by itself. Time, questions, answers, reads and commits happen when a test says so, and in the
order in which it says so.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from lumio.authority import feed
from lumio.authority.interface import Loaded
from lumio.authority.lease import Lease, silence
from lumio.authority.leased import LeasedAuthority
from lumio.authority.nodes import Watch
from lumio.authority.primary import Beat, Node, Tailed
from lumio.authority.reconciliation import Reconciled, Reconciliation
from lumio.authority.subjects import Effect, Ending, Entry, Subject
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.settings import LEASE_LONGEST
from lumio.storage.hot import HotQuery, HotReader
from lumio.storage.unit import Units
from tests.simulation.tables import Row
from tests.support.on_paper import LEASE, MOMENT, Clocks, Paper

Answer = TypeVar("Answer")
Facts = frozenset[datetime]
"""What a read says of a credential: the moments of all rows that have touched it. A moment is given once, ever."""
LEAP = 1000
CREDENTIALS: dict[str, tuple[Subject, ...]] = {
    "k1": (Subject("key", "k1"), Subject("account", "a")),
    "k2": (Subject("key", "k2"), Subject("account", "a"), Subject("role", "a,u")),
}
SUBJECTS = tuple(dict.fromkeys(subject for subjects in CREDENTIALS.values() for subject in subjects))


def touches(row: Entry, name: str) -> bool:
    """Tell whether a row of the feed is about a credential."""
    return row.ending.effect == "all" or row.ending.subject in CREDENTIALS[name]


class Desk:
    """The database, and true time."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.now = 1000.0
        self.paper = Paper()
        self.rows: list[Entry] = []
        self.n, self.epoch = 0, 1
        self.committed: dict[datetime, float] = {}
        self.noted: set[datetime] = set()
        """Rows that stand in a journal outside the database."""
        self.lost: list[Entry] = []
        self.restored_at: float | None = None
        self.nodes = [DeskNode(self, name) for name in ("one", "two")]

    def settle(self) -> None:
        """Let every task go on until it waits for a hand."""
        self.loop.run_until_complete(_turns())

    def begin(self, work: Coroutine[Any, Any, Answer]) -> "asyncio.Task[Answer]":
        """Let something go on until it waits for a hand; what goes wrong with it is no warning."""
        task = self.loop.create_task(work)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.settle()
        return task

    def run(self, work: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(cast("Any", work))

    def move(self, seconds: float) -> None:
        """Let time pass, on every clock."""
        self.now += seconds
        for node in self.nodes:
            node.clocks.move(seconds)

    def commit(self, subject: Subject, effect: Effect) -> Entry:
        """Write the next row of the feed."""
        self.n += 1
        moment = MOMENT + timedelta(seconds=len(self.committed))
        row = Entry(self.n, Ending(subject, effect, "robin", "revoked"), moment, self.epoch)
        self.rows.append(row)
        self.committed[moment] = self.now
        words = {"subject_kind": subject.kind, "subject_id": subject.id, "effect": effect}
        self.paper.rows["revocation"][row.seq] = Row(seq=row.seq, at=moment, actor="robin", reason="revoked", **words)
        return row

    def restore(self, keep: int) -> None:
        """Go back to the first `keep` rows, as yesterday's copy does; nodes that came later are not in it.

        One that forgets nodes and no row is left out: nothing of it can be seen.
        """
        gone, self.rows = self.rows[keep:], self.rows[:keep]
        self.lost += gone
        self.restored_at = self.now
        self.n = self.rows[-1].seq if self.rows else 0
        for row in gone:
            del self.paper.rows["revocation"][row.seq]
        if any(row.at in self.noted for row in gone):
            self.paper.rows["node"].clear()

    def make_good(self) -> int:
        """Hold the database against the journal, as `Reconciliation` does; return where its feed stands."""
        lost, self.lost = [row for row in self.lost if row.at in self.noted], []
        if lost:
            self.paper.node("unknown", 0, lease=LEASE_LONGEST)
            self.n, self.epoch = max(self.n, *(row.seq for row in lost)) + LEAP, self.epoch + 1
            for row in lost:
                self.commit(row.ending.subject, row.ending.effect)
        return self.n

    def facts(self, name: str) -> Facts:
        """Read what is true of a credential now."""
        return frozenset(row.at for row in self.rows if touches(row, name))

    def missed(self, name: str, facts: Facts) -> list[Entry]:
        """Return the rows about a credential that somebody who knows `facts` does not know of."""
        return [row for row in self.rows if touches(row, name) and row.at not in facts]

    def close(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.settle()
        self.loop.close()


async def _turns() -> None:
    for _ in range(12):
        await asyncio.sleep(0)


class DeskNode:
    """The real authority of one process, with its wires on the desk."""

    def __init__(self, desk: Desk, name: str) -> None:
        self.desk, self.name = desk, name
        self.clocks = Clocks()
        self.wire = Wire(desk)
        self.hot = Reads(desk)
        self.watch = Watch()
        self.knows: set[datetime] = set()
        """Rows that it has applied, or committed itself."""
        lease, node = Lease(LEASE, self.clocks), Node(name, "here", LEASE, boot_id="boot")
        outside, units = cast("Reconciliation", Outside(desk)), cast("Units", desk.paper)
        self.authority = LeasedAuthority(self.wire, self.hot, units, node, lease, None, outside)
        self.turn: asyncio.Task[bool] | None = None

    @property
    def id(self) -> str:
        """Its registration."""
        return self.authority.tail.node.id

    @property
    def stands_on_a_lost_row(self) -> bool:
        """Whether it has applied rows that a restore has taken back, and does not know it yet."""
        tail = self.authority.tail
        return tail.applied > 0 and tail.written_at not in {row.at for row in self.desk.rows}

    def ask(self) -> None:
        """Send the question to the feed."""
        self.turn = self.desk.begin(self.authority.tail.turn())

    def told(self) -> bool:
        """Let the answer, or its loss, take effect; tell whether it was a proof."""
        self.desk.settle()
        assert self.turn is not None
        assert self.turn.done()
        turn, self.turn = self.turn, None
        if turn.exception() is None:
            return True
        assert isinstance(turn.exception(), Unavailable), turn.exception()
        return False

    def commit(self, subject: Subject, effect: Effect, *, answered: bool) -> Entry:
        """Revoke through this node; when the database's answer is lost, it does not know of its own row."""
        leases = [row.lease_seconds for row in self.desk.paper.rows["node"].values()]
        row = self.desk.commit(subject, effect)
        if answered:
            self.desk.run(self.authority._committed([row], silence(max(leases, default=0.0))))
            self.desk.noted.add(row.at)
            self.knows.add(row.at)
        return row


class Wire:
    """The primary, as a node's tail asks it: a question waits to be served, its answer waits to be delivered."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._beat = Beat("", 0)
        self._after = 0
        self.answer: Tailed | None = None
        self._delivered: asyncio.Future[Tailed] | None = None

    @property
    def asked(self) -> bool:
        """Whether a question waits."""
        return self._delivered is not None and self.answer is None

    async def register(self, node: Node) -> None:
        self._desk.paper.node(node.id, 0, node.lease_seconds)

    async def tail(self, beat: Beat, after: int, seconds: float) -> Tailed:
        assert seconds < LEASE / 4
        self._beat, self._after, self.answer = beat, after, None
        self._delivered = self._desk.loop.create_future()
        return await self._delivered

    def serve(self) -> None:
        """Let the database answer: the beat, and one snapshot of the feed."""
        desk, beat = self._desk, self._beat
        moments = {row.seq: row.at for row in desk.rows}
        row = desk.paper.rows["node"].get(beat.node_id)
        known = row is not None and row.lease_seconds > 0
        if row is not None and known:
            desk.paper.node(beat.node_id, beat.applied_seq, row.lease_seconds, row.beat + 1)
        rows = [one for one in desk.rows if one.seq > self._after]
        at_cursor, at_end = moments.get(beat.applied_seq), moments.get(desk.n)
        self.answer = Tailed(desk.n, desk.epoch, "one", f"0/{desk.n}", known, rows, at_cursor, at_end)

    def deliver(self, answer: Tailed | Exception) -> None:
        """Let the node have an answer, or none."""
        assert self._delivered is not None
        if isinstance(answer, Exception):
            self._delivered.set_exception(answer)
        else:
            self._delivered.set_result(answer)
        self._delivered = self.answer = None

    async def leave(self, node_id: str) -> None:
        row = self._desk.paper.rows["node"].get(node_id)
        if row is not None:
            self._desk.paper.node(node_id, row.applied_seq, 0.0, row.beat)

    async def wait(self, seconds: float) -> None:
        raise AssertionError(f"nobody waits for {seconds} s here")

    async def close(self) -> None:
        """Do nothing."""


class Reads:
    """The server that statuses are read from; `old` is the feed of a primary that is none any more, or None."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.old: list[Entry] | None = None

    def rows_of_it(self) -> Sequence[Entry]:
        return self._desk.rows if self.old is None else self.old

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Be led to the primary by the next connection."""
        self.old = None

    async def row(self, query: HotQuery, **values: Any) -> Any:
        assert query is feed.WRITTEN
        found = [row for row in self.rows_of_it() if row.seq == values["seq"]]
        return [clock.to_micros(found[0].at)] if found else None

    async def rows(self, query: HotQuery, **values: Any) -> Any:
        raise NotImplementedError

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[HotReader]:
        yield self

    def sound(self) -> bool:
        return True

    def loader(self, name: str, gate: asyncio.Event) -> Callable[[HotReader], Awaitable[Loaded[Facts]]]:
        """Return what reads a credential at once, and says what it has read when the gate is opened."""

        async def load(_hot: HotReader) -> Loaded[Facts]:
            facts = frozenset(row.at for row in self.rows_of_it() if touches(row, name))
            await gate.wait()
            return Loaded(facts, CREDENTIALS[name])

        return load


class Outside:
    """The journal outside the database, as a tail and an authority use it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.ledger = self

    async def run(self) -> Reconciled:
        return Reconciled(self._desk.make_good())

    async def keep(self, _rows: Sequence[Entry]) -> None:
        """Do nothing: who commits is noted by the desk."""

    def take(self, rows: Sequence[Entry]) -> None:
        self._desk.noted |= {row.at for row in rows}
