"""Table of admin roles granted to people; read here and nowhere else."""

from sqlalchemy import Column, ForeignKey, String, Table, insert, select

from lumio.kernel import clock
from lumio.storage.columns import Moment, metadata
from lumio.storage.unit import Unit, View

grants = Table(
    "admin_grant",
    metadata,
    Column("user_id", ForeignKey("user_person.id"), primary_key=True),
    Column("role", String(64), primary_key=True),
    Column("granted_at", Moment, nullable=False),
)


class AdminStore:
    """Reads and writes grants."""

    async def roles_of(self, view: View, user_id: str) -> list[str]:
        """Return the admin roles of a person."""
        rows = await view.execute(select(grants.c.role).where(grants.c.user_id == user_id))
        return [row.role for row in rows]

    async def anybody(self, view: View, role: str) -> bool:
        """Tell whether somebody holds `role`."""
        found = await view.execute(select(grants.c.user_id).where(grants.c.role == role).limit(1))
        return found.first() is not None

    async def grant(self, unit: Unit, user_id: str, role: str) -> None:
        """Give a person a role."""
        await unit.execute(insert(grants), {"user_id": user_id, "role": role, "granted_at": clock.now()})
