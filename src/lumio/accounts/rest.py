"""`/v1/users/me`."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.accounts.model import Me
from lumio.accounts.service import Accounts
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows


class MeRoutes(Controller):
    """Who is asking."""

    path = "/users/me"

    @get("/", **shows(Accounts.me, Me))
    async def me(
        self, request: Web, accounts: NamedDependency[Accounts], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Show the principal of the request."""
        return exchange.one(request, await perform(accounts.me, exchange.asker(request)))
