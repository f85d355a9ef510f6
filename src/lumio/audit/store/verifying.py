"""Reading the sealed log in the order of its chain, for a verification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, select

from lumio.audit.store.days import on, run_after
from lumio.storage.events import hot, tally
from lumio.storage.sealed import account_chain, chain, checkpoint, checkpoint_account, held, log, seal
from lumio.storage.unit import View

Row = Mapping[str, Any]
_PLACES = (seal.c.event_id, seal.c.leaf, seal.c.account_prev, seal.c.chain)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Places and events up to a position, by position, and the run that tells their day and time, if one does."""

    until: int
    run: Any | None
    places: Mapping[int, Row]
    events: Mapping[int, Row]

    def told(self, place: Row, event: Row) -> bool:
        """Tell whether an event lies in the day, and in the time of that day, that its run says."""
        run = self.run
        return (
            run is not None and place["day"] == event["day"] == run.day and run.first_ts <= event["ts"] <= run.last_ts
        )


class VerifyStore:
    """What a verification reads; every method is one short read."""

    async def end(self, view: View) -> Row:
        """Return the global chain's end."""
        return dict((await view.execute(select(chain))).mappings().one())

    async def checkpoints(self, view: View) -> Sequence[Row]:
        """Return every checkpoint, the oldest first."""
        found = await view.execute(select(checkpoint).order_by(checkpoint.c.position))
        return [dict(row) for row in found.mappings()]

    async def checkpoint_accounts(self, view: View, position: int) -> Sequence[Row]:
        """Return the accounts' ends that one checkpoint stands for, in the order of their ids."""
        chosen = select(checkpoint_account).where(checkpoint_account.c.position == position)
        found = await view.execute(chosen.order_by(checkpoint_account.c.account_id))
        return [dict(row) for row in found.mappings()]

    async def sealed(self, view: View, after: int, until: int) -> Sealed:
        """Return what lies after one position up to another, or up to where its day ends if that comes first."""
        behind = await run_after(view, after)
        run = behind if behind is not None and behind.first <= after + 1 else None
        until = until if behind is None else min(until, behind.first - 1 if run is None else behind.last)
        days = None if run is None else [run.day]
        places, events = [await _between(view, table, after, until, days) for table in (seal, log)]
        if not len(places) == len(events) == until - after:  # perhaps somebody moved them to another day
            places, events = [await _between(view, table, after, until, None) for table in (seal, log)]
        return Sealed(until, run, places, events)

    async def strays(self, view: View, last: int) -> int | None:
        """Return the first position past `last` that an event or a place has, or None."""
        firsts = [
            (await view.execute(select(func.min(table.c.position)).where(table.c.position > last))).scalar()
            for table in (log, seal)
        ]
        return min((first for first in firsts if first is not None), default=None)

    async def of_account(self, view: View, account_id: str, after: int, most: int) -> Sequence[Row]:
        """Return events of an account with their places, in order; events on hold come from where they are held."""
        kept = select(held).where(held.c.account_id == account_id, held.c.position > after)
        rows = (await view.execute(kept.order_by(held.c.position).limit(most))).mappings().all()
        if rows:
            return [dict(row) | {"event_id": row["id"]} for row in rows]
        both = select(log, *_PLACES).join(seal, (seal.c.position == log.c.position) & (seal.c.day == log.c.day))
        wanted = both.where(log.c.account_id == account_id, log.c.position > after).order_by(log.c.position)
        place = after
        while (run := await run_after(view, place)) is not None:
            here = wanted.where(log.c.position <= run.last, on(view, log, [run.day]), on(view, seal, [run.day]))
            rows = (await view.execute(here.limit(most))).mappings().all()
            if rows:
                return [dict(row) for row in rows]
            place = int(run.last)
        return []

    async def account_end(self, view: View, account_id: str) -> Row | None:
        """Return the end of an account's chain."""
        found = (await view.execute(select(account_chain).where(account_chain.c.account_id == account_id))).mappings()
        row = found.first()
        return None if row is None else dict(row)

    async def account_ends(self, view: View, after: str, most: int) -> Sequence[Row]:
        """Return the ends of accounts' chains after an id, in the order of their ids."""
        chosen = select(account_chain).where(account_chain.c.account_id > after)
        found = await view.execute(chosen.order_by(account_chain.c.account_id).limit(most))
        return [dict(row) for row in found.mappings()]

    async def last_checkpoint_of(self, view: View, account_id: str) -> Row | None:
        """Return the newest checkpointed end of an account's chain."""
        chosen = select(checkpoint_account).where(checkpoint_account.c.account_id == account_id)
        found = await view.execute(chosen.order_by(checkpoint_account.c.position.desc()).limit(1))
        row = found.mappings().first()
        return None if row is None else dict(row)

    async def first_held(self, view: View, account_id: str) -> Row | None:
        """Return the first event of an account that is on hold, with its place."""
        chosen = select(held).where(held.c.account_id == account_id).order_by(held.c.position).limit(1)
        row = (await view.execute(chosen)).mappings().first()
        return None if row is None else dict(row)

    async def waiting(self, view: View) -> int:
        """Count the rows that are not sealed yet."""
        counts = [
            (await view.execute(select(func.count()).select_from(table))).scalar_one() for table in (hot, tally)
        ]
        return sum(counts)


async def _between(view: View, table: Table, after: int, until: int, days: Sequence[int] | None) -> dict[int, Row]:
    wanted = select(table).where(table.c.position > after, table.c.position <= until)
    found = await view.execute(wanted.where(on(view, table, days)).order_by(table.c.position))
    return {row["position"]: dict(row) for row in found.mappings()}
