"""Shapes of popout tokens: the only schema of them, for every surface."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

Label = Annotated[
    str,
    Meta(min_length=1, max_length=100, description="Must have 1 to 100 characters, such as stream-overlay."),
]
RowId = Annotated[str, Meta(min_length=1, max_length=64)]
Permissions = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=64)]],
    Meta(max_length=50),
]
READ_ONLY = ("extensions:read",)
"""What a popout token may do when nobody chose."""


class CreatePopout(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a label, the rights, whose role they are taken from, and an end when it shall have one."""

    label: Label
    permissions: Permissions = field(default_factory=lambda: list(READ_ONLY))
    member_id: RowId | None = None
    expires_at: datetime | None = None


class UpdatePopout(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: what to change of which popout token; what is left out stays."""

    id: RowId
    label: Label | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET


class PopoutChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a change; the popout token is named by the address."""

    label: Label | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET


class PopoutChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which popout token."""

    id: RowId


class ListPopouts(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a page of the list."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class Party(Struct, frozen=True):
    """A member or a maker, by id and name."""

    id: str
    name: str


class PopoutView(Struct, frozen=True):
    """A popout token as lists show it; never its secret. `member` is whose role it uses."""

    id: str
    label: str
    permissions: list[str]
    prefix: str
    lookup_id: str
    member: Party
    maker: Party
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None


class CreatedPopout(Struct, frozen=True):
    """The only answer that carries the popout token itself."""

    id: str
    label: str
    secret: str = field(name="token")
    permissions: list[str]
    prefix: str
    lookup_id: str
    member: Party
    created_at: datetime
    expires_at: datetime | None


class RevokedPopout(Struct, frozen=True):
    """The receipt of a revocation; `effective` means that no node accepts the popout token any more."""

    id: str
    revoked_at: datetime
    seq: int
    effective: bool


class PopoutSelf(Struct, frozen=True):
    """What a popout token is told of itself; `permissions` are those that count at this moment."""

    id: str
    label: str
    permissions: list[str]
    account: Party
    member: Party
    created_at: datetime
    expires_at: datetime | None


class Choices(Struct, frozen=True):
    """What whoever asks may put into a new popout token: rights, and members whose role it may use."""

    permissions: list[str]
    members: list[Party]


class PopoutRow(Struct, frozen=True):
    """What verification needs of a popout token; never leaves the server."""

    id: str
    account_id: str
    member_id: str
    maker_id: str
    label: str
    permissions: frozenset[str]
    pepper_v: int
    digest: bytes
    expires_at: datetime | None
    revoked_at: datetime | None
