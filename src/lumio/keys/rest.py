"""`/v1/api-keys`."""

from typing import Any

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.keys.model import CreatedKey, CreateKey, KeyView, RevokedKey
from lumio.keys.service import Keys
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows

COLLECTION = "/v1/api-keys"


class KeyRoutes(Controller):
    """Developer keys of the active account."""

    path = "/api-keys"

    @get("/", **shows(Keys.list, list[KeyView]))
    async def list(
        self, request: Web, keys: NamedDependency[Keys], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List the keys that are not revoked, the newest first."""
        page = await perform(keys.list, exchange.asker(request), exchange.query(request), lax=True)
        return exchange.many(request, page)

    @post("/", **shows(Keys.create, CreatedKey, body=CreateKey, status=201))
    async def create(
        self, request: Web, keys: NamedDependency[Keys], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Make a key; this answer alone carries it."""
        form = await exchange.json_body(request)
        made = await perform(keys.create, exchange.asker(request, await request.body()), form)
        return exchange.one(request, made, status=201, collection=COLLECTION)

    @get("/{key_id:str}", **shows(Keys.show, KeyView))
    async def show(
        self, request: Web, key_id: FromPath[str], keys: NamedDependency[Keys], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Show one key."""
        found = await perform(keys.show, exchange.asker(request), {"id": key_id})
        return exchange.one(request, found, collection=COLLECTION)

    @post("/{key_id:str}/rotate", **shows(Keys.rotate, CreatedKey, status=201))
    async def rotate(
        self, request: Web, key_id: FromPath[str], keys: NamedDependency[Keys], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Make the successor of a key; the old one works until it is revoked."""
        await exchange.no_body(request)
        made = await perform(keys.rotate, exchange.asker(request), {"id": key_id})
        return exchange.one(request, made, status=201, collection=COLLECTION)

    @delete("/{key_id:str}", status_code=200, **shows(Keys.revoke, RevokedKey))
    async def revoke(
        self, request: Web, key_id: FromPath[str], keys: NamedDependency[Keys], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """End a key, for good."""
        await exchange.no_body(request)
        receipt = await perform(keys.revoke, exchange.asker(request), {"id": key_id})
        return exchange.one(request, receipt, collection=COLLECTION)
