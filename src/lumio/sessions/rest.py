"""`/v1/accounts/{id}/activate`: the account that a session acts in."""

from typing import Any

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.sessions.model import Activated
from lumio.sessions.service import Sessions
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows


class ActivationRoutes(Controller):
    """Switching between accounts."""

    path = "/accounts/{account_id:str}/activate"

    @post("/", status_code=200, **shows(Sessions.activate, Activated))
    async def activate(
        self,
        request: Web,
        account_id: FromPath[str],
        sessions: NamedDependency[Sessions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Act in another account from now on; a program gets fresh tokens for it."""
        await exchange.no_body(request)
        done = await perform(sessions.activate, exchange.asker(request), {"account_id": account_id})
        return exchange.one(request, done)
