"""`/v1/tokens`."""

from typing import Any

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.kernel.errors import FieldError, Invalid
from lumio.popouts.model import CreatedPopout, CreatePopout, PopoutChange, PopoutSelf, PopoutView, RevokedPopout
from lumio.popouts.service import Popouts
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows

COLLECTION = "/v1/tokens"


class PopoutRoutes(Controller):
    """Popout tokens of the active account."""

    path = "/tokens"

    @get("/", **shows(Popouts.list, list[PopoutView]))
    async def list(
        self, request: Web, popouts: NamedDependency[Popouts], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List the popout tokens that are not revoked, the newest first."""
        page = await perform(popouts.list, exchange.asker(request), exchange.query(request), lax=True)
        return exchange.many(request, page)

    @post("/", **shows(Popouts.create, CreatedPopout, body=CreatePopout, status=201))
    async def create(
        self, request: Web, popouts: NamedDependency[Popouts], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Make a popout token; this answer alone carries it."""
        form = await exchange.json_body(request)
        made = await perform(popouts.create, exchange.asker(request, await request.body()), form)
        return exchange.one(request, made, status=201, collection=COLLECTION)

    @get("/me", **shows(Popouts.me, PopoutSelf))
    async def me(
        self, request: Web, popouts: NamedDependency[Popouts], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Tell the popout token that asks what it is."""
        return exchange.one(request, await perform(popouts.me, exchange.asker(request)))

    @get("/{popout_id:str}", **shows(Popouts.show, PopoutView))
    async def show(
        self,
        request: Web,
        popout_id: FromPath[str],
        popouts: NamedDependency[Popouts],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show one popout token."""
        found = await perform(popouts.show, exchange.asker(request), {"id": popout_id})
        return exchange.one(request, found, collection=COLLECTION)

    @patch("/{popout_id:str}", **shows(Popouts.update, PopoutView, body=PopoutChange))
    async def update(
        self,
        request: Web,
        popout_id: FromPath[str],
        popouts: NamedDependency[Popouts],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Change the label or the permissions."""
        form = await exchange.json_body(request)
        if not isinstance(form, dict) or "id" in form:
            raise Invalid([FieldError("id", "unknown", "The address names the popout token.")])
        changed = await perform(popouts.update, exchange.asker(request), {**form, "id": popout_id})
        return exchange.one(request, changed, collection=COLLECTION)

    @delete("/{popout_id:str}", status_code=200, **shows(Popouts.delete, RevokedPopout))
    async def delete(
        self,
        request: Web,
        popout_id: FromPath[str],
        popouts: NamedDependency[Popouts],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """End a popout token, for good."""
        await exchange.no_body(request)
        receipt = await perform(popouts.delete, exchange.asker(request), {"id": popout_id})
        return exchange.one(request, receipt, collection=COLLECTION)
