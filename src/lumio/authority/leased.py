"""LeasedAuthority: a fleet on one writable primary (spec: revocation, section 3).

Promise: this node answers only while it can prove that it knows every revocation that was committed before its
lease began; what it cannot prove is Unavailable, never a guess.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar

from lumio.authority import feed, nodes
from lumio.authority.barrier import Barrier
from lumio.authority.interface import Load, Loaded, Status
from lumio.authority.lease import Lease
from lumio.authority.memory import Memory
from lumio.authority.primary import Node, Primary, Replica
from lumio.authority.reconciliation import Reconciliation
from lumio.authority.subjects import EVERYTHING, Ending, Entry, Progress, Receipt, Subject
from lumio.authority.tail import Tail
from lumio.kernel.errors import Unavailable
from lumio.storage.hot import HotReader
from lumio.storage.unit import Unit, Units, View

Facts = TypeVar("Facts")

LOADS_MAX = 4
"""How often a status is read again because something of it ended or changed meanwhile."""


class LeasedAuthority:
    """Memory, lease and tail of one node."""

    def __init__(
        self,
        primary: Primary,
        hot: HotReader,
        units: Units,
        node: Node,
        lease: Lease,
        replica: Replica | None = None,
        outside: Reconciliation | None = None,
    ) -> None:
        """Follow the feed on `primary`; read statuses by `hot`, or by `replica` where one is near enough.

        `outside` is the journal outside the database, for what must survive a restore.
        """
        self._hot = hot
        self._outside = outside
        self._replica = replica
        self.lease = lease
        self.memory = Memory()
        self.tail = Tail(primary, node, lease, self.memory, outside)
        self._barrier = Barrier(units, self.tail)
        self._units = units
        self._watch = nodes.Watch()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Register, ask for the first proof, and follow the feed from then on."""
        if self._outside is not None:
            await self._outside.ledger.open()
        if self._replica is not None:
            with suppress(Unavailable):
                await self._replica.open()
        await self.tail.begin()
        self._task = asyncio.create_task(self.tail.follow())

    async def close(self) -> None:
        """Drop the lease first, so that nothing is served by a node that has left."""
        self.lease.drop()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self.lease.drop()
        await self.tail.leave()
        if self._outside is not None:
            await self._outside.ledger.close()
        if self._replica is not None:
            await self._replica.close()

    def fresh(self) -> bool:
        """Ask the clocks."""
        return self.lease.fresh()

    async def stamp(self) -> int:
        """Return how far this node has come."""
        self._demand_freshness()
        return self.memory.cursor

    async def status(self, name: str, load: Load[Facts]) -> Status[Facts] | None:
        """Return what is remembered, or read it anew and remember it if nothing of it ended meanwhile."""
        known = self.known(name)
        if known is not None:
            return known
        for _ in range(LOADS_MAX):
            ticket, loaded = await self._read(load)
            self._demand_freshness()  # the read may have taken long: what is used now must be proven now
            if loaded is None:
                return None
            if self.memory.keep(name, loaded, ticket):
                return Status(loaded.facts, ticket)
        raise Unavailable("the status changes faster than it can be read")

    def known(self, name: str) -> Status[Any] | None:
        """Return what is remembered."""
        self._demand_freshness()
        known = self.memory.get(name)
        return None if known is None else Status(*known)

    def moved(self, seq: int, subjects: Sequence[Subject]) -> bool:
        """Look at the tombstones."""
        self._demand_freshness()
        return self.memory.changed(subjects, seq)

    async def unchanged(self, seq: int, subjects: Sequence[Subject]) -> bool:
        """Tell the opposite."""
        return not self.moved(seq, subjects)

    async def ended_within(self, view: View, subjects: Sequence[Subject], seq: int) -> bool:
        """Read the feed on the primary, inside the unit."""
        return await feed.ended_since(view, subjects, seq)

    async def end(self, unit: Unit, endings: Sequence[Ending]) -> Receipt:
        """Write the feed; this node knows at its commit, the others within a second, or they stop serving.

        The journal outside has it before anybody is answered.

        The subjects are locked here too, for those that an action could not name before it began: no unit of
        theirs commits after this one.
        """
        everything = any(ending.effect == "all" for ending in endings)
        names = [str(ending.subject) for ending in endings] + ([str(EVERYTHING)] if everything else [])
        await unit.lock(shared=(), exclusive=names)
        silence = await nodes.longest_silence(unit)
        entries = await feed.append(unit, endings)
        unit.after_commit.append(lambda: self._committed(entries, silence))
        return Receipt(entries[-1].seq, effective=False)

    async def effective(self, seq: int, seconds: float) -> bool:
        """Wait for every node, or until the silent ones serve no more."""
        return await self._barrier.reached(seq, seconds)

    async def progress(self, view: View, seq: int) -> Progress | None:
        """Show every registered node."""
        return await self._barrier.progress(view, seq)

    async def tidy(self) -> None:
        """Take out the rows of nodes that were silent for so long that they cannot hold a lease."""
        await self._units.run(self._watch.sweep)

    async def _committed(self, entries: Sequence[Entry], silence: float) -> None:
        self.memory.learn(entries)
        self._barrier.committed(entries[-1].seq, silence)
        if self._outside is not None:
            await self._outside.ledger.keep(entries)

    async def _read(self, load: Load[Facts]) -> tuple[int, Loaded[Facts] | None]:
        """Return what a read says, and the number that it surely includes.

        A replica is believed only when it has replayed the position of the proof that the cursor comes from; what
        it does not know at all is asked of the primary.
        """
        replica, position = self._replica, self.tail.position
        if replica is not None and position is not None:
            with suppress(Unavailable):
                if await replica.has_replayed(position):
                    ticket, loaded = await self._proven(replica.reader, load)
                    if loaded is not None and not self.memory.changed(loaded.subjects, ticket):
                        return ticket, loaded
        return await self._proven(self._hot, load)

    async def _proven(self, hot: HotReader, load: Load[Facts]) -> tuple[int, Loaded[Facts] | None]:
        """Read from one server, if it has the newest row that this node knows of; return the number of that.

        After a failover a connection may lead to the old primary, which answers for as long as it is let; and a
        replica may have followed that.
        """
        newest = self.memory.newest
        async with hot.alone() as one:
            if not await feed.holds(one, newest):
                await one.close()
                raise Unavailable(f"whoever answers does not know number {newest.seq} of the feed")
            return newest.seq, await load(one)

    def _demand_freshness(self) -> None:
        if not self.lease.fresh():
            raise Unavailable(f"no lease: {self.tail.trouble or 'the last proof is too old'}")
