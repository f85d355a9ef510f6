"""Sub-accounts: members that are no person, for keys with fewer rights than their maker's.

Promise: a sub-account has no password and no way to sign in, and never more rights than whoever made it.
"""

from lumio.access.action import action
from lumio.access.context import Context
from lumio.accounts.memberships import Memberships, here, this_account
from lumio.accounts.model import clean_name, name_key
from lumio.kernel import paging
from lumio.kernel.errors import Conflict
from lumio.kernel.paging import Page
from lumio.teams import events
from lumio.teams.model import CreateSubAccount, ListHere, SubAccountView, sub_account_view

KIND = "sub_account"
MOST = 100
"""How many sub-accounts an account has at most."""


class SubAccounts:
    """Sub-accounts of an account."""

    def __init__(self, memberships: Memberships) -> None:
        """Work on the memberships of the lower domain."""
        self._memberships = memberships

    @action("sub_accounts.list", permission="members:invite")
    async def list(self, context: Context, form: ListHere) -> Page[SubAccountView]:
        """Return the sub-accounts, the oldest first."""
        found = await self._memberships.all(context.view, here(context, form.account_id))
        subs = [sub_account_view(one) for one in found if one.kind == KIND]
        return paging.by_id(subs, form.limit, form.cursor)

    @action(
        "sub_accounts.create",
        permission="members:invite",
        event=events.SUB_ACCOUNT_CREATED,
        step_up=True,
        ends=this_account,
        creates=True,
    )
    async def create(self, context: Context, form: CreateSubAccount) -> SubAccountView:
        """Make a sub-account with a role; its keys are made for it afterwards."""
        account_id = here(context, form.account_id)
        await self._memberships.may_act_on(context, form.role)
        name = clean_name("name", form.name)
        there = [one for one in await self._memberships.all(context.unit, account_id) if one.kind == KIND]
        same = next((one for one in there if name_key(one.name) == name_key(name)), None)
        if same is not None:
            raise Conflict("Another sub-account has this name.", existing_id=same.id)
        if len(there) >= MOST:
            raise Conflict(f"An account has at most {MOST} sub-accounts.")
        made = await self._memberships.add_sub_account(context.unit, account_id, name, form.role)
        detail = {"name": made.name, "role": made.role}
        context.record(events.SUB_ACCOUNT_CREATED, (KIND, made.id), detail=detail)
        return sub_account_view(made)
