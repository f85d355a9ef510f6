"""What happens to admin roles: made, listed, changed, deleted.

Promise: nobody puts into a role, or takes out of it, a permission that they do not hold themselves now, and a
change of a role is a change of everybody who holds it, at once.
"""

from collections.abc import Iterable

from msgspec import UNSET

from lumio.access import permission
from lumio.access.action import action
from lumio.access.context import Context
from lumio.admin import events
from lumio.admin.model import (
    AdminRole,
    ChangeRole,
    CreateRole,
    DeletedRole,
    RoleChoice,
    RoleView,
)
from lumio.admin.service import GATE, Admin
from lumio.admin.store import AdminStore
from lumio.authority.subjects import Subject
from lumio.kernel.errors import Conflict, Denied, FieldError, Invalid, NotFound
from lumio.kernel.paging import Page


class AdminRoles:
    """The roles that can be given to operators."""

    def __init__(self, store: AdminStore, admin: Admin) -> None:
        """Work on `store`; `admin` knows who holds what."""
        self._store = store
        self._admin = admin

    @action("admin_roles.list", permission="admin-roles:read")
    async def list(self, context: Context, _form: None) -> Page[RoleView]:
        """Return every role, the built-in ones first."""
        own = await self._admin.grantable(context.view, context.principal)
        counts = await self._store.counts(context.view)
        found = await self._admin.catalogue(context.view)
        return Page([_view(role, own, counts.get(role.id, 0)) for role in found.values()])

    @action(
        "admin_roles.create",
        permission="admin-roles:edit",
        event=events.ROLE_CREATED,
        step_up=True,
        creates=True,
    )
    async def create(self, context: Context, form: CreateRole) -> RoleView:
        """Make a role of permissions that the maker holds."""
        await context.unit.lock(shared=(), exclusive=(GATE,))
        permissions = _permissions(form.permissions)
        await self._admin.require(context, permissions=permissions)
        await self._free(context, form.name)
        role = await self._store.add(context.unit, form.name, permissions)
        detail = {"name": role.name, "permissions": sorted(permissions)}
        context.record(events.ROLE_CREATED, (events.ROLE, role.id), detail=detail)
        return _view(role, permissions, 0)

    @action("admin_roles.change", permission="admin-roles:edit", event=events.ROLE_CHANGED, step_up=True)
    async def change(self, context: Context, form: ChangeRole) -> RoleView:
        """Rename a role, or give it other permissions; whoever holds it has them from the commit on."""
        role = await self._own(context, form.id)
        name = role.name if form.name is UNSET else form.name
        permissions = role.permissions if form.permissions is UNSET else _permissions(form.permissions)
        await self._admin.require(context, permissions=permissions)
        if name != role.name:
            await self._free(context, name)
        await self._store.change(context.unit, role.id, name, permissions)
        detail = {
            "name": name,
            "before": role.name,
            "added": sorted(permissions - role.permissions),
            "removed": sorted(role.permissions - permissions),
        }
        context.record(events.ROLE_CHANGED, (events.ROLE, role.id), detail=detail)
        holders = await self._store.holders(context.unit, role.id)
        if holders and permissions != role.permissions:
            await context.end(*(Subject("user", one) for one in holders), reason="role changed", effect="changed")
        changed = AdminRole(role.id, name, permissions, permissions, created_at=role.created_at)
        return _view(changed, permissions, len(holders))

    @action("admin_roles.delete", permission="admin-roles:edit", event=events.ROLE_DELETED, step_up=True)
    async def delete(self, context: Context, form: RoleChoice) -> DeletedRole:
        """Delete a role that nobody holds any more."""
        role = await self._own(context, form.id)
        holders = await self._store.holders(context.unit, role.id)
        if holders:
            sentence = f"{len(holders)} person(s) hold this role. Take it from them first."
            raise Conflict(sentence).noted(target_type=events.ROLE, target_id=role.id)
        await self._store.remove(context.unit, role.id)
        context.record(events.ROLE_DELETED, (events.ROLE, role.id), detail={"name": role.name})
        return DeletedRole(role.id, role.name)

    async def _own(self, context: Context, role_id: str) -> AdminRole:
        """Return a custom role that the asker holds all of, with the gate shut behind them."""
        await context.unit.lock(shared=(), exclusive=(GATE,))
        role = (await self._admin.catalogue(context.unit)).get(role_id)
        if role is None:
            raise NotFound
        if role.built_in:
            sentence = f"The role {role.name} is built in: it is never changed and never deleted."
            raise Denied(sentence).noted(reason="built_in", target_type=events.ROLE, target_id=role.id)
        await self._admin.require(context, role)
        return role

    async def _free(self, context: Context, name: str) -> None:
        """Refuse a name that is in use. Raises Conflict."""
        found = await self._admin.catalogue(context.unit)
        for role in found.values():
            if role.name == name:
                raise Conflict("Another role has this name.", existing_id=role.id)


def _permissions(names: Iterable[str]) -> frozenset[str]:
    """Return permissions of the admin group. Raises Invalid for any other text, and for none at all."""
    wanted = frozenset(names)
    strange = sorted(wanted - permission.ADMIN)
    if strange:
        raise Invalid([FieldError("permissions", "choice", f"There is no admin permission {strange[0]}.")])
    if not wanted:
        raise Invalid([FieldError("permissions", "length", "Choose at least one permission.")])
    return wanted


def _view(role: AdminRole, own: frozenset[str], holders: int) -> RoleView:
    missing = role.missing_from(own)
    return RoleView(role.id, role.name, sorted(role.permissions), role.built_in, holders, missing, role.created_at)
