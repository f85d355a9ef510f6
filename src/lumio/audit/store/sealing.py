"""Moving rows from the hot journal and the closed tallies into the indexed log, and keeping the chain's ends.

Promise: a row leaves the journal in the same commit in which it has its place in the chain: never none, never two.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update

from lumio.kernel import clock
from lumio.storage import bulk
from lumio.storage.dialect import PostgresDialect, SqliteDialect
from lumio.storage.events import NAMES, hot, tally
from lumio.storage.sealed import account_chain, chain, log, seal, segment
from lumio.storage.unit import Unit, View

Row = Mapping[str, Any]
LOCK = "audit/sealer"
EVENT = ("position", "day", *NAMES, "salt")
PLACE = ("position", "day", "event_id", "leaf", "account_prev", "chain")
END = ("account_id", "position", "chain", "count")
_END = select(chain, segment.c.first, segment.c.day, segment.c.first_ts, segment.c.last_ts).outerjoin(
    segment, segment.c.first == select(func.max(segment.c.first)).scalar_subquery()
)
_TALLY = select(tally.c.name, *(tally.c[name] for name in NAMES))


class SealStore:
    """What the sealer reads and writes.

    `slice` rows are what one unit of it moves, and `rest` seconds lie between two units.
    """

    def __init__(self, dialect: SqliteDialect | PostgresDialect) -> None:
        """Move rows as this kind of database likes it."""
        self._bulk = bulk.choose(dialect)
        self.slice, self.rest = self._bulk.slice, self._bulk.rest

    async def mine(self, unit: Unit) -> bool:
        """Take the sealer's lock for this unit; False when another node has it."""
        return await unit.try_lock(LOCK)

    async def end(self, view: View) -> Any:
        """Return the row of the global chain's end: `position`, `chain`, `head_position`, `head_at`.

        With it the newest run of positions, where there is one: `first`, `day`, `first_ts`, `last_ts`.
        """
        return (await view.execute(_END)).one()

    async def look(self, view: View) -> list[Row]:
        """Return what `take_hot` would take, where it pays to know before."""
        return await self._bulk.look(view.connection, self.slice)

    async def take_hot(self, unit: Unit, seen: Sequence[Row]) -> list[Row]:
        """Remove the oldest rows of the hot journal and return them, in their order.

        Args:
            unit: the sealer's.
            seen: what `look` returned, when nothing was sealed since.
        """
        return await self._bulk.take(unit.connection, self.slice, seen)

    async def take_tallies(self, unit: Unit, now: datetime, most: int) -> list[Row]:
        """Remove tallies whose time is over and return them; one that is raised at this moment stays for later."""
        over = _TALLY.where(tally.c.until <= clock.to_micros(now)).order_by(tally.c.until, tally.c.name).limit(most)
        rows = (await unit.execute(over.with_for_update(skip_locked=True))).mappings().all()
        if rows:
            await unit.execute(delete(tally).where(tally.c.name.in_([row["name"] for row in rows])))
        return [dict(row) for row in rows]

    async def account_ends(self, view: View, accounts: Iterable[str]) -> dict[str, tuple[bytes, int]]:
        """Return the end of each account's chain and its count; accounts without events are left out."""
        found = await view.execute(select(account_chain).where(account_chain.c.account_id.in_(list(accounts))))
        return {row["account_id"]: (row["chain"], row["count"]) for row in found.mappings()}

    async def add(self, unit: Unit, day: int, events: bulk.Rows, places: bulk.Rows) -> None:
        """Write events (`EVENT`) and their places (`PLACE`); the day gets its room where rooms are."""
        await unit.make_partition(day)
        await self._bulk.add(unit.connection, log, EVENT, events)
        await self._bulk.add(unit.connection, seal, PLACE, places)

    async def move_ends(self, unit: Unit, end: Row, accounts: bulk.Rows) -> None:
        """Write the new ends of the chains: the global one, and those of accounts (`END`)."""
        await unit.execute(update(chain), dict(end))
        if accounts:
            await self._bulk.put(unit.connection, account_chain, END, accounts)

    async def grow_segment(self, unit: Unit, newest: Any, day: int, grown: Row) -> None:
        """Lengthen the newest run (as `end` returned it) when it is of this day, else begin a new one."""
        if newest.day != day:
            await unit.execute(insert(segment), {**grown, "day": day})
            return
        times = {
            "first_ts": min(newest.first_ts, grown["first_ts"]),
            "last_ts": max(newest.last_ts, grown["last_ts"]),
        }
        await unit.execute(update(segment).where(segment.c.first == newest.first).values(last=grown["last"], **times))

    async def head_left(self, unit: Unit, position: int, at: datetime) -> None:
        """Note which head has left the database."""
        await unit.execute(update(chain).values(head_position=position, head_at=at))

    async def settle(self, moved: int) -> None:
        """Do what the database owes for so many moved rows, outside every transaction."""
        await self._bulk.settle(moved)

    async def waits(self, view: View, now: datetime) -> bool:
        """Tell whether something can be sealed at this moment."""
        rows = select(hot.c.n).limit(1).exists()
        counts = select(tally.c.name).where(tally.c.until <= clock.to_micros(now)).limit(1).exists()
        return bool((await view.execute(select(or_(rows, counts)))).scalar())

    async def oldest_waiting(self, view: View) -> int | None:
        """Return the time (microseconds) of the oldest row that is not sealed, or None."""
        row = (await view.execute(select(hot.c.ts).order_by(hot.c.n).limit(1))).first()
        return None if row is None else int(row.ts)
