"""Accounts of one's own, who is in them, and handing one over.

Promise: a person sees the accounts that they belong to and no other, and an account changes hands in one step.
"""

from collections.abc import Sequence

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.kinds import Kind
from lumio.access.policy import Role
from lumio.accounts.memberships import TARGET, Memberships, here, role_of, this_account
from lumio.accounts.model import Member
from lumio.accounts.service import Accounts
from lumio.accounts.withholding import CONFIRMED, REASON, Withholding
from lumio.kernel import paging
from lumio.kernel.errors import Conflict, Denied, FieldError, Invalid, NotFound
from lumio.kernel.paging import Page
from lumio.storage.outbox import Outbox
from lumio.teams import events, mails
from lumio.teams.model import (
    AccountItem,
    CreateAccount,
    Handed,
    Here,
    ListAccounts,
    ListHere,
    MemberChoice,
    MemberView,
    RenameAccount,
    Transfer,
    member_view,
)

OPERATOR_CONFIRMS = (
    "What was lost about this person was decided by whoever operates the installation, and so they confirm it:"
    " lumio-server revocations confirm."
)


class Teams:
    """Accounts and the people in them."""

    def __init__(
        self, accounts: Accounts, memberships: Memberships, withholding: Withholding, outbox: Outbox
    ) -> None:
        """Work on the accounts and memberships of the lower domain; mails go through `outbox`."""
        self._accounts = accounts
        self._memberships = memberships
        self._withholding = withholding
        self._outbox = outbox

    @action("accounts.list", signed_in=True)
    async def list(self, context: Context, form: ListAccounts) -> Page[AccountItem]:
        """Return the accounts that the person belongs to; a key knows its own only."""
        return paging.by_id(await self._known(context), form.limit, form.cursor)

    @action("accounts.show", signed_in=True)
    async def show(self, context: Context, form: Here) -> AccountItem:
        """Return one of them."""
        wanted = form.account_id or context.account_id
        found = next((one for one in await self._known(context) if one.id == wanted), None)
        if found is None:
            raise NotFound
        return found

    @action("accounts.create", event=events.ACCOUNT_CREATED, signed_in=True, creates=True)
    async def create(self, context: Context, form: CreateAccount) -> AccountItem:
        """Make another account, with whoever asks as its Owner; the session stays where it is."""
        if context.principal.kind is not Kind.SESSION:
            raise Denied("Only a signed-in person can make an account.")
        account_id = await self._accounts.found_account(context.unit, context.user_id, form.name)
        made = await self._accounts.account(context.unit, account_id)
        if made is None:
            raise NotFound
        context.record(events.ACCOUNT_CREATED, ("account", account_id), account_id=account_id)
        return AccountItem(made.id, made.slug, made.name, Role.OWNER, active=False)

    @action("accounts.rename", permission="account:edit", event=events.ACCOUNT_RENAMED, ends=this_account)
    async def rename(self, context: Context, form: RenameAccount) -> AccountItem:
        """Give the account another name; its slug stays."""
        account_id = here(context, form.account_id)
        before = await self._accounts.account(context.unit, account_id)
        await self._memberships.rename_account(context.unit, account_id, form.name)
        changed = await self.show.run(context, Here(account_id))
        detail = {"before": before.name if before else None, "name": changed.name}
        context.record(events.ACCOUNT_RENAMED, ("account", account_id), detail=detail)
        return changed

    @action("members.list", permission="members:read")
    async def members(self, context: Context, form: ListHere) -> Page[MemberView]:
        """Return everybody in the account, people and sub-accounts, the first to join first."""
        found = await self._memberships.all(context.view, here(context, form.account_id))
        return paging.by_id([member_view(one) for one in found], form.limit, form.cursor)

    @action("members.confirm", permission="members:edit", event=CONFIRMED, step_up=True, ends=this_account)
    async def confirm(self, context: Context, form: MemberChoice) -> MemberView:
        """Let a membership count again that a restore left in doubt, with the role that it has now.

        Raises:
            Conflict: it is not withheld, or the operator has to confirm it.
        """
        unit = context.unit
        member = await self._memberships.one(unit, here(context, form.account_id), form.id)
        await self._memberships.may_act_on(context, member.role, member)
        if member.withheld is None:
            raise Conflict("This membership is not withheld.")
        if member.withheld == "operator":
            about = {"target_type": TARGET, "target_id": member.id}
            raise Conflict(OPERATOR_CONFIRMS).noted(reason="operator_confirms", **about)
        await self._withholding.confirm(unit, role_of(member))
        context.record(CONFIRMED, (TARGET, member.id), detail={"name": member.name, "role": member.role})
        confirmed = member_view(await self._memberships.one(unit, member.account_id, member.id))
        await context.end(role_of(member), reason=REASON, effect="changed")
        return confirmed

    @action(
        "accounts.transfer",
        permission="account:delete",
        event=events.OWNERSHIP_TRANSFERRED,
        step_up=True,
        ends=this_account,
    )
    async def transfer(self, context: Context, form: Transfer) -> Handed:
        """Make another member Owner and oneself Admin, in one step."""
        unit, account_id = context.unit, here(context, form.account_id)
        giver = await self._memberships.may_act_on(context, Role.OWNER)
        heir = await self._memberships.find(unit, account_id, form.member_id)
        if heir is None or heir.user is None or heir.suspended or heir.withheld or heir.id == giver.id:
            raise Invalid([FieldError("member_id", "unknown", "Choose another person of this account.")])
        await self._memberships.set_role(unit, heir, Role.OWNER)
        await self._memberships.set_role(unit, giver, Role.ADMIN)
        await self._tell(context, giver, heir)
        detail = {"from": giver.id, "to": heir.id, "former_role": heir.role}
        context.record(events.OWNERSHIP_TRANSFERRED, (TARGET, heir.id), detail=detail)
        owner = member_view(await self._memberships.one(unit, account_id, heir.id))
        former = member_view(await self._memberships.one(unit, account_id, giver.id))
        await context.end(role_of(heir), role_of(giver), reason="ownership transferred", effect="changed")
        return Handed(owner, former)

    async def _tell(self, context: Context, giver: Member, heir: Member) -> None:
        account = await self._accounts.account(context.view, heir.account_id)
        for one in (giver, heir):
            if account and one.user:
                mail = mails.ownership_moved(one.user.email, account.name, giver.name, heir.name)
                context.post(self._outbox.message(mails.MAIL, mail))

    async def _known(self, context: Context) -> Sequence[AccountItem]:
        principal = context.principal
        roles: dict[str, str | None] = {}
        if principal.kind is Kind.SESSION:
            belongs = await self._accounts.memberships(context.view, [context.user_id])
            roles.update({one.id: one.role for one in belongs[context.user_id]})
        else:
            found_id = principal.member_id
            member = found_id and await self._memberships.find(context.view, context.account_id, found_id)
            roles[context.account_id] = member.role if member else None
        found = [(await self._accounts.account(context.view, one), role) for one, role in roles.items()]
        return [
            AccountItem(one.id, one.slug, one.name, role, active=one.id == principal.account_id)
            for one, role in found
            if one is not None
        ]
