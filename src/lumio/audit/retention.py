"""Retention: what is older than 90 days goes, a whole day at a time (spec: audit log, section 5).

Promise: nothing goes before a signed checkpoint has left the database that proves it was there, nothing goes that
does not verify, and a clock that jumps makes nothing go early.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from lumio.audit.heads import HeadFile
from lumio.audit.outside import Bad
from lumio.audit.sealer import DAY
from lumio.audit.store.retention import RetentionStore
from lumio.audit.verification import Verification, Walk, digest_of_ends
from lumio.crypto.notary import Notary
from lumio.kernel import clock
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.storage.unit import Unit, Units

log = structlog.get_logger()
KEPT_DAYS = 90
SLICE = 1000
HOUR = 3_600_000_000
PER_STABLE_HOUR = 7 * DAY
AHEAD_MAX = DAY
SUCCESSION = timedelta(hours=3)
"""After so long without a purge by the machine that did the last one, another takes over."""
PURGED = "audit_log.purged"


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did: how many days and events went, and why it stopped short, if it did."""

    days: int = 0
    events: int = 0
    refused: str | None = None


class Retention:
    """Purges what is old enough."""

    def __init__(
        self, units: Units, store: RetentionStore, verification: Verification, notary: Notary, heads: HeadFile
    ) -> None:
        """Work through `units` with the rights of the role that may delete."""
        self._units = units
        self._store = store
        self._verification = verification
        self._notary = notary
        self._heads = heads

    async def purge(self, *, trust_clock: bool = False) -> Purged:
        """Purge every day that is older than 90 times 24 hours.

        Args:
            trust_clock: the operator has looked at the clock; the guards against a jump step aside.
        """
        if not trust_clock and await self._another_is_at_it():
            return Purged()
        cut, refused = await self._cut(trust_clock=trust_clock)
        if refused is not None:
            log.error("nothing was purged", reason=refused)
            return Purged(refused=refused)
        days = events = 0
        for run in ripe(await self._units.read(self._store.segments), cut):
            try:
                events += await self._purge(run)
            except Bad as bad:
                refused = f"The day that ends at position {run.last} does not verify: {bad.verdict.sentence}"
                log.error("a day was not purged", reason=refused)  # noqa: TRY400 - the sentence says it all
                return Purged(days, events, refused)
            days += 1
        await self._units.run(lambda unit: self._store.keep_state(unit, cut))
        return Purged(days, events)

    async def _another_is_at_it(self) -> bool:
        """Tell whether another machine purges: two would take each other's clock for one that was just started.

        A machine that was not at it for long enough is succeeded; the cut goes on from where it was, never ahead.
        """
        state = await self._units.read(self._store.state)
        if state is None or state.boot == clock.boot():
            return False
        return bool(abs(clock.now() - state.at) < SUCCESSION)

    async def _cut(self, *, trust_clock: bool) -> tuple[int, str | None]:
        """Return up to where may be purged (microseconds), or why not at all."""
        now, uptime = clock.to_micros(clock.now()), int(clock.boottime() * 1_000_000)
        wanted = now - KEPT_DAYS * DAY
        if trust_clock:
            return wanted, None
        newest = await self._units.read(lambda view: self._store.newest_before(view, now - uptime))
        if newest is not None and now - uptime - newest > AHEAD_MAX:
            return 0, (
                "When this machine started, its clock was more than a day ahead of the newest event before. "
                "If the clock is right, run: lumio-server audit purge --trust-clock"
            )
        state = await self._units.read(self._store.state)
        if state is None:  # the first time ever: nothing goes yet, and from now on the cut can move
            runs = await self._units.read(self._store.segments)
            cut = min([wanted, *(run.first_ts for run in runs)])
        elif state.boot != clock.boot():
            cut = min(wanted, state.cut)
        else:
            elapsed = uptime - state.boottime
            return min(wanted, state.cut + elapsed + elapsed * PER_STABLE_HOUR // HOUR), None
        await self._units.run(lambda unit: self._store.keep_state(unit, cut))
        return cut, None

    async def _purge(self, run: Any) -> int:
        """Purge one run; return how many events went."""
        before = await self._units.read(self._store.checkpointed)
        if before < run.last:
            await self._stand_for(run)
        await self._drop(run)
        return int(run.last - run.first + 1)

    async def _stand_for(self, run: Any) -> None:
        """Verify a run, and let a checkpoint of it leave the database before it is written there."""
        walk, ends = await self._verification.run_of(run.first, run.last)
        statement = self._notary.sign(checkpoint_of(run, walk, ends))

        async def step(unit: Unit) -> None:
            if not await self._store.mine(unit):
                return
            if await self._store.checkpointed(unit) >= run.last:
                return
            await asyncio.to_thread(self._heads.append, statement)
            rows = [{"account_id": name, "chain": end, "count": count} for name, (end, count) in ends.items()]
            await self._store.add_checkpoint(unit, run.last, json.dumps(statement, sort_keys=True), rows)
            await self._store.move_held(unit, run.first, run.last)
            detail = {"position": run.last, "events": run.last - run.first + 1}
            unit.record(Event(PURGED, "success", SYSTEM, NOWHERE, detail=detail))

        await self._units.run(step)

    async def _drop(self, run: Any) -> None:
        """Delete a run that a checkpoint stands for: its partition, or one slice after the other."""

        async def whole(unit: Unit) -> bool:
            alone = not [one for one in await self._store.segments(unit) if one.day == run.day and one != run]
            dropped = alone and await unit.drop_partition(run.day)
            if dropped:
                await self._store.forget_segment(unit, run.first)
            return dropped

        if await self._units.run(whole):
            return
        for first in range(run.first, run.last + 1, SLICE):
            last = min(first + SLICE - 1, run.last)

            async def step(unit: Unit, first: int = first, last: int = last) -> None:
                await self._store.drop(unit, first, last)
                if last == run.last:
                    await self._store.forget_segment(unit, first)
                else:
                    await self._store.shrink_segment(unit, first, last + 1)

            await self._units.run(step)
            await asyncio.sleep(0)


def ripe(segments: Sequence[Any], cut: int) -> list[Any]:
    """Return the runs at the front whose day ended before `cut`; the newest run never.

    A run is as old as any run after it says: a day from a clock that ran ahead is no younger than what followed.
    """
    ripe_ones: list[Any] = []
    for place, run in enumerate(segments[:-1]):
        day = min(one.day for one in segments[place:])
        if (day + 1) * DAY > cut:
            break
        ripe_ones.append(run)
    return ripe_ones


def checkpoint_of(run: Any, walk: Walk, ends: Mapping[str, tuple[bytes, int]]) -> dict[str, Any]:
    """Return the statement that stands for a run, unsigned."""
    return {
        "statement": "checkpoint",
        "position": run.last,
        "chain": walk.chain.hex(),
        "accounts": digest_of_ends(ends),
        "count": run.last - run.first + 1,
        "first_ts": run.first_ts,
        "last_ts": run.last_ts,
        "at": clock.rfc3339(clock.now()),
    }
