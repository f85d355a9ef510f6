"""Twelve weakened authorities: each leaves out one guard, and each must be caught by the invariant that it breaks.

Promise: the guards are taken out here, by patches; production code has no switch for it.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from lumio.authority import feed, memory
from lumio.authority.barrier import Barrier
from lumio.authority.interface import Loaded, Status
from lumio.authority.lease import Instant, Lease
from lumio.authority.leased import LeasedAuthority
from lumio.authority.memory import Memory
from lumio.authority.subjects import Ending, Entry, Mark
from lumio.kernel import clock
from lumio.storage.unit import Unit
from tests.simulation import asking
from tests.simulation.doubles import HotConnection
from tests.simulation.server import Server

Patches = Callable[[ExitStack], None]
SILENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Variant:
    """One guard left out; `caught_by` is the invariant that must speak, `theme` the schedules where it bites most."""

    name: str
    theme: str
    caught_by: str
    weaken: Patches

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with ExitStack() as stack:
            self.weaken(stack)
            yield


def _no_lease(stack: ExitStack) -> None:
    def left(lease: Lease) -> float:
        return 0.0 if lease._since is None else lease.seconds

    stack.enter_context(patch.object(Lease, "left", left))


def _stale_while_revalidate(stack: ExitStack) -> None:
    fresh = LeasedAuthority.status
    running: set[asyncio.Task[Any]] = set()

    async def status(authority: Any, name: str, load: Any) -> Any:
        shelf = authority.__dict__.setdefault("shelf", {})
        if name in shelf and authority.fresh() and authority.memory.get(name) is None:
            renewing = asyncio.create_task(_quietly(fresh(authority, name, load)))
            running.add(renewing)
            renewing.add_done_callback(running.discard)
            return Status(shelf.pop(name), authority.memory.cursor)
        found = await fresh(authority, name, load)
        if found is not None:
            shelf[name] = found.facts
        return found

    stack.enter_context(patch.object(LeasedAuthority, "status", status))


def _dated_from_the_reply(stack: ExitStack) -> None:
    renew = Lease.renew

    def renewed(lease: Lease, _asked: Instant) -> None:
        renew(lease, lease.read())

    stack.enter_context(patch.object(Lease, "renew", renewed))


def _wall_clock_lease(stack: ExitStack) -> None:
    def left(lease: Lease) -> float:
        return 0.0 if lease._since is None else lease.seconds - (lease.read().wall - lease._since.wall)

    stack.enter_context(patch.object(Lease, "left", left))


def _insert_without_stamp(stack: ExitStack) -> None:
    keep = Memory.keep

    def kept(self: Memory, name: str, loaded: Loaded[Any], _ticket: int) -> bool:
        return keep(self, name, loaded, self.newest.seq)

    stack.enter_context(patch.object(Memory, "keep", kept))


def _tombstones_pruned_early(stack: ExitStack) -> None:
    prune = Memory._prune

    def pruned(self: Memory) -> None:
        floor = self._floor
        prune(self)
        self._floor = floor

    stack.enter_context(patch.object(Memory, "_prune", pruned))
    stack.enter_context(patch.object(memory, "TOMBSTONE_SECONDS", 0.05))


def _replica_without_position(stack: ExitStack) -> None:
    holds = feed.holds

    async def believed(hot: Any, mark: Mark) -> bool:
        near = isinstance(hot, HotConnection) and hot.server.name.startswith("replica")
        return near or await holds(hot, mark)

    stack.enter_context(patch.object(asking.Replica, "covers", staticmethod(lambda *_: True)))
    stack.enter_context(patch.object(feed, "holds", believed))


def _old_primary_renews(stack: ExitStack) -> None:
    stack.enter_context(patch.object(asking.Primary, "durable", new=False))


def _serial_column(stack: ExitStack) -> None:
    """Number rows as a sequence does: before the commit; and follow them as one follows a sequence, over gaps."""

    async def append(unit: Unit, endings: Sequence[Ending]) -> list[Entry]:
        await unit.seal()
        session: Any = unit.connection
        numbers = await session.next_numbers(len(endings))
        entries = [Entry(seq, ending, clock.now()) for seq, ending in zip(numbers, endings, strict=True)]
        await session.execute(feed.revocations.insert(), [feed.columns(entry) for entry in entries])
        await unit.wake()
        return entries

    def apply(self: Memory, rows: Iterable[Entry]) -> None:
        for row in rows:
            if row.seq > self.cursor:
                self._bury(row)
                self.cursor = row.seq
        self._prune()

    def newest(server: Server) -> int:
        return max(server.rows.get("revocation", {}), default=0)

    stack.enter_context(patch.object(feed, "append", append))
    stack.enter_context(patch.object(Memory, "apply", apply))
    stack.enter_context(patch.object(asking.Primary, "newest", staticmethod(newest)))


def _no_check_at_response(stack: ExitStack) -> None:
    stack.enter_context(patch.object(LeasedAuthority, "moved", lambda *_: False))


def _no_check_in_the_unit(stack: ExitStack) -> None:
    async def ended_within(_authority: Any, _view: Any, _subjects: Any, _seq: int) -> bool:
        return False

    stack.enter_context(patch.object(LeasedAuthority, "ended_within", ended_within))


def _barrier_skips_silent_nodes(stack: ExitStack) -> None:
    behind = Barrier._behind

    def heard(barrier: Barrier, seq: int, rows: Sequence[Any]) -> list[Any]:
        now = clock.now()
        spoken = [row for row in rows if (now - row.beat_at).total_seconds() < SILENT_SECONDS]
        return behind(barrier, seq, spoken)

    stack.enter_context(patch.object(Barrier, "_behind", heard))


async def _quietly(renewing: Any) -> None:
    try:
        await renewing
    except Exception:  # noqa: BLE001 - the answer was given before; nobody waits for this one
        return


FRESHNESS, COMPLETENESS, RESURRECTION = "I1 freshness", "I2 completeness", "I4 no resurrection"
LATE, FENCE, BARRIER = "I6 late check", "I7 write fence", "I10 barrier"
VARIANTS = (
    Variant("no lease", "cuts", FRESHNESS, _no_lease),
    Variant("stale-while-revalidate", "memory", RESURRECTION, _stale_while_revalidate),
    Variant("lease dated from the reply", "stalls", FRESHNESS, _dated_from_the_reply),
    Variant("wall-clock lease", "clocks", FRESHNESS, _wall_clock_lease),
    Variant("insert without stamp", "memory", RESURRECTION, _insert_without_stamp),
    Variant("tombstones pruned early", "memory", RESURRECTION, _tombstones_pruned_early),
    Variant("replica without position", "replica", RESURRECTION, _replica_without_position),
    Variant("old primary renews", "failover", FRESHNESS, _old_primary_renews),
    Variant("serial column", "bulk", COMPLETENESS, _serial_column),
    Variant("no check at response", "memory", LATE, _no_check_at_response),
    Variant("no check in the unit", "memory", FENCE, _no_check_in_the_unit),
    Variant("barrier skips silent nodes", "cuts", BARRIER, _barrier_skips_silent_nodes),
)
ALWAYS = ("no lease", "lease dated from the reply", "no check in the unit", "serial column")
"""These four are weakened in every run of the tests, all twelve in the broad one."""
