"""`/developer/v1/extensions/{id}/versions`: deployments, publishing, downloads."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from lumio.access.perform import Perform
from lumio.extensions.arrival import BODY_LIMIT, PARTS_MAX
from lumio.extensions.model import Download, Gone, VersionList, VersionView
from lumio.extensions.rest.forms import created, limited
from lumio.extensions.versions import Versions
from lumio.kernel.errors import LumioError
from lumio.surface.http.form_stream import FormStream
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows

PIECE = 256 * 1024


class VersionRoutes(Controller):
    """Versions of an extension."""

    path = "/extensions/{extension_id:str}/versions"

    @get("/", **limited("developer_read", shows(Versions.list, VersionList, bare=True)))
    async def list(
        self,
        request: Web,
        extension_id: FromPath[str],
        versions: NamedDependency[Versions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """List the versions, the newest first."""
        found = await perform(versions.list, exchange.asker(request), {"extension_id": extension_id})
        return exchange.bare(found)

    @post(
        "/",
        request_max_body_size=None,
        **limited("developer_versions", shows(Versions.deploy, VersionView, status=201, bare=True)),
    )
    async def deploy(
        self,
        request: Web,
        extension_id: FromPath[str],
        versions: NamedDependency[Versions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Upload a version (multipart: manifest, bundle, source, description, breaking); it begins as a draft."""
        asker = exchange.asker(request)
        stream = FormStream(request, BODY_LIMIT, PARTS_MAX)
        try:
            async with versions.arrival(stream.parts()) as arrival:
                made = await perform(versions.deploy, asker, {"extension_id": extension_id, "arrival": arrival})
        except LumioError:
            await stream.drain()
            raise
        return created(request, made, made.id)

    @get("/{version_id:str}", **limited("developer_read", shows(Versions.show, VersionView, bare=True)))
    async def show(
        self,
        request: Web,
        extension_id: FromPath[str],
        version_id: FromPath[str],
        versions: NamedDependency[Versions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show one version."""
        choice = {"extension_id": extension_id, "version_id": version_id}
        return exchange.bare(await perform(versions.show, exchange.asker(request), choice))

    @post("/{version_id:str}/publish", status_code=200, **shows(Versions.publish, VersionView, bare=True))
    async def publish(
        self,
        request: Web,
        extension_id: FromPath[str],
        version_id: FromPath[str],
        versions: NamedDependency[Versions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Make a draft the current version."""
        await exchange.no_body(request)
        choice = {"extension_id": extension_id, "version_id": version_id}
        return exchange.bare(await perform(versions.publish, exchange.asker(request), choice))

    @delete(
        "/{version_id:str}", status_code=200, **limited("developer_delete", shows(Versions.delete, Gone, bare=True))
    )
    async def delete(
        self,
        request: Web,
        extension_id: FromPath[str],
        version_id: FromPath[str],
        versions: NamedDependency[Versions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Delete a draft."""
        await exchange.no_body(request)
        choice = {"extension_id": extension_id, "version_id": version_id}
        return exchange.bare(await perform(versions.delete, exchange.asker(request), choice))

    @get(
        "/{version_id:str}/artifacts/{name:str}",
        **limited("developer_read", shows(Versions.download, None, bare=True)),
    )
    async def download(
        self,
        request: Web,
        extension_id: FromPath[str],
        version_id: FromPath[str],
        name: FromPath[str],
        versions: NamedDependency[Versions],
        perform: NamedDependency[Perform],
    ) -> Stream:
        """Download a file of a version, byte for byte as it was uploaded."""
        choice = {"extension_id": extension_id, "version_id": version_id, "name": name}
        found = await perform(versions.download, exchange.asker(request), choice)
        return _file(found)


def _file(found: Download) -> Stream:
    headers = {
        "Content-Disposition": f'attachment; filename="{found.file_name}"',
        "Content-Length": str(found.size),
        "ETag": f'"{found.sha256}"',
    }
    return Stream(_pieces(found.path), media_type="application/gzip", headers=headers)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    opened = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece
    finally:
        opened.close()
