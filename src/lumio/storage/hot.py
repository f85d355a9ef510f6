"""Reads on the path of every request, by the raw drivers: a lookup costs microseconds, not a layer.

Promise: each read sees everything that was committed before it began, or before its turn of the loop did.
"""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import asyncpg
from sqlalchemy import Compiled, Select
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.sqlite import pysqlite

from lumio.kernel.errors import Unavailable
from lumio.storage.dialect import BUSY, PostgresDialect, SqliteDialect
from lumio.storage.driver import DRIVER_FAILURES, asyncpg_pool

HOT_ROWS_MAX = 16_384
"""Rows that a store remembers in words, by what the database said of them; they are read each time all the same."""


class HotQuery:
    """A SELECT compiled once for either driver; parameters are passed by name."""

    def __init__(self, statement: Select[Any]) -> None:
        """Keep the expression; it is compiled at first use."""
        self._statement = statement

    @cached_property
    def for_sqlite(self) -> "Prepared":
        """The query with `?` for its parameters."""
        return _prepare(self._statement.compile(dialect=pysqlite.dialect(paramstyle="qmark")))

    @cached_property
    def for_postgres(self) -> "Prepared":
        """The query with `$1` for its parameters."""
        return _prepare(self._statement.compile(dialect=asyncpg_dialect.dialect()))


class Prepared(NamedTuple):
    """A query's text, the names of its parameters in order, and the values that stand in it already."""

    sql: str
    names: Sequence[str]
    fixed: Mapping[str, Any]

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in the driver's order."""
        if self.fixed:
            values = {**self.fixed, **values}
        return [values[name] for name in self.names]


def _prepare(compiled: Compiled) -> Prepared:
    fixed = {name: value for name, value in (compiled.params or {}).items() if value is not None}
    return Prepared(str(compiled), getattr(compiled, "positiontup", None) or (), fixed)


class HotReader(Protocol):
    """Reads a few rows at a time; times come as microseconds."""

    async def open(self) -> None:
        """Open the connection."""
        ...

    async def close(self) -> None:
        """Close it."""
        ...

    async def row(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        """Return the first row, or None. Raises Unavailable when the database does not answer."""
        ...

    async def rows(self, query: HotQuery, **values: Any) -> Sequence[Sequence[Any]]:
        """Return every row. Raises Unavailable when the database does not answer."""
        ...

    def alone(self) -> AbstractAsyncContextManager["HotReader"]:
        """Give a reader with one connection: all that it reads is of one server, and never older than before.

        Closing it lets go of a server that is not to be believed.
        """
        ...

    def sound(self) -> bool:
        """Tell whether the opened database is still the one at its address."""
        ...


class SqliteReader:
    """On the event loop itself: a lookup takes about 10 µs, less than handing it to a thread."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._in_turn = False

    async def open(self) -> None:
        """Open the file for reading only."""
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._connection.execute(BUSY)
        self._connection.execute("PRAGMA query_only=ON")
        self._identity = self._on_disk()

    async def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def begin(self) -> int:
        """Begin a turn: the reads until its `end` see one state, which is what makes them cheap.

        Never longer than a turn of the event loop: nobody waits for anything meanwhile.

        Returns:
            A number that is another one after any commit by whomever else.
        """
        self.end()
        version = int(self._plain("PRAGMA data_version")[0][0])
        self._in_turn = True
        return version

    def end(self) -> None:
        """End the turn: every read sees the newest state again."""
        self._in_turn = False
        if self._connection is not None and self._connection.in_transaction:
            self._plain("ROLLBACK")

    async def row(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        """Return the first row, or None."""
        return self.row_now(query, **values)

    def row_now(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        """Return the same without waiting: a file needs none."""
        rows = self._read(query.for_sqlite, values)
        return rows[0] if rows else None

    async def rows(self, query: HotQuery, **values: Any) -> Sequence[Sequence[Any]]:
        """Return every row."""
        return self._read(query.for_sqlite, values)

    def _read(self, prepared: Prepared, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        if self._in_turn and self._connection is not None and not self._connection.in_transaction:
            self._plain("BEGIN")
        return self._plain(prepared.sql, prepared.bind(values))

    def _plain(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        if self._connection is None:
            raise Unavailable("the database is closed")
        try:
            found: list[Sequence[Any]] = self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(f"database: {error}") from error
        return found

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[HotReader]:
        """Give itself: there is one file."""
        yield self

    def sound(self) -> bool:
        """Return False when another file lies where the opened one was."""
        return self._on_disk() == self._identity

    def _on_disk(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (-1, -1)
        return found.st_dev, found.st_ino


class PostgresReader:
    """A small pool of prepared statements."""

    def __init__(self, dialect: PostgresDialect) -> None:
        """Keep the address."""
        self._dialect = dialect
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Open the pool."""
        self._pool = await asyncpg_pool(self._dialect.url, 8)

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def row(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        """Return the first row, or None."""
        rows = await self.rows(query, **values)
        return rows[0] if rows else None

    async def rows(self, query: HotQuery, **values: Any) -> Sequence[Sequence[Any]]:
        """Return every row."""
        async with self.alone() as one:
            return await one.rows(query, **values)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[HotReader]:
        """Lend one connection of the pool."""
        if self._pool is None:
            raise Unavailable("the database is closed")
        try:
            async with self._pool.acquire() as connection:
                yield _OneConnection(connection)
        except DRIVER_FAILURES as error:
            raise Unavailable(f"database: {type(error).__name__}: {error}") from error

    def sound(self) -> bool:
        """Return True: a server has no file to be swapped."""
        return True


class _OneConnection:
    """A connection that is lent; what goes wrong with it is named by the pool."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def open(self) -> None:
        """Do nothing: it is open."""

    async def close(self) -> None:
        """End the connection; the pool makes another, which may lead elsewhere."""
        self._connection.terminate()

    async def row(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        rows = await self.rows(query, **values)
        return rows[0] if rows else None

    async def rows(self, query: HotQuery, **values: Any) -> Sequence[Sequence[Any]]:
        prepared = query.for_postgres
        return [tuple(one.values()) for one in await self._connection.fetch(prepared.sql, *prepared.bind(values))]

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[HotReader]:
        yield self

    def sound(self) -> bool:
        return True


def open_hot(dialect: SqliteDialect | PostgresDialect) -> HotReader:
    """Return the reader of a dialect."""
    return SqliteReader(dialect.path) if isinstance(dialect, SqliteDialect) else PostgresReader(dialect)
