"""The database of a node in production, with a simulated server behind it: the same words, the same failures.

Promise: whatever goes wrong on the way is Unavailable, as storage/database.py and storage/hot.py have it.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.storage.hot import HotReader
from tests.simulation import tables
from tests.simulation.server import LIMIT_SECONDS, Gone, Server, Transaction
from tests.simulation.tables import Reading, Result
from tests.simulation.wires import Connection, Pool, Wire

Route = Callable[[], tuple[Wire, Server]]
FAILURES = (Gone, TimeoutError, OSError)


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
