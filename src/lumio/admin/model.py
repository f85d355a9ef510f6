"""Shapes of people and admin roles as whoever operates the installation sees them, for every surface."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from lumio.accounts.model import Membership

RowId = Annotated[str, Meta(min_length=1, max_length=64)]
RoleName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_-]{1,39}$(?!\n)",
        description="Must have 2 to 40 lower-case letters, digits, hyphens and underscores, a letter first.",
    ),
]
Names = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=50)]
Limit = Annotated[int, Meta(ge=1, le=200)]


class ListUsers(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a page of people; `query` is part of a mail address or of a name."""

    query: Annotated[str, Meta(max_length=254)] = ""
    limit: Limit = 50
    cursor: str | None = None


class ChangeUser(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: what to change of whom; what is left out stays. `admin_roles` is the whole list, by name."""

    id: RowId
    suspended: bool | UnsetType = UNSET
    admin_roles: Names | UnsetType = UNSET


class UserChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a change; the person is named by the address."""

    suspended: bool | UnsetType = UNSET
    admin_roles: Names | UnsetType = UNSET


class UserItem(Struct, frozen=True):
    """A person, with their admin roles by name and the accounts that they belong to."""

    id: str
    email: str
    display_name: str
    verified: bool
    suspended_at: datetime | None
    created_at: datetime
    admin_roles: list[str]
    accounts: list[Membership]


class CreateRole(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a name, and admin permissions of the catalogue."""

    name: RoleName
    permissions: Names


class ChangeRole(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: what to change of which role; what is left out stays."""

    id: RowId
    name: RoleName | UnsetType = UNSET
    permissions: Names | UnsetType = UNSET


class RoleChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a change; the role is named by the address."""

    name: RoleName | UnsetType = UNSET
    permissions: Names | UnsetType = UNSET


class RoleChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which role."""

    id: RowId


class RoleView(Struct, frozen=True):
    """An admin role: how many hold it, and what whoever asks lacks to give it or to change it."""

    id: str
    name: str
    permissions: list[str]
    built_in: bool
    holders: int
    missing: list[str]
    created_at: datetime | None


class DeletedRole(Struct, frozen=True):
    """The receipt of a deletion."""

    id: str
    name: str


class AdminRole(Struct, frozen=True):
    """A role as the rules see it. `worth` is what must be held to give it: what it does, and what it may hand on."""

    id: str
    name: str
    permissions: frozenset[str]
    worth: frozenset[str]
    built_in: bool = False
    created_at: datetime | None = None

    def missing_from(self, own: frozenset[str]) -> list[str]:
        """Return what `own` lacks of the worth; what the role itself does comes first."""
        return sorted(self.permissions - own) or sorted(self.worth - own)
