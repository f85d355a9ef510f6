"""Admin roles. Promise: an admin right is read from the grant at this moment, and only persons have one."""

from collections.abc import Mapping

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.kinds import Kind
from lumio.access.policy import ADMIN_ROLES, GRANTABLE, SYSTEM_ADMIN
from lumio.access.principal import Principal
from lumio.admin.store import AdminStore
from lumio.storage.unit import Unit, View

ENTRANCE = "admin:access"


class Admin:
    """Who operates the installation."""

    def __init__(self, store: AdminStore) -> None:
        """Work on `store`."""
        self._store = store

    async def held(self, view: View, principal: Principal) -> frozenset[str]:
        """Return the admin rights of the person behind a session; keys carry none.

        Without `admin:access` the others are worth nothing: it stands in front of every admin page and route.
        """
        held = await self._union(view, principal, ADMIN_ROLES)
        return held if ENTRANCE in held else frozenset()

    async def grantable(self, view: View, principal: Principal) -> frozenset[str]:
        """Return what the person behind a session may give to a system key now."""
        return await self._union(view, principal, ADMIN_ROLES | GRANTABLE)

    @action("admin.enter", permission=ENTRANCE)
    async def enter(self, _context: Context, _form: None) -> None:
        """Come to the admin pages."""

    async def _union(
        self, view: View, principal: Principal, table: Mapping[str, frozenset[str]]
    ) -> frozenset[str]:
        if principal.kind is not Kind.SESSION or principal.user_id is None:
            return frozenset()
        roles = await self._store.roles_of(view, principal.user_id)
        return frozenset().union(*(table.get(role, frozenset()) for role in roles))

    async def has_operator(self, view: View) -> bool:
        """Tell whether the installation has its first operator."""
        return await self._store.anybody(view, SYSTEM_ADMIN)

    async def appoint(self, unit: Unit, user_id: str) -> None:
        """Make a person a system administrator."""
        await self._store.grant(unit, user_id, SYSTEM_ADMIN)
