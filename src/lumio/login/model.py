"""Shapes of everything about getting in."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from lumio.access.validate import SECRET
from lumio.accounts.model import AccountName, DisplayName, Mail

NewPassword = Annotated[
    str,
    Meta(min_length=10, max_length=1000, description="Must have 10 to 1000 characters.", extra=SECRET),
]
Typed = Annotated[str, Meta(min_length=1, max_length=1000, extra=SECRET)]
Code = Annotated[str, Meta(min_length=1, max_length=100, extra=SECRET)]


class SetUp(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: the first operator and their account."""

    code: Code
    email: Mail
    password: NewPassword
    display_name: DisplayName
    account_name: AccountName


class SignUp(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a new person."""

    email: Mail
    password: NewPassword
    display_name: DisplayName


class Waiting(Struct, frozen=True):
    """What a sign-up leaves with its code until the link is opened; `password_hash` is Argon2id."""

    display_name: str
    password_hash: str


class Join(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a new person who was invited; the address is the one that the invitation went to."""

    code: Code
    display_name: DisplayName
    password: NewPassword


class WithCode(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a mailed one-time code."""

    code: Code


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: address and password, as typed."""

    email: Annotated[str, Meta(min_length=1, max_length=254)]
    password: Typed


class AskReset(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: the address that a reset link may go to."""

    email: Mail


class Reset(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a mailed reset code and the new password."""

    code: Code
    password: NewPassword


class StepUp(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a fresh proof; a password is one for people without a second factor."""

    method: Literal["password"]
    password: Typed


class Raised(Struct, frozen=True):
    """Output of a step-up: a program gets a new access token, a page a new cookie (never in the body)."""

    auth_time: datetime
    expires_in: int
    access_token: str | None = None
    page_secret: str | None = None


class Welcome(Struct, frozen=True):
    """Output of set-up: who and what now exists."""

    user_id: str
    account_id: str
    email: str
    account_name: str


class Accepted(Struct, frozen=True):
    """Output that says the same whether the address is known or not."""

    message: str
