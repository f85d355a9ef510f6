"""Admin → System."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.admin.service import Admin
from lumio.surface.html.pages import Pages, Web, asker_of, require_session
from lumio.system_keys.listing import every
from lumio.system_keys.service import SystemKeys

SORTS = {
    "label": lambda key: key.label.casefold(),
    "created_at": lambda key: key.created_at,
    "last_used_at": lambda key: (key.last_used_at is not None, key.last_used_at or key.created_at),
}
ADDRESS = "/system"


class SystemPages(Controller):
    """The credentials of the installation's own services."""

    @get(ADDRESS)
    async def system_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        admin: NamedDependency[Admin],
        system_keys: NamedDependency[SystemKeys],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show the card of system keys, with the controls that the person may use."""
        require_session(request)
        asker = asker_of(request)
        await perform(admin.enter, asker)
        rights = await perform.rights(asker.principal)
        may_read = "system-keys:read" in rights
        found = await every(perform, system_keys, asker) if may_read else []
        sort = request.query_params.get("sort", "last_used_at")
        sort = sort if sort in SORTS else "last_used_at"
        order = "asc" if request.query_params.get("order") == "asc" else "desc"
        return await pages.show(
            request,
            "system_keys/system.html",
            "System",
            "Admin",
            keys=sorted(found, key=SORTS[sort], reverse=order == "desc"),
            count=len(found),
            sort=sort,
            order=order,
            may_read=may_read,
            may_create="system-keys:create" in rights,
            may_revoke="system-keys:delete" in rights,
        )
