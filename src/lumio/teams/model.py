"""Shapes of teams: the only schema of them, for every surface."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from lumio.access.validate import SECRET
from lumio.accounts.model import AccountName, Mail, Member, MemberKind, UserView, WithheldFor

RowId = Annotated[str, Meta(min_length=1, max_length=64)]
RoleName = Annotated[Literal["owner", "admin", "member"], Meta(description="Must be owner, admin or member.")]
SubRole = Annotated[
    Literal["admin", "member"], Meta(description="Must be admin or member: only a person can be an Owner.")
]
Code = Annotated[str, Meta(min_length=1, max_length=100, extra=SECRET)]


class Here(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which account; without one it is the one that the principal acts in."""

    account_id: RowId | None = None


class ListAccounts(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a page of one's own accounts."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class ListHere(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a page of a list of an account."""

    account_id: RowId | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class MemberChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which member of which account."""

    id: RowId
    account_id: RowId | None = None


class CreateAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a new account of one's own."""

    name: AccountName


class RenameAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: another name for an account."""

    name: AccountName
    account_id: RowId | None = None


class Transfer(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: the member who becomes Owner in the asker's place."""

    member_id: RowId
    account_id: RowId | None = None


class TransferTo(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a transfer; the account is named by the address."""

    member_id: RowId


class Invite(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: who is invited, with which role. An Owner is never invited: ownership is handed over."""

    email: Mail
    role: RoleName
    account_id: RowId | None = None


class InviteBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an invitation; the account is named by the address."""

    email: Mail
    role: RoleName


class Accept(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: the code of the mailed invitation."""

    code: Code


class CreateSubAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a member that is no person: a name for what it does, and its role."""

    name: AccountName
    role: SubRole
    account_id: RowId | None = None


class SubAccountBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a new sub-account; the account is named by the address."""

    name: AccountName
    role: SubRole


class AccountItem(Struct, frozen=True):
    """An account that the asker belongs to; `active` is the one that they act in now."""

    id: str
    slug: str
    name: str
    role: str | None
    active: bool


class MemberView(Struct, frozen=True):
    """A member as lists show it; one that is `withheld` has no right until that one confirms it after a restore."""

    id: str
    user: UserView | None
    name: str
    role: str
    kind: MemberKind
    joined_at: datetime
    two_factor: bool
    suspended: bool
    withheld: WithheldFor | None


class InvitationView(Struct, frozen=True):
    """An invitation that is open; its code is in the mail and nowhere else."""

    id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime


class Withdrawn(Struct, frozen=True):
    """An invitation whose link leads nowhere any more."""

    id: str
    email: str


class Joined(Struct, frozen=True):
    """The account that an invitation led into."""

    account_id: str
    account_name: str
    member_id: str
    role: str


class SubAccountView(Struct, frozen=True):
    """A member that is no person; its keys are made for it by an Owner or an Admin."""

    id: str
    name: str
    role: str
    created_at: datetime
    withheld: WithheldFor | None


class Handed(Struct, frozen=True):
    """What a transfer left: the new Owner, and the role of the one who gave."""

    owner: MemberView
    former: MemberView


class Opened(Struct, frozen=True):
    """What the page of an invitation shows; `known`: the address has an account here."""

    account_name: str
    role: str
    email: str
    invited_by: str
    expires_at: datetime
    known: bool


def member_view(member: Member) -> MemberView:
    """Return a member as lists show it."""
    return MemberView(
        id=member.id,
        user=member.user,
        name=member.name,
        role=member.role,
        kind=member.kind,
        joined_at=member.joined_at,
        two_factor=False,  # nobody can enrol a second factor yet, so nobody has one
        suspended=member.suspended,
        withheld=member.withheld,
    )


def sub_account_view(member: Member) -> SubAccountView:
    """Return a sub-account as lists show it."""
    return SubAccountView(member.id, member.name, member.role, member.joined_at, member.withheld)
