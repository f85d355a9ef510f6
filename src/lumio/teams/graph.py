"""Teams, for GraphQL; the shapes are those of the models. Everything is about the active account."""

from datetime import datetime
from typing import Annotated

import strawberry

from lumio.accounts.graph import User
from lumio.kernel import paging
from lumio.surface.graph.call import Info, shown
from lumio.teams.invitations import Invitations
from lumio.teams.model import ListHere
from lumio.teams.service import Teams
from lumio.teams.sub_accounts import SubAccounts

InvitationId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Which invitation.")]

FIRST = ListHere().limit


@strawberry.type
class Member:
    """A member, person or sub-account, with the role that its keys act with."""

    id: strawberry.ID
    user: User | None
    name: str
    role: str
    kind: str
    joined_at: datetime
    two_factor: bool
    suspended: bool
    withheld: str | None = strawberry.field(description="Who has to confirm it after a restore: owner or operator.")

    @strawberry.field
    @staticmethod
    def cursor(root: strawberry.Parent["Member"]) -> str:
        """The value of `after` for those that come after this one."""
        return paging.encode(root.id)


@strawberry.type
class OwnAccount:
    """An account that the asker belongs to; `active` is the one that they act in now."""

    id: strawberry.ID
    slug: str
    name: str
    role: str | None
    active: bool

    @strawberry.field
    @staticmethod
    def cursor(root: strawberry.Parent["OwnAccount"]) -> str:
        """The value of `after` for those that come after this one."""
        return paging.encode(root.id)


@strawberry.type
class Invitation:
    """An invitation that is open; its code is in the mail and nowhere else."""

    id: strawberry.ID
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime

    @strawberry.field
    @staticmethod
    def cursor(root: strawberry.Parent["Invitation"]) -> str:
        """The value of `after` for those that come after this one."""
        return paging.encode(root.id)


@strawberry.type
class WithdrawnInvitation:
    """An invitation whose link leads nowhere any more."""

    id: strawberry.ID
    email: str


@strawberry.type
class SubAccount:
    """A member that is no person; its keys are made for it by an Owner or an Admin."""

    id: strawberry.ID
    name: str
    role: str
    created_at: datetime
    withheld: str | None = strawberry.field(description="Who has to confirm it after a restore: owner or operator.")

    @strawberry.field
    @staticmethod
    def cursor(root: strawberry.Parent["SubAccount"]) -> str:
        """The value of `after` for those that come after this one."""
        return paging.encode(root.id)


@strawberry.type
class TransferredOwnership:
    """What a transfer left: the new Owner, and the role of the one who gave."""

    owner: Member
    former: Member


@strawberry.type
class TeamQueries:
    """What can be asked of teams."""

    @strawberry.field
    async def accounts(self, info: Info, first: int = FIRST, after: str | None = None) -> list[OwnAccount]:
        """List the accounts that the person belongs to; `first` is 1 to 200."""
        call = info.context
        form = {"limit": first, "cursor": after}
        return shown(list[OwnAccount], (await call.perform(call.of(Teams).list, call.asker, form)).items)

    @strawberry.field
    async def members(self, info: Info, first: int = FIRST, after: str | None = None) -> list[Member]:
        """List everybody in the account, people and sub-accounts; `first` is 1 to 200."""
        call = info.context
        form = {"limit": first, "cursor": after}
        return shown(list[Member], (await call.perform(call.of(Teams).members, call.asker, form)).items)

    @strawberry.field
    async def invitations(self, info: Info, first: int = FIRST, after: str | None = None) -> list[Invitation]:
        """List the invitations that are open; `first` is 1 to 200."""
        call = info.context
        form = {"limit": first, "cursor": after}
        return shown(list[Invitation], (await call.perform(call.of(Invitations).list, call.asker, form)).items)

    @strawberry.field
    async def sub_accounts(self, info: Info, first: int = FIRST, after: str | None = None) -> list[SubAccount]:
        """List the sub-accounts; `first` is 1 to 200."""
        call = info.context
        form = {"limit": first, "cursor": after}
        return shown(list[SubAccount], (await call.perform(call.of(SubAccounts).list, call.asker, form)).items)


@strawberry.type
class TeamMutations:
    """What can be done with teams."""

    @strawberry.mutation
    async def invite_member(self, info: Info, email: str, role: str) -> Invitation:
        """Invite a person by mail, as admin or member; the code is in the mail only."""
        call = info.context
        form = {"email": email, "role": role}
        return shown(Invitation, await call.perform(call.of(Invitations).create, call.asker, form))

    @strawberry.mutation
    async def withdraw_invitation(self, info: Info, invitation_id: InvitationId) -> WithdrawnInvitation:
        """Withdraw an invitation."""
        call = info.context
        form = {"id": invitation_id}
        return shown(WithdrawnInvitation, await call.perform(call.of(Invitations).withdraw, call.asker, form))

    @strawberry.mutation
    async def create_sub_account(self, info: Info, name: str, role: str) -> SubAccount:
        """Make a sub-account; its keys are made for it afterwards."""
        call = info.context
        form = {"name": name, "role": role}
        return shown(SubAccount, await call.perform(call.of(SubAccounts).create, call.asker, form))

    @strawberry.mutation
    async def confirm_member(self, info: Info, member_id: strawberry.ID) -> Member:
        """Let a membership count again that a restore left in doubt."""
        call = info.context
        return shown(Member, await call.perform(call.of(Teams).confirm, call.asker, {"id": member_id}))

    @strawberry.mutation
    async def transfer_ownership(self, info: Info, member_id: strawberry.ID) -> TransferredOwnership:
        """Hand the ownership over to another member, and become Admin."""
        call = info.context
        form = {"member_id": member_id}
        return shown(TransferredOwnership, await call.perform(call.of(Teams).transfer, call.asker, form))
