"""Shapes of system keys: the only schema of them, for every surface. None shows any part of a key but its making."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Label = Annotated[
    str, Meta(min_length=1, max_length=100, description="Must have 1 to 100 characters, such as kick-bot-prod.")
]
ProfileName = Annotated[str, Meta(min_length=1, max_length=40)]
SystemKeyId = Annotated[str, Meta(min_length=1, max_length=64)]
DEFAULT_PROFILE = "service"


class CreateSystemKey(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a label, and the profile that gives the permissions; the list itself is never an input."""

    label: Label
    profile: ProfileName = DEFAULT_PROFILE


class SystemKeyChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which key."""

    id: SystemKeyId


class ListSystemKeys(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a page of the list."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class SystemKeyView(Struct, frozen=True):
    """A system key as lists show it."""

    id: str
    label: str
    permissions: list[str]
    created_at: datetime
    last_used_at: datetime | None


class CreatedSystemKey(Struct, frozen=True):
    """The only answer that carries the key itself; `warnings` are sentences for people."""

    id: str
    label: str
    permissions: list[str]
    key: str
    created_at: datetime
    warnings: list[str]


class RevokedSystemKey(Struct, frozen=True):
    """The receipt of a revocation; `effective` means that no node accepts the key any more."""

    id: str
    revoked_at: datetime
    seq: int
    effective: bool


class Profile(Struct, frozen=True):
    """A named list of permissions that a system key can be made with."""

    name: str
    permissions: list[str]
    default: bool


class SystemKeyRow(Struct, frozen=True):
    """What verification needs of a key; never leaves the server."""

    id: str
    label: str
    permissions: frozenset[str]
    pepper_v: int
    tag: int
    encoded: str


class Drawn(Struct, frozen=True):
    """A new key before its row exists; never leaves the server but inside the answer of its making."""

    label: str
    profile: str
    permissions: list[str]
    text: str
    lookup_id: str
    pepper_v: int
    tag: int
    encoded: str

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return f"Drawn({self.label!r})"
