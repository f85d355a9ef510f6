"""What the authority stands on in production, with a simulated server behind it: the same words, the same failures.

Promise: whatever goes wrong on the way is Unavailable, as storage/database.py, storage/hot.py and
authority/postgres.py have it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from lumio.authority import nodes
from lumio.authority.primary import Beat, Node, Tailed
from lumio.authority.subjects import Ending, Entry, Subject
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.storage.hot import HotReader
from tests.simulation import tables
from tests.simulation.hosts import EPOCH
from tests.simulation.loop import NOWHERE
from tests.simulation.server import LIMIT_SECONDS, Gone, Server, Transaction
from tests.simulation.tables import Reading, Result, Row
from tests.simulation.wires import Connection, Pool, Wire, connect

Route = Callable[[], tuple[Wire, Server]]
FAILURES = (Gone, TimeoutError, OSError)
CONNECT_SECONDS = 2.0


class Session:
    """A connection with a transaction in it, as SQLAlchemy hands one over."""

    def __init__(self, connection: Connection, *, snapshot: bool) -> None:
        self._connection = connection
        self._transaction = Transaction(connection.server, snapshot=snapshot)

    async def execute(self, statement: Any, values: Any = None) -> Result:
        found: Result = await self._connection.call(lambda: self._transaction.execute(statement, values))
        return found

    async def lock(self, wanted: Iterable[tuple[str, bool]]) -> None:
        await self._connection.call(lambda: self._transaction.lock(wanted))

    async def commit(self) -> None:
        await self._connection.call(self._transaction.commit)

    async def next_numbers(self, count: int) -> range:
        """Draw from a sequence, as a serial column does: for a variant that production does without."""
        server = self._connection.server
        numbers: range = await self._connection.call(lambda: server.draw(count))
        return numbers

    def wake(self) -> None:
        self._transaction.wake()

    def leave(self) -> None:
        """Roll back what is not committed; a server that does not hear of it finds out by itself."""
        self._connection.forget(self._transaction.rollback)


class Dialect:
    """The locks of storage/dialect.py: all in one sorted step."""

    days_apart = True
    single_writer = False
    patience = LIMIT_SECONDS

    async def lock(self, connection: Session, shared: Iterable[str], exclusive: Iterable[str]) -> None:
        hard = set(exclusive)
        wanted = sorted(hard | set(shared))
        if wanted:
            await connection.lock([(name, name in hard) for name in wanted])

    async def wake(self, connection: Session) -> None:
        connection.wake()

    def retryable(self, _error: Exception) -> bool:
        return False


class Database:
    """What `Units` works on."""

    def __init__(self, route: Route, rng: Any) -> None:
        self.dialect = Dialect()
        self.hot = Hot(route, rng)
        self._reads, self._writes = Pool(route, rng), Pool(route, rng)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        async with self._lent(self._reads, snapshot=True) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Session]:
        async with self._lent(self._writes, snapshot=False) as session:
            yield session

    async def journal(self) -> None:
        """Make something durable that is no change of the product: the event of an authentication."""
        try:
            async with self._writes.connection() as connection:
                server = connection.server
                await connection.call(lambda: server.commit({}), LIMIT_SECONDS)
        except FAILURES as error:
            raise Unavailable(f"journal: {error!r}") from error

    @asynccontextmanager
    async def _lent(self, pool: Pool, *, snapshot: bool) -> AsyncIterator[Session]:
        try:
            async with pool.connection() as connection:
                session = Session(connection, snapshot=snapshot)
                try:
                    yield session
                finally:
                    session.leave()
        except FAILURES as error:
            raise Unavailable(f"database: {error!r}") from error


class Hot:
    """Reads of single rows, each by itself and each by any connection of the pool."""

    def __init__(self, route: Route, rng: Any) -> None:
        self._pool = Pool(route, rng)

    async def open(self) -> None:
        """Do nothing: connections are made when they are needed."""

    async def close(self) -> None:
        """Do nothing."""

    def sound(self) -> bool:
        return True

    async def row(self, query: Any, **values: Any) -> Any:
        async with self.alone() as one:
            return await one.row(query, **values)

    async def rows(self, query: Any, **values: Any) -> Any:
        raise NotImplementedError

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[HotReader]:
        try:
            async with self._pool.connection() as connection:
                yield HotConnection(connection)
        except FAILURES as error:
            raise Unavailable(f"database: {error!r}") from error


class HotConnection:
    """One connection of theirs, lent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.server = connection.server

    async def open(self) -> None:
        """Do nothing: it is open."""

    async def close(self) -> None:
        self._connection.broken = True

    def sound(self) -> bool:
        return True

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[HotReader]:
        yield self

    async def rows(self, query: Any, **values: Any) -> Any:
        raise NotImplementedError

    async def row(self, query: Any, **values: Any) -> Any:
        """Return a row; of production's queries as the raw driver gives it, with times in microseconds."""
        statement = getattr(query, "_statement", query)
        found: Result = await self._connection.call(lambda: _once(self.server, statement, values), LIMIT_SECONDS)
        row = found.first()
        if row is None or statement is query:
            return row
        return [clock.to_micros(one) if isinstance(one, datetime) else one for one in row]


def _once(server: Server, query: Any, values: Any) -> Result:
    return tables.read(query, Reading(server.rows, {}), values)


class Primary:
    """authority/postgres.py, statement for statement, on one connection that a failure costs."""

    durable = True
    """The beat waits for the standby: SESSION in postgres.py."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._connection: Connection | None = None
        self._woken = asyncio.Event()
        self.answering: Callable[[], None] | None = None
        """Called once, when the next answer is on its way."""

    async def register(self, node: Node) -> None:
        row = node_row(node.id, node.lease_seconds, node.name)
        await self._question(CONNECT_SECONDS, lambda server: server.commit({("node", node.id): row}))

    async def tail(self, beat: Beat, after: int, seconds: float) -> Tailed:
        self._woken.clear()
        now = clock.now()
        found: Tailed = await self._question(seconds, lambda server: self._tailed(server, beat, after, now))
        return found

    async def leave(self, node_id: str) -> None:
        await self._question(CONNECT_SECONDS, lambda server: self._left(server, node_id))

    async def wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        if self._connection is None:
            with suppress(*FAILURES):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._connected()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        self._woken = asyncio.Event()
        if connection is not None:
            connection.broken = True

    async def _question(self, seconds: float, work: Callable[[Server], Any]) -> Any:
        try:
            async with asyncio.timeout(seconds):
                connection = await self._connected()
                return await connection.call(lambda: work(connection.server))
        except FAILURES as error:
            await self.close()
            raise Unavailable(f"primary: {error!r}") from error
        except BaseException:
            await self.close()
            raise

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.broken:
            self._connection = await connect(*self._route())
            self._listen(self._connection, self._woken)
        return self._connection

    def _listen(self, connection: Connection, woken: asyncio.Event) -> None:
        """Be told of what commits; a wire that is cut tells nothing, and not that it is cut."""
        loop = asyncio.get_running_loop()

        def told() -> None:
            if not connection.broken and not connection.wire.cut_back:
                loop.call_later(connection.wire.delay(), woken.set, context=NOWHERE)

        connection.server.sessions.append(told)

    async def _tailed(self, server: Server, beat: Beat, after: int, now: datetime) -> Tailed:
        """Answer from one snapshot, and write the beat durably before the answer leaves."""
        (counter,) = server.rows["revocation_counter"].values()
        feed = server.rows.get("revocation", {})
        seq, position = self.newest(server), server.position
        rows = [_entry(row, counter.epoch) for row in sorted(feed.values(), key=_seq) if row.seq > after]
        moments = [None if number not in feed else feed[number].at for number in (beat.applied_seq, seq)]
        beating = Transaction(server)

        def beaten(row: Row) -> Row | None:
            news = {"beat": row.beat + 1, "applied_seq": beat.applied_seq, "beat_at": now}
            return Row(**{**vars(row), **news}) if row.lease_seconds > 0 else None

        registered = await beating.put("node", beat.node_id, beaten)
        await beating.commit(durable=self.durable)
        answering, self.answering = self.answering, None
        if answering is not None:
            answering()
        return Tailed(seq, counter.epoch, "cluster", position, registered, rows, *moments)

    @staticmethod
    def newest(server: Server) -> int:
        (counter,) = server.rows["revocation_counter"].values()
        return int(counter.n)

    @staticmethod
    async def _left(server: Server, node_id: str) -> None:
        leaving = Transaction(server)
        await leaving.put("node", node_id, lambda row: Row(**{**vars(row), "lease_seconds": 0.0}))
        await leaving.commit()


class Replica:
    """A hot standby that may lag: its reader, and how far it has come."""

    def __init__(self, route: Route, rng: Any) -> None:
        self.reader: HotReader = Hot(route, rng)
        self._pool = Pool(route, rng)

    async def open(self) -> None:
        """Do nothing: connections are made when they are needed."""

    async def close(self) -> None:
        """Do nothing."""

    async def has_replayed(self, position: str) -> bool:
        try:
            async with self._pool.connection() as connection:
                server = connection.server
                reached: str = await connection.call(lambda: server.position, CONNECT_SECONDS)
        except FAILURES as error:
            raise Unavailable(f"replica: {error!r}") from error
        return self.covers(reached, position)

    @staticmethod
    def covers(reached: str, position: str) -> bool:
        """Compare positions as `pg_lsn` does: without the timeline."""
        return int(reached.partition("/")[2]) >= int(position.partition("/")[2])


def node_row(node_id: str, lease: float, name: str = "") -> Row:
    """Return the row of a node that has not beaten yet."""
    columns: dict[str, Any] = dict.fromkeys((column.name for column in nodes.nodes.columns), 0)
    times = {"registered_at": EPOCH, "beat_at": EPOCH, "applied_at": EPOCH}
    return Row(**{**columns, **times, "node_id": node_id, "name": name, "lease_seconds": lease})


def _seq(row: Row) -> int:
    return int(row.seq)


def _entry(row: Row, epoch: int) -> Entry:
    ending = Ending(Subject(row.subject_kind, row.subject_id), row.effect, row.actor, row.reason)
    return Entry(row.seq, ending, row.at, epoch)
