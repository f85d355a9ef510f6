"""Reading the sealed log in the order of its chain, for a verification."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from lumio.storage.events import hot, tally
from lumio.storage.sealed import account_chain, chain, checkpoint, checkpoint_account, held, log, seal
from lumio.storage.unit import View

Row = Mapping[str, Any]
_PLACES = (seal.c.event_id, seal.c.leaf, seal.c.account_prev, seal.c.chain)


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

    async def places(self, view: View, after: int, until: int) -> dict[int, Row]:
        """Return the places after one position up to another, by position."""
        found = await view.execute(_between(select(seal), seal, after, until))
        return {row["position"]: dict(row) for row in found.mappings()}

    async def events(self, view: View, after: int, until: int) -> dict[int, Row]:
        """Return the events after one position up to another, by position."""
        found = await view.execute(_between(select(log), log, after, until))
        return {row["position"]: dict(row) for row in found.mappings()}

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
        wanted = both.where(log.c.account_id == account_id, log.c.position > after)
        return [dict(row) for row in (await view.execute(wanted.order_by(log.c.position).limit(most))).mappings()]

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


def _between(found: Select[Any], table: Any, after: int, until: int) -> Select[Any]:
    return found.where(table.c.position > after, table.c.position <= until).order_by(table.c.position)
