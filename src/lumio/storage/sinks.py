"""Where a batch of the journal becomes durable: one statement on one connection of the raw driver.

Promise: `write` returns when all rows are on disk, and raises when none is.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import (
    Select,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite import pysqlite

from lumio.kernel.errors import Unavailable
from lumio.storage.database import Database
from lumio.storage.dialect import WRITER_PRAGMAS, PostgresDialect
from lumio.storage.events import NAMES, added_up, hot, tally
from lumio.storage.folding import VARIOUS, Row, Tally
from lumio.storage.packing import TALLY_NAMES, Packed, pack
from lumio.storage.postgres_sink import PostgresSink
from lumio.storage.shared_sink import SharedSink


class Sink(Protocol):
    """Makes a batch durable."""

    async def open(self) -> None:
        """Open what the sink writes through."""
        ...

    async def write(self, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        """Return when all of it is on disk; raise when none is."""
        ...

    async def close(self) -> None:
        """Close it."""
        ...


class SqliteFile:
    """One connection, and one transaction for whatever waits; blocking, so it belongs to a thread or a process."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        adding = sqlite_insert(tally).from_select(TALLY_NAMES, _picks(TALLY_NAMES).where(true()))
        self._insert = _sqlite_text(insert(hot).from_select(NAMES, _picks(NAMES)))
        self._add = _sqlite_text(adding.on_conflict_do_update(index_elements=["name"], set_=added_up(adding)))

    def open(self) -> None:
        """Open the file."""
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in WRITER_PRAGMAS:
            self._connection.execute(pragma)

    def write(self, batches: Sequence[Packed]) -> None:
        """Commit all batches together: one statement each, for a row at a time would fight over the interpreter.

        Raises:
            Unavailable: nothing of it is on disk.
        """
        if self._connection is None:
            raise Unavailable("the journal is closed")
        try:
            self._write(self._connection, batches)
        except sqlite3.Error as error:
            raise Unavailable(f"journal: {type(error).__name__}: {error}") from error

    def _write(self, connection: sqlite3.Connection, batches: Sequence[Packed]) -> None:
        if len(batches) == 1 and not batches[0].tallies:
            connection.execute(self._insert, {"batch": batches[0].rows})
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for batch in batches:
                if batch.rows:
                    connection.execute(self._insert, {"batch": batch.rows})
                if batch.tallies:
                    connection.execute(self._add, {"batch": batch.tallies, "various": VARIOUS})
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class SqliteSink:
    """The file in a thread of its own: for a process that writes it alone."""

    def __init__(self, database: Database, path: Path) -> None:
        """Take turns with the units of `database`."""
        self._database = database
        self._file = SqliteFile(path)
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Open the file in the writer's thread."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.open)

    async def write(self, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        """Commit the batch."""
        async with self._database.journal_gate:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows, tallies)

    def _write(self, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        self._file.write([pack(rows, tallies)])

    async def close(self) -> None:
        """Close the file."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None
        self._file.close()


def choose(database: Database, shared: Path | None = None) -> Sink:
    """Return the sink of a database; `shared` is the socket of the process that writes a file for several workers."""
    dialect = database.dialect
    if isinstance(dialect, PostgresDialect):
        return PostgresSink(dialect)
    return SqliteSink(database, dialect.path) if shared is None else SharedSink(shared)


def _picks(names: Sequence[str]) -> Select[Any]:
    """Return `SELECT json_extract(value, '$[0]'), … FROM json_each(:batch)`."""
    each = func.json_each(bindparam("batch")).table_valued("value")
    return select(*[func.json_extract(each.c.value, literal_column(f"'$[{place}]'")) for place in range(len(names))])


def _sqlite_text(statement: Any) -> str:
    return str(statement.compile(dialect=pysqlite.dialect(paramstyle="named")))
