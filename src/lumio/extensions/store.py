"""Tables of extensions, versions and their files; read here and nowhere else.

Promise: every statement names the account, so that an id of another account is an id of nothing.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from lumio.extensions.model import ArtifactView, ExtensionItem, ExtensionView, Pricing, VersionView
from lumio.kernel import clock, ids
from lumio.storage.columns import Moment, id_column, metadata
from lumio.storage.unit import Unit, View

extensions = Table(
    "extension",
    metadata,
    id_column(primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("slug", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("category", String(255)),
    Column("visibility", String(16), nullable=False),
    Column("pricing", Text),
    Column("status", String(16), nullable=False),
    Column("install_count", Integer, nullable=False),
    id_column("current_version_id"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("account_id", "slug"),
    Index(None, "account_id", "created_at", "id"),
)

versions = Table(
    "extension_version",
    metadata,
    id_column(primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("extension_id", ForeignKey("extension.id"), nullable=False),
    Column("version", String(255), nullable=False),
    Column("status", String(16), nullable=False),
    Column("description", Text, nullable=False),
    Column("breaking", Boolean, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("deployed_by", Text, nullable=False),
    Column("credential_id", String(64)),
    Column("created_at", Moment, nullable=False),
    Column("published_at", Moment),
    UniqueConstraint("extension_id", "version"),
)

artifacts = Table(
    "artifact",
    metadata,
    Column("version_id", ForeignKey("extension_version.id"), primary_key=True),
    Column("name", String(16), primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
)


class ExtensionStore:
    """Reads and writes extensions."""

    async def all(self, view: View, account_id: str) -> list[ExtensionItem]:
        """Return an account's extensions, the newest first."""
        query = select(extensions).where(extensions.c.account_id == account_id)
        rows = await view.execute(query.order_by(extensions.c.created_at.desc(), extensions.c.id.desc()))
        return [_item(row) for row in rows]

    async def one(self, view: View, account_id: str, extension_id: str) -> ExtensionView | None:
        """Return one extension."""
        row = (await view.execute(_this(account_id, extension_id))).first()
        return None if row is None else _extension(row)

    async def lock(self, unit: Unit, account_id: str, extension_id: str) -> ExtensionView | None:
        """Return one extension that nobody else changes until the unit ends."""
        row = (await unit.execute(_this(account_id, extension_id).with_for_update())).first()
        return None if row is None else _extension(row)

    async def slug_taken(self, view: View, account_id: str, slug: str) -> bool:
        """Tell whether an extension of the account has this slug."""
        query = select(extensions.c.id).where(extensions.c.account_id == account_id, extensions.c.slug == slug)
        return (await view.execute(query)).first() is not None

    async def add(self, unit: Unit, values: dict[str, Any]) -> str:
        """Insert an extension, private and without a version; return its id."""
        moment, extension_id = clock.now(), ids.prefixed("ext")
        row = {
            "id": extension_id, "visibility": "private", "pricing": None, "status": "draft", "install_count": 0,
            "current_version_id": None, "created_at": moment, "updated_at": moment, **values,
        }  # fmt: skip
        await unit.execute(insert(extensions), row)
        return extension_id

    async def change(self, unit: Unit, account_id: str, extension_id: str, **values: Any) -> None:
        """Update columns of an extension."""
        if isinstance(values.get("pricing"), Pricing):
            values["pricing"] = msgspec.json.encode(values["pricing"]).decode()
        here = (extensions.c.account_id == account_id, extensions.c.id == extension_id)
        await unit.execute(update(extensions).where(*here).values(updated_at=clock.now(), **values))

    async def drop(self, unit: Unit, account_id: str, extension_id: str) -> list[str]:
        """Delete an extension with its versions; return the ids of these."""
        here = (versions.c.account_id == account_id, versions.c.extension_id == extension_id)
        version_ids = [row.id for row in await unit.execute(select(versions.c.id).where(*here))]
        await unit.execute(delete(artifacts).where(artifacts.c.version_id.in_(select(versions.c.id).where(*here))))
        await unit.execute(delete(versions).where(*here))
        own = (extensions.c.account_id == account_id, extensions.c.id == extension_id)
        await unit.execute(delete(extensions).where(*own))
        return version_ids


class VersionStore:
    """Reads and writes versions."""

    async def all(self, view: View, account_id: str, extension_id: str) -> list[VersionView]:
        """Return an extension's versions, the newest first."""
        query = _of(account_id, extension_id).order_by(versions.c.created_at.desc(), versions.c.id.desc())
        rows = (await view.execute(query)).all()
        files = select(artifacts).join(versions).where(
            versions.c.account_id == account_id, versions.c.extension_id == extension_id
        )  # fmt: skip
        by_version: dict[str, list[ArtifactView]] = {}
        for file in await view.execute(files.order_by(artifacts.c.name)):
            by_version.setdefault(file.version_id, []).append(ArtifactView(file.name, file.sha256, file.size))
        return [_version(row, by_version.get(row.id, [])) for row in rows]

    async def one(self, view: View, account_id: str, extension_id: str, version_id: str) -> VersionView | None:
        """Return one version."""
        row = (await view.execute(_of(account_id, extension_id).where(versions.c.id == version_id))).first()
        if row is None:
            return None
        files = await view.execute(
            select(artifacts).where(artifacts.c.version_id == row.id).order_by(artifacts.c.name)
        )
        return _version(row, [ArtifactView(file.name, file.sha256, file.size) for file in files])

    async def number_taken(self, view: View, account_id: str, extension_id: str, version: str) -> str | None:
        """Return the id of the version with this number."""
        row = (await view.execute(_of(account_id, extension_id).where(versions.c.version == version))).first()
        return None if row is None else str(row.id)

    async def add(self, unit: Unit, values: dict[str, Any], files: Sequence[ArtifactView]) -> str:
        """Insert a draft with its files; return its id."""
        version_id = ids.prefixed("ver")
        row = {"id": version_id, "status": "draft", "created_at": clock.now(), "published_at": None, **values}
        await unit.execute(insert(versions), row)
        for file in files:
            kept = {"version_id": version_id, "name": file.name, "sha256": file.sha256, "size": file.size}
            await unit.execute(insert(artifacts), kept)
        return version_id

    async def publish(self, unit: Unit, account_id: str, extension_id: str, version_id: str) -> None:
        """Make a version the published one; the one before is superseded."""
        here = (versions.c.account_id == account_id, versions.c.extension_id == extension_id)
        before = update(versions).where(*here, versions.c.status == "published")
        await unit.execute(before.values(status="superseded"))
        now = update(versions).where(*here, versions.c.id == version_id)
        await unit.execute(now.values(status="published", published_at=clock.now()))

    async def drop(self, unit: Unit, account_id: str, extension_id: str, version_id: str) -> None:
        """Delete a version and the rows of its files."""
        here = (versions.c.account_id == account_id, versions.c.extension_id == extension_id)
        own = select(versions.c.id).where(*here, versions.c.id == version_id)
        await unit.execute(delete(artifacts).where(artifacts.c.version_id.in_(own)))
        await unit.execute(delete(versions).where(*here, versions.c.id == version_id))

    async def bundles(self, view: View) -> list[tuple[str, int]]:
        """Return every file that any version names: its digest and its size."""
        rows = await view.execute(select(artifacts.c.sha256, artifacts.c.size).distinct())
        return [(row.sha256, row.size) for row in rows]

    async def used(self, view: View, digests: Sequence[str]) -> set[str]:
        """Return which of some digests any version of any account names."""
        rows = await view.execute(select(artifacts.c.sha256).where(artifacts.c.sha256.in_(digests)).distinct())
        return {row.sha256 for row in rows}


def _this(account_id: str, extension_id: str) -> Select[Any]:
    return select(extensions).where(extensions.c.account_id == account_id, extensions.c.id == extension_id)


def _of(account_id: str, extension_id: str) -> Select[Any]:
    return select(versions).where(versions.c.account_id == account_id, versions.c.extension_id == extension_id)


def _item(row: Row[Any]) -> ExtensionItem:
    return ExtensionItem(*(getattr(row, name) for name in ExtensionItem.__struct_fields__))


def _extension(row: Row[Any]) -> ExtensionView:
    pricing = None if row.pricing is None else msgspec.json.decode(row.pricing, type=Pricing)
    own = {name: getattr(row, name) for name in ExtensionView.__struct_fields__}
    return ExtensionView(**{**own, "pricing": pricing})


def _version(row: Row[Any], files: list[ArtifactView]) -> VersionView:
    return VersionView(
        row.id, row.version, row.status, row.description, row.breaking, files, row.deployed_by,
        row.created_at, row.published_at,
    )  # fmt: skip
