"""Admin rights. Promise: each is read from the grant at this moment, and only persons have one."""

from collections.abc import Mapping

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.kinds import Kind
from lumio.access.policy import ADMIN_ROLES, GRANTABLE, SYSTEM_ADMIN
from lumio.access.principal import Principal
from lumio.admin.model import AdminRole
from lumio.admin.store import AdminStore
from lumio.kernel.errors import Denied
from lumio.storage.hot import HotReader
from lumio.storage.unit import Unit, View

NOTHING: frozenset[str] = frozenset()
ENTRANCE = "admin:access"
GATE = "admin-roles"
"""The lock that every change of a role or of a grant takes: they happen one after the other."""


class Admin:
    """Who operates the installation."""

    def __init__(self, store: AdminStore, hot: HotReader) -> None:
        """Work on `store`; read rights for reads by `hot`."""
        self._store = store
        self._hot = hot

    async def held(self, view: View, principal: Principal) -> frozenset[str]:
        """Return the admin rights of the person behind a session; keys carry none.

        Without `admin:access` the others are worth nothing: it stands in front of every admin page and route.
        """
        held = await self._union(view, principal, ADMIN_ROLES)
        return held if ENTRANCE in held else frozenset()

    def known(self, principal: Principal) -> frozenset[str] | None:
        """Return nothing for whoever cannot have such rights."""
        return None if principal.kind is Kind.SESSION and principal.user_id is not None else NOTHING

    async def held_now(self, principal: Principal) -> frozenset[str]:
        """Return the same as `held` by the hot path."""
        if principal.user_id is None:
            return NOTHING
        held = _together(await self._store.held_now_by(self._hot, principal.user_id), ADMIN_ROLES)
        return held if ENTRANCE in held else frozenset()

    async def grantable(self, view: View, principal: Principal) -> frozenset[str]:
        """Return what the person behind a session may give to a system key or to another person now."""
        return await self._union(view, principal, ADMIN_ROLES | GRANTABLE)

    @action("admin.enter", permission=ENTRANCE)
    async def enter(self, _context: Context, _form: None) -> None:
        """Come to the admin pages."""

    async def _union(self, view: View, principal: Principal, table: Mapping[str, frozenset[str]]) -> frozenset[str]:
        if principal.kind is not Kind.SESSION or principal.user_id is None:
            return frozenset()
        return _together(await self._store.held_by(view, principal.user_id), table)

    async def catalogue(self, view: View) -> dict[str, AdminRole]:
        """Return every role by id, the built-in ones first, then the custom ones by name."""
        built_in = [
            AdminRole(name, name, held, held | GRANTABLE.get(name, held), built_in=True)
            for name, held in ADMIN_ROLES.items()
        ]
        return {role.id: role for role in (*built_in, *await self._store.custom(view))}

    async def require(self, context: Context, *touched: AdminRole, permissions: frozenset[str] = frozenset()) -> None:
        """Refuse whoever acts on roles or permissions that they do not hold themselves now.

        It goes both ways: what nobody may give, nobody may take away either, for it is above them.

        Raises:
            Denied: names the first that is missing.
        """
        own = await self.grantable(context.view, context.principal)
        for role in touched:
            if missing := role.missing_from(own):
                sentence = f"The role {role.name} is above yours: you do not hold {missing[0]}."
                raise Denied(sentence).noted(reason="not_held")
        if beyond := sorted(permissions - own):
            sentence = f"You cannot give what you do not hold yourself: {beyond[0]}."
            raise Denied(sentence).noted(reason="not_held")

    async def has_operator(self, view: View) -> bool:
        """Tell whether the installation has its first operator."""
        return await self._store.anybody(view, SYSTEM_ADMIN)

    async def appoint(self, unit: Unit, user_id: str) -> None:
        """Make a person a system administrator."""
        await self._store.grant(unit, user_id, SYSTEM_ADMIN)


def _together(held: Mapping[str, frozenset[str]], table: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return what all these roles give: a built-in one by the table, a custom one by its own list."""
    return frozenset().union(*(table.get(role, custom) for role, custom in held.items()))
