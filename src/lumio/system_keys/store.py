"""Table of system keys; read here and nowhere else. A revoked key has no row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
)

from lumio.kernel import clock, ids
from lumio.storage.columns import Moment, id_column, metadata
from lumio.storage.hot import HotQuery, HotReader
from lumio.storage.unit import Unit, Units, View
from lumio.storage.uses import LastUse
from lumio.system_keys.model import Drawn, SystemKeyRow, SystemKeyView

system_keys = Table(
    "system_keys",
    metadata,
    id_column(primary_key=True),
    Column("label", String(100), nullable=False),
    Column("permissions", Text, nullable=False),
    Column("profile", String(40), nullable=False),
    Column("lookup_id", String(12), nullable=False, unique=True),
    Column("tag", Integer, nullable=False),
    Column("pepper_v", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    id_column("created_by"),
    Column("last_used_at", Moment),
    Column("last_used_ip", String(64)),
    Index(None, "created_at", "id"),
)

_SHOWN = (
    system_keys.c.id,
    system_keys.c.label,
    system_keys.c.permissions,
    system_keys.c.created_at,
    system_keys.c.last_used_at,
)
_BY_LOOKUP = HotQuery(
    select(
        system_keys.c.id, system_keys.c.label, system_keys.c.permissions,
        system_keys.c.pepper_v, system_keys.c.tag, system_keys.c.hash,
    ).where(system_keys.c.lookup_id == bindparam("lookup_id"))
)  # fmt: skip

_PERMISSIONS = HotQuery(select(system_keys.c.permissions).where(system_keys.c.id == bindparam("id")))

_LAST_USE = LastUse(system_keys, ip="last_used_ip")


class SystemKeyStore:
    """Reads and writes system keys."""

    async def by_lookup(self, hot: HotReader, lookup_id: str) -> SystemKeyRow | None:
        """Return what verification needs of a key."""
        row = await hot.row(_BY_LOOKUP, lookup_id=lookup_id)
        if row is None:
            return None
        key_id, label, permissions, *proof = row
        return SystemKeyRow(key_id, label, frozenset(_unpacked(permissions)), *proof)

    async def permissions_of(self, view: View, key_id: str) -> frozenset[str]:
        """Return the list of a key, as `view` sees it; empty when the row is gone."""
        found = await view.execute(select(system_keys.c.permissions).where(system_keys.c.id == key_id))
        return frozenset(_unpacked(found.scalar_one_or_none() or "[]"))

    async def permissions_now(self, hot: HotReader, key_id: str) -> frozenset[str]:
        """Return the same by the hot path."""
        row = await hot.row(_PERMISSIONS, id=key_id)
        return frozenset() if row is None else frozenset(_unpacked(row[0]))

    async def page(self, view: View, limit: int, after: tuple[datetime, str] | None) -> Sequence[SystemKeyView]:
        """Return keys, the newest first."""
        found = select(*_SHOWN)
        if after is not None:
            last = tuple_(*after, types=[system_keys.c.created_at.type, system_keys.c.id.type])
            found = found.where(tuple_(system_keys.c.created_at, system_keys.c.id) < last)
        ordered = found.order_by(system_keys.c.created_at.desc(), system_keys.c.id.desc()).limit(limit)
        return [_view(row) for row in await view.execute(ordered)]

    async def label_taken(self, view: View, label: str) -> bool:
        """Tell whether a key has this very label."""
        found = select(system_keys.c.id).where(system_keys.c.label == label).limit(1)
        return (await view.execute(found)).first() is not None

    async def add(self, unit: Unit, drawn: Drawn, created_by: str | None) -> SystemKeyView:
        """Insert a key; return it as lists show it."""
        row = {
            "id": ids.uuid7(), "label": drawn.label, "profile": drawn.profile,
            "permissions": msgspec.json.encode(drawn.permissions).decode(), "lookup_id": drawn.lookup_id,
            "tag": drawn.tag, "pepper_v": drawn.pepper_v, "hash": drawn.encoded,
            "created_at": clock.now(), "created_by": created_by,
        }  # fmt: skip
        return _view((await unit.execute(insert(system_keys).returning(*_SHOWN), row)).one())

    async def remove(self, unit: Unit, key_id: str) -> str | None:
        """Delete a row; return its label, or None when there is none (any more)."""
        gone = delete(system_keys).where(system_keys.c.id == key_id).returning(system_keys.c.label)
        label: str | None = (await unit.execute(gone)).scalar_one_or_none()
        return label

    async def remove_many(self, unit: Unit, key_ids: Sequence[str]) -> Sequence[Any]:
        """Delete rows; return id and label of each that was there."""
        gone = delete(system_keys).where(system_keys.c.id.in_(key_ids))
        return (await unit.execute(gone.returning(system_keys.c.id, system_keys.c.label))).all()

    async def remove_all(self, unit: Unit, until: datetime | None) -> int:
        """Delete every row, made until then when given; return how many."""
        gone = delete(system_keys)
        if until is not None:
            gone = gone.where(system_keys.c.created_at <= until)
        return (await unit.execute(gone)).rowcount

    async def used(self, units: Units, uses: Mapping[str, tuple[datetime, str | None]]) -> None:
        """Move last-used times forward, never back; a row that is gone stays gone."""
        await _LAST_USE.write(units, uses)


def _view(row: Any) -> SystemKeyView:
    return SystemKeyView(row.id, row.label, _unpacked(row.permissions), row.created_at, row.last_used_at)


def _unpacked(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])
