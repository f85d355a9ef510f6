"""What a purge, a legal hold and an erasure read and write."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, delete, func, insert, or_, select, update

from lumio.kernel import clock
from lumio.storage.events import NAMES, hot
from lumio.storage.sealed import checkpoint, checkpoint_account, held, hold, log, purge_state, seal, segment
from lumio.storage.unit import Unit, View

Row = Mapping[str, Any]
LOCK = "audit/purge"


class RetentionStore:
    """SQL of retention."""

    async def mine(self, unit: Unit) -> bool:
        """Take the purge's lock for this unit; False when another node has it."""
        return await unit.try_lock(LOCK)

    async def state(self, view: View) -> Any | None:
        """Return how far the last purge cut, or None before the first."""
        return (await view.execute(select(purge_state))).first()

    async def keep_state(self, unit: Unit, cut: int) -> None:
        """Remember a cut (microseconds) and what the clocks say now."""
        now = {"cut": cut, "at": clock.now(), "boot": clock.boot(), "boottime": int(clock.boottime() * 1_000_000)}
        adding = unit.upsert(purge_state).values(id=1, **now)
        changed = {name: adding.excluded[name] for name in now}
        await unit.execute(adding.on_conflict_do_update(index_elements=["id"], set_=changed))

    async def newest_before(self, view: View, moment: int) -> int | None:
        """Return the time of the newest event written before a moment (microseconds), sealed or not."""
        newest = [
            (await view.execute(select(func.max(table.c.ts)).where(table.c.ts < moment))).scalar()
            for table in (log, hot)
        ]
        return max((one for one in newest if one is not None), default=None)

    async def segments(self, view: View) -> Sequence[Any]:
        """Return every run that is kept, in order."""
        return (await view.execute(select(segment).order_by(segment.c.first))).all()

    async def checkpointed(self, view: View) -> int:
        """Return the position that the newest checkpoint stands for, 0 before the first."""
        return (await view.execute(select(func.max(checkpoint.c.position)))).scalar() or 0

    async def add_checkpoint(self, unit: Unit, position: int, statement: str, accounts: Sequence[Row]) -> None:
        """Write a checkpoint and the ends of its accounts."""
        await unit.execute(insert(checkpoint).values(position=position, statement=statement))
        if accounts:
            await unit.execute(insert(checkpoint_account), [{**one, "position": position} for one in accounts])

    async def holds(self, view: View) -> Sequence[Any]:
        """Return every legal hold."""
        return (await view.execute(select(hold).order_by(hold.c.since))).all()

    async def place_hold(self, unit: Unit, account_id: str, reason: str) -> bool:
        """Put an account on hold; False when it is already."""
        adding = unit.upsert(hold).values(account_id=account_id, reason=reason, since=clock.now())
        return bool((await unit.execute(adding.on_conflict_do_nothing())).rowcount)

    async def release_hold(self, unit: Unit, account_id: str) -> bool:
        """End a hold and forget what only the hold kept; False when there was none."""
        if not (await unit.execute(delete(hold).where(hold.c.account_id == account_id))).rowcount:
            return False
        await unit.execute(delete(held).where(held.c.account_id == account_id))
        return True

    async def move_held(self, unit: Unit, first: int, last: int) -> None:
        """Copy the events of accounts on hold to where a purge does not reach."""
        on_hold = select(hold.c.account_id)
        copied = ("position", *NAMES, "salt", "commitments")
        chosen = (
            select(*(log.c[name] for name in copied), seal.c.leaf, seal.c.account_prev)
            .join(seal, and_(seal.c.position == log.c.position, seal.c.day == log.c.day))
            .where(log.c.position.between(first, last), log.c.account_id.in_(on_hold))
        )
        await unit.execute(insert(held).from_select((*copied, "leaf", "account_prev"), chosen))

    async def drop(self, unit: Unit, first: int, last: int) -> None:
        """Delete events and places in a range of positions."""
        for table in (log, seal):
            await unit.execute(delete(table).where(table.c.position.between(first, last)))

    async def forget_segment(self, unit: Unit, first: int) -> None:
        """Delete a run that is purged."""
        await unit.execute(delete(segment).where(segment.c.first == first))

    async def shrink_segment(self, unit: Unit, first: int, to: int) -> None:
        """Let a run begin later: what was before is deleted."""
        await unit.execute(update(segment).where(segment.c.first == first).values(first=to))

    async def of_person(self, view: View, user_id: str, after: int, most: int) -> Sequence[Row]:
        """Return sealed events that name a person, after a position, that still have their personal fields."""
        person = or_(
            log.c.actor_id == user_id,
            log.c.on_behalf_of == user_id,
            and_(log.c.target_type == "user", log.c.target_id == user_id),
        )
        chosen = select(log).where(log.c.position > after, log.c.commitments.is_(None), person)
        return [dict(row) for row in (await view.execute(chosen.order_by(log.c.position).limit(most))).mappings()]

    async def held_of_person(self, view: View, user_id: str, most: int) -> Sequence[Row]:
        """Return the same of events on hold."""
        person = or_(
            held.c.actor_id == user_id,
            held.c.on_behalf_of == user_id,
            and_(held.c.target_type == "user", held.c.target_id == user_id),
        )
        chosen = select(held).where(held.c.commitments.is_(None), person).order_by(held.c.position).limit(most)
        return [dict(row) for row in (await view.execute(chosen)).mappings()]

    async def erase(self, unit: Unit, packed: Mapping[int, bytes], *, on_hold: bool) -> None:
        """Take the personal fields and the salt from events, and leave the commitments that prove them."""
        table = held if on_hold else log
        nothing = dict.fromkeys(("actor_label", "ip", "user_agent", "detail", "salt"))
        for position, left in packed.items():
            await unit.execute(update(table).where(table.c.position == position).values(commitments=left, **nothing))
