"""`/v1/admin/system-keys` and `/v1/admin/system-key-profiles`."""

from typing import Any

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows
from lumio.system_keys.model import CreatedSystemKey, CreateSystemKey, Profile, RevokedSystemKey, SystemKeyView
from lumio.system_keys.service import SystemKeys

COLLECTION = "/v1/admin/system-keys"


class SystemKeyRoutes(Controller):
    """System keys of the installation."""

    path = "/admin/system-keys"

    @get("/", **shows(SystemKeys.list, list[SystemKeyView]))
    async def list(
        self, request: Web, system_keys: NamedDependency[SystemKeys], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List the keys, the newest first."""
        page = await perform(system_keys.list, exchange.asker(request), exchange.query(request), lax=True)
        return exchange.many(request, page)

    @post("/", **shows(SystemKeys.create, CreatedSystemKey, body=CreateSystemKey, status=201))
    async def create(
        self, request: Web, system_keys: NamedDependency[SystemKeys], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Make a key with the permissions of a profile; this answer alone carries it."""
        form = await exchange.json_body(request)
        made = await perform(system_keys.create, exchange.asker(request, await request.body()), form)
        return exchange.one(request, made, status=201, collection=COLLECTION)

    @delete("/{key_id:str}", status_code=200, **shows(SystemKeys.revoke, RevokedSystemKey))
    async def revoke(
        self,
        request: Web,
        key_id: FromPath[str],
        system_keys: NamedDependency[SystemKeys],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """End a key by deleting its row, for good."""
        await exchange.no_body(request)
        receipt = await perform(system_keys.revoke, exchange.asker(request), {"id": key_id})
        return exchange.one(request, receipt, collection=COLLECTION)


class PageSystemKeyRoutes(SystemKeyRoutes):
    """The same, at the address that the page posts to: `/api/system-keys`."""

    path = "/system-keys"


class ProfileRoutes(Controller):
    """What a system key can be made with."""

    path = "/admin/system-key-profiles"

    @get("/", **shows(SystemKeys.profiles, list[Profile]))
    async def list(
        self, request: Web, system_keys: NamedDependency[SystemKeys], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List the profiles, the built-in ones first."""
        exchange.query(request)
        return exchange.many(request, await perform(system_keys.profiles, exchange.asker(request)))
