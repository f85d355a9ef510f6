"""The database under an installation, reached beside the product: to count what it wrote and to pour rows in bulk.

Promise: what is poured stands in the product's own tables; the server's durability stays as the product sets it.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Table
from sqlalchemy.engine import make_url

from bench.postgres import DurablePostgres

SLICE = 50_000
Rows = Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Sqlite:
    """The file in the data folder."""

    folder: Path

    name = "SQLite"
    root = None

    @property
    def settings(self) -> dict[str, str]:
        """Return nothing: this is what the product uses by itself."""
        return {}

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Give a connection."""
        with closing(sqlite3.connect(self.folder / "lumio.db", isolation_level=None, timeout=60)) as database:
            yield database

    def ask(self, statement: str) -> str:
        """Return the first column of the first row."""
        with self.opened() as database:
            return str(database.execute(statement).fetchone()[0])

    def run(self, script: str) -> None:
        """Run statements; on disk and out of the write-ahead log when they are done."""
        with self.opened() as database:
            database.executescript(f"BEGIN;{script};COMMIT;ANALYZE;PRAGMA wal_checkpoint(TRUNCATE)")

    def pour(self, table: Table, columns: Sequence[str], rows: Rows) -> None:
        """Insert many rows in one transaction."""
        places = ",".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({','.join(columns)}) VALUES ({places})"  # noqa: S608 - ours
        with self.opened() as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(statement, rows)
            database.execute("COMMIT")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A database of the bench's server."""

    server: DurablePostgres
    database: str
    url: str

    name = "PostgreSQL"

    @property
    def settings(self) -> dict[str, str]:
        """Return the address."""
        return {"LUMIO_DATABASE_URL": self.url}

    @property
    def root(self) -> int:
        """Return the server's first process."""
        return self.server.first

    def ask(self, statement: str) -> str:
        """Return the first column of the first row."""
        return self.server.ask(statement, self.database)

    def run(self, script: str) -> None:
        """Run statements, then do what autovacuum does within a minute of such a change."""
        self.server.ask(script, self.database)
        self.server.ask("VACUUM ANALYZE", self.database)
        self.server.ask("CHECKPOINT", self.database)

    def pour(self, table: Table, columns: Sequence[str], rows: Rows) -> None:
        """Insert many rows by COPY."""
        asyncio.run(self._copy(table.name, columns, rows))
        self.run("")

    async def _copy(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        connection = await self.connect()
        try:
            left = iter(rows)
            while records := list(islice(left, SLICE)):
                await connection.copy_records_to_table(table, records=records, columns=list(columns))
        finally:
            await connection.close()

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Open a raw connection."""
        host = str(make_url(self.url).query["host"])
        return await asyncpg.connect(host=host, user="postgres", database=self.database)
