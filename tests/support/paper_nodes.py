"""Nodes that exist on paper only: rows of the table of nodes, written by a hand of the test's own.

So a test decides when a node of another region knows a revocation, and when it falls silent. PostgreSQL only: a file
keeps no list of nodes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from lumio.kernel import clock, ids
from lumio.storage.dialect import choose
from lumio.storage.driver import asyncpg_address

_ADD = """
INSERT INTO node
    (node_id, name, boot_id, region, registered_at, beat, beat_at, applied_seq, applied_at, lease_seconds)
VALUES ($1, $2, 'paper', $2, $3, 0, $3, $4, $3, $5)
"""
_BEAT = "UPDATE node SET beat = beat + 1, beat_at = $2 WHERE node_id = $1"
_APPLY = "UPDATE node SET beat = beat + 1, beat_at = $2, applied_at = $2, applied_seq = $3 WHERE node_id = $1"
_NEWEST = "SELECT n FROM revocation_counter WHERE id = 1"


@dataclass(slots=True)
class PaperNode:
    """One row."""

    hand: Any
    id: str
    region: str

    async def beat(self) -> None:
        """Be heard of, without having applied anything new."""
        await self.hand.execute(_BEAT, self.id, clock.to_micros(clock.now()))

    async def apply(self) -> None:
        """Know everything that the feed has by now."""
        newest = await self.hand.fetchval(_NEWEST)
        await self.hand.execute(_APPLY, self.id, clock.to_micros(clock.now()), newest)


@dataclass(slots=True)
class PaperFleet:
    """The hand that writes the rows."""

    hand: Any

    async def node(self, region: str, lease_seconds: float = 9.5) -> PaperNode:
        """Register a node that knows everything up to now."""
        made = PaperNode(self.hand, ids.uuid7(), region)
        newest = await self.hand.fetchval(_NEWEST)
        await self.hand.execute(_ADD, made.id, region, clock.to_micros(clock.now()), newest, lease_seconds)
        return made


@asynccontextmanager
async def paper_fleet(url: str) -> AsyncIterator[PaperFleet]:
    """Open a connection to the database at `url` (as SQLAlchemy names it) until the block ends."""
    hand = await asyncpg.connect(**asyncpg_address(choose(url).url))
    try:
        yield PaperFleet(hand)
    finally:
        await hand.close()
