"""LocalAuthority: one database, asked each time (spec: revocation, section 2).

Promise: every check reads the row and the counter; a revocation counts from its commit on. Any failure of
the read is Unavailable, and so is a database file that was replaced, or went back, under the running server.

Checks that are made in one turn of the event loop share one look at the file. The loop runs what waits in its order
of arrival, so a request that came after the look makes another; and a turn that takes long (a stopped process, a
busy thread) does not stretch it, since its age is asked at each use. What was read before stands only where the file
itself says that nothing was committed since (SQLite, `PRAGMA data_version`).
"""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from lumio.authority import feed
from lumio.authority.interface import Load, Status
from lumio.authority.reconciliation import Reconciliation
from lumio.authority.subjects import Ending, NodeProgress, Progress, Receipt, Subject
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.storage.database import Database
from lumio.storage.hot import SqliteReader
from lumio.storage.unit import Unit, View

Facts = TypeVar("Facts")

TURN_SECONDS = 0.05
"""How old a look at the file may be that checks of one turn share, on the boot-time clock."""


class _Reading:
    """The counter, and what was read after it; both stand as long as the file says that nothing was committed."""

    __slots__ = ("at", "known", "seq", "version")

    def __init__(self, version: int, seq: int) -> None:
        self.at = 0.0
        self.version = version
        self.seq = seq
        self.known: dict[str, Status[Any] | None] = {}


class LocalAuthority:
    """Answers from the database itself; holds no memory and needs no lease."""

    def __init__(
        self,
        database: Database,
        node: str = "node-1",
        region: str = "local",
        outside: Reconciliation | None = None,
    ) -> None:
        """Read through the hot path of `database`; `node` and `region` are how people know this process.

        `outside` is the journal outside the database, for what must survive a restore.
        """
        if not isinstance(database.hot, SqliteReader):
            message = "only a file answers for itself"
            raise TypeError(message)
        self._hot = database.hot
        self._outside = outside
        self._highest, self._went_back = 0, False
        self._node = node
        self._region = region
        self._reading: _Reading | None = None
        self._looked = False

    async def open(self) -> None:
        """Hold the database against the journal outside. Raises Unavailable when it cannot be known what it lacks."""
        self._highest, self._went_back = 0, False
        self._reading, self._looked = None, False
        if self._outside is not None:
            await self._outside.ledger.open()
            await self._outside.run()

    async def close(self) -> None:
        """Write what the journal still waits for; a closed database answers nothing."""
        if self._outside is not None:
            await self._outside.ledger.close()

    def fresh(self) -> bool:
        """Tell whether the file that was opened is still the one at its place, and has not gone back."""
        return self._hot.sound() and not self._went_back

    async def stamp(self) -> int:
        """Return the newest feed number."""
        return self._read().seq

    async def status(self, name: str, load: Load[Facts]) -> Status[Facts] | None:
        """Load the status after the stamp: what it shows can only be newer than its number says."""
        reading = self._read()
        if name in reading.known:
            return reading.known[name]
        loaded = await load(self._hot)
        found = None if loaded is None else Status(loaded.facts, reading.seq)
        reading.known[name] = found
        return found

    def known(self, name: str) -> Status[Any] | None:
        """Return what was read in this turn."""
        return self._read().known.get(name)

    def moved(self, seq: int, subjects: Sequence[Subject]) -> bool:  # noqa: ARG002
        """Compare the counter: when anything moved, the whole decision is made again."""
        return self._read().seq != seq

    async def unchanged(self, seq: int, subjects: Sequence[Subject]) -> bool:
        """Tell the opposite."""
        return not self.moved(seq, subjects)

    def _read(self) -> _Reading:
        """Return this turn's reading."""
        reading, now = self._reading, clock.boottime()
        if reading is not None and self._looked and now - reading.at < TURN_SECONDS:
            return reading
        return self._renewed(now)

    def _renewed(self, now: float) -> _Reading:
        """Look at the file: whether it is ours, and whether anything was committed since the last reading."""
        if not self._hot.sound():
            raise Unavailable("the database file was replaced; restart the server")
        asyncio.get_running_loop().call_soon(self._over)  # first: what fails below must not leave a turn open
        reading, version = self._reading, self._hot.begin()
        if reading is None or reading.version != version:
            # The counter is read after the version: should a commit come between, the next look reads again.
            reading = self._reading = _Reading(version, self._newest())
        reading.at, self._looked = now, True
        return reading

    def _over(self) -> None:
        """End the turn: the next check looks at the file again."""
        self._looked = False
        self._hot.end()

    def _newest(self) -> int:
        """Read the counter."""
        row = self._hot.row_now(feed.NEWEST)
        if row is None:
            raise Unavailable("the revocation counter is missing")
        seq = int(row[0])
        self._went_back = self._went_back or seq < self._highest
        if self._went_back:
            raise Unavailable("the database is an older state of itself than before; restart the server")
        self._highest = seq
        return seq

    async def ended_within(self, view: View, subjects: Sequence[Subject], seq: int) -> bool:
        """Read the feed inside the unit, or on the snapshot of a read."""
        return await feed.ended_since(view, subjects, seq)

    async def end(self, unit: Unit, endings: Sequence[Ending]) -> Receipt:
        """Write the feed; with one database the commit is the whole effect, once the journal outside has it.

        The subjects are locked here too, for those that an action could not name before it began: no unit of
        theirs commits after this one.
        """
        await unit.lock(shared=(), exclusive=[str(ending.subject) for ending in endings])
        entries = await feed.append(unit, endings)
        if self._outside is not None:
            ledger = self._outside.ledger
            unit.after_commit.append(lambda: ledger.keep(entries))
        return Receipt(entries[-1].seq, effective=True)

    async def effective(self, seq: int, seconds: float) -> bool:  # noqa: ARG002
        """Return True: whoever answers reads the same file."""
        return True

    async def progress(self, view: View, seq: int) -> Progress | None:
        """Show this one process; it knows what its file says."""
        entry = await feed.find(view, seq)
        if entry is None:
            return None
        myself = NodeProgress(self._node, self._region, await self.stamp(), entry.at, None)
        return Progress(entry, effective=True, nodes=(myself,))

    async def tidy(self) -> None:
        """Do nothing: one database keeps no list of nodes."""
