"""The two halves of a database: `reading()` never locks, `writing()` takes what it needs at the start.

Promise: a database that cannot be reached or written is Unavailable, never a traceback and never a guess.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import aiosqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from lumio.kernel.errors import Conflict, Unavailable
from lumio.storage.dialect import SqliteDialect, choose
from lumio.storage.driver import DRIVER_FAILURES
from lumio.storage.hot import HotReader, open_hot
from lumio.storage.turns import Turns


class Database:
    """One database of either kind."""

    def __init__(self, url: str) -> None:
        """Choose the dialect by the address; nothing is opened yet."""
        self.dialect = choose(url)
        self.reads = self.dialect.read_engine()
        self.writes = self.dialect.write_engine()
        self.gate = self._new_gate()
        self.hot: HotReader = open_hot(self.dialect)

    async def open(self) -> None:
        """Open the raw connections of the hot path, on the event loop that runs now."""
        self._close_gate()
        self.gate = self._new_gate()
        await self.hot.open()

    def _new_gate(self) -> Turns | nullcontext[None]:
        return Turns(self.dialect.path) if isinstance(self.dialect, SqliteDialect) else nullcontext()

    @property
    def journal_gate(self) -> AbstractAsyncContextManager[None]:
        """The gate for the journal, which comes first."""
        return self.gate.first if isinstance(self.gate, Turns) else self.gate

    def _close_gate(self) -> None:
        if isinstance(self.gate, Turns):
            self.gate.close()

    async def close(self) -> None:
        """Close everything."""
        await self.hot.close()
        await self.reads.dispose()
        await self.writes.dispose()
        self._close_gate()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose statements see one snapshot and change nothing.

        Raises:
            Unavailable: the database does not answer.
        """
        with translated():
            async with self.reads.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection inside a transaction that may write; the caller commits or it rolls back.

        Raises:
            Unavailable: the database does not answer, or has committed what a failover may lose.
            Conflict: a constraint was broken.
            DBAPIError: another transaction was in the way, and the same unit may be tried again.
        """
        with translated(self.dialect.retryable):
            async with self.gate, self.writes.connect() as connection:
                await connection.begin()
                yield connection
                if not await self.dialect.waited(connection):
                    raise Unavailable("a commit did not wait for its standby")

    async def write_at_once(self, statement: str, values: Mapping[str, Any]) -> None:
        """Run one statement on a file, a transaction of its own: it has the file while it runs and no longer.

        A unit has the file for some turns of the event loop, and those are long when many ask.

        Raises:
            Unavailable: nothing was written.
        """
        with translated():
            async with self.gate, self.writes.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                assert isinstance(driver, aiosqlite.Connection)  # noqa: S101 - the caller knows that it is a file
                try:
                    await driver.execute(statement, values)
                except sqlite3.Error as error:
                    raise Unavailable(f"database: {type(error).__name__}: {error}") from error


def _never(_error: DBAPIError) -> bool:
    return False


class translated:  # noqa: N801 - reads as a word in a with statement
    """Turn a failing database into Unavailable, a broken constraint into Conflict; let `passing` errors pass."""

    def __init__(self, passing: Callable[[DBAPIError], bool] = _never) -> None:
        """Keep what passes."""
        self._passing = passing

    def __enter__(self) -> None:
        """Start watching."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Translate what went wrong."""
        if isinstance(error, DBAPIError) and self._passing(error):
            return
        if isinstance(error, IntegrityError):
            raise Conflict("Another request was faster.", retry_after=1) from error
        if isinstance(error, (SQLAlchemyError, *DRIVER_FAILURES)):
            raise Unavailable(f"database: {type(error).__name__}: {error}") from error
