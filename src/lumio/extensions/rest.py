"""`/developer/v1` for programs, and the same under `/api` for the pages."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from lumio.access.perform import Perform
from lumio.accounts.service import Accounts
from lumio.extensions.arrival import BODY_LIMIT, PARTS_MAX
from lumio.extensions.model import (
    CreateExtension,
    Download,
    ExtensionChange,
    ExtensionList,
    ExtensionView,
    Gone,
    VersionList,
    VersionView,
)
from lumio.extensions.service import Extensions
from lumio.extensions.versions import Versions
from lumio.kernel.errors import FieldError, Invalid, LumioError
from lumio.surface.http.form_stream import FormStream
from lumio.surface.http.rating import RATE
from lumio.surface.rest import exchange
from lumio.surface.rest.exchange import Web
from lumio.surface.rest.openapi import shows

PIECE = 256 * 1024


class PersonAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A person, as `/developer/v1` shows them."""

    id: str
    email: str
    display_name: str


class AccountAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """An account, as `/developer/v1` shows it."""

    id: str
    slug: str
    name: str


class MeAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """Who is asking, as `/developer/v1` shows it."""

    kind: str
    label: str
    user: PersonAnswer | None
    account: AccountAnswer | None
    role: str | None
    permissions: list[str]


def limited(rule: str, described: dict[str, Any]) -> dict[str, Any]:
    """Return what describes a route, with the limit of product C5 that it has beside its kind's."""
    return {"opt": {**described["opt"], RATE: rule}}


@get("/me", **shows(Accounts.me, MeAnswer, bare=True))
async def developer_me(
    request: Web, accounts: NamedDependency[Accounts], perform: NamedDependency[Perform]
) -> Response[Any]:
    """Tell who is asking, in which account, with which rights right now."""
    me = await perform(accounts.me, exchange.asker(request))
    return exchange.bare(msgspec.convert(me, MeAnswer, from_attributes=True))


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
        return _created(request, made, made.id)

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
        form = _placed(await exchange.json_body(request), extension_id=extension_id)
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
        return _created(request, made, made.id)

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


def _created(request: Web, made: Any, made_id: str) -> Response[Any]:
    answer = exchange.bare(made, status=201)
    answer.headers["Location"] = f"{request.url.path.rstrip('/')}/{made_id}"
    return answer


def _placed(body: Any, **place: str) -> Any:
    """Return a body with what the address says; a body that says it too is refused, never believed."""
    if not isinstance(body, dict):
        return body
    twice = [FieldError(name, "unknown", "There is no such field.") for name in place if name in body]
    if twice:
        raise Invalid(twice)
    return {**body, **place}


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
