"""Every difference between SQLite and PostgreSQL, in one place.

Promise: no other module asks which database it is on.
"""

import asyncio
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Table, event, text
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from lumio.storage.driver import gave_up_waiting

BUSY = "PRAGMA busy_timeout=5000"
STATEMENT_LIMIT = "5s"
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    BUSY,
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
)
WRITER_PRAGMAS = (
    *PRAGMAS,
    # 32 MiB: the log's indexes are written all over, and with 2 MiB the sealer reads the same pages again and again.
    "PRAGMA cache_size=-32768",
    # Pages, 32 MiB of them. The sealer moves them into the file long before that, outside every transaction: nobody
    # who waits for the disk shall do it.
    "PRAGMA wal_autocheckpoint=8192",
)
_DOUBTFUL = "a commit did not wait for its standby"
_PG_RETRY = {"40001", "40P01"}


class Dialect(Protocol):
    """What the rest of the storage asks of a database."""

    url: URL
    single_writer: bool
    days_apart: bool
    """Whether each day of the sealed log lies in a table of its own."""
    patience: float | None
    """Seconds that a reader waits for one answer; None where there is no link that could be cut."""

    def upsert(self, table: Table) -> Any:
        """Return an INSERT that can say what happens to a row that is there already."""
        ...

    def read_engine(self) -> AsyncEngine:
        """Return the engine whose transactions only read."""
        ...

    def write_engine(self) -> AsyncEngine:
        """Return the engine whose transactions may write and say so at their start."""
        ...

    async def lock(self, connection: AsyncConnection, shared: Iterable[str], exclusive: Iterable[str]) -> None:
        """Take the locks of a unit, in one sorted step, until its end."""
        ...

    async def try_lock(self, connection: AsyncConnection, name: str) -> bool:
        """Take a lock until the transaction's end, or tell that another one has it."""
        ...

    async def wake(self, connection: AsyncConnection) -> None:
        """Tell the nodes of a fleet, at the commit, that the revocation feed has grown."""
        ...

    async def partition(self, connection: AsyncConnection, day: int) -> None:
        """Make room in the sealed log for a day (days since 1970)."""
        ...

    async def drop_partition(self, connection: AsyncConnection, day: int) -> bool:
        """Drop a day of the sealed log whole; False where days have no room of their own."""
        ...

    async def may_change_log(self, connection: AsyncConnection) -> bool:
        """Tell whether this role may change or delete sealed events."""
        ...

    async def waited(self, connection: AsyncConnection) -> bool:
        """Tell whether the last commit was waited for as far as it should be; asked after it, once."""
        ...

    def retryable(self, error: DBAPIError) -> bool:
        """Tell whether the same unit may simply be tried again."""
        ...


class SqliteDialect:
    """One file, WAL, one writer at a time: `BEGIN IMMEDIATE` is every lock that there is."""

    single_writer = True
    days_apart = False
    patience = None

    def __init__(self, url: URL) -> None:
        """Keep the address; make the folder of the file."""
        self.url = url
        if not url.database or url.database == ":memory:":
            message = "LUMIO_DATABASE_URL: an SQLite database needs a file"
            raise ValueError(message)
        self.path = Path(url.database).absolute()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _engine(self, begin: str, size: int, *pragmas: str) -> AsyncEngine:
        engine = create_async_engine(self.url, pool_size=size, max_overflow=0)

        @event.listens_for(engine.sync_engine, "connect")
        def set_up(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # the driver starts no transaction behind our back
            cursor = connection.cursor()
            for pragma in pragmas:
                cursor.execute(pragma)
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def start(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def upsert(self, table: Table) -> Any:
        """Return SQLite's own INSERT."""
        return sqlite_insert(table)

    def read_engine(self) -> AsyncEngine:
        """Return an engine with deferred transactions that can change nothing."""
        return self._engine("BEGIN", 4, *PRAGMAS, "PRAGMA query_only=ON")

    def write_engine(self) -> AsyncEngine:
        """Return an engine that takes the write lock first: a read that becomes a write can fail."""
        return self._engine("BEGIN IMMEDIATE", 1, *WRITER_PRAGMAS)

    async def lock(self, connection: AsyncConnection, shared: Iterable[str], exclusive: Iterable[str]) -> None:
        """Do nothing: the write lock of the file is held already."""

    async def try_lock(self, connection: AsyncConnection, name: str) -> bool:  # noqa: ARG002
        """Return True: the write lock of the file is held already."""
        return True

    async def wake(self, connection: AsyncConnection) -> None:
        """Do nothing: every check reads the file."""

    async def partition(self, connection: AsyncConnection, day: int) -> None:
        """Do nothing: all days share one table."""

    async def drop_partition(self, connection: AsyncConnection, day: int) -> bool:  # noqa: ARG002
        """Return False: rows are deleted one slice after the other."""
        return False

    async def may_change_log(self, connection: AsyncConnection) -> bool:  # noqa: ARG002
        """Return True: whoever writes a file may write all of it."""
        return True

    async def waited(self, connection: AsyncConnection) -> bool:  # noqa: ARG002
        """Return True: the file is on the disk."""
        return True

    def retryable(self, error: DBAPIError) -> bool:  # noqa: ARG002
        """Return False: with the lock taken first nothing can be in the way."""
        return False


class PostgresDialect:
    """Many writers; units order themselves by advisory locks on their subjects."""

    single_writer = False
    days_apart = True
    patience = 5.0

    def __init__(self, url: URL) -> None:
        """Keep the address."""
        self.url = url

    def _engine(self, pool_size: int, isolation: str, **session: str) -> AsyncEngine:
        return create_async_engine(
            self.url,
            isolation_level=isolation,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            connect_args={
                "timeout": 5,
                "server_settings": {
                    "statement_timeout": STATEMENT_LIMIT,
                    "idle_in_transaction_session_timeout": STATEMENT_LIMIT,
                    "lock_timeout": STATEMENT_LIMIT,
                    "synchronous_commit": "on",
                    **session,
                },
            },
        )

    def upsert(self, table: Table) -> Any:
        """Return PostgreSQL's own INSERT."""
        return postgres_insert(table)

    def read_engine(self) -> AsyncEngine:
        """Return the engine of readers: one snapshot a transaction, and no change."""
        return self._engine(8, "REPEATABLE READ", default_transaction_read_only="on")

    def write_engine(self) -> AsyncEngine:
        """Return the engine of writers: each statement sees what was committed before the locks were had.

        The limit of the whole transaction (PostgreSQL 17) is what frees the locks of a node that stops between two
        messages of one statement: the other limits do not count then, and its locks would hold up every revocation.
        """
        engine = self._engine(8, "READ COMMITTED", transaction_timeout=STATEMENT_LIMIT)

        @event.listens_for(engine.sync_engine, "connect")
        def listen(connection: Any, record: Any) -> None:
            def warned(_connection: object, message: Any) -> None:
                if gave_up_waiting(message):
                    record.info[_DOUBTFUL] = True

            connection.driver_connection.add_log_listener(warned)

        return engine

    async def lock(self, connection: AsyncConnection, shared: Iterable[str], exclusive: Iterable[str]) -> None:
        """Take transaction-level advisory locks in the order of their numbers, so that no two units deadlock.

        One statement for all of them: the server goes through the list in its order and waits where it must.
        """
        hard = {lock_number(name) for name in exclusive}
        numbers = sorted(hard | {lock_number(name) for name in shared})
        if numbers:
            await connection.execute(_LOCK, {"numbers": numbers, "hard": [one in hard for one in numbers]})

    async def wake(self, connection: AsyncConnection) -> None:
        """Notify whoever follows the revocation feed, at the commit."""
        await connection.execute(_WAKE)

    async def try_lock(self, connection: AsyncConnection, name: str) -> bool:
        """Take a transaction-level advisory lock if it is free."""
        return bool((await connection.execute(_TRY_LOCK, {"number": lock_number(name)})).scalar())

    async def partition(self, connection: AsyncConnection, day: int) -> None:
        """Make the day's partitions where they are missing; the function runs with its owner's rights."""
        if not (await connection.execute(_HAS_DAY, {"name": f"audit_log_{day}"})).scalar():
            await connection.execute(_MAKE_DAY, {"day": day})

    async def drop_partition(self, connection: AsyncConnection, day: int) -> bool:
        """Drop the day's partitions."""
        await connection.execute(_DROP_DAY, {"day": day})
        return True

    async def may_change_log(self, connection: AsyncConnection) -> bool:
        """Ask for the role's rights on the sealed log."""
        return bool((await connection.execute(_MAY_CHANGE)).scalar())

    async def waited(self, connection: AsyncConnection) -> bool:
        """Return False when the server has warned of a commit that its standby may not have."""
        await asyncio.sleep(0)  # the driver hands on what the server warned of in the loop's next turn
        return not connection.info.pop(_DOUBTFUL, False)

    def retryable(self, error: DBAPIError) -> bool:
        """Return True for a serialization failure or a deadlock."""
        return getattr(error.orig, "sqlstate", None) in _PG_RETRY


_LOCK = text("""
SELECT count(CASE WHEN hard THEN pg_advisory_xact_lock(number)::text
                  ELSE pg_advisory_xact_lock_shared(number)::text END)
FROM unnest(CAST(:numbers AS bigint[]), CAST(:hard AS boolean[])) AS wanted(number, hard)
""")
_WAKE = text("SELECT pg_notify('lumio_revocation', '')")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:number)")
_HAS_DAY = text("SELECT to_regclass(:name) IS NOT NULL")
_MAKE_DAY = text("SELECT lumio_audit_partition(CAST(:day AS integer))")
_MAY_CHANGE = text("SELECT has_table_privilege('audit_log', 'DELETE') OR has_table_privilege('audit_log', 'UPDATE')")
_DROP_DAY = text("SELECT lumio_audit_drop(CAST(:day AS integer))")


def lock_number(name: str) -> int:
    """Return the signed 64-bit number under which PostgreSQL locks `name`."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def choose(url: str) -> SqliteDialect | PostgresDialect:
    """Return the dialect of a database address.

    Raises:
        ValueError: neither SQLite nor PostgreSQL.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return SqliteDialect(parsed.set(drivername="sqlite+aiosqlite"))
    if backend == "postgresql":
        return PostgresDialect(parsed.set(drivername="postgresql+asyncpg"))
    message = f"LUMIO_DATABASE_URL: {backend} is not supported; use sqlite or postgresql"
    raise ValueError(message)


def migration_engine(dialect: SqliteDialect | PostgresDialect) -> AsyncEngine:
    """Return an engine without limits of time, for migrations only."""
    if isinstance(dialect, SqliteDialect):
        return dialect.write_engine()
    return create_async_engine(dialect.url, poolclass=NullPool)
