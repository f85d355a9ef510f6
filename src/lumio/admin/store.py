"""Tables of admin roles and of who holds them; read here and nowhere else.

A grant names a built-in role by its name and a custom one by its id, so that renaming a role moves nobody.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, String, Table, bindparam, delete, func, insert, select, update

from lumio.access import permission
from lumio.admin.model import AdminRole
from lumio.kernel import clock, ids
from lumio.storage.columns import Moment, id_column, metadata
from lumio.storage.hot import HotQuery, HotReader
from lumio.storage.unit import Unit, View

grants = Table(
    "admin_grant",
    metadata,
    Column("user_id", ForeignKey("user_person.id"), primary_key=True),
    Column("role", String(64), primary_key=True),
    Column("granted_at", Moment, nullable=False),
)

roles = Table(
    "admin_role",
    metadata,
    id_column(primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("permissions", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
)


_HELD = select(grants.c.role, roles.c.permissions).outerjoin(roles, roles.c.id == grants.c.role)
_HELD_NOW = HotQuery(_HELD.where(grants.c.user_id == bindparam("user_id")))


class AdminStore:
    """Reads and writes roles and grants."""

    async def held_by(self, view: View, user_id: str) -> dict[str, frozenset[str]]:
        """Return the roles of a person: what each custom one gives, and nothing beside the name of a built-in one."""
        rows = await view.execute(_HELD.where(grants.c.user_id == user_id))
        return {row.role: _known(row.permissions or ()) for row in rows}

    async def held_now_by(self, hot: HotReader, user_id: str) -> dict[str, frozenset[str]]:
        """Return the same by the hot path, whose drivers leave JSON as text."""
        rows = await hot.rows(_HELD_NOW, user_id=user_id)
        return {role: _known(json.loads(permissions or "[]")) for role, permissions in rows}

    async def anybody(self, view: View, role: str) -> bool:
        """Tell whether somebody holds `role`."""
        found = await view.execute(select(grants.c.user_id).where(grants.c.role == role).limit(1))
        return found.first() is not None

    async def holders(self, view: View, role: str) -> list[str]:
        """Return the ids of the people who hold `role`."""
        rows = await view.execute(select(grants.c.user_id).where(grants.c.role == role).order_by(grants.c.user_id))
        return [row.user_id for row in rows]

    async def counts(self, view: View) -> dict[str, int]:
        """Return how many people hold each role that anybody holds."""
        counted = select(grants.c.role, func.count().label("holders")).group_by(grants.c.role)
        return {row.role: row.holders for row in await view.execute(counted)}

    async def grants_of(self, view: View, user_ids: Iterable[str]) -> dict[str, set[str]]:
        """Return the roles of some people by person."""
        found: dict[str, set[str]] = {user_id: set() for user_id in user_ids}
        chosen = select(grants.c.user_id, grants.c.role).where(grants.c.user_id.in_(list(found)))
        for row in await view.execute(chosen):
            found[row.user_id].add(row.role)
        return found

    async def grant(self, unit: Unit, user_id: str, role: str) -> None:
        """Give a person a role."""
        await unit.execute(insert(grants), {"user_id": user_id, "role": role, "granted_at": clock.now()})

    async def withdraw(self, unit: Unit, user_id: str, role: str) -> None:
        """Take a role from a person."""
        await unit.execute(delete(grants).where(grants.c.user_id == user_id, grants.c.role == role))

    async def custom(self, view: View) -> list[AdminRole]:
        """Return the custom roles by name."""
        return [_role(row) for row in await view.execute(select(roles).order_by(roles.c.name))]

    async def add(self, unit: Unit, name: str, permissions: frozenset[str]) -> AdminRole:
        """Insert a custom role."""
        row = {"id": ids.uuid7(), "name": name, "permissions": sorted(permissions), "created_at": clock.now()}
        return _role((await unit.execute(insert(roles).returning(roles), row)).one())

    async def change(self, unit: Unit, role_id: str, name: str, permissions: frozenset[str]) -> None:
        """Replace name and permissions of a custom role."""
        change = update(roles).where(roles.c.id == role_id)
        await unit.execute(change.values(name=name, permissions=sorted(permissions)))

    async def remove(self, unit: Unit, role_id: str) -> None:
        """Delete a custom role."""
        await unit.execute(delete(roles).where(roles.c.id == role_id))


def _known(names: Iterable[str]) -> frozenset[str]:
    """Keep admin permissions only, whatever a row says."""
    return frozenset(names) & permission.ADMIN


def _role(row: Any) -> AdminRole:
    known = _known(row.permissions)
    return AdminRole(row.id, row.name, known, known, created_at=row.created_at)
