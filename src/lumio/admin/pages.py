"""Admin → Users: the people of the installation, and the admin roles that can be given to them."""

from collections.abc import Iterable, Sequence
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.access.permission import ADMIN
from lumio.access.principal import Asker
from lumio.admin.model import RoleView
from lumio.admin.roles import AdminRoles
from lumio.admin.service import Admin
from lumio.admin.users import AdminUsers
from lumio.kernel.errors import Invalid
from lumio.kernel.paging import Page
from lumio.surface.html.pages import Pages, Web, asker_of, by_field, require_session

ADDRESS = "/users"
WORDS = {
    "admin:access": "Enter the admin pages; without it nothing else here counts",
    "admin-roles:read": "See the admin roles",
    "admin-roles:edit": "Make, change and delete admin roles",
    "users:read": "Find people",
    "users:edit": "Suspend people, give and take admin roles",
    "system-keys:read": "See the system keys",
    "system-keys:create": "Create system keys",
    "system-keys:delete": "Revoke system keys",
    "system-connections:read": "See the system connections",
    "system-connections:edit": "Configure system connections",
    "system-connections:delete": "Remove system connections",
    "oauth-clients:read": "See the OAuth clients",
    "oauth-clients:create": "Register OAuth clients",
    "oauth-clients:edit": "Change, enable and disable OAuth clients",
    "oauth-clients:delete": "Delete OAuth clients",
    "platform-audit:read": "Read the platform’s audit log",
    "platform-audit:edit": "Erase personal details from it, and hold accounts for legal reasons",
}
"""What each admin permission allows, in the order in which people read them."""


class UserPages(Controller):
    """The list of people, and what can be done from it."""

    @get(ADDRESS)
    async def users_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        admin: NamedDependency[Admin],
        admin_users: NamedDependency[AdminUsers],
        admin_roles: NamedDependency[AdminRoles],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show a page of people and the card of admin roles; search and place stand in the address."""
        require_session(request)
        asker = asker_of(request)
        await perform(admin.enter, asker)
        rights = await perform.rights(asker.principal)
        roles = await _roles(perform, admin_roles, asker) if "admin-roles:read" in rights else []
        wanted = request.query_params.get("query", "").strip()
        form = {
            "query": wanted,
            **{name: request.query_params[name] for name in ("cursor",) if name in request.query_params},
        }
        errors: dict[str, str] = {}
        try:
            found = await perform(admin_users.list, asker, form) if "users:read" in rights else Page([])
        except Invalid as error:
            found, errors = Page([]), by_field(error)
        return await pages.show(
            request,
            "admin/users.html",
            "Users",
            "Admin",
            status=422 if errors else 200,
            people=found.items,
            next_cursor=found.next_cursor,
            query=wanted,
            errors=errors,
            roles=roles,
            boxes=_boxes(rights),
            own_id=asker.principal.user_id,
            may_read="users:read" in rights,
            may_edit="users:edit" in rights,
            may_read_roles="admin-roles:read" in rights,
            may_edit_roles="admin-roles:edit" in rights,
        )


async def _roles(perform: Perform, admin_roles: AdminRoles, asker: Asker) -> Sequence[RoleView]:
    return (await perform(admin_roles.list, asker)).items


def _boxes(rights: Iterable[str]) -> list[dict[str, Any]]:
    """Return every admin permission in words, and whether the person holds it and so can put it into a role."""
    held = frozenset(rights)
    ordered = [*WORDS, *sorted(ADMIN - WORDS.keys())]
    return [{"name": name, "words": WORDS.get(name, name), "held": name in held} for name in ordered]
