"""Shapes of the answers that other services get about a credential: the only schema of them."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from lumio.access.validate import SECRET

Shown = Annotated[str, Meta(max_length=4096, extra=SECRET)]
Hint = Annotated[str, Meta(max_length=64)]
Requirement = Annotated[
    str,
    Meta(max_length=64, pattern=r"^[a-z][a-z-]*:[a-z]+(:own)?$(?!\n)", description="Must be resource:action."),
]


class Introspect(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: the credential as the service was shown it (RFC 7662, section 2.1); the hint is not needed."""

    text: Shown = field(name="token")
    token_type_hint: Hint | None = None


class Introspected(Struct, frozen=True):
    """What a service learns (RFC 7662, section 2.2). What does not apply is left out; inactive is `active` alone.

    `exp` is in Unix seconds; `scope` is `permissions` in one text, as OAuth's own clients read it.
    """

    active: bool
    sub: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    scope: str | UnsetType = UNSET
    exp: int | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    permissions: list[str] | UnsetType = UNSET
    credential_id: str | UnsetType = UNSET
    label: str | UnsetType = UNSET


class Verify(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: what the credential must be allowed, and whether nobody is welcome too."""

    require: Requirement | None = None
    anonymous: bool = False


class Verified(Struct, frozen=True):
    """Who a request comes from, for a proxy that asked on behalf of another service."""

    kind: str
    subject: str | None
    account: str | None
    permissions: tuple[str, ...]
    credential: str | None
