"""Table of developer keys; read here and nowhere else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
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
from lumio.keys.model import KeyRow
from lumio.storage.columns import Moment, fingerprint_columns, id_column, metadata
from lumio.storage.hot import HOT_ROWS_MAX, HotQuery, HotReader
from lumio.storage.unit import Unit, Units, View
from lumio.storage.uses import LastUse

keys = Table(
    "api_key",
    metadata,
    id_column(primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    id_column("holder_id", nullable=False),
    id_column("minter_id", nullable=False, index=True),
    Column("minter_name", String(254), nullable=False),
    Column("label", String(100), nullable=False),
    *fingerprint_columns(),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Column("last_used_ip", String(64)),
    id_column("predecessor_id"),
    Index(None, "account_id", "created_at", "id"),
)

_BY_LOOKUP = HotQuery(
    select(
        keys.c.id, keys.c.account_id, keys.c.holder_id, keys.c.minter_id, keys.c.label,
        keys.c.pepper_v, keys.c.digest, keys.c.expires_at, keys.c.revoked_at,
    ).where(keys.c.lookup_id == bindparam("lookup_id"))
)  # fmt: skip

_LAST_USE = LastUse(keys, keys.c.revoked_at.is_(None), ip="last_used_ip")


@lru_cache(HOT_ROWS_MAX)
def _key_row(row: tuple[Any, ...]) -> KeyRow:
    """Return a row in words: the same object as long as the database says the same."""
    times = [None if micros is None else clock.from_micros(micros) for micros in row[7:]]
    return KeyRow(*row[:7], *times)


class KeyStore:
    """Reads and writes developer keys."""

    async def by_lookup(self, hot: HotReader, lookup_id: str) -> KeyRow | None:
        """Return what verification needs of a key, whatever its state."""
        row = await hot.row(_BY_LOOKUP, lookup_id=lookup_id)
        return None if row is None else _key_row(row)

    async def live(
        self,
        view: View,
        account_id: str,
        member_id: str | None,
        limit: int,
        after: tuple[datetime, str] | None,
    ) -> Sequence[Any]:
        """Return rows of keys that are not revoked, the newest first; of one holder when given."""
        found = select(keys).where(keys.c.account_id == account_id, keys.c.revoked_at.is_(None))
        if member_id is not None:
            found = found.where(keys.c.holder_id == member_id)
        if after is not None:
            # The types are named: a bare datetime would be bound as text, above every number.
            last = tuple_(*after, types=[keys.c.created_at.type, keys.c.id.type])
            found = found.where(tuple_(keys.c.created_at, keys.c.id) < last)
        ordered = found.order_by(keys.c.created_at.desc(), keys.c.id.desc()).limit(limit)
        return (await view.execute(ordered)).all()

    async def left_by(self, view: View, account_id: str, member_id: str, user_id: str | None) -> Sequence[Any]:
        """Return rows of live keys that a member holds or that the person behind it minted, the newest first."""
        theirs = [keys.c.holder_id == member_id, *([keys.c.minter_id == user_id] if user_id else [])]
        found = select(keys).where(keys.c.account_id == account_id, keys.c.revoked_at.is_(None), or_(*theirs))
        return (await view.execute(found.order_by(keys.c.created_at.desc(), keys.c.id.desc()))).all()

    async def one(self, view: View, account_id: str, key_id: str) -> Any | None:
        """Return the row of a key that is not revoked."""
        found = select(keys).where(keys.c.account_id == account_id, keys.c.id == key_id, keys.c.revoked_at.is_(None))
        return (await view.execute(found)).first()

    async def add(self, unit: Unit, values: Mapping[str, Any]) -> Any:
        """Insert a key; return its row."""
        row = {"id": ids.uuid7(), "created_at": clock.now(), **values}
        return (await unit.execute(insert(keys).returning(keys), row)).one()

    async def revoke(self, unit: Unit, key_id: str, moment: datetime) -> bool:
        """End a key; return False when another request was faster."""
        live = update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
        return (await unit.execute(live.values(revoked_at=moment))).rowcount == 1

    async def end_many(self, unit: Unit, key_ids: Sequence[str], moment: datetime) -> Sequence[Any]:
        """End those of some keys that live; return id, label and account of each."""
        live = update(keys).where(keys.c.id.in_(key_ids), keys.c.revoked_at.is_(None)).values(revoked_at=moment)
        return (await unit.execute(live.returning(keys.c.id, keys.c.label, keys.c.account_id))).all()

    async def end_all(self, unit: Unit, moment: datetime, until: datetime | None) -> dict[str, int]:
        """End every one that lives, issued until then when given; return how many by account."""
        live = [keys.c.revoked_at.is_(None), *([keys.c.created_at <= until] if until else [])]
        counted = select(keys.c.account_id, func.count().label("n")).where(*live).group_by(keys.c.account_id)
        found = {row.account_id: int(row.n) for row in await unit.execute(counted)}
        await unit.execute(update(keys).where(*live).values(revoked_at=moment))
        return found

    async def used(self, units: Units, uses: Mapping[str, tuple[datetime, str | None]]) -> None:
        """Move last-used times forward; never back, and never of a revoked key."""
        await _LAST_USE.write(units, uses)
