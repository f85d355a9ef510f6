"""Shapes of departures: the only schema of them, for every surface."""

from datetime import datetime

from msgspec import Struct

from lumio.keys.model import KeyView
from lumio.popouts.model import PopoutView
from lumio.teams.model import MemberView, RoleName, RowId


class ChangeRole(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: another role for a member."""

    id: RowId
    role: RoleName
    account_id: RowId | None = None


class RoleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a change of role; the member is named by the address."""

    role: RoleName


class Departure(Struct, frozen=True):
    """What a removal would end: keys and popout tokens that the member holds, and those that they made."""

    member: MemberView
    api_keys: list[KeyView]
    popout_tokens: list[PopoutView]


class Departed(Struct, frozen=True):
    """The receipt of a departure; `effective` means that no node accepts what ended any more."""

    id: str
    removed_at: datetime
    api_keys: int
    popout_tokens: int
    seq: int
    effective: bool


class Closed(Struct, frozen=True):
    """The receipt of a closed account."""

    id: str
    name: str
    seq: int
    effective: bool
