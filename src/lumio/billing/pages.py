"""Account → Billing: for Owners."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.billing.model import CURRENCIES, METHODS
from lumio.billing.service import Billing
from lumio.surface.html.pages import Pages, Web, asker_of, require_session


class BillingPages(Controller):
    """Where the money of the account goes."""

    @get("/dashboard/account/billing")
    async def billing_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        billing: NamedDependency[Billing],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show the billing details, masked, in the form that changes them."""
        require_session(request)
        details = await perform(billing.show, asker_of(request), {})
        return await pages.show(
            request,
            "billing/billing.html",
            "Billing",
            "Account",
            details=details,
            currencies=CURRENCIES,
            methods=METHODS,
        )
