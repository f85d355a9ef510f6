"""LocalAuthority: one database, asked each time (spec: revocation, section 2).

Promise: every check reads the row and the counter; a revocation counts from its commit on. Any failure of
the read is Unavailable, and so is a database file that was replaced under the running server.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from lumio.authority import feed
from lumio.authority.interface import Status
from lumio.authority.subjects import Ending, Receipt, Subject
from lumio.kernel.errors import Unavailable
from lumio.storage.database import Database
from lumio.storage.unit import Unit, View

Facts = TypeVar("Facts")


class LocalAuthority:
    """Answers from the database itself; holds no memory and needs no lease."""

    def __init__(self, database: Database) -> None:
        """Read through the hot path of `database`."""
        self._hot = database.hot

    async def stamp(self) -> int:
        """Return the newest feed number."""
        if not self._hot.sound():
            raise Unavailable("the database file was replaced; restart the server")
        row = await self._hot.row(feed.NEWEST)
        if row is None:
            raise Unavailable("the revocation counter is missing")
        return int(row[0])

    async def status(self, name: str, load: Callable[[], Awaitable[Facts | None]]) -> Status[Facts] | None:  # noqa: ARG002
        """Load the status after the stamp: what it shows can only be newer than its number says."""
        seq = await self.stamp()
        facts = await load()
        return None if facts is None else Status(facts, seq)

    async def unchanged(self, seq: int) -> bool:
        """Compare the counter."""
        return await self.stamp() == seq

    async def ended_within(self, view: View, subjects: Sequence[Subject], seq: int) -> bool:
        """Read the feed inside the unit, or on the snapshot of a read."""
        return await feed.ended_since(view, subjects, seq)

    async def end(self, unit: Unit, endings: Sequence[Ending]) -> Receipt:
        """Write the feed; with one database the commit itself is the whole effect.

        The subjects are locked here too, for those that an action could not name before it began: no unit of
        theirs commits after this one.
        """
        await unit.lock(shared=(), exclusive=[str(ending.subject) for ending in endings])
        return Receipt(await feed.append(unit, endings), effective=True)
