"""Deploying, publishing, listing, downloading and deleting versions.

Promise: a version exists with all its files and its event, or not at all; a number is used once.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import cast

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.principal import Asker
from lumio.extensions import events
from lumio.extensions.arrival import Arrival, Part
from lumio.extensions.bundles import BundleStore
from lumio.extensions.model import (
    ArtifactChoice,
    ArtifactView,
    DeployVersion,
    Download,
    ExtensionChoice,
    ExtensionView,
    Gone,
    VersionChoice,
    VersionList,
    VersionView,
)
from lumio.extensions.package import Inspection, Package
from lumio.extensions.store import ExtensionStore, VersionStore
from lumio.kernel import clock
from lumio.kernel.errors import Conflict, Invalid, NotFound, TooLarge
from lumio.storage import idempotency
from lumio.storage.unit import Units, View

KEPT_UNUSED = timedelta(days=1)
UPLOAD_AT_MOST = timedelta(hours=6)


class Versions:
    """Versions of extensions, and the files that they are made of."""

    def __init__(self, extensions: ExtensionStore, store: VersionStore, bundles: BundleStore, units: Units) -> None:
        """Work on the stores; `units` is for what is looked up before a body is read."""
        self._extensions = extensions
        self._store = store
        self._bundles = bundles
        self._units = units
        self._inspection = Inspection()

    def arrival(self, parts: AsyncIterator[Part]) -> Arrival:
        """Return an upload that is not read yet, to be used as a block around its deployment."""
        return Arrival(self._bundles, parts)

    @action("versions.list", permission="extensions:read")
    async def list(self, context: Context, form: ExtensionChoice) -> VersionList:
        """Return the versions of an extension, the newest first."""
        await self._extension(context.view, context.account_id, form.extension_id)
        return VersionList(await self._store.all(context.view, context.account_id, form.extension_id))

    @action("versions.show", permission="extensions:read")
    async def show(self, context: Context, form: VersionChoice) -> VersionView:
        """Return one version."""
        return await self._find(context, form.extension_id, form.version_id)

    async def _unpacked(self, asker: Asker, form: DeployVersion) -> Package:
        """Take the upload in and look into it; nothing of it is kept yet."""
        account_id = asker.principal.account_id or ""
        await self._units.read(lambda view: self._extension(view, account_id, form.extension_id))
        try:
            await form.arrival.receive()
            return await self._inspection.open(form.arrival, form.extension_id)
        except Invalid as error:
            if isinstance(error, TooLarge):
                error.noted(reason=error.code)
            if error.notes:
                error.noted(target_type=events.EXTENSION, target_id=form.extension_id)
            raise

    @action(
        "versions.deploy",
        permission="extensions:deploy",
        event=events.DEPLOYED,
        creates=True,
        prepare=_unpacked,
    )
    async def deploy(self, context: Context, form: DeployVersion) -> VersionView:
        """Make a draft of what was uploaded."""
        package = cast("Package", context.prepared)
        extension = await self._locked(context, form.extension_id)
        number, actor = package.manifest.version, context.principal.actor
        if await self._store.number_taken(context.unit, context.account_id, extension.id, number):
            raise Conflict(f"Version {number} is there already. A version number is used once.").noted(
                target_type=events.EXTENSION, target_id=extension.id, reason="version_exists"
            )
        files = [ArtifactView(name, file.sha256, file.size) for name, file in sorted(package.files.items())]
        version_id = await self._store.add(
            context.unit,
            {
                "account_id": context.account_id, "extension_id": extension.id, "version": number,
                "description": package.notes.description.strip(), "breaking": package.notes.breaking,
                "manifest": package.manifest_text, "deployed_by": actor.label,
                "credential_id": actor.credential_id,
            },
            files,
        )  # fmt: skip
        await self._extensions.change(context.unit, context.account_id, extension.id)
        made = await self._find(context, extension.id, version_id)
        detail = {"extension_id": extension.id, "version": number} | {
            ("sha256" if file.name == "bundle" else f"{file.name}_sha256"): file.sha256 for file in files
        }
        context.record(events.DEPLOYED, (events.VERSION, version_id), detail=detail)
        for received in package.files.values():
            await self._bundles.keep(received)
        return made

    @action("versions.publish", permission="extensions:publish", event=events.PUBLISHED)
    async def publish(self, context: Context, form: VersionChoice) -> VersionView:
        """Make a draft the version that people get."""
        extension = await self._locked(context, form.extension_id)
        draft = await self._draft(context, form, "published")
        await self._store.publish(context.unit, context.account_id, extension.id, draft.id)
        await self._extensions.change(
            context.unit, context.account_id, extension.id, status="published", current_version_id=draft.id
        )
        detail = {"extension_id": extension.id, "version": draft.version, "before": extension.current_version_id}
        context.record(events.PUBLISHED, (events.VERSION, draft.id), detail=detail)
        return await self._find(context, extension.id, draft.id)

    @action("versions.delete", permission="extensions:deploy", event=events.VERSION_DELETED)
    async def delete(self, context: Context, form: VersionChoice) -> Gone:
        """Delete a draft; its number is free again."""
        extension = await self._locked(context, form.extension_id)
        draft = await self._draft(context, form, "deleted")
        await self._store.drop(context.unit, context.account_id, extension.id, draft.id)
        await idempotency.forget_target(context.unit, [draft.id])
        await self._extensions.change(context.unit, context.account_id, extension.id)
        detail = {"extension_id": extension.id, "version": draft.version}
        context.record(events.VERSION_DELETED, (events.VERSION, draft.id), detail=detail)
        return Gone(draft.id, clock.now())

    @action("versions.download", permission="extensions:read")
    async def download(self, context: Context, form: ArtifactChoice) -> Download:
        """Return where a file of a version lies."""
        extension = await self._extension(context.view, context.account_id, form.extension_id)
        version = await self._find(context, form.extension_id, form.version_id)
        for file in version.artifacts:
            if file.name == form.name:
                path = self._bundles.open(file.sha256)
                name = f"{extension.slug}-{version.version}-{file.name}.tar.gz"
                return Download(path, file.size, file.sha256, name)
        raise NotFound

    async def sweep(self) -> None:
        """Remove uploads that nobody finished, and kept files that no version has named for a day."""
        moment = clock.now()
        await self._bundles.sweep(moment - UPLOAD_AT_MOST)
        await self._bundles.sweep_orphans(moment - KEPT_UNUSED, self._wanted)

    async def _wanted(self, digests: Sequence[str]) -> set[str]:
        return await self._units.read(lambda view: self._store.used(view, digests))

    async def _extension(self, view: View, account_id: str, extension_id: str) -> ExtensionView:
        found = await self._extensions.one(view, account_id, extension_id)
        if found is None:
            raise _missing(events.EXTENSION, extension_id)
        return found

    async def _locked(self, context: Context, extension_id: str) -> ExtensionView:
        """Return the extension; whatever else would change it or its versions waits until the unit ends."""
        found = await self._extensions.lock(context.unit, context.account_id, extension_id)
        if found is None:
            raise _missing(events.EXTENSION, extension_id)
        return found

    async def _find(self, context: Context, extension_id: str, version_id: str) -> VersionView:
        found = await self._store.one(context.view, context.account_id, extension_id, version_id)
        if found is None:
            raise _missing(events.VERSION, version_id)
        return found

    async def _draft(self, context: Context, form: VersionChoice, what: str) -> VersionView:
        found = await self._find(context, form.extension_id, form.version_id)
        if found.status != "draft":
            raise Conflict(f"Version {found.version} is {found.status}: only a draft can be {what}.").noted(
                target_type=events.VERSION, target_id=found.id, reason=f"already_{found.status}"
            )
        return found


def _missing(target_type: str, target_id: str) -> NotFound:
    return NotFound().noted(target_type=target_type, target_id=target_id)
