"""Billing details, for GraphQL; the shapes are those of the models. For Owners of the active account."""

from dataclasses import asdict
from datetime import datetime

import strawberry
from strawberry import UNSET

from lumio.billing.service import Billing
from lumio.surface.graph.call import Info, shown


@strawberry.type
class BillingDetails:
    """Billing details as they are shown: of the tax id and the payout account the last signs only."""

    legal_name: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    postal_code: str | None
    region: str | None
    country: str | None
    currency: str | None
    tax_id: str | None
    payout_method: str | None
    payout_account: str | None
    updated_at: datetime | None


@strawberry.input
class BillingInput:
    """The whole of the details; a tax id and a payout account that are left out stay."""

    legal_name: str
    address_line1: str
    city: str
    postal_code: str
    country: str
    currency: str
    payout_method: str
    address_line2: str | None = UNSET
    region: str | None = UNSET
    tax_id: str | None = UNSET
    payout_account: str | None = UNSET


@strawberry.type
class BillingQueries:
    """What can be asked of billing."""

    @strawberry.field
    async def billing(self, info: Info) -> BillingDetails:
        """Show the billing details, masked."""
        call = info.context
        return shown(BillingDetails, await call.perform(call.of(Billing).show, call.asker, {}))


@strawberry.type
class BillingMutations:
    """What can be done with billing."""

    @strawberry.mutation
    async def update_billing(self, info: Info, details: BillingInput) -> BillingDetails:
        """Replace the billing details."""
        call = info.context
        form = {name: value for name, value in asdict(details).items() if value is not UNSET}
        return shown(BillingDetails, await call.perform(call.of(Billing).update, call.asker, form))
