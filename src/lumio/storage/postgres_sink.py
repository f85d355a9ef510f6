"""Where a batch of the journal becomes durable on PostgreSQL: one statement on one connection of the raw driver.

Promise: `write` returns when all rows are on disk, on the standby too where there is one, and raises when none is.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import asyncpg
from sqlalchemy import (
    BigInteger,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.postgresql import insert as postgres_insert

from lumio.kernel.errors import Unavailable
from lumio.storage.dialect import PostgresDialect
from lumio.storage.driver import asyncpg_connection, gave_up_waiting
from lumio.storage.events import NAMES, added_up, hot, tally
from lumio.storage.folding import VARIOUS, Row, Tally
from lumio.storage.packing import TALLY_NAMES, pack


class PostgresSink:
    """One connection, one statement a batch, which is its own transaction; a batch travels as one text.

    An array for each column would be taken apart value by value on the event loop; a text is the server's to read.
    """

    def __init__(self, dialect: PostgresDialect) -> None:
        """Keep the address."""
        self._dialect = dialect
        self._open = False
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._doubts: list[asyncpg.PostgresLogMessage] = []
        adding = postgres_insert(tally).from_select(TALLY_NAMES, _elements(tally, TALLY_NAMES, "tallies"))
        added = adding.on_conflict_do_update(index_elements=["name"], set_=added_up(adding))
        telling = insert(hot).from_select(NAMES, _elements(hot, NAMES, "rows"))
        self._insert = _postgres_text(telling)
        self._insert_and_add = _postgres_text(added.add_cte(telling.cte("told")))

    async def open(self) -> None:
        """Open the connection."""
        self._open = True
        await self._connect()

    async def write(self, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        """Commit the batch, on a new connection when the last one broke.

        Raises:
            Unavailable: the journal is closed, or the commit did not wait for its standby: a failover may lose it.
        """
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = await self._connect()
        self._doubts.clear()
        try:
            await self._write(connection, rows, tallies)
        except BaseException:  # whatever is still on its way belongs to nobody who could take it
            self._connection = None
            connection.terminate()
            raise
        if self._doubts:
            raise Unavailable("journal: a commit did not wait for its standby")

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        if not self._open:
            raise Unavailable("the journal is closed")
        connection = self._connection = await asyncpg_connection(self._dialect.url)
        connection.add_log_listener(self._warned)
        return connection

    def _warned(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        if gave_up_waiting(message):
            self._doubts.append(message)

    async def _write(self, connection: Any, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        # In one order everywhere: hosts that were given one name share rows, and would lock them crosswise.
        batch = pack(rows, sorted(tallies, key=attrgetter("name")))
        if not tallies:
            await connection.execute(*_bound(self._insert, {"rows": batch.rows}))
            return
        values = {"rows": batch.rows or "[]", "tallies": batch.tallies, "various": VARIOUS}
        await connection.execute(*_bound(self._insert_and_add, values))

    async def close(self) -> None:
        """Close the connection."""
        self._open = False
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _elements(table: Table, names: Sequence[str], batch: str) -> Select[Any]:
    """Return `SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), … FROM jsonb_array_elements($1::JSONB)`."""
    given = cast(bindparam(batch, type_=Text), JSONB)
    each = func.jsonb_array_elements(given).table_valued("value")
    texts = [each.c.value.op("->>")(literal_column(str(place))) for place in range(len(names))]
    # Texts are not cast: a cast cuts off what is too long, an INSERT refuses it.
    return select(
        *[
            cast(text, BigInteger) if table.c[name].type.python_type is int else text
            for name, text in zip(names, texts, strict=True)
        ]
    )


def _postgres_text(statement: Any) -> tuple[str, tuple[str, ...]]:
    compiled = statement.compile(dialect=asyncpg_dialect.dialect())
    return compiled.string, tuple(compiled.positiontup or ())


def _bound(statement: tuple[str, tuple[str, ...]], values: Any) -> list[Any]:
    text, names = statement
    return [text, *(values[name] for name in names)]
