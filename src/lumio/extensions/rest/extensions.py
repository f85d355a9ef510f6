"""`/developer/v1/extensions`."""

from typing import Any

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.extensions.model import CreateExtension, ExtensionChange, ExtensionList, ExtensionView, Gone
from lumio.extensions.rest.forms import created, limited, placed
from lumio.extensions.service import Extensions
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows


class ExtensionRoutes(Controller):
    """Extensions of the account."""

    path = "/extensions"

    @get("/", **limited("developer_read", shows(Extensions.list, ExtensionList, bare=True)))
    async def list(
        self, request: Web, extensions: NamedDependency[Extensions], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """List the account's extensions, the newest first."""
        return exchange.bare(await perform(extensions.list, exchange.asker(request)))

    @post(
        "/",
        **limited(
            "developer_extensions",
            shows(Extensions.create, ExtensionView, body=CreateExtension, status=201, bare=True),
        ),
    )
    async def create(
        self, request: Web, extensions: NamedDependency[Extensions], perform: NamedDependency[Perform]
    ) -> Response[Any]:
        """Make an extension, private and without a version."""
        form = await exchange.json_body(request)
        made = await perform(extensions.create, exchange.asker(request, await request.body()), form)
        return created(request, made, made.id)

    @get("/{extension_id:str}", **limited("developer_read", shows(Extensions.show, ExtensionView, bare=True)))
    async def show(
        self,
        request: Web,
        extension_id: FromPath[str],
        extensions: NamedDependency[Extensions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show one extension."""
        found = await perform(extensions.show, exchange.asker(request), {"extension_id": extension_id})
        return exchange.bare(found)

    @patch("/{extension_id:str}", **shows(Extensions.update, ExtensionView, body=ExtensionChange, bare=True))
    async def update(
        self,
        request: Web,
        extension_id: FromPath[str],
        extensions: NamedDependency[Extensions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Change an extension; visibility and pricing need the right to publish."""
        form = placed(await exchange.json_body(request), extension_id=extension_id)
        return exchange.bare(await perform(extensions.update, exchange.asker(request), form))

    @delete(
        "/{extension_id:str}",
        status_code=200,
        **limited("developer_delete", shows(Extensions.delete, Gone, bare=True)),
    )
    async def delete(
        self,
        request: Web,
        extension_id: FromPath[str],
        extensions: NamedDependency[Extensions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Delete an extension with all its versions, for good."""
        await exchange.no_body(request)
        gone = await perform(extensions.delete, exchange.asker(request), {"extension_id": extension_id})
        return exchange.bare(gone)
