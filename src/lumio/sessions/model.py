"""Shapes of sessions."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from lumio.access.validate import SECRET


class SessionRow(Struct, frozen=True):
    """What verification needs of a session; never leaves the server."""

    id: str
    user_id: str
    account_id: str
    pepper_v: int | None
    digest: bytes | None
    created_at: datetime
    last_seen_at: datetime
    proven_at: datetime
    amr: str
    ended_at: datetime | None


class TokenPair(Struct, frozen=True):
    """What a program gets at sign-in: a short access token and the refresh token that renews it."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str


class Opened(Struct, frozen=True):
    """A session just opened: a page gets the cookie's secret, a program the pair."""

    session_id: str
    user_id: str
    account_id: str
    page_secret: str | None = None
    tokens: TokenPair | None = None


class Refresh(Struct, frozen=True, forbid_unknown_fields=True):
    """Input of a refresh."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=100, extra=SECRET)]


class Activate(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: the account to act in from now on."""

    account_id: Annotated[str, Meta(min_length=1, max_length=64)]


class Activated(Struct, frozen=True):
    """The account that the session acts in now; a program gets fresh tokens for it, a page keeps its cookie."""

    account_id: str
    tokens: TokenPair | None = None
