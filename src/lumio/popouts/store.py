"""Table of popout tokens; read here and nowhere else."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    bindparam,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from lumio.kernel import clock, ids
from lumio.popouts.model import PopoutRow
from lumio.storage.columns import Moment, fingerprint_columns, id_column, metadata
from lumio.storage.hot import HotQuery, HotReader
from lumio.storage.unit import Unit, Units, View
from lumio.storage.uses import LastUse

popouts = Table(
    "popout_token",
    metadata,
    id_column(primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    id_column("member_id", nullable=False),
    id_column("maker_id", nullable=False, index=True),
    Column("maker_name", String(254), nullable=False),
    Column("label", String(100), nullable=False),
    Column("permissions", JSON, nullable=False),
    *fingerprint_columns(),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Column("last_used_ip", String(64)),
    Index(None, "account_id", "created_at", "id"),
)

_BY_LOOKUP = HotQuery(
    select(
        popouts.c.id, popouts.c.account_id, popouts.c.member_id, popouts.c.maker_id, popouts.c.label,
        popouts.c.permissions, popouts.c.pepper_v, popouts.c.digest, popouts.c.expires_at, popouts.c.revoked_at,
    ).where(popouts.c.lookup_id == bindparam("lookup_id"))
)  # fmt: skip

_LAST_USE = LastUse(popouts, popouts.c.revoked_at.is_(None), ip="last_used_ip")


class PopoutStore:
    """Reads and writes popout tokens."""

    async def by_lookup(self, hot: HotReader, lookup_id: str) -> PopoutRow | None:
        """Return what verification needs of a popout token, whatever its state."""
        row = await hot.row(_BY_LOOKUP, lookup_id=lookup_id)
        if row is None:
            return None
        popout_id, account_id, member_id, maker_id, label, permissions, pepper_v, digest, *micros = row
        times = [None if one is None else clock.from_micros(one) for one in micros]
        chosen = frozenset(json.loads(permissions))
        return PopoutRow(popout_id, account_id, member_id, maker_id, label, chosen, pepper_v, digest, *times)

    async def live(
        self,
        view: View,
        account_id: str,
        member_id: str | None,
        limit: int,
        after: tuple[datetime, str] | None,
    ) -> Sequence[Any]:
        """Return rows of popout tokens that are not revoked, the newest first; of one member when given."""
        found = select(popouts).where(popouts.c.account_id == account_id, popouts.c.revoked_at.is_(None))
        if member_id is not None:
            found = found.where(popouts.c.member_id == member_id)
        if after is not None:
            last = tuple_(*after, types=[popouts.c.created_at.type, popouts.c.id.type])
            found = found.where(tuple_(popouts.c.created_at, popouts.c.id) < last)
        ordered = found.order_by(popouts.c.created_at.desc(), popouts.c.id.desc()).limit(limit)
        return (await view.execute(ordered)).all()

    async def left_by(self, view: View, account_id: str, member_id: str, user_id: str | None) -> Sequence[Any]:
        """Return rows of live popout tokens bound to a member or made by the person behind it, the newest first."""
        theirs = [popouts.c.member_id == member_id, *([popouts.c.maker_id == user_id] if user_id else [])]
        found = select(popouts).where(
            popouts.c.account_id == account_id, popouts.c.revoked_at.is_(None), or_(*theirs)
        )
        return (await view.execute(found.order_by(popouts.c.created_at.desc(), popouts.c.id.desc()))).all()

    async def one(self, view: View, account_id: str, popout_id: str) -> Any | None:
        """Return the row of a popout token that is not revoked."""
        found = select(popouts).where(
            popouts.c.account_id == account_id, popouts.c.id == popout_id, popouts.c.revoked_at.is_(None)
        )
        return (await view.execute(found)).first()

    async def add(self, unit: Unit, values: Mapping[str, Any]) -> Any:
        """Insert a popout token; return its row."""
        row = {"id": ids.uuid7(), "created_at": clock.now(), **values}
        return (await unit.execute(insert(popouts).returning(popouts), row)).one()

    async def change(self, unit: Unit, popout_id: str, values: Mapping[str, Any]) -> Any | None:
        """Update columns of a popout token that is not revoked; return its row, or None when it is."""
        live = update(popouts).where(popouts.c.id == popout_id, popouts.c.revoked_at.is_(None))
        return (await unit.execute(live.values(**values).returning(popouts))).first()

    async def end_many(self, unit: Unit, popout_ids: Sequence[str], moment: datetime) -> Sequence[Any]:
        """End those of some popout tokens that live; return id, label and account of each."""
        live = update(popouts).where(popouts.c.id.in_(popout_ids), popouts.c.revoked_at.is_(None))
        ended = live.values(revoked_at=moment).returning(popouts.c.id, popouts.c.label, popouts.c.account_id)
        return (await unit.execute(ended)).all()

    async def end_all(self, unit: Unit, moment: datetime, until: datetime | None) -> dict[str, int]:
        """End every one that lives, issued until then when given; return how many by account."""
        live = [popouts.c.revoked_at.is_(None), *([popouts.c.created_at <= until] if until else [])]
        counted = select(popouts.c.account_id, func.count().label("n")).where(*live).group_by(popouts.c.account_id)
        found = {row.account_id: int(row.n) for row in await unit.execute(counted)}
        await unit.execute(update(popouts).where(*live).values(revoked_at=moment))
        return found

    async def used(self, units: Units, uses: Mapping[str, tuple[datetime, str | None]]) -> None:
        """Move last-used times forward; never back, and never of a revoked popout token."""
        await _LAST_USE.write(units, uses)
