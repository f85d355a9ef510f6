"""Account → Security → API Keys."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.keys.service import Keys
from lumio.surface.html.pages import Pages, Web, asker_of, every, require_session

SORTS = {
    "label": lambda key: key.label.casefold(),
    "created_at": lambda key: key.created_at,
    "last_used_at": lambda key: (key.last_used_at is not None, key.last_used_at or key.created_at),
}
ADDRESS = "/dashboard/account/security/api-keys"


class KeyPages(Controller):
    """The list, and what can be done from it."""

    @get(ADDRESS)
    async def keys_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        keys: NamedDependency[Keys],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show every key that is not revoked."""
        require_session(request)
        asker = asker_of(request)
        found = await every(perform, keys.list, asker)
        sort = request.query_params.get("sort", "created_at")
        sort = sort if sort in SORTS else "created_at"
        order = "asc" if request.query_params.get("order") == "asc" else "desc"
        rights = await perform.rights(asker.principal)
        return await pages.show(
            request,
            "keys/api_keys.html",
            "API Keys",
            "Account",
            "Security",
            keys=sorted(found, key=SORTS[sort], reverse=order == "desc"),
            count=len(found),
            sort=sort,
            order=order,
            may_create=bool(rights & {"api-keys:create", "api-keys:create:own"}),
            may_revoke=bool(rights & {"api-keys:delete", "api-keys:delete:own"}),
        )
