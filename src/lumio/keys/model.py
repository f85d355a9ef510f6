"""Shapes of developer keys: the only schema of them, for every surface."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Label = Annotated[
    str,
    Meta(min_length=1, max_length=100, description="Must have 1 to 100 characters, such as ci-github-actions."),
]
KeyId = Annotated[str, Meta(min_length=1, max_length=64)]


class CreateKey(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a label, and an expiry date when the key shall end by itself."""

    label: Label
    expires_at: datetime | None = None
    sub_account_id: KeyId | None = None


class KeyChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which key."""

    id: KeyId


class ListKeys(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a page of the list."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class Party(Struct, frozen=True):
    """A holder or a minter, by id and name."""

    id: str
    name: str


class KeyView(Struct, frozen=True):
    """A developer key as lists show it; never its secret."""

    id: str
    label: str
    prefix: str
    lookup_id: str
    holder: Party
    minter: Party
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    age_days: int
    predecessor_id: str | None


class CreatedKey(Struct, frozen=True):
    """The only answer that carries the key itself."""

    id: str
    label: str
    key: str
    prefix: str
    lookup_id: str
    created_at: datetime
    expires_at: datetime | None
    predecessor_id: str | None | UnsetType = UNSET


class RevokedKey(Struct, frozen=True):
    """The receipt of a revocation; `effective` means that no node accepts the key any more."""

    id: str
    revoked_at: datetime
    seq: int
    effective: bool


class KeyRow(Struct, frozen=True):
    """What verification needs of a key; never leaves the server."""

    id: str
    account_id: str
    member_id: str
    minter_id: str
    label: str
    pepper_v: int
    digest: bytes
    expires_at: datetime | None
    revoked_at: datetime | None
