"""Admin roles. Promise: an admin right is read from the grant at this moment, and only persons have one."""

from lumio.access.kinds import Kind
from lumio.access.policy import ADMIN_ROLES, SYSTEM_ADMIN
from lumio.access.principal import Principal
from lumio.admin.store import AdminStore
from lumio.storage.unit import Unit, View


class Admin:
    """Who operates the installation."""

    def __init__(self, store: AdminStore) -> None:
        """Work on `store`."""
        self._store = store

    async def held(self, view: View, principal: Principal) -> frozenset[str]:
        """Return the admin rights of the person behind a session; keys carry none."""
        if principal.kind is not Kind.SESSION or principal.user_id is None:
            return frozenset()
        held: frozenset[str] = frozenset()
        for role in await self._store.roles_of(view, principal.user_id):
            held |= ADMIN_ROLES.get(role, frozenset())
        return held

    async def has_operator(self, view: View) -> bool:
        """Tell whether the installation has its first operator."""
        return await self._store.anybody(view, SYSTEM_ADMIN)

    async def appoint(self, unit: Unit, user_id: str) -> None:
        """Make a person a system administrator."""
        await self._store.grant(unit, user_id, SYSTEM_ADMIN)
