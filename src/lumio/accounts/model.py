"""Shapes of people and accounts: the only schema of them, for every surface."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from lumio.kernel.errors import FieldError, Invalid

_NAME = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
MAIL = rf"^{_NAME}@{_PART}(?:\.{_PART})*$(?!\n)"
"""ASCII only: two addresses that look alike cannot be two people."""

Mail = Annotated[
    str, Meta(max_length=254, pattern=MAIL, description="Must be a mail address such as robin@example.com.")
]
NAME_MAX = 100
DisplayName = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
AccountName = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
MemberKind = Literal["person", "sub_account"]
WithheldFor = Literal["owner", "operator"]
_DISGUISES = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


class UserView(Struct, frozen=True):
    """A person as others see them."""

    id: str
    email: str
    display_name: str


class AccountView(Struct, frozen=True):
    """A developer account."""

    id: str
    slug: str
    name: str


class Me(Struct, frozen=True):
    """The principal of the request: who is asking, where, with which rights right now."""

    kind: str
    label: str
    user: UserView | None
    account: AccountView | None
    role: str | None
    permissions: list[str]
    credential_id: str | None


class Standing(Struct, frozen=True):
    """What a member is at this moment; absent when the person or the membership may not act."""

    member_id: str
    account_id: str
    user_id: str | None
    role: str
    name: str
    email: str | None


class Place(Struct, frozen=True):
    """Who a member is and where, as others see it; nothing of a membership that is gone."""

    user: UserView | None
    account: AccountView | None
    role: str | None


class Member(Struct, frozen=True):
    """A member of an account, person or sub-account; who is suspended or withheld keeps the place and may not act.

    `withheld` says who has to confirm the membership after a restore; None when it counts.
    """

    id: str
    account_id: str
    user: UserView | None
    name: str
    role: str
    kind: MemberKind
    joined_at: datetime
    suspended: bool
    withheld: WithheldFor | None = None


class Person(Struct, frozen=True):
    """A person with what sign-in needs; never leaves the server."""

    id: str
    email: str
    display_name: str
    password_hash: str | None
    verified: bool
    active: bool


class Listed(Struct, frozen=True):
    """A person as whoever operates the installation finds them."""

    id: str
    email: str
    display_name: str
    verified: bool
    suspended_at: datetime | None
    created_at: datetime


class Membership(Struct, frozen=True):
    """An account that a person belongs to, and their role there."""

    id: str
    name: str
    role: str


def mail_key(email: str) -> str:
    """Return the form under which two spellings of one address are the same."""
    return name_key(email)


def name_key(name: str) -> str:
    """Return the form under which names are searched: neither case nor Unicode's compatibility forms count."""
    return unicodedata.normalize("NFKC", name).casefold()


def clean_name(field: str, text: str) -> str:
    """Return a name without outer space, in Unicode's NFKC form.

    Raises:
        Invalid: nothing is left, it has control, direction or line characters that could disguise it, or it
            is longer in this form than a name may be.
    """
    cleaned = unicodedata.normalize("NFKC", text).strip()
    if not cleaned or any(unicodedata.category(letter) in _DISGUISES for letter in cleaned):
        raise Invalid([FieldError(field, "characters", "Must be visible text on one line.")])
    if len(cleaned) > NAME_MAX:
        raise Invalid([FieldError(field, "length", f"Must have at most {NAME_MAX} characters, written plainly.")])
    return cleaned


def slug_of(name: str) -> str:
    """Return letters, digits and single hyphens made from `name`; "account" when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "account"


def own_account_name(person: Person) -> str:
    """Return the name of a person's own account; a long name is cut, so that it is never too long for one."""
    return f"{person.display_name[:80]}’s account"
