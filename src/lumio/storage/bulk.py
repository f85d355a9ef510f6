"""Many rows of a unit at once, by the raw drivers: what the sealer moves (spec: audit log, section 3).

Promise: everything here happens inside the unit's own transaction: it commits with the unit, or not at all.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy import ARRAY, ColumnElement, Table, bindparam, column, delete, func, insert, select
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from lumio.storage.dialect import PostgresDialect, SqliteDialect
from lumio.storage.events import NAMES, hot

Names = tuple[str, ...]
Rows = Sequence[tuple[Any, ...]]
_NAMES = ("n", *NAMES)
_OLDEST = [hot.c[name] for name in _NAMES]
CHECKPOINT_ROWS = 1024
"""Sealed rows after which the pages that they changed are moved into the file: some megabytes of them."""


class Bulk(Protocol):
    """Moves many rows; `names` are columns in the order of their table, and rows have their values in that order."""

    slice: int
    """Rows that one unit of the sealer moves."""
    rest: float
    """Seconds between two units of the sealer."""

    async def look(self, connection: AsyncConnection, most: int) -> list[Mapping[str, Any]]:
        """Return the oldest rows of the hot journal, in their order; none where that does not pay."""
        ...

    async def take(self, connection: AsyncConnection, most: int, seen: Sequence[Any] = ()) -> list[Mapping[str, Any]]:
        """Remove the oldest rows of the hot journal and return them, in their order.

        Args:
            connection: of a unit.
            most: how many at most.
            seen: what `look` returned, when nobody took anything since.
        """
        ...

    async def add(self, connection: AsyncConnection, table: Table, names: Names, rows: Rows) -> None:
        """Insert rows."""
        ...

    async def put(self, connection: AsyncConnection, table: Table, names: Names, rows: Rows) -> None:
        """Insert rows, or change those that are there; the first name is the table's key."""
        ...

    async def settle(self, moved: int) -> None:
        """Do what the database owes for so many moved rows and nobody shall wait for; outside every transaction."""
        ...


class SqliteBulk:
    """One call of the driver for many rows: its loop is in C."""

    def __init__(self, path: Path) -> None:
        """Keep the path of the file."""
        self._path = path
        self._moved = 0

    slice = 256
    """An answer that waits for the disk waits for no more than these: some 10 ms."""
    rest = 0.01
    """Writers of one file wait for each other by polling: without a rest a backlog would keep the others out."""

    async def look(self, connection: AsyncConnection, most: int) -> list[Mapping[str, Any]]:
        """Read them: while a unit has the file no answer becomes durable, so what can be done before is."""
        found = await connection.execute(select(*_OLDEST).order_by(hot.c.n).limit(most))
        return [dict(zip(_NAMES, row, strict=True)) for row in found]

    async def take(self, connection: AsyncConnection, most: int, seen: Sequence[Any] = ()) -> list[Mapping[str, Any]]:
        """Read, then delete up to the last: the file's write lock is held, and what comes later has greater numbers.

        Raises:
            RuntimeError: what was seen is not what is there.
        """
        rows = list(seen) or await self.look(connection, most)
        if rows:
            removed = await connection.execute(delete(hot).where(hot.c.n <= rows[-1]["n"]))
            if removed.rowcount != len(rows):
                message = f"the journal has {removed.rowcount} of {len(rows)} rows that were seen"
                raise RuntimeError(message)
        return rows

    async def add(self, connection: AsyncConnection, table: Table, names: Names, rows: Rows) -> None:
        """Insert rows."""
        await connection.exec_driver_sql(_sqlite_insert(table, names), list(rows))

    async def put(self, connection: AsyncConnection, table: Table, names: Names, rows: Rows) -> None:
        """Insert rows, or change those that are there."""
        await connection.exec_driver_sql(_sqlite_upsert(table, names), list(rows))

    async def settle(self, moved: int) -> None:
        """Move committed pages from the write-ahead log into the file: others go on writing meanwhile."""
        self._moved += moved
        if self._moved >= CHECKPOINT_ROWS:
            self._moved = 0
            await asyncio.to_thread(_checkpoint, self._path)


class PostgresBulk:
    """COPY for what is new; a column travels as one array for what may be there."""

    slice = 2048
    """Nobody waits for the sealer here, and each unit reads the whole journal to find its oldest rows."""
    rest = 0.0

    async def look(self, _connection: AsyncConnection, _most: int) -> list[Mapping[str, Any]]:
        """Return none: a unit of the sealer is in nobody's way."""
        return []

    async def take(self, connection: AsyncConnection, most: int, _seen: Rows = ()) -> list[Mapping[str, Any]]:
        """Delete by the rows' own addresses: one way through the journal, and what commits meanwhile stays."""
        found = await connection.execute(_TAKE, {"most": most})
        return [dict(zip(_NAMES, row, strict=True)) for row in sorted(found, key=itemgetter(0))]

    async def add(self, connection: AsyncConnection, table: Table, names: Names, rows: Rows) -> None:
        """Insert rows."""
        await (await _driver(connection)).copy_records_to_table(table.name, records=rows, columns=names)

    async def put(self, connection: AsyncConnection, table: Table, names: Names, rows: Rows) -> None:
        """Insert rows, or change those that are there."""
        await (await _driver(connection)).execute(_postgres_upsert(table, names), *zip(*rows, strict=True))

    async def settle(self, moved: int) -> None:
        """Owe nothing: the server has processes of its own for it."""


def choose(dialect: SqliteDialect | PostgresDialect) -> Bulk:
    """Return what moves rows on a database."""
    return SqliteBulk(dialect.path) if isinstance(dialect, SqliteDialect) else PostgresBulk()


def _checkpoint(path: Path) -> None:
    """Do as much as is possible without making anybody wait (PASSIVE); what is left is for the next time."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=0)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


async def _driver(connection: AsyncConnection) -> "asyncpg.Connection[asyncpg.Record]":
    """Return the raw connection. Raises RuntimeError: its transaction has not begun, so it would commit by itself."""
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, asyncpg.Connection) or not driver.is_in_transaction():
        message = "rows are moved inside a unit, after its first statement"
        raise RuntimeError(message)
    return driver


_address: ColumnElement[Any] = column("ctid")
_OLD = select(_address).select_from(hot).order_by(hot.c.n).limit(bindparam("most"))
_TAKE = delete(hot).where(_address == func.any(func.array(_OLD.scalar_subquery()))).returning(*_OLDEST)


@cache
def _sqlite_insert(table: Table, names: Names) -> str:
    compiled = insert(table).compile(dialect=pysqlite.dialect(paramstyle="qmark"), column_keys=names)
    return str(compiled)


@cache
def _sqlite_upsert(table: Table, names: Names) -> str:
    adding = _changing(sqlite_insert(table), names)
    return str(adding.compile(dialect=pysqlite.dialect(paramstyle="qmark"), column_keys=names))


@cache
def _postgres_upsert(table: Table, names: Names) -> str:
    arrays = select(*[func.unnest(bindparam(name, type_=ARRAY(table.c[name].type))) for name in names])
    adding = _changing(postgres_insert(table).from_select(names, arrays), names)
    return str(adding.compile(dialect=asyncpg_dialect.dialect()))


def _changing(adding: Any, names: Names) -> Any:
    key, *rest = names
    return adding.on_conflict_do_update(index_elements=[key], set_={name: adding.excluded[name] for name in rest})
