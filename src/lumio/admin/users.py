"""What whoever operates the installation does to people: find, suspend, reinstate, give and take admin roles.

Promise: nobody gives or takes what they do not hold themselves, nobody shuts themselves out, and there is
always one system administrator who can sign in, also when two requests meet.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from msgspec import UNSET, Struct

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.policy import SYSTEM_ADMIN
from lumio.access.principal import Principal
from lumio.accounts.model import Listed
from lumio.accounts.service import Accounts
from lumio.admin import events
from lumio.admin.model import AdminRole, ChangeUser, ListUsers, UserItem
from lumio.admin.service import GATE, Admin
from lumio.admin.store import AdminStore
from lumio.authority.subjects import Subject
from lumio.kernel import clock, paging
from lumio.kernel.errors import Conflict, Denied, FieldError, Invalid, NotFound
from lumio.kernel.paging import Page
from lumio.storage.unit import Unit, View

LAST = "There must be one system_admin who can sign in. Give the role to another person first."

EndSessions = Callable[[Unit, str], Awaitable[list[Subject]]]
"""Ends every session of a person and returns the subjects for the feed; sessions stand above this domain."""


class Plan(Struct, frozen=True):
    """What a request comes to for one person: roles by id, and the new state when it changes."""

    added: frozenset[str]
    removed: frozenset[str]
    suspended: bool | None

    @property
    def empty(self) -> bool:
        """Whether everything stays as it is."""
        return not self.added and not self.removed and self.suspended is None


def _this_user(_principal: Principal, form: ChangeUser) -> list[Subject]:
    return [Subject("user", form.id)]


class AdminUsers:
    """People, as the installation's operators see them."""

    def __init__(self, store: AdminStore, admin: Admin, accounts: Accounts, end_sessions: EndSessions) -> None:
        """Work on `store` and on the people of `accounts`; `admin` knows who holds what."""
        self._store = store
        self._admin = admin
        self._accounts = accounts
        self._end_sessions = end_sessions

    @action("users.list", permission="users:read")
    async def list(self, context: Context, form: ListUsers) -> Page[UserItem]:
        """Return people, the newest first; with a query those whose address or name has it in it."""
        after = None
        if form.cursor is not None:
            micros, user_id = paging.decode_moment(form.cursor)
            after = (clock.from_micros(micros), user_id)
        found = await self._accounts.people(context.view, form.query.strip(), form.limit + 1, after)
        shown = found[: form.limit]
        items = await self._items(context.view, shown)
        if len(found) <= form.limit:
            return Page(items)
        return Page(items, paging.encode(clock.to_micros(shown[-1].created_at), shown[-1].id))

    @action("users.change", permission="users:edit", event=events.USER_CHANGED, step_up=True, ends=_this_user)
    async def change(self, context: Context, form: ChangeUser) -> UserItem:
        """Suspend or reinstate a person, or replace their admin roles; one unit for all of it."""
        unit = context.unit
        await unit.lock(shared=(), exclusive=(GATE,))
        person = await self._accounts.listed(unit, form.id)
        if person is None:
            raise NotFound
        known = await self._admin.catalogue(unit)
        before = (await self._store.grants_of(unit, [form.id]))[form.id]
        plan = _plan(form, person, before, known)
        try:
            await self._allowed(context, form, plan, before, known)
            await self._carry_out(context, form.id, plan, known)
            await self._one_remains(unit, plan, before)
        except (Denied, Conflict) as error:
            raise error.noted(target_type=events.USER, target_id=form.id) from None
        context.record(events.USER_CHANGED, (events.USER, form.id), detail=_asked(form))
        subjects = await self._end_sessions(unit, form.id) if plan.suspended else []
        item = (await self._items(unit, [await self._again(unit, form.id)]))[0]
        if subjects:
            await context.end(*subjects, reason="suspended")
        if not plan.empty:
            await context.end(Subject("user", form.id), reason=_reason(plan), effect="changed")
        return item

    async def _allowed(
        self, context: Context, form: ChangeUser, plan: Plan, before: set[str], known: dict[str, AdminRole]
    ) -> None:
        """Refuse what the asker may not do to this person, themselves included. Raises Denied."""
        if form.id == context.user_id:
            if plan.suspended:
                raise Denied("Nobody suspends themselves.").noted(reason="own_account")
            if plan.removed and form.admin_roles == []:
                raise Denied("Nobody takes all admin roles from themselves.").noted(reason="own_account")
        touched = plan.added | plan.removed | (before if plan.suspended is not None else set())
        await self._admin.require(context, *(known[one] for one in sorted(touched) if one in known))

    async def _carry_out(self, context: Context, user_id: str, plan: Plan, known: dict[str, AdminRole]) -> None:
        unit, target = context.unit, (events.USER, user_id)
        for role in sorted(plan.removed):
            await self._store.withdraw(unit, user_id, role)
            context.record(events.ROLE_REVOKED, target, detail=_named(role, known))
        for role in sorted(plan.added):
            await self._store.grant(unit, user_id, role)
            context.record(events.ROLE_GRANTED, target, detail=_named(role, known))
        if plan.suspended is True:
            await self._accounts.suspend(unit, user_id)
            context.record(events.USER_SUSPENDED, target)
        if plan.suspended is False:
            await self._accounts.reinstate(unit, user_id)
            context.record(events.USER_REINSTATED, target)

    async def _one_remains(self, unit: Unit, plan: Plan, before: set[str]) -> None:
        """Refuse the change that leaves no system administrator; the gate keeps the count true. Raises Conflict."""
        loses = SYSTEM_ADMIN in plan.removed or (plan.suspended is True and SYSTEM_ADMIN in before)
        if not loses:
            return
        holders = await self._store.holders(unit, SYSTEM_ADMIN)
        if not await self._accounts.any_active(unit, holders):
            raise Conflict(LAST).noted(reason="last_system_admin")

    async def _again(self, unit: Unit, user_id: str) -> Listed:
        person = await self._accounts.listed(unit, user_id)
        if person is None:
            raise NotFound
        return person

    async def _items(self, view: View, people: Sequence[Listed]) -> Sequence[UserItem]:
        names = {role.id: role.name for role in (await self._admin.catalogue(view)).values()}
        wanted = [person.id for person in people]
        granted = await self._store.grants_of(view, wanted)
        belongs = await self._accounts.memberships(view, wanted)
        return [
            UserItem(
                person.id,
                person.email,
                person.display_name,
                person.verified,
                person.suspended_at,
                person.created_at,
                sorted(names[role] for role in granted[person.id] if role in names),
                belongs[person.id],
            )
            for person in people
        ]


def _plan(form: ChangeUser, person: Listed, before: set[str], known: dict[str, AdminRole]) -> Plan:
    wanted = before if form.admin_roles is UNSET else _roles(form.admin_roles, known)
    suspended = None if form.suspended is UNSET else form.suspended
    if suspended is not None and suspended == (person.suspended_at is not None):
        suspended = None
    return Plan(frozenset(wanted - before), frozenset(before - wanted), suspended)


def _roles(names: Iterable[str], known: dict[str, AdminRole]) -> set[str]:
    """Return the ids of the roles with these names. Raises Invalid when there is no such role."""
    by_name = {role.name: role.id for role in known.values()}
    strange = sorted({name for name in names if name not in by_name})
    if strange:
        raise Invalid([FieldError("admin_roles", "choice", f"There is no admin role {strange[0]}.")])
    return {by_name[name] for name in names}


def _named(role: str, known: dict[str, AdminRole]) -> dict[str, str]:
    return {"role": known[role].name if role in known else role, "role_id": role}


def _asked(form: ChangeUser) -> dict[str, object]:
    asked = {"suspended": form.suspended, "admin_roles": form.admin_roles}
    return {name: value for name, value in asked.items() if value is not UNSET}


def _reason(plan: Plan) -> str:
    if plan.suspended is None:
        return "admin roles changed"
    return "suspended" if plan.suspended else "reinstated"
