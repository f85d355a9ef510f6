"""The ground alone, for tests below the surfaces: a migrated database of either kind, its units and its journal."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from sqlalchemy import Column, Integer, MetaData, String, Table, func, select
from sqlalchemy.schema import CreateTable

from lumio.authority.choice import Place, choose
from lumio.authority.interface import Authority
from lumio.crypto import roots
from lumio.kernel.event import SYSTEM, Event, Origin
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.events import events
from lumio.storage.journal import Journal
from lumio.storage.unit import Unit, Units

NODE = "node-t"
LEASE = 2.0
"""Seconds: the shortest that is allowed."""
things = Table(
    "thing", MetaData(), Column("name", String(40), primary_key=True), Column("n", Integer, nullable=False)
)
"""A table of no domain, for changes that mean nothing."""


def fact(name: str = "thing.made", label: str = "") -> Event:
    """Return an event about nothing."""
    return Event(name, "success", SYSTEM, Origin(), detail={"label": label} if label else {})


@dataclass(slots=True)
class Ground:
    """An open database and what stands directly on it."""

    settings: Settings
    database: Database
    units: Units
    journal: Journal
    authority: Authority
    ring: roots.RootRing

    async def rows(self, statement: Any) -> Sequence[Any]:
        """Read with a connection of its own: what it sees is committed."""
        other = Database(self.settings.database_url)
        try:
            async with other.reading() as connection:
                return (await connection.execute(statement)).all()
        finally:
            await other.close()

    async def names(self) -> list[str]:
        """Return the names of the things that exist."""
        return [row.name for row in await self.rows(select(things.c.name).order_by(things.c.name))]

    async def told(self, event: str = "thing.made") -> int:
        """Count the events of this name that are on disk, folded ones by their counts."""
        total = func.coalesce(func.sum(events.c.count), 0)
        found = await self.rows(select(total).where(events.c.event == event))
        return int(found[0][0])

    async def make(self, unit: Unit, name: str) -> None:
        """Make a thing."""
        await unit.execute(things.insert(), {"name": name, "n": 0})


async def laid(settings: Settings) -> Ground:
    """Open the ground on `settings`."""
    database = Database(settings.database_url)
    journal = Journal(database, NODE, 5)
    ring = roots.load(settings.root_secret_file)
    ground = Ground(
        settings, database, Units(database, NODE), journal, choose(database, Place(NODE, lease_seconds=LEASE)), ring
    )
    await database.open()
    await ground.authority.open()
    await journal.open()
    await ground.units.run(lambda unit: unit.execute(CreateTable(things)))
    return ground


async def closed(ground: Ground) -> None:
    """Leave the ground."""
    await ground.journal.close()
    await ground.authority.close()
    await ground.database.close()


@pytest_asyncio.fixture
async def ground(settings: Settings) -> AsyncIterator[Ground]:
    """Give the ground on a fresh copy of the template, on SQLite and on PostgreSQL."""
    made = await laid(settings)
    yield made
    await closed(made)
