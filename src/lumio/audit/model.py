"""Shapes of the audit log: the seed's five fields first."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(min_length=1, max_length=320)]
AccountId = Annotated[str, Meta(min_length=1, max_length=36)]
EventName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z_]+\.(\*|[a-z_]+)$(?!\n)",
        max_length=64,
        description="Must be an event such as api_key.created or api_key.*",
    ),
]


class Filters(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: filters, all optional; an event must fit every one that is given."""

    event: EventName | None = None
    actor: Text | None = None
    result: Literal["success", "failure"] | None = None
    ip: Text | None = None
    credential_id: Text | None = None
    since: datetime | None = None
    until: datetime | None = None
    hide_authentications: bool = False


class ReadLog(Filters, frozen=True, forbid_unknown_fields=True):
    """Input: filters, and a page."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class ReadPlatformLog(ReadLog, frozen=True, forbid_unknown_fields=True):
    """Input: the same over all accounts, or over one of them."""

    account_id: AccountId | None = None


class ExportLog(Filters, frozen=True, forbid_unknown_fields=True):
    """Input: filters, and the form of the file."""

    format: Literal["csv", "ndjson"] = "ndjson"


class ExportPlatformLog(ExportLog, frozen=True, forbid_unknown_fields=True):
    """Input: the same over all accounts, or over one of them."""

    account_id: AccountId | None = None


class HoursOfLog(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: whether successful authentications count."""

    hide_authentications: bool = False


class HoursOfPlatformLog(HoursOfLog, frozen=True, forbid_unknown_fields=True):
    """Input: the same over all accounts, or over one of them."""

    account_id: AccountId | None = None


class Standing(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: how far the right to read reached when a long answer began."""

    reach: Literal["all", "own"] = "all"


class Head(Struct, frozen=True):
    """The end of the global chain as the server signs it now; whoever keeps it can prove what came before."""

    statement: str
    position: int
    chain: str
    at: str
    signature: str
    public_key: str = field(name="key")


class Target(Struct, frozen=True):
    """What an event was about."""

    type: str
    id: str


class Entry(Struct, frozen=True):
    """One row of the log.

    `position` is None until the row is sealed; `last_timestamp` is when a counted row happened last; of an erased
    row the actor's name, the address, the user agent and the detail are gone.
    """

    timestamp: datetime
    event: str
    actor: str
    ip: str | None
    result: str
    id: str
    actor_type: str
    credential_id: str | None
    target: Target | None
    count: int
    request_id: str | None
    position: int | None
    user_agent: str | None
    detail: dict[str, Any]
    last_timestamp: datetime | None
    erased: bool


class PlatformEntry(Entry, frozen=True):
    """One row of the operator's log: an account's, or of none."""

    account_id: str | None
