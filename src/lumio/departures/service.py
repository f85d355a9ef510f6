"""Leaving an account, by one's own will or another's, and losing a role.

Promise: what a departure ends is shown before, and ends with it in one transaction: keys and popout tokens that
the member holds, and those that they made for others, since they have seen the secrets.
"""

from collections.abc import Sequence

from msgspec import Struct

from lumio.access import guard
from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.policy import ROLES, Role
from lumio.access.principal import Asker, Principal
from lumio.accounts.memberships import TARGET, Memberships, here, role_of, this_account
from lumio.accounts.model import Member
from lumio.accounts.service import Accounts
from lumio.authority.subjects import Subject
from lumio.departures import events
from lumio.departures.model import ChangeRole, Closed, Departed, Departure
from lumio.kernel import clock
from lumio.kernel.errors import Conflict, Denied, FieldError, Invalid, NotFound
from lumio.keys.model import KeyView
from lumio.keys.service import MINTS_FOR_OTHERS, Keys
from lumio.popouts.model import PopoutView
from lumio.popouts.service import Popouts
from lumio.sessions.service import Sessions
from lumio.storage.outbox import Outbox
from lumio.storage.unit import Units, View
from lumio.teams import mails
from lumio.teams.model import Here, MemberChoice, MemberView, member_view


class Behind(Struct, frozen=True):
    """What a member leaves behind; `ends` are its subjects, to be locked with the others before rights are read."""

    keys: Sequence[KeyView] = ()
    popouts: Sequence[PopoutView] = ()
    sessions: Sequence[Subject] = ()

    @property
    def ends(self) -> tuple[Subject, ...]:
        """The subjects of all of it."""
        keys = (Subject("key", one.id) for one in self.keys)
        return (*keys, *(Subject("popout", one.id) for one in self.popouts), *self.sessions)


class Departures:
    """Changes of membership that end credentials."""

    def __init__(
        self,
        accounts: Accounts,
        memberships: Memberships,
        keys: Keys,
        popouts: Popouts,
        sessions: Sessions,
        outbox: Outbox,
        units: Units,
    ) -> None:
        """Stand on the domains whose things end."""
        self._accounts = accounts
        self._memberships = memberships
        self._keys = keys
        self._popouts = popouts
        self._sessions = sessions
        self._outbox = outbox
        self._units = units

    @action("departures.plan", permission="members:read")
    async def plan(self, context: Context, form: MemberChoice) -> Departure:
        """Return what the removal of a member would end; one's own, or anybody's for whoever may remove."""
        account_id = here(context, form.account_id)
        member = await self._memberships.one(context.view, account_id, form.id)
        may_remove = "members:delete" in guard.effective(context.principal, context.held)
        if not may_remove and member.id != context.principal.member_id:
            raise Denied("Only an Owner or an Admin sees what others leave behind.")
        left = await self._behind(context.view, member)
        return Departure(member_view(member), list(left.keys), list(left.popouts))

    async def _foreseen(self, asker: Asker, form: MemberChoice | ChangeRole) -> Behind:
        """Look at what will end before the unit opens, so that all its locks are taken in one sorted step."""
        return await self._looked_at(asker.principal, form.id)

    async def _own_foreseen(self, asker: Asker, _form: Here) -> Behind:
        return await self._looked_at(asker.principal, asker.principal.member_id)

    async def _looked_at(self, principal: Principal, member_id: str | None) -> Behind:
        account_id = principal.account_id
        if account_id is None or member_id is None:
            return Behind()

        async def look(view: View) -> Behind:
            member = await self._memberships.find(view, account_id, member_id)
            return Behind() if member is None else await self._behind(view, member)

        return await self._units.read(look)

    async def _behind(self, view: View, member: Member) -> Behind:
        sessions = []
        if member.user is not None:
            sessions = await self._sessions.acting_in(view, member.account_id, member.user.id)
        return Behind(
            await self._keys.left_by(view, member.account_id, member),
            await self._popouts.left_by(view, member.account_id, member),
            sessions,
        )

    @action(
        "members.change_role",
        permission="members:edit",
        event=events.ROLE_CHANGED,
        step_up=True,
        ends=this_account,
        prepare=_foreseen,
    )
    async def change_role(self, context: Context, form: ChangeRole) -> MemberView:
        """Give a member another role; keys act with it from the commit on.

        Whoever loses the right to make keys for sub-accounts loses those that they made: they know the secrets.
        """
        unit = context.unit
        member = await self._memberships.one(unit, here(context, form.account_id), form.id)
        await self._memberships.may_act_on(context, member.role, member)
        await self._memberships.may_act_on(context, form.role, member)
        if member.user is None and Role(form.role) is Role.OWNER:
            raise Invalid([FieldError("role", "person", "Only a person can be an Owner.")])
        doomed: Sequence[KeyView] = ()
        if member.user and MINTS_FOR_OTHERS not in ROLES[Role(form.role)]:
            left = await self._keys.left_by(unit, member.account_id, member)
            doomed = [key for key in left if key.holder.id != member.id]
        await self._memberships.set_role(unit, member, form.role)
        await self._memberships.keep_an_owner(context, member)
        detail = {"from": member.role, "to": form.role, "api_keys": len(doomed)}
        context.record(events.ROLE_CHANGED, (TARGET, member.id), detail=detail)
        ended = await self._keys.end(context, doomed, "minter_demoted")
        if form.role != member.role:
            await self._tell(context, member, form.role)
        changed = member_view(await self._memberships.one(unit, member.account_id, member.id))
        if ended:
            await context.end(*ended, reason="minter demoted")
        await context.end(role_of(member), reason="role changed", effect="changed")
        return changed

    @action(
        "members.remove",
        permission="members:delete",
        event=events.REMOVED,
        step_up=True,
        ends=this_account,
        prepare=_foreseen,
    )
    async def remove(self, context: Context, form: MemberChoice) -> Departed:
        """Take a person out of the account, with everything that the plan shows."""
        member = await self._memberships.one(context.unit, here(context, form.account_id), form.id)
        if member.user is None:
            raise NotFound("This is a sub-account; it is deleted, not removed.")
        await self._memberships.may_act_on(context, member.role, member)
        return await self._depart(context, member, events.REMOVED, "member_removed")

    @action(
        "members.leave", event=events.LEFT, signed_in=True, step_up=True, ends=this_account, prepare=_own_foreseen
    )
    async def leave(self, context: Context, form: Here) -> Departed:
        """Leave the account oneself, with everything that one's own plan shows; the session ends with it."""
        here(context, form.account_id)
        member = await self._memberships.asker(context)
        return await self._depart(context, member, events.LEFT, "member_left")

    @action(
        "sub_accounts.delete",
        permission="members:invite",
        event=events.SUB_ACCOUNT_DELETED,
        step_up=True,
        ends=this_account,
        prepare=_foreseen,
    )
    async def delete_sub_account(self, context: Context, form: MemberChoice) -> Departed:
        """Delete a sub-account; its keys die with it."""
        member = await self._memberships.one(context.unit, here(context, form.account_id), form.id)
        if member.user is not None:
            raise NotFound("This is a person; they are removed from the team.")
        await self._memberships.may_act_on(context, member.role, member)
        return await self._depart(context, member, events.SUB_ACCOUNT_DELETED, "sub_account_deleted")

    async def _depart(self, context: Context, member: Member, event: str, reason: str) -> Departed:
        """End everything that a member leaves behind, and the membership, in the unit of the action."""
        left = await self._behind(context.unit, member)
        moment = clock.now()
        keys = await self._keys.end(context, left.keys, reason)
        popouts = await self._popouts.end(context, left.popouts, reason)
        sessions: Sequence[Subject] = ()
        if member.user is not None:
            sessions = await self._sessions.end_in(context, member.account_id, member.user.id, reason)
        await self._memberships.remove(context.unit, member)
        await self._memberships.keep_an_owner(context, member)
        if event == events.REMOVED:
            await self._tell(context, member, None)
        counts = {"api_keys": len(keys), "popout_tokens": len(popouts)}
        detail = {"name": member.name, "role": member.role, **counts}
        context.record(event, (TARGET, member.id), detail=detail)
        ended = (*keys, *popouts, *sessions)
        if ended:
            await context.end(*ended, reason=reason.replace("_", " "))
        receipt = await context.end(role_of(member), reason=reason.replace("_", " "), effect="changed")
        return Departed(member.id, moment, len(keys), len(popouts), receipt.seq, receipt.effective)

    async def _tell(self, context: Context, member: Member, role: str | None) -> None:
        account = await self._accounts.account(context.view, member.account_id)
        if account is None or member.user is None:
            return
        to = member.user.email
        mail = mails.removed(to, account.name) if role is None else mails.role_changed(to, account.name, role)
        context.post(self._outbox.message(mails.MAIL, mail))

    async def _everyone_foreseen(self, asker: Asker, _form: Here) -> Behind:
        account_id = asker.principal.account_id
        if account_id is None:
            return Behind()
        found = await self._units.read(lambda view: self._sessions.acting_in(view, account_id, None))
        return Behind(sessions=found)

    @action(
        "accounts.close",
        permission="account:delete",
        event=events.ACCOUNT_CLOSED,
        step_up=True,
        ends=this_account,
        prepare=_everyone_foreseen,
    )
    async def close(self, context: Context, form: Here) -> Closed:
        """Close the account for good: nobody has a standing in it any more, so every credential in it is refused."""
        account_id = here(context, form.account_id)
        account = await self._accounts.account(context.unit, account_id)
        if account is None:
            raise NotFound
        others = [one for one in await self._memberships.all(context.unit, account_id) if one.user]
        if len(others) > 1:
            raise Conflict("There are others in this account. Remove them, or hand the ownership over and leave.")
        await self._memberships.close_account(context.unit, account_id)
        detail = {"name": account.name, "slug": account.slug}
        context.record(events.ACCOUNT_CLOSED, ("account", account_id), detail=detail)
        sessions = await self._sessions.end_in(context, account_id, None, "account_closed")
        if sessions:
            await context.end(*sessions, reason="account closed")
        receipt = await context.end(Subject("account", account_id), reason="account closed", effect="changed")
        return Closed(account_id, account.name, receipt.seq, receipt.effective)
