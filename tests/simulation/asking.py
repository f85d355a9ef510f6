"""How the authority asks its primary and a replica in production, with a simulated server behind it.

Promise: whatever goes wrong on the way is Unavailable, as authority/postgres.py has it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from lumio.authority import nodes
from lumio.authority.primary import Beat, Node, Tailed
from lumio.authority.subjects import Ending, Entry, Subject
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.storage.hot import HotReader
from tests.simulation.doubles import FAILURES, Hot, Route
from tests.simulation.hosts import EPOCH
from tests.simulation.loop import NOWHERE
from tests.simulation.server import Server, Transaction
from tests.simulation.tables import Row
from tests.simulation.wires import Connection, Pool, connect

CONNECT_SECONDS = 2.0


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
