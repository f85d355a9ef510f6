"""PostgreSQL by its raw driver, for the hot path, the journal and the tail: how it is reached, and how it fails.

Promise: its commits are durable whatever the server itself is set to, and one that may be lost is told from others.
"""

from typing import Any

import asyncpg
from sqlalchemy.engine import URL

DRIVER_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What the raw driver raises when a server does not answer: a connection that breaks off at the wrong moment
leaves its protocol confused, which is no bug of ours and no answer either."""


_DURABLE = {"synchronous_commit": "on"}
"""Whatever the server's own setting is."""
_PATIENCE = {"timeout": 5, "command_timeout": 5}
"""Seconds for a connection and for a statement."""


async def asyncpg_pool(url: URL, size: int) -> "asyncpg.Pool[asyncpg.Record]":
    """Open a pool of raw PostgreSQL connections for the hot path."""
    address = asyncpg_address(url)
    return await asyncpg.create_pool(
        **address, **_PATIENCE, min_size=1, max_size=size, reset=_left_clean, server_settings=_DURABLE
    )


async def asyncpg_connection(url: URL) -> "asyncpg.Connection[asyncpg.Record]":
    """Open one raw connection, for whoever uses it alone."""
    return await asyncpg.connect(**asyncpg_address(url), **_PATIENCE, server_settings=_DURABLE)


async def _left_clean(connection: Any) -> None:
    """Take a connection back as it is: nothing of ours sets anything in a session that would have to be undone.

    A transaction that was left open by whoever broke off is ended.
    """
    if connection.is_in_transaction():
        await connection.reset()


def asyncpg_address(url: URL) -> dict[str, Any]:
    """Return an address as the raw driver takes it."""
    query = dict(url.query)
    return {
        "host": str(query.get("host") or url.host or "localhost"),
        "port": int(str(query.get("port") or url.port or 5432)),
        "user": url.username,
        "password": url.password,
        "database": url.database,
    }


def gave_up_waiting(message: asyncpg.PostgresLogMessage) -> bool:
    """Tell whether a server warns that a commit did not wait for its standby: a failover may lose it.

    The function that says so has one name in every language of the server's messages.
    """
    where, words = getattr(message, "server_source_function", ""), str(message.message)
    warning = str(getattr(message, "sqlstate", "")) == "01000"
    return warning and (where == "SyncRepWaitForLSN" or "synchronous replication" in words)
