"""A unit: one transaction that holds a change, its events, its mails and its revocations together.

Promise: everything of a unit commits, or nothing does; a change without its event cannot commit.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy import CursorResult, Executable, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from lumio.kernel.errors import LumioError, Unavailable
from lumio.kernel.event import Event
from lumio.storage import outbox
from lumio.storage.database import Database
from lumio.storage.events import hot

ATTEMPTS = 4
PATIENCE_SECONDS = 5.0
WAITING_MAX = 4
"""Units of one queue that wait for their locks with a connection: half of the pool, so that others have the rest."""
Answer = TypeVar("Answer")


class View:
    """What a service reads through: one snapshot."""

    days_apart = False
    """Whether each day of the sealed log lies in a table of its own: a statement that names days is faster."""

    def __init__(self, connection: AsyncConnection | None) -> None:
        """Wrap a connection; None where it is opened by the first statement."""
        self._connection = connection

    @property
    def connection(self) -> AsyncConnection:
        """The connection. Raises RuntimeError while none was needed."""
        if self._connection is None:
            message = "nothing was read yet"
            raise RuntimeError(message)
        return self._connection

    async def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run one statement."""
        return await self.connection.execute(statement, values)


class Snapshot(View):
    """A view whose snapshot begins at its first statement: what reads nothing costs no transaction."""

    def __init__(self, database: Database) -> None:
        super().__init__(None)
        self._database = database
        self.days_apart = database.dialect.days_apart
        self._reading: AbstractAsyncContextManager[AsyncConnection] | None = None

    async def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run one statement, on the snapshot that the first one begins. Raises Unavailable when it takes too long."""
        async with self._in_time():
            if self._reading is None:
                self._reading = self._database.reading()
                self._connection = await self._reading.__aenter__()
            return await self.connection.execute(statement, values)

    async def close(self, error: BaseException | None = None) -> None:
        """End the snapshot, if it began; `error` is what the reader met. Raises Unavailable when it was an outage."""
        if self._reading is not None and self._connection is not None:
            reading, self._reading = self._reading, None
            kind, trace = (None, None) if error is None else (type(error), error.__traceback__)
            ending = asyncio.ensure_future(reading.__aexit__(kind, error, trace))  # giving back cannot be cancelled
            ending.add_done_callback(_looked_at)
            async with self._in_time():
                await asyncio.shield(ending)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Wait for the database, but not for ever: a cut link says nothing. What is given up costs its connection."""
        try:
            async with asyncio.timeout(self._database.dialect.patience):
                yield
        except TimeoutError:
            raise Unavailable("the database did not answer a read in time") from None


class Unit(View):
    """What a service changes things through. Made by `Units.run`, valid until it returns."""

    def __init__(self, database: Database, connection: AsyncConnection, node: str) -> None:
        """Wrap a connection whose transaction has begun."""
        super().__init__(connection)
        self._database = database
        self.days_apart = database.dialect.days_apart
        self.alone = database.dialect.single_writer
        """Whether one file is all that there is, and nobody else serves from a memory of it."""
        self._node = node
        self._events: list[Event] = []
        self._messages: list[outbox.Message] = []
        self._sealed = False
        self.waits: AsyncExitStack | None = None
        """What lets the next unit of the same queue have a connection, once this one has its locks."""
        self.after_commit: list[Callable[[], Awaitable[None]]] = []

    async def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run one statement inside the unit."""
        if self._sealed:
            message = "a sealed unit takes no more statements"
            raise RuntimeError(message)
        return await self.connection.execute(statement, values)

    async def lock(self, shared: Iterable[str], exclusive: Iterable[str]) -> None:
        """Take all subject locks of the unit in one sorted step; read rights only afterwards."""
        await self._database.dialect.lock(self.connection, shared, exclusive)
        if self.waits is not None:
            await self.waits.aclose()

    async def try_lock(self, name: str) -> bool:
        """Take one lock until the unit's end, or tell that another unit has it."""
        return await self._database.dialect.try_lock(self.connection, name)

    def upsert(self, table: Table) -> Any:
        """Return an INSERT of this database that can say what happens to a row that is there already."""
        return self._database.dialect.upsert(table)

    async def make_partition(self, day: int) -> None:
        """Make room in the sealed log for a day (days since 1970)."""
        await self._database.dialect.partition(self.connection, day)

    async def drop_partition(self, day: int) -> bool:
        """Drop a day of the sealed log whole; False where days have no room of their own."""
        return await self._database.dialect.drop_partition(self.connection, day)

    async def wake(self) -> None:
        """Tell the nodes of a fleet, at the commit, that the revocation feed has grown."""
        await self._database.dialect.wake(self.connection)

    def record(self, event: Event) -> None:
        """Put an event beside the change."""
        if self._sealed:
            message = "a sealed unit takes no more events"
            raise RuntimeError(message)
        self._events.append(event)

    def post(self, message: outbox.Message) -> None:
        """Put a message beside the change; it is sent after the commit."""
        if self._sealed:
            refusal = "a sealed unit takes no more messages"
            raise RuntimeError(refusal)
        self._messages.append(message)

    @property
    def recorded(self) -> tuple[str, ...]:
        """The names of the events recorded so far."""
        return tuple(event.event for event in self._events)

    async def seal(self) -> None:
        """Write journal and outbox. Only the revocation feed may follow, so that its lock lives shortest."""
        if self._sealed:
            return
        if self._events:
            await self.connection.execute(hot.insert(), [event.row(self._node) for event in self._events])
        if self._messages:
            await self.connection.execute(outbox.messages.insert(), [dict(one) for one in self._messages])
        self._sealed = True

    async def commit(self) -> None:
        """Seal what is not sealed, and make all of it durable."""
        await self.seal()
        await self.connection.commit()


class Units:
    """Opens units, retries those that another one got in the way of."""

    def __init__(self, database: Database, node: str) -> None:
        """Work on `database`; `node` is written into each event."""
        self._database = database
        self._node = node
        self._queues: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def read(self, work: Callable[[View], Awaitable[Answer]]) -> Answer:
        """Run `work` on one snapshot that it cannot change; it begins with the first statement."""
        view = self.view()
        try:
            answer = await work(view)
        except BaseException as error:
            await view.close(error)
            raise
        await view.close()
        return answer

    def view(self) -> Snapshot:
        """Return a view for whoever closes it."""
        return Snapshot(self._database)

    async def run(
        self, work: Callable[[Unit], Awaitable[Answer]], patience: float = PATIENCE_SECONDS, queue: str | None = None
    ) -> Answer:
        """Run `work` in a unit and commit; it may run again, so it must act through the unit alone.

        `queue` names whom it is for: what waits for one subject's lock must not have every connection.

        Nobody waits for ever: after `patience` (seconds) the asker gets an error, and a unit that is not at its
        commit by then rolls back. One that hangs in the commit itself may still succeed or fail.

        Raises:
            Unavailable: the database could not be reached, the unit could not commit in time, or what had to follow
                its commit failed.
        """
        asker = _Asker()
        task = asyncio.create_task(self._tried(work, asker, queue))
        task.add_done_callback(_looked_at)
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(task)
        except TimeoutError:
            raise Unavailable("the unit did not commit in time") from None
        finally:
            asker.waits = False

    async def run_at_once(self, statement: str, values: Mapping[str, Any]) -> None:
        """Run one statement of a file as a unit by itself, without events and messages. Raises Unavailable."""
        await self._database.write_at_once(statement, values)

    @property
    def alone(self) -> bool:
        """Whether one file is all that there is."""
        return self._database.dialect.single_writer

    async def _tried(self, work: Callable[[Unit], Awaitable[Answer]], asker: "_Asker", queue: str | None) -> Answer:
        for _ in range(ATTEMPTS):
            try:
                async with AsyncExitStack() as waits:
                    await waits.enter_async_context(self._queue(queue))
                    return await self._once(work, asker, waits)
            except DBAPIError as error:
                if not self._database.dialect.retryable(error):
                    raise
        raise Unavailable("the unit kept meeting others")

    def _queue(self, name: str | None) -> asyncio.Semaphore | nullcontext[None]:
        """Return what lets only some of a queue go on; a file has one connection, and turns of its own."""
        if name is None or self._database.dialect.single_writer:
            return nullcontext()
        return self._queues.setdefault(name, asyncio.Semaphore(WAITING_MAX))

    async def _once(
        self, work: Callable[[Unit], Awaitable[Answer]], asker: "_Asker", waits: AsyncExitStack
    ) -> Answer:
        if not asker.waits:
            raise Unavailable("nobody waits for this unit any more")
        async with self._database.writing() as connection:
            unit = Unit(self._database, connection, self._node)
            unit.waits = waits
            answer = await work(unit)
            await unit.seal()
            if not asker.waits:
                raise Unavailable("nobody waits for this unit any more")
            await unit.commit()
        await _follow(unit.after_commit)
        return answer


async def _follow(callbacks: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Run what follows a commit, all of it whatever happens to one; raise what went wrong first."""
    problem: LumioError | None = None
    for callback in callbacks:
        try:
            await callback()
        except LumioError as error:
            problem = problem or error
    if problem is not None:
        raise problem


@dataclass(slots=True)
class _Asker:
    """Whether somebody still waits for a unit."""

    waits: bool = True


def _looked_at(task: "asyncio.Future[Any]") -> None:
    """Take note of how something ended, so that what nobody waited for is no warning."""
    if not task.cancelled():
        task.exception()
