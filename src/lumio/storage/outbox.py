"""The outbox: messages that are written with a change and sent after its commit.

Promise: a message leaves only when its change is durable, and at least once. Its content is sealed, since a
mail may carry a one-time link, and gone once sent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, delete, func, or_, select, update

from lumio.crypto.sealing import Sealer
from lumio.kernel import clock, ids
from lumio.storage.columns import Moment, id_column, metadata
from lumio.storage.database import Database

LEASE = timedelta(seconds=60)
ATTEMPTS_MAX = 12
BATCH = 16

messages = Table(
    "outbox",
    metadata,
    id_column(primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("claimed_until", Moment),
    Column("attempts", Integer, nullable=False),
    Index(None, "due_at"),
)


class Message(TypedDict):
    """One row to be inserted with a unit."""

    id: str
    kind: str
    sealed: bytes
    created_at: Any
    due_at: Any
    claimed_until: Any
    attempts: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One claimed message, opened."""

    id: str
    kind: str
    content: Mapping[str, Any]
    attempts: int
    until: datetime
    """When the lease ends: later, another sender may have it."""


class Outbox:
    """Seals messages for units; claims and settles them for the sender."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        """Keep messages in `database`, sealed by `sealer`."""
        self._database = database
        self._sealer = sealer

    def message(self, kind: str, content: Mapping[str, Any]) -> Message:
        """Return a sealed message for `Unit.post`."""
        name, moment = ids.uuid7(), clock.now()
        sealed = self._sealer.seal(json.dumps(content).encode(), f"outbox/{name}")
        return Message(
            id=name,
            kind=kind,
            sealed=sealed,
            created_at=moment,
            due_at=moment,
            claimed_until=None,
            attempts=0,
        )

    async def claim(self) -> Sequence[Delivery]:
        """Take some due messages for one lease; another sender leaves them alone until it is over.

        Every worker asks twice a second, so the first look takes no lock.
        """
        moment = clock.now()
        free = or_(messages.c.claimed_until.is_(None), messages.c.claimed_until < moment)
        due = select(messages).where(messages.c.due_at <= moment, free).order_by(messages.c.due_at).limit(BATCH)
        async with self._database.reading() as connection:
            if (await connection.execute(due.limit(1))).first() is None:
                return []
        async with self._database.writing() as connection:
            rows = (await connection.execute(due.with_for_update(skip_locked=True))).all()
            if rows:
                lease = update(messages).where(messages.c.id.in_([row.id for row in rows]))
                await connection.execute(lease.values(claimed_until=moment + LEASE, attempts=messages.c.attempts + 1))
            await connection.commit()
        return [
            Delivery(
                row.id,
                row.kind,
                json.loads(self._sealer.open(row.sealed, f"outbox/{row.id}")),
                row.attempts + 1,
                moment + LEASE,
            )
            for row in rows
        ]

    async def waiting(self) -> float:
        """Return how many messages are still to be sent."""
        async with self._database.reading() as connection:
            return float((await connection.execute(select(func.count()).select_from(messages))).scalar_one())

    async def sent(self, delivery: Delivery) -> None:
        """Forget a message that was delivered, or given up."""
        async with self._database.writing() as connection:
            await connection.execute(delete(messages).where(messages.c.id == delivery.id))
            await connection.commit()

    async def failed(self, delivery: Delivery) -> bool:
        """Put a message back with a growing pause; return False when it was given up."""
        if delivery.attempts >= ATTEMPTS_MAX:
            await self.sent(delivery)
            return False
        pause = timedelta(seconds=min(3600, 5 * 2**delivery.attempts))
        async with self._database.writing() as connection:
            again = update(messages).where(messages.c.id == delivery.id, messages.c.attempts == delivery.attempts)
            await connection.execute(again.values(due_at=clock.now() + pause, claimed_until=None))
            await connection.commit()
        return True
