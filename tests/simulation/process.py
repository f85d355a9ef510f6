"""One serving process of the simulated fleet: the real LeasedAuthority over simulated machines.

Promise: all that is not simulated here is the code of production: authority, units, feed, nodes, barrier.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from lumio.authority.interface import Loaded, Status
from lumio.authority.lease import Lease
from lumio.authority.leased import LeasedAuthority
from lumio.authority.primary import Node
from lumio.authority.subjects import Entry, Subject
from lumio.kernel.errors import Unauthenticated, Unavailable
from lumio.storage.hot import HotReader
from lumio.storage.unit import Unit, Units
from tests.simulation import tables
from tests.simulation.asking import Primary, Replica
from tests.simulation.doubles import Database
from tests.simulation.hosts import Host
from tests.simulation.promise import Asked, Truth
from tests.simulation.server import Server
from tests.simulation.wires import Wire

WATCH_SECONDS = 0.5
"""surface/http/body_watch.py asks this often while a body arrives."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read of a key: whether it is good, and the version of its holder's role."""

    good: bool
    version: int
    subjects: tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """What a request meets on its way: a load that takes long, a body that arrives slowly, a change to be made."""

    slow_load: float = 0.0
    body: float = 0.0
    writes: bool = False
    journaled: bool = False


class Knowledge:
    """What one node has been told, seen from outside."""

    def __init__(self, authority: LeasedAuthority) -> None:
        self.told: set[int] = set()
        self._base = 0
        self._memory = authority.memory
        self._bury, self._reset = self._memory._bury, self._memory.reset
        self._memory._bury = self._buried  # type: ignore[method-assign]
        self._memory.reset = self._forgotten  # type: ignore[method-assign]

    def __call__(self, seq: int) -> bool:
        return seq in self.told

    def passed(self, seq: int) -> bool:
        """Tell whether the node has gone past a number that it was never told (I2)."""
        return self._base < seq <= self._memory.cursor and seq not in self.told

    def _buried(self, row: Entry) -> None:
        self._bury(row)
        self.told.add(row.seq)

    def _forgotten(self, cursor: int, written_at: datetime | None) -> None:
        self._reset(cursor, written_at)
        self.told.clear()
        self._base = cursor


class Process:
    """A node, and how it serves."""

    def __init__(
        self,
        host: Host,
        route: Callable[[], tuple[Wire, Server]],
        near: Callable[[], tuple[Wire, Server]] | None,
        lease: float,
        truth: Truth,
        rng: random.Random,
        number: int,
    ) -> None:
        self.host, self.truth = host, truth
        self._rng = rng
        self.lease = lease
        self.asking = 0
        self._loop = asyncio.get_running_loop()
        self.database = Database(route, rng)
        self.units = Units(cast("Any", self.database), host.name)
        node = Node(host.name, "here", lease, f"node-{number}", "boot")
        replica = None if near is None else Replica(near, rng)
        self.primary = Primary(route)
        self.authority = LeasedAuthority(self.primary, self.database.hot, self.units, node, Lease(lease), replica)
        self.knowledge = Knowledge(self.authority)

    @property
    def serving(self) -> bool:
        return not self.host.dead and self.authority._task is not None

    async def run(self) -> None:
        """Open, and do the chores."""
        await self.authority.open()
        while self.authority._task is not None:
            await asyncio.sleep(1.5)
            try:
                await self.authority.tidy()
            except Unavailable:
                continue

    async def serve(self, key: str, sent: float, course: Course) -> str:
        """Answer one request as the spine does: arrival, unit, start of the answer. Returns the status code."""
        self.asking += 1
        asked = Asked(key, (), sent)
        try:
            version = await self._answer(asked, course)
        except Unauthenticated:
            self.truth.refused += 1
            return "401"
        except Unavailable:
            self.truth.unavailable.append(self._loop.time())
            return "503"
        finally:
            self.asking -= 1
        self.truth.answered(asked, version, self.knowledge, self.lease, self._loop.time())
        return "200"

    async def _answer(self, asked: Asked, course: Course) -> int:
        """Go the way of access/authenticator.py, access/perform.py and surface/http/gate.py."""
        asked.known_on_arrival = frozenset(self.knowledge.told)
        facts, seq = await self._verify(asked, course)
        if course.writes:
            await self.units.run(lambda unit: self._change(unit, asked.key, facts, seq))
        standing = (facts, seq)
        left = course.body
        while left > 0:
            await asyncio.sleep(min(left, WATCH_SECONDS))
            left -= WATCH_SECONDS
            try:
                await self._still_good(asked, standing, course)
            except Unavailable:
                continue
        if course.journaled:
            await self.database.journal()
        return await self._still_good(asked, standing, course)

    async def _verify(self, asked: Asked, course: Course) -> tuple[Facts, int]:
        status: Status[Facts] | None = self.authority.known(asked.key)
        if status is None:
            status = await self.authority.status(asked.key, lambda hot: self._load(hot, asked.key, course.slow_load))
        if status is None:
            raise Unauthenticated
        asked.subjects = status.facts.subjects
        if not status.facts.good:
            raise Unauthenticated
        return status.facts, status.seq

    async def _still_good(self, asked: Asked, standing: tuple[Facts, int], course: Course) -> int:
        """Repeat the decision; return the version of the role that it stands on."""
        facts, seq = standing
        if not self.authority.moved(seq, facts.subjects):
            return facts.version
        facts, _ = await self._verify(asked, course)
        return facts.version

    async def _load(self, hot: HotReader, key: str, slow: float) -> Loaded[Facts] | None:
        row: Any = await hot.row(tables.KEY, id=key)  # type: ignore[arg-type]
        if slow:
            await asyncio.sleep(slow)
        if row is None:
            return None
        account: Any = await hot.row(tables.ACCOUNT, id=row.account)  # type: ignore[arg-type]
        role: Any = await hot.row(tables.ROLE, id=f"{row.account},{row.user}")  # type: ignore[arg-type]
        subjects = subjects_of(row)
        good = not row.ended and account is not None and not account.ended
        return Loaded(Facts(good, 0 if role is None else role.version, subjects), subjects, lasting=role is not None)

    async def _change(self, unit: Unit, key: str, facts: Facts, seq: int) -> None:
        """Lock, ask, read the rights, act: access/perform.py."""
        await unit.lock(shared=[*map(str, facts.subjects), "all:*"], exclusive=())
        if await self.authority.ended_within(unit, facts.subjects, seq):
            raise Unauthenticated
        role = facts.subjects[-1].id
        held: Any = (await unit.execute(tables.ROLE, {"id": role})).first()
        pairs = [(one.kind, one.id) for one in facts.subjects]
        row = {"id": f"thing-{self._rng.getrandbits(60):x}", "key": key, "subjects": pairs, "role": role}
        await unit.execute(tables.MAKE, {**row, "version": held.version})


def subjects_of(row: Any) -> tuple[Subject, ...]:
    """Return what a key stands on; the role last."""
    role = Subject("role", f"{row.account},{row.user}")
    return Subject("key", row.id), Subject("account", row.account), Subject("user", row.user), role
