"""The primary of a fleet, over one session connection of the raw driver.

Promise: an answer is either whole and durable or Unavailable. A question that takes too long costs the connection:
while a commit waits for its standby, cancelling it would report a success that never was.
"""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any

import asyncpg

from lumio.authority.primary import Beat, Node, Tailed
from lumio.authority.subjects import Ending, Entry, Subject
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.storage.dialect import STATEMENT_LIMIT, PostgresDialect
from lumio.storage.driver import DRIVER_FAILURES, asyncpg_address, gave_up_waiting
from lumio.storage.hot import HotReader

CHANNEL = "lumio_revocation"
CONNECT_SECONDS = 2.0
SESSION = {"synchronous_commit": "on", "statement_timeout": STATEMENT_LIMIT, "application_name": "lumio tail"}

_REGISTER = """
INSERT INTO node
    (node_id, name, boot_id, region, registered_at, beat, beat_at, applied_seq, applied_at, lease_seconds)
VALUES ($1, $2, $3, $4, $5, 0, $5, 0, $5, $6)
"""
_TAIL = """
WITH beat AS (
    UPDATE node
    SET beat = beat + 1, beat_at = $4, applied_seq = $2,
        applied_at = CASE WHEN applied_seq = $2 THEN applied_at ELSE $4 END
    WHERE node_id = $1 AND lease_seconds > 0
    RETURNING 1
)
SELECT c.n, c.epoch, (SELECT system_identifier FROM pg_control_system())::text AS cluster,
       pg_current_wal_insert_lsn()::text AS position, (SELECT count(*) FROM beat) AS beats,
       current_setting('synchronous_standby_names') AS standbys,
       (SELECT at FROM revocation WHERE seq = $2) AS at_cursor, (SELECT at FROM revocation WHERE seq = c.n) AS at_end,
       r.seq, r.subject_kind, r.subject_id, r.effect, r.at, r.actor, r.reason
FROM revocation_counter c LEFT JOIN revocation r ON r.seq > $3
WHERE c.id = 1
ORDER BY r.seq
"""
_LEAVE = "UPDATE node SET lease_seconds = 0 WHERE node_id = $1"
_REPLAYED = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
_STANDBYS = "SELECT current_setting('synchronous_standby_names')"


class PostgresPrimary:
    """Asks over a connection that nobody else uses, and listens on it."""

    def __init__(self, dialect: PostgresDialect, *, needs_standby: bool = False) -> None:
        """Keep the address; with `needs_standby` a primary without a synchronous standby is not to be trusted."""
        self._dialect = dialect
        self._needs_standby = needs_standby
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._woken = asyncio.Event()
        self._doubtful = False

    async def register(self, node: Node) -> None:
        """Insert the node's row."""
        if self._needs_standby:
            self._demand_standby(await self.standbys())
        moment = clock.to_micros(clock.now())
        row = (node.id, node.name, node.boot_id, node.region, moment, node.lease_seconds)
        await self.question(CONNECT_SECONDS, _REGISTER, *row)

    async def tail(self, beat: Beat, after: int, seconds: float) -> Tailed:
        """Ask one statement: the beat and the snapshot belong together."""
        self._woken.clear()  # what is told from here on may not be in the answer
        moment = clock.to_micros(clock.now())
        found = await self.question(seconds, _TAIL, beat.node_id, beat.applied_seq, after, moment)
        if not found:
            raise Unavailable("the revocation counter is missing")
        first = found[0]
        self._demand_standby(first["standbys"])
        rows = [_entry(row, first["epoch"]) for row in found if row["seq"] is not None]
        return Tailed(
            seq=first["n"],
            epoch=first["epoch"],
            cluster=first["cluster"],
            position=first["position"],
            registered=first["beats"] == 1,
            rows=rows,
            at_cursor=_moment(first["at_cursor"]),
            at_end=_moment(first["at_end"]),
        )

    async def leave(self, node_id: str) -> None:
        """Write that the node holds no lease."""
        await self.question(CONNECT_SECONDS, _LEAVE, node_id)

    async def standbys(self) -> str:
        """Return `synchronous_standby_names`."""
        found = await self.question(CONNECT_SECONDS, _STANDBYS)
        return str(found[0][0])

    async def wait(self, seconds: float) -> None:
        """Return at a notification, or after `seconds`: a notification is never needed for a promise.

        A connection that was lost is made again here, so that the next question's time is its own.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        if self._connection is None:
            with suppress(*DRIVER_FAILURES):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._connected()

    async def close(self) -> None:
        """Close the socket, without a word to a server that may be away."""
        connection, self._connection = self._connection, None
        self._woken = asyncio.Event()
        if connection is not None:
            connection.terminate()

    async def question(self, seconds: float, statement: str, *values: Any) -> list[Any]:
        """Run one statement within `seconds`; whatever goes wrong costs the connection. Raises Unavailable."""
        try:
            async with asyncio.timeout(seconds):
                connection = await self._connected()
                found = await connection.fetch(statement, *values)
                await asyncio.sleep(0)  # the driver hands on what the server warned of in the loop's next turn
        except DRIVER_FAILURES as error:
            await self.close()
            raise Unavailable(f"primary: {type(error).__name__}: {error}") from error
        except BaseException:
            await self.close()
            raise
        if self._doubtful:
            await self.close()
            raise Unavailable("primary: a commit did not wait for its standby")
        return list(found)

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        self._doubtful = False
        connection = await asyncpg.connect(**asyncpg_address(self._dialect.url), server_settings=SESSION)
        self._connection = connection
        connection.add_log_listener(self._warned)
        await connection.add_listener(CHANNEL, self._told)
        return connection

    def _demand_standby(self, names: str) -> None:
        """Believe no server that waits for nobody where it may be replaced by itself: asked of each answer.

        A standby that was promoted is another server, with another configuration.
        """
        if self._needs_standby and not names:
            raise Unavailable("LUMIO_PG_FAILOVER is sync, and synchronous_standby_names is empty")

    def _told(self, *_: object) -> None:
        self._woken.set()

    def _warned(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        """Take a warning about a wait that was given up as what it is: a commit that may be lost in a failover."""
        if gave_up_waiting(message):
            self._doubtful = True


class PostgresReplica:
    """A hot standby nearby: statuses are read there when it has come far enough."""

    def __init__(self, reader: HotReader, dialect: PostgresDialect) -> None:
        """Read by `reader`; ask for the position over a connection of its own."""
        self.reader = reader
        self._primary = PostgresPrimary(dialect)

    async def open(self) -> None:
        """Open the reader. Raises Unavailable when the server does not answer."""
        try:
            await self.reader.open()
        except DRIVER_FAILURES as error:
            raise Unavailable(f"replica: {type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Close both."""
        await self.reader.close()
        await self._primary.close()

    async def has_replayed(self, position: str) -> bool:
        """Compare positions of the write-ahead log; a server that replays nothing is no replica."""
        return bool((await self._primary.question(CONNECT_SECONDS, _REPLAYED, position))[0][0])


def _entry(row: Any, epoch: int) -> Entry:
    subject = Subject(row["subject_kind"], row["subject_id"])
    ending = Ending(subject, row["effect"], row["actor"], row["reason"])
    return Entry(row["seq"], ending, clock.from_micros(row["at"]), epoch)


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else clock.from_micros(micros)
