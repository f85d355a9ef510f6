"""The journal: where events become durable, inside a unit with their change or in a group commit alone.

Promise: when `append` returns, the row is on disk; when it raises, the caller must not answer success.
Group commit: whatever queued up while the previous commit ran is the next batch; nothing waits for a timer.
"""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.sqlite import pysqlite

from lumio.kernel.errors import Unavailable
from lumio.kernel.event import Event
from lumio.storage.columns import id_column, metadata
from lumio.storage.database import Database
from lumio.storage.dialect import PRAGMAS, PostgresDialect, SqliteDialect, asyncpg_pool

BATCH_MAX = 512
QUEUE_MAX = 8192

events = Table(
    "audit_event",
    metadata,
    id_column(primary_key=True),
    id_column("account_id"),
    Column("ts", BigInteger, nullable=False),
    Column("last_ts", BigInteger),
    Column("event", String(64), nullable=False),
    Column("result", String(7), nullable=False),
    Column("actor_type", String(16), nullable=False),
    Column("actor_id", String(64)),
    Column("actor_label", Text, nullable=False),
    Column("on_behalf_of", String(64)),
    Column("auth_method", String(32)),
    Column("credential_id", String(64)),
    Column("ip", String(64)),
    Column("ip_source", String(16)),
    Column("user_agent", Text),
    Column("request_id", String(64)),
    Column("target_type", String(32)),
    Column("target_id", String(64)),
    Column("detail", Text),
    Column("count", Integer, nullable=False),
    Column("node", String(64), nullable=False),
    Index(None, "account_id", "ts", "id"),
    Index(None, "ts", "id"),
)

Row = Mapping[str, Any]


class Sink(Protocol):
    """Makes a batch of rows durable."""

    async def open(self) -> None:
        """Open what the sink writes through."""
        ...

    async def write(self, rows: Sequence[Row]) -> None:
        """Return when all rows are on disk; raise when none is."""
        ...

    async def close(self) -> None:
        """Close it."""
        ...


class SqliteSink:
    """One thread, one connection, one statement a batch: a row at a time would fight over the interpreter."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._names = [column.name for column in events.columns]
        insertion = events.insert().from_select(self._names, _picks(self._names))
        self._sql = str(insertion.compile(dialect=pysqlite.dialect(paramstyle="named")))

    async def open(self) -> None:
        """Open the file in the writer's thread."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    def _open(self) -> None:
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in PRAGMAS:
            self._connection.execute(pragma)

    async def write(self, rows: Sequence[Row]) -> None:
        """Commit the rows."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows)

    def _write(self, rows: Sequence[Row]) -> None:
        if self._connection is None:
            raise Unavailable("the journal is closed")
        packed = json.dumps([[row[name] for name in self._names] for row in rows])
        self._connection.execute(self._sql, {"batch": packed})

    async def close(self) -> None:
        """Close the file."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresSink:
    """One connection, one pipelined batch a transaction."""

    def __init__(self, dialect: PostgresDialect) -> None:
        """Keep the address."""
        self._dialect = dialect
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        compiled = insert(events).compile(dialect=asyncpg_dialect.dialect())
        self._sql, self._names = compiled.string, tuple(compiled.positiontup or ())

    async def open(self) -> None:
        """Open the connection."""
        self._pool = await asyncpg_pool(self._dialect.url, 1)

    async def write(self, rows: Sequence[Row]) -> None:
        """Commit the rows: `executemany` is one transaction of its own."""
        if self._pool is None:
            raise Unavailable("the journal is closed")
        await self._pool.executemany(self._sql, [[row[name] for name in self._names] for row in rows])

    async def close(self) -> None:
        """Close the connection."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


def _picks(names: Sequence[str]) -> Select[Any]:
    """Return `SELECT value ->> 0, value ->> 1 … FROM json_each(:batch)`."""
    each = func.json_each(bindparam("batch")).table_valued("value")
    return select(*[func.json_extract(each.c.value, literal_column(f"'$[{place}]'")) for place in range(len(names))])


@dataclass(frozen=True, slots=True)
class Pending:
    """An event on its way to the disk, and when (in the loop's time) it will have taken too long."""

    written: asyncio.Future[None]
    deadline: float


class Journal:
    """Group commit for events that have no change beside them: authentications and refusals."""

    def __init__(self, database: Database, node: str, timeout: float) -> None:
        """Write into `database`; an event that is not durable after `timeout` seconds is Unavailable."""
        dialect = database.dialect
        self._sink: Sink = SqliteSink(dialect.path) if isinstance(dialect, SqliteDialect) else PostgresSink(dialect)
        self._database = database
        self._node = node
        self._timeout = timeout
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._work, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the writer, on the event loop that runs now."""
        self._work, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        await self._sink.open()
        self._task = asyncio.create_task(self._write_batches())

    async def close(self) -> None:
        """Write what waits, then stop; a disk that hangs is not waited for longer than anybody waits for it."""
        if self._task is not None:
            idle = asyncio.ensure_future(self._idle.wait())
            await asyncio.wait({self._task, idle}, timeout=self._timeout, return_when="FIRST_COMPLETED")
            idle.cancel()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._sink.close()

    def begin(self, event: Event) -> Pending:
        """Queue an event and start its clock. Raises Unavailable when too many are waiting."""
        if len(self._waiting) >= QUEUE_MAX:
            raise Unavailable("the journal's queue is full")
        loop = asyncio.get_running_loop()
        pending = Pending(loop.create_future(), loop.time() + self._timeout)
        self._waiting.append((event.row(self._node), pending.written))
        self._idle.clear()
        self._work.set()
        return pending

    async def settled(self, pending: Pending) -> None:
        """Wait until a queued event is durable.

        Raises:
            Unavailable: it is not, within the time limit since it was queued. It may still become so: a row too
                many is no harm.
        """
        try:
            async with asyncio.timeout_at(pending.deadline):
                await asyncio.shield(pending.written)
        except TimeoutError:
            raise Unavailable("the journal did not commit in time") from None

    async def append(self, event: Event) -> None:
        """Record one event and wait until it is durable."""
        await self.settled(self.begin(event))

    async def _write_batches(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                await self._write_batch(batch)
            self._idle.set()

    async def _write_batch(self, batch: Sequence[tuple[Row, asyncio.Future[None]]]) -> None:
        problem: Unavailable | None = None
        try:
            async with self._database.gate:
                await self._sink.write([row for row, _ in batch])
        except Unavailable as error:
            problem = error
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends these waiters and not the writer
            problem = Unavailable(f"journal: {type(error).__name__}: {error}")
        for _, future in batch:
            if future.done():
                continue
            if problem is None:
                future.set_result(None)
            else:
                future.set_exception(problem)
                future.exception()  # somebody may have stopped waiting: that is no warning
