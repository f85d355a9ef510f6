"""Memberships, for the domains that change them, and the rules that hold for every such change.

Promise: nobody acts on a role above their own, and an account always has an Owner who can act.
"""

from lumio.access.context import Context
from lumio.access.policy import Role, not_above
from lumio.access.principal import Principal
from lumio.accounts.model import Member, clean_name
from lumio.accounts.store.membership import MemberStore
from lumio.authority.subjects import Subject
from lumio.kernel.errors import Conflict, Denied, NotFound
from lumio.storage.unit import Unit, View

TARGET = "member"
WITHHELD = (
    "Your place in this account is withheld: a backup was restored, and what changed since then is lost."
    " An Owner has to confirm it first."
)
LAST_OWNER = "An account needs an Owner. Hand the ownership over first, or make somebody else an Owner."


def this_account(principal: Principal, _form: object = None) -> list[Subject]:
    """Return the lock of every change of a membership: one at a time in an account, so that a count stays true."""
    return [] if principal.account_id is None else [Subject("account", principal.account_id)]


def here(context: Context, account_id: str | None) -> str:
    """Return the account that the principal acts in, when it is the one that was named or none was.

    Raises:
        NotFound: another account was named, whether it exists or not.
    """
    if account_id is not None and account_id != context.account_id:
        raise NotFound
    return context.account_id


def role_of(member: Member) -> Subject:
    """Return the subject that a change of this membership changes."""
    return Subject("role", f"{member.account_id},{member.user.id if member.user else member.id}")


class Memberships:
    """Members of accounts."""

    def __init__(self, store: MemberStore) -> None:
        """Work on `store`."""
        self._store = store

    async def all(self, view: View, account_id: str) -> list[Member]:
        """Return every member of an account, the first to join first."""
        return await self._store.all(view, account_id)

    async def find(self, view: View, account_id: str, member_id: str) -> Member | None:
        """Return a member of this account, or None."""
        return await self._store.one(view, account_id, member_id)

    async def one(self, view: View, account_id: str, member_id: str) -> Member:
        """Return a member of this account. Raises NotFound."""
        found = await self._store.one(view, account_id, member_id)
        if found is None:
            raise NotFound
        return found

    async def of_user(self, view: View, account_id: str, user_id: str) -> Member | None:
        """Return a person's membership in an account."""
        return await self._store.of_user(view, account_id, user_id)

    async def asker(self, context: Context) -> Member:
        """Return the member behind the principal. Raises Denied: a system key is none."""
        member_id = context.principal.member_id
        found = member_id and await self._store.one(context.view, context.account_id, member_id)
        if not found:
            raise Denied("Only a member of the account can do this.")
        return found

    async def may_act_on(self, context: Context, role: str, target: Member | None = None) -> Member:
        """Return the asker, whose role is not below `role`.

        Raises:
            Denied: it is below; only an Owner acts on an Owner.
        """
        asker = await self.asker(context)
        if not not_above(role, asker.role):
            sentence = f"The role {role.capitalize()} is above yours, {asker.role.capitalize()}."
            refusal = Denied(sentence).noted(reason="role_above_own")
            raise refusal.noted(target_type=TARGET, target_id=target.id) if target else refusal
        return asker

    async def keep_an_owner(self, context: Context, target: Member) -> None:
        """Refuse the change that leaves no Owner; asked after it, under the lock of the account. Raises Conflict."""
        if target.role == Role.OWNER and not await self._store.acting_owners(context.view, target.account_id):
            raise Conflict(LAST_OWNER).noted(reason="last_owner", target_type=TARGET, target_id=target.id)

    async def add_sub_account(self, unit: Unit, account_id: str, name: str, role: str) -> Member:
        """Add a member that is no person."""
        member_id = await self._store.add_sub_account(unit, account_id, clean_name("name", name), role)
        return await self.one(unit, account_id, member_id)

    async def set_role(self, unit: Unit, member: Member, role: str) -> None:
        """Replace a member's role."""
        await self._store.set_role(unit, member.id, role)

    async def remove(self, unit: Unit, member: Member) -> None:
        """Take a member out of the account."""
        await self._store.remove(unit, member.id)

    async def rename_account(self, unit: Unit, account_id: str, name: str) -> None:
        """Replace an account's name."""
        await self._store.rename_account(unit, account_id, clean_name("name", name))

    async def close_account(self, unit: Unit, account_id: str) -> None:
        """Close an account for good."""
        await self._store.close_account(unit, account_id)
