"""`/v1/accounts/{id}/billing`."""

from typing import Any

from litestar import Controller, Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.billing.model import BillingBody, BillingView
from lumio.billing.service import Billing
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows


class BillingRoutes(Controller):
    """Billing details of an account, for its Owners."""

    path = "/accounts/{account_id:str}/billing"

    @get("/", **shows(Billing.show, BillingView))
    async def show(
        self,
        request: Web,
        account_id: FromPath[str],
        billing: NamedDependency[Billing],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show the billing details, masked."""
        form = exchange.placed_query(request, account_id=account_id)
        return exchange.one(request, await perform(billing.show, exchange.asker(request), form))

    @put("/", **shows(Billing.update, BillingView, body=BillingBody))
    async def update(
        self,
        request: Web,
        account_id: FromPath[str],
        billing: NamedDependency[Billing],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Replace the billing details; a secret that is left out stays."""
        form = await exchange.placed(request, account_id=account_id)
        return exchange.one(request, await perform(billing.update, exchange.asker(request), form))
