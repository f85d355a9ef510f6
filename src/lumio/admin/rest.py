"""`/v1/admin/users` and `/v1/admin/roles`."""

from typing import Any

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.admin.model import CreateRole, DeletedRole, RoleChange, RoleView, UserChange, UserItem
from lumio.admin.roles import AdminRoles
from lumio.admin.users import AdminUsers
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows

USERS = "/v1/admin/users"
ROLES = "/v1/admin/roles"


class AdminUserRoutes(Controller):
    """People of the installation."""

    path = "/admin/users"

    @get("/", **shows(AdminUsers.list, list[UserItem]))
    async def list(
        self, request: Web, admin_users: NamedDependency[AdminUsers], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Find people by mail address or name, the newest first."""
        page = await perform(admin_users.list, exchange.asker(request), exchange.query(request), lax=True)
        return exchange.many(request, page)

    @patch("/{user_id:str}", **shows(AdminUsers.change, UserItem, body=UserChange))
    async def change(
        self,
        request: Web,
        user_id: FromPath[str],
        admin_users: NamedDependency[AdminUsers],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Suspend or reinstate a person, or replace their admin roles."""
        form = await exchange.placed(request, id=user_id)
        changed = await perform(admin_users.change, exchange.asker(request), form)
        return exchange.one(request, changed, collection=USERS)


class AdminRoleRoutes(Controller):
    """Admin roles: the built-in one, and those made from the catalogue of permissions."""

    path = "/admin/roles"

    @get("/", **shows(AdminRoles.list, list[RoleView]))
    async def list(
        self, request: Web, admin_roles: NamedDependency[AdminRoles], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List the roles, with their permissions and how many people hold each."""
        exchange.query(request)
        return exchange.many(request, await perform(admin_roles.list, exchange.asker(request)))

    @post("/", **shows(AdminRoles.create, RoleView, body=CreateRole, status=201))
    async def create(
        self, request: Web, admin_roles: NamedDependency[AdminRoles], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Make a role of permissions that the maker holds."""
        form = await exchange.json_body(request)
        made = await perform(admin_roles.create, exchange.asker(request, await request.body()), form)
        return exchange.one(request, made, status=201, collection=ROLES)

    @patch("/{role_id:str}", **shows(AdminRoles.change, RoleView, body=RoleChange))
    async def change(
        self,
        request: Web,
        role_id: FromPath[str],
        admin_roles: NamedDependency[AdminRoles],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Rename a role, or give it other permissions."""
        form = await exchange.placed(request, id=role_id)
        changed = await perform(admin_roles.change, exchange.asker(request), form)
        return exchange.one(request, changed, collection=ROLES)

    @delete("/{role_id:str}", status_code=200, **shows(AdminRoles.delete, DeletedRole))
    async def delete(
        self,
        request: Web,
        role_id: FromPath[str],
        admin_roles: NamedDependency[AdminRoles],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Delete a role that nobody holds any more."""
        await exchange.no_body(request)
        gone = await perform(admin_roles.delete, exchange.asker(request), {"id": role_id})
        return exchange.one(request, gone, collection=ROLES)
