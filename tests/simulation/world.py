"""A simulated fleet: one primary, its standby, a replica, processes with clocks of their own, and who asks them.

Promise: everything that happens is drawn from one seed.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from lumio.authority import feed
from lumio.authority.lease import bound
from lumio.authority.subjects import EVERYTHING, Ending, Subject
from lumio.kernel.errors import LumioError, Unavailable
from lumio.storage.unit import Unit, View
from tests.simulation import tables
from tests.simulation.hosts import Host
from tests.simulation.loop import NOWHERE
from tests.simulation.process import Course, Process
from tests.simulation.promise import Truth
from tests.simulation.server import Following, Record, Server
from tests.simulation.tables import Row, Rows
from tests.simulation.wires import Wire

KEYS = ("k0", "k1", "k2", "k3")
ROLE = "a0,u0"
LONGEST_LEASE = 25.0


class World:
    """The fleet, and the truth about it."""

    def __init__(self, rng: random.Random, lease: float, note: Callable[[str], None]) -> None:
        self.rng, self.lease, self.note = rng, lease, note
        self.loop = asyncio.get_running_loop()
        self.truth = Truth()
        self.processes: list[Process] = []
        self.wires: dict[tuple[str, str], Wire] = {}
        self.routes: dict[str, Server] = {}
        self.servers: list[Server] = []
        """All that there ever were: some processes go on talking to one that is primary no more."""
        self.primary = self.server("primary", _first_rows())
        self.standby: Following | None = None
        self.replica: Following | None = None
        self.lag = 0.01
        self._made = 0

    @property
    def now(self) -> float:
        return self.loop.time()

    @property
    def serving(self) -> list[Process]:
        return [one for one in self.processes if one.serving]

    def server(self, kind: str, first: dict[str, Rows] | None = None) -> Server:
        """Make a server; it is not empty if it is to follow none."""
        made = Server(f"{kind}-{len(self.servers)}", self.rng, self._showing, first or {})
        self.servers.append(made)
        return made

    def add_standby(self) -> None:
        """Give the primary a synchronous standby."""
        follower = self.server("standby")
        self.standby = Following(self.primary, follower, lambda: self.rng.uniform(0.0003, 0.002), counts=True)

    def add_replica(self) -> None:
        """Give the fleet a replica to read from, which follows the primary of now."""
        if self.replica is not None:
            self.replica.end()
        follower = self.server("replica")
        self.replica = Following(self.primary, follower, lambda: self.lag * self.rng.uniform(0.5, 2), counts=False)

    def add_process(self, *, near: bool = False) -> Process:
        """Start a process; with `near` it reads statuses from the replica."""
        self._made += 1
        host = Host(self.loop, f"node-{self._made}", self.rng.uniform(0.99, 1.01), self.rng.uniform(-5, 5))
        self.routes[host.name] = self.primary
        process = Process(
            host,
            lambda: self.way(host.name, self.routes[host.name]),
            (lambda: self.way(host.name, self._replica())) if near else None,
            self.lease,
            self.truth,
            self.rng,
            self._made,
        )
        self.processes.append(process)
        host.spawn(process.run())
        return process

    def way(self, host: str, server: Server) -> tuple[Wire, Server]:
        """Return the wire from a machine to a server."""
        wire = self.wires.get((host, server.name))
        if wire is None:
            wire = self.wires[host, server.name] = Wire(self.rng)
        return wire, server

    def wires_of(self, process: Process) -> list[Wire]:
        """Return all wires of a machine, also to servers that it has not spoken to."""
        servers = [self.primary, *(one.follower for one in (self.standby, self.replica) if one is not None)]
        for server in servers:
            self.way(process.host.name, server)
        return [wire for (name, _), wire in self.wires.items() if name == process.host.name]

    def ask(self, process: Process, key: str, course: Course) -> None:
        """Send a request now; it is on its way for some milliseconds, and waits where a process is stopped."""
        sent = self.now
        self.loop.call_later(self.rng.uniform(0, 0.004), self._arrive, process, key, sent, course, context=NOWHERE)

    def _arrive(self, process: Process, key: str, sent: float, course: Course) -> None:
        serving = process.host.spawn(process.serve(key, sent, course))
        serving.add_done_callback(lambda task: self._answered(process, key, sent, course, task))

    async def revoke(self, subject: Subject, process: Process, patience: float) -> None:
        """End or change a subject through a process, again through another one until it is done."""
        while True:
            ending = process.host.spawn(self._end(process, subject, patience))
            ending.add_done_callback(lambda task: task.cancelled() or task.exception())
            await asyncio.wait({ending}, timeout=patience + 8)
            if ending.done():
                error = ending.exception()
                if error is None:
                    return
                if not isinstance(error, LumioError):
                    raise error
                self.note(f"{process.host.name} could not end {subject}: {error.internal}")
            await asyncio.sleep(0.3)
            if not self.serving:
                return
            process = self.rng.choice(self.serving)

    async def look(self, process: Process, seq: int) -> None:
        """Ask a process what became of a number, as `GET /v1/revocations/{seq}` does."""

        async def read(view: View) -> None:
            found = await process.authority.progress(view, seq)
            if found is not None and found.effective:
                self._effective(process, found.entry.ending.subject, seq)

        try:
            await process.units.read(read)
        except Unavailable:
            return

    async def _end(self, process: Process, subject: Subject, patience: float) -> None:
        effect: Any = {"role": "changed", "all": "all"}.get(subject.kind, "ended")

        async def work(unit: Unit) -> Any:
            await unit.lock(shared=(), exclusive=[str(subject)])
            if not await self._change(unit, subject):
                return None
            return await process.authority.end(unit, [Ending(subject, effect, "robin", "simulated")])

        receipt = await process.units.run(work)
        if receipt is None:
            return
        self.note(f"{process.host.name} ended {subject} with number {receipt.seq}")
        try:
            reached = await process.authority.effective(receipt.seq, patience)
        except Unavailable:
            return
        if reached:
            self._effective(process, subject, receipt.seq)

    async def _change(self, unit: Unit, subject: Subject) -> bool:
        match subject.kind:
            case "key":
                row: Any = (await unit.execute(tables.KEY, {"id": subject.id})).first()
                if row.ended:
                    return False
                await unit.execute(tables.END_KEY, {"id": subject.id})
            case "account":
                row = (await unit.execute(tables.ACCOUNT, {"id": subject.id})).first()
                if row.ended:
                    return False
                await unit.execute(tables.END_ACCOUNT, {"id": subject.id})
            case "role":
                await unit.execute(tables.CHANGE_ROLE, {"id": subject.id})
            case "all":
                await unit.execute(tables.END_ALL, {"ended": False})
            case _:
                pass
        return True

    def _effective(self, process: Process, subject: Subject, seq: int) -> None:
        if subject.kind == "all":
            subject = EVERYTHING
        self.note(f"{process.host.name} says that {subject} is refused everywhere")
        self.truth.effective(subject, seq, self.now)
        self._probe(subject, 0.0005)

    def _showing(self, server: Server, record: Record) -> None:
        """Judge what becomes visible on the primary, and have what ended asked for when the promise falls due."""
        if server is not self.primary:
            return
        for ending in self.truth.visible(record, self.now):
            self.note(f"{ending.subject} has ended: number {ending.seq} is visible")
            most = bound(self.lease)
            late = (self.lease * share for share in (0.9, 0.97, 0.995, 1.004, 1.009))
            for after in (*late, most + 0.001, most + 0.4, most * 1.5):
                self._probe(ending.subject, after)

    def _probe(self, subject: Subject, after: float) -> None:
        keys = self._keys_of(subject)

        def ask() -> None:
            for process in self.serving:
                self.ask(process, self.rng.choice(keys), Course())

        if keys:
            self.loop.call_later(after, ask)

    def _keys_of(self, subject: Subject) -> list[str]:
        if subject.kind == "key":
            return [subject.id]
        if subject.kind in {"account", "role"}:
            return [key for key in KEYS if _account_of(key) == subject.id.partition(",")[0]]
        return list(KEYS) if subject == EVERYTHING else []

    def _replica(self) -> Server:
        return self.primary if self.replica is None else self.replica.follower

    def _answered(self, process: Process, key: str, sent: float, course: Course, task: "asyncio.Task[str]") -> None:
        if task.cancelled():
            return
        self.note(f"{process.host.name} answers {task.result()} for {key}, sent at {sent:.3f}; {course}")


def _account_of(key: str) -> str:
    return "a0" if key in KEYS[:3] else "a1"


def _first_rows() -> dict[str, Rows]:
    counter = Row(id=1, n=0, epoch=1)
    keys = {key: Row(id=key, account=_account_of(key), user="u0", ended=False) for key in KEYS}
    return {
        feed.counter.name: {1: counter},
        "key": keys,
        "account": {one: Row(id=one, ended=False) for one in ("a0", "a1")},
        "role": {f"{one},u0": Row(id=f"{one},u0", version=1) for one in ("a0", "a1")},
    }
