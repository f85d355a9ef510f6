"""Shapes of billing details: the only schema of them, for every surface."""

from datetime import datetime
from typing import Annotated, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType

Line = Annotated[str, Meta(min_length=1, max_length=120, description="Must have 1 to 120 characters.")]
MaybeLine = Annotated[str, Meta(max_length=120, description="Must have at most 120 characters.")]
Country = Annotated[
    str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="Must be a country code of two capitals, such as DE.")
]
Currency = Annotated[
    Literal["AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "JPY", "NOK", "NZD", "PLN", "SEK", "USD"],
    Meta(description="Must be a currency that we pay out in, such as EUR."),
]
Method = Annotated[Literal["bank_transfer", "paypal"], Meta(description="Must be bank_transfer or paypal.")]
CURRENCIES = tuple((code, code) for code in get_args(get_args(Currency)[0]))
METHODS = (("bank_transfer", "Bank transfer"), ("paypal", "PayPal"))
"""What the form offers, as (value, words)."""
TaxId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]{3,31}$(?!\n)",
        description="Must have 4 to 32 letters, digits, spaces, dots, slashes and hyphens.",
    ),
]
PayoutAccount = Annotated[str, Meta(min_length=5, max_length=254)]
RowId = Annotated[str, Meta(min_length=1, max_length=64)]


class BillingBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body: the whole of the details, but what is kept secret may be left out and stays then."""

    legal_name: Line
    address_line1: Line
    city: Line
    postal_code: MaybeLine
    country: Country
    currency: Currency
    payout_method: Method
    address_line2: MaybeLine = ""
    region: MaybeLine = ""
    tax_id: TaxId | None | UnsetType = UNSET
    payout_account: PayoutAccount | UnsetType = UNSET


class UpdateBilling(BillingBody, frozen=True, forbid_unknown_fields=True):
    """Input: the same, for which account."""

    account_id: RowId | None = None


class ShowBilling(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which account; without one it is the one that the principal acts in."""

    account_id: RowId | None = None


class Details(Struct, frozen=True):
    """What lies sealed in the database; never leaves the server whole."""

    legal_name: str
    address_line1: str
    address_line2: str
    city: str
    postal_code: str
    region: str
    country: str
    currency: str
    payout_method: str
    payout_account: str
    tax_id: str | None = None


class BillingView(Struct, frozen=True):
    """Billing details as they are shown: of the tax id and the payout account the last signs only."""

    legal_name: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    postal_code: str | None = None
    region: str | None = None
    country: str | None = None
    currency: str | None = None
    tax_id: str | None = None
    payout_method: str | None = None
    payout_account: str | None = None
    updated_at: datetime | None = None
