"""`/v1/revocations/{seq}`."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.revocations.model import RevocationView
from lumio.revocations.service import Revocations
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows


class RevocationRoutes(Controller):
    """What became of a revocation."""

    path = "/revocations"

    @get("/{seq:str}", **shows(Revocations.show, RevocationView))
    async def show(
        self,
        request: Web,
        seq: FromPath[str],
        revocations: NamedDependency[Revocations],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show node by node whether a revocation is refused everywhere."""
        form = exchange.placed_query(request, seq=seq)
        return exchange.one(request, await perform(revocations.show, exchange.asker(request), form, lax=True))
