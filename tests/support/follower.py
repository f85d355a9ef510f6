"""A node that follows the feed of a real PostgreSQL, on clocks that stand until a test moves them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lumio.authority import feed
from lumio.authority.lease import Lease
from lumio.authority.memory import Memory
from lumio.authority.postgres import PostgresPrimary
from lumio.authority.primary import Node
from lumio.authority.subjects import Ending, Subject
from lumio.authority.tail import Tail
from lumio.kernel.errors import Unavailable
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.dialect import PostgresDialect
from lumio.storage.unit import Units
from tests.support.on_paper import Clocks

LEASE = 2.0
PATIENCE_SECONDS = 10.0
"""What no step of a test needs, however busy the machine is."""


def ended(subject: Subject) -> Ending:
    return Ending(subject, "ended", "robin", "revoked")


class Follower:
    """A node that follows the feed of a real server; its lease reads clocks that stand."""

    def __init__(self, settings: Settings, *, needs_standby: bool = False) -> None:
        self.database = Database(settings.database_url)
        dialect = self.database.dialect
        assert isinstance(dialect, PostgresDialect)
        self.clocks, self.memory = Clocks(), Memory()
        self.primary = PostgresPrimary(dialect, needs_standby=needs_standby)
        self.lease = Lease(LEASE, self.clocks)
        self.tail = Tail(self.primary, Node("node-t", "here", LEASE), self.lease, self.memory)
        self.units = Units(self.database, "node-t")

    async def close(self) -> None:
        await self.primary.close()
        await self.database.close()

    async def refused(self) -> str:
        """Ask once; there must be no proof in the answer, and so no second more than before."""
        before = self.lease.left()
        with pytest.raises(Unavailable) as refusal:
            await self.tail.turn()
        assert self.lease.left() <= before
        return str(refusal.value)

    async def end(self, *subjects: Subject, patience: float = PATIENCE_SECONDS) -> None:
        """Write the feed."""
        endings = [ended(one) for one in subjects]
        await self.units.run(lambda unit: feed.append(unit, endings), patience)


@pytest_asyncio.fixture
async def follower(settings: Settings) -> AsyncIterator[Follower]:
    """Give a node that has asked nothing yet."""
    made = Follower(settings)
    yield made
    await made.close()
