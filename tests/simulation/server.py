"""A simulated PostgreSQL server: transactions, a write-ahead log, standbys that must have it before a commit counts.

Promise: what a transaction wrote is seen by others at one instant, in which its locks fall; the counter row's lock
makes commit order number order here as there.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Delete, Insert, Select, Update

from tests.simulation import tables
from tests.simulation.locks import Locks
from tests.simulation.loop import NOWHERE
from tests.simulation.tables import Reading, Result, Row, Rows, Writes

LIMIT_SECONDS = 5.0
"""`statement_timeout`, `lock_timeout` and `idle_in_transaction_session_timeout`, as storage/dialect.py sets them."""


class Gone(ConnectionError):
    """The connection is no more: the server was stopped, or has ended the session."""


@dataclass(slots=True, eq=False)
class Record:
    """A commit in the write-ahead log."""

    writes: Writes
    shown: bool = False
    """Whether it was seen on a primary yet."""


@dataclass(eq=False)
class Server:
    """One server; others may follow its log."""

    name: str
    rng: random.Random
    showing: Callable[["Server", Record], None]
    """Told of each commit as it becomes visible, before it does."""
    first: dict[str, Rows] = field(default_factory=dict)
    """What it began with, before its log."""
    log: list[Record] = field(default_factory=list)
    timeline: int = 1
    alive: bool = True
    life: int = 0
    """Counts its starts: a session does not outlive one."""
    needs_standby: bool = False
    followers: list["Following"] = field(default_factory=list)
    sessions: list[Callable[[], None]] = field(default_factory=list)
    """Whom a notification wakes."""

    def __post_init__(self) -> None:
        self.locks = Locks()
        self.rows = self.copied(self.first)
        self._durable = self._drawn = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def demand(self, life: int) -> None:
        """Raise Gone when the server has stopped since `life`."""
        if not self.alive or self.life != life:
            raise Gone(self.name)

    @property
    def position(self) -> str:
        """Where the log stands."""
        return f"{self.timeline}/{len(self.log)}"

    def stop(self) -> None:
        """Stop at once, as kill -9 does: what is in the log stays."""
        self.alive = False
        self.life += 1
        self.locks = Locks()
        waiting, self._waiting = self._waiting, []
        for _, acknowledged in waiting:
            acknowledged.cancel()

    def start(self) -> None:
        """Start again: all of the log is visible, whoever was waited for."""
        self.alive = True
        for record in self.log:
            if not record.shown:
                self.show(record)

    async def commit(self, writes: Writes, *, durable: bool = True) -> None:
        """Write to the log, wait for the standby, be seen. Raises Gone, and then it may have happened or not."""
        life = self.life
        await asyncio.sleep(self.rng.uniform(0.0001, 0.001))
        self.demand(life)
        record = Record(writes)
        self.log.append(record)
        for follower in self.followers:
            follower.ship()
        if durable and self.needs_standby:
            await self._acknowledged(len(self.log))
            self.demand(life)
        if not record.shown:
            self.show(record)

    def show(self, record: Record) -> None:
        """Let everybody see a commit."""
        self.showing(self, record)
        record.shown = True
        self.put(record.writes)

    def put(self, writes: Writes) -> None:
        """Make the rows what a commit says."""
        for (table, key), row in writes.items():
            rows = self.rows.setdefault(table, {})
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row

    def draw(self, count: int) -> range:
        """Give the next numbers of a sequence, whatever becomes of them."""
        self._drawn += count
        return range(self._drawn - count + 1, self._drawn + 1)

    def acknowledge(self, length: int) -> None:
        """Take note that the standby has the log up to a length."""
        self._durable = max(self._durable, length)
        for wanted, acknowledged in self._waiting:
            if wanted <= self._durable and not acknowledged.done():
                acknowledged.set_result(None)
        self._waiting = [one for one in self._waiting if not one[1].done()]

    @staticmethod
    def copied(rows: dict[str, Rows]) -> dict[str, Rows]:
        """Return tables that do not change when others are written."""
        return {name: dict(one) for name, one in rows.items()}

    async def _acknowledged(self, length: int) -> None:
        if length <= self._durable:
            return
        acknowledged = asyncio.get_running_loop().create_future()
        self._waiting.append((length, acknowledged))
        try:
            await acknowledged
        except asyncio.CancelledError:
            if not self.alive:
                raise Gone(self.name) from None
            raise


class Following:
    """A server that follows another one's log, at a distance that may grow, over a wire that may be cut."""

    def __init__(self, leader: Server, follower: Server, delay: Callable[[], float], *, counts: bool) -> None:
        """Ship what comes; with `counts` the leader's commits wait for it."""
        self.leader, self.follower, self.counts = leader, follower, counts
        self.delay = delay
        self.cut = self.over = False
        self._due = 0.0
        follower.rows, follower.log, follower.timeline = leader.copied(leader.rows), list(leader.log), leader.timeline
        leader.followers.append(self)
        if counts:
            leader.needs_standby = True
            leader.acknowledge(len(leader.log))

    def ship(self) -> None:
        """Send the log as it is now; it arrives in order."""
        loop = asyncio.get_running_loop()
        self._due = max(self._due, loop.time() + self.delay())
        loop.call_at(self._due, self._arrive, len(self.leader.log), context=NOWHERE)

    def end(self) -> None:
        """Follow no more."""
        self.over = True
        if self in self.leader.followers:
            self.leader.followers.remove(self)

    def _arrive(self, length: int) -> None:
        if self.cut or self.over:
            return
        for record in self.leader.log[len(self.follower.log) : length]:
            self.follower.log.append(record)
            self.follower.put(record.writes)
        if self.counts:
            asyncio.get_running_loop().call_later(0.0005, self._acknowledge, length, context=NOWHERE)

    def _acknowledge(self, length: int) -> None:
        if not self.cut and not self.over:
            self.leader.acknowledge(length)


class Transaction:
    """One transaction of one session, as the server has it."""

    def __init__(self, server: Server, *, snapshot: bool = False) -> None:
        """Begin; with `snapshot` every statement sees what the first one saw."""
        self.server = server
        self._life = server.life
        self._snapshot = snapshot
        self._seen: dict[str, Rows] | None = None
        self._writes: Writes = {}
        self._over = False
        self._wakes = False
        self._idle: asyncio.TimerHandle | None = None

    async def lock(self, wanted: Iterable[tuple[str, bool]]) -> None:
        """Take advisory locks in the order in which they come; True is for having one alone."""
        with self._at_work():
            async with asyncio.timeout(LIMIT_SECONDS):
                for name, alone in wanted:
                    await self.server.locks.take(self, name, alone=alone)
            self.server.demand(self._life)

    async def execute(self, statement: Any, values: Any = None) -> Result:
        """Run one statement on what is committed as it begins."""
        with self._at_work():
            if isinstance(statement, Select):
                return tables.read(statement, self._reading(), values or {})
            if isinstance(statement, Insert):
                self._writes.update(tables.inserted(statement, values))
                return Result([])
            async with asyncio.timeout(LIMIT_SECONDS):
                return await self._change(statement, values or {})

    async def put(self, table: str, key: str, change: Callable[[Row], Row | None]) -> bool:
        """Change one row as `UPDATE … WHERE` does: locked first, then as it is by then; tell whether it was."""
        with self._at_work():
            async with asyncio.timeout(LIMIT_SECONDS):
                await self.server.locks.take(self, (table, key), alone=True)
            now = self._reading().rows(table).get(key)
            news = None if now is None else change(now)
            if news is not None:
                self._writes[table, key] = news
            return news is not None

    def wake(self) -> None:
        """Notify at the commit."""
        self._wakes = True

    async def commit(self, *, durable: bool = True) -> None:
        """Commit; raises Gone when it may or may not have happened."""
        with self._at_work():
            if self._writes:
                await self.server.commit(self._writes, durable=durable)
        self._end()
        if self._wakes:
            for session in self.server.sessions:
                session()

    def rollback(self) -> None:
        """Leave nothing behind."""
        if not self._over:
            self._end()

    def _end(self) -> None:
        self._over = True
        if self._idle is not None:
            self._idle.cancel()
        self.server.locks.release(self)

    def _reading(self) -> Reading:
        if not self._snapshot:
            return Reading(self.server.rows, self._writes)
        if self._seen is None:
            self._seen = self.server.copied(self.server.rows)
        return Reading(self._seen, self._writes)

    async def _change(self, statement: Update | Delete, values: Mapping[str, Any]) -> Result:
        table: Any = statement.table
        done = []
        for row in self._reading().matching(table.name, statement, values):
            place = tables.place_of(statement, row)
            await self.server.locks.take(self, place, alone=True)
            self.server.demand(self._life)
            now = self._reading().rows(table.name).get(place[1])
            only = Reading({} if now is None else {table.name: {place[1]: now}}, {})
            if now is None or not only.matching(table.name, statement, values):
                continue
            news = tables.changed(statement, now, values)
            self._writes[place] = news
            done.append(now if news is None else news)
        return tables.returned(statement, done)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Refuse a session that is over; end one that asks nothing for long."""
        self.server.demand(self._life)
        if self._over:
            raise Gone("this session was ended")
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        if not self._over:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(LIMIT_SECONDS, self.rollback, context=NOWHERE)
