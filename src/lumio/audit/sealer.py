"""The sealer: gives committed events their positions and chains them (spec: audit log, sections 3 and 4).

Promise: every event gets exactly one position, positions have no gaps, and the chain's end leaves the database,
signed, every minute and every 1,024 events.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from os import urandom
from typing import Any, NamedTuple

import structlog

from lumio.audit.heads import HeadFile
from lumio.audit.store.sealing import SealStore
from lumio.crypto.chain import GENESIS, SALT_BYTES, commitments, leaf, link
from lumio.crypto.notary import Notary
from lumio.kernel import clock
from lumio.storage.events import NAMES
from lumio.storage.unit import Unit, Units, View

log = structlog.get_logger()
HEAD_EVENTS = 1024
HEAD_EVERY = timedelta(seconds=60)
BACKLOG_ALARM = timedelta(seconds=5)
DAY = 86_400_000_000
END_OF_TIME = clock.from_micros(2**53)
_VALUES = itemgetter(*NAMES)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one unit of the sealer writes: rows in the order of the store's columns, and the global chain's end."""

    events: Sequence[tuple[Any, ...]]
    places: Sequence[tuple[Any, ...]]
    accounts: Sequence[tuple[Any, ...]]
    end: Mapping[str, Any]


class Found(NamedTuple):
    """What a unit of the sealer finds: rows, the day, the end of the global chain, and those of the accounts'."""

    rows: Sequence[Mapping[str, Any]]
    day: int
    position: int
    chain: bytes
    known: Mapping[str, tuple[bytes, int]]


class Ready(NamedTuple):
    """A batch that was made before its unit began: good if the unit finds the same."""

    found: Found
    batch: Batch

    def fits(self, end: Any, day: int) -> bool:
        """Tell whether it is still that day, and nobody has sealed since: only a sealer moves what was found."""
        return (end.position, end.chain, day) == (self.found.position, self.found.chain, self.found.day)


class Sealer:
    """Seals what is there. In a fleet one node does at a time."""

    def __init__(self, store: SealStore, units: Units, notary: Notary, heads: HeadFile) -> None:
        """Write through `store`, sign by `notary`, let heads leave to `heads`."""
        self._store = store
        self._units = units
        self._notary = notary
        self._heads = heads

    async def run(self, *, everything: bool = False) -> int:
        """Seal all that waits, and let a head leave when it is due; return how many rows were sealed.

        Args:
            everything: also the tallies of the minute that runs.
        """
        horizon = END_OF_TIME if everything else clock.now()
        sealed = 0
        while True:
            waits, ready = await self._units.read(lambda view: self._look(view, horizon))
            if not waits:
                break
            count = await self._units.run(lambda unit, ready=ready: self._seal(unit, horizon, ready))  # type: ignore[misc]
            if not count:
                return sealed  # another node does it
            sealed += count
            await self._store.settle(count)
            if count < self._store.slice and not everything:
                break  # what came meanwhile is for the next turn: a unit for every few rows keeps others waiting
            await asyncio.sleep(self._store.rest)
        if _due(await self._units.read(self._store.end), clock.now()):
            await self._units.run(self._let_head_leave)
        return sealed

    async def watch_backlog(self) -> None:
        """Raise the alarm when the oldest row has waited for too long."""
        behind = await self.backlog()
        if behind > BACKLOG_ALARM.total_seconds():
            log.error("the sealer is behind", seconds=round(behind, 1))

    async def backlog(self) -> float:
        """Return for how many seconds the oldest row has waited; 0 when none waits."""
        oldest = await self._units.read(self._store.oldest_waiting)
        return 0.0 if oldest is None else max(0.0, (clock.now() - clock.from_micros(oldest)).total_seconds())

    async def _look(self, view: View, horizon: datetime) -> tuple[bool, Ready | None]:
        """Tell whether something waits, and make the next batch out of what can be seen now, where that pays."""
        if not await self._store.waits(view, horizon):
            return False, None
        rows = await self._store.look(view)
        if not rows:
            return True, None
        found = await self._found(view, rows, await self._store.end(view))
        return True, Ready(found, chained(*found))

    async def _found(self, view: View, rows: Sequence[Mapping[str, Any]], end: Any) -> Found:
        known = await self._store.account_ends(view, {row["account_id"] for row in rows if row["account_id"]})
        return Found(rows, _today(), end.position, end.chain, known)

    async def _seal(self, unit: Unit, horizon: datetime, ready: Ready | None) -> int:
        if not await self._store.mine(unit):
            return 0
        end = await self._store.end(unit)
        if ready is not None and not ready.fits(end, _today()):
            ready = None
        rows = await self._store.take_hot(unit, () if ready is None else ready.found.rows)
        if len(rows) < self._store.slice:
            tallies = await self._store.take_tallies(unit, horizon, self._store.slice - len(rows))
            if tallies:
                rows, ready = rows + tallies, None
        if not rows:
            return 0
        if ready is None:
            found = await self._found(unit, rows, end)
            ready = Ready(found, chained(*found))
        batch, day = ready.batch, ready.found.day
        await self._store.add(unit, day, batch.events, batch.places)
        await self._store.move_ends(unit, batch.end, batch.accounts)
        times = [row["ts"] for row in rows]
        grown = {"first": end.position + 1, "last": batch.end["position"]}
        await self._store.grow_segment(unit, end, day, {**grown, "first_ts": min(times), "last_ts": max(times)})
        return len(rows)

    async def _let_head_leave(self, unit: Unit) -> None:
        if not await self._store.mine(unit):
            return
        end, now = await self._store.end(unit), clock.now()
        if _due(end, now):
            await asyncio.to_thread(self._heads.append, self._notary.sign(head_of(end.position, end.chain, now)))
            await self._store.head_left(unit, end.position, now)


def head_of(position: int, end: bytes, at: datetime) -> dict[str, Any]:
    """Return the statement about a chain's end, unsigned."""
    return {"statement": "head", "position": position, "chain": end.hex(), "at": clock.rfc3339(at)}


def chained(
    rows: Sequence[Mapping[str, Any]], day: int, position: int, end: bytes, known: Mapping[str, tuple[bytes, int]]
) -> Batch:
    """Give rows their positions after `position`, and link them to the global chain and to their accounts' chains.

    Args:
        rows: events, in their order.
        day: the day of sealing (days since 1970).
        position: the last position that is taken.
        end: the end of the global chain.
        known: the ends and counts of the accounts' chains.
    """
    events, places = [], []
    ends: dict[str, tuple[bytes, int]] = dict(known)
    last_of: dict[str, int] = {}
    salts = urandom(SALT_BYTES * len(rows))
    for at, row in enumerate(rows):
        position += 1
        salt = salts[at * SALT_BYTES : (at + 1) * SALT_BYTES]
        digest = leaf(row, commitments(row, salt))
        end = link(end, digest)
        account, previous = row["account_id"], None
        if account is not None:
            previous, count = ends.get(account, (GENESIS, 0))
            ends[account] = link(previous, digest), count + 1
            last_of[account] = position
        events.append((position, day, *_VALUES(row), salt))
        places.append((position, day, row["id"], digest, previous, end))
    accounts = [(account, last, *ends[account]) for account, last in last_of.items()]
    return Batch(events, places, accounts, {"position": position, "chain": end})


def _today() -> int:
    """Return the day (days since 1970)."""
    return clock.to_micros(clock.now()) // DAY


def _due(end: Any, now: datetime) -> bool:
    waiting = end.position - end.head_position
    return waiting >= HEAD_EVENTS or (waiting > 0 and (end.head_at is None or abs(now - end.head_at) >= HEAD_EVERY))
