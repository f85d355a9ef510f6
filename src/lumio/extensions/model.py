"""Shapes of extensions and versions: the only schema of them, for every surface."""

import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from lumio.extensions.arrival import Arrival

# In a pattern `$` alone would also match before a last line end.
NAME_LENGTH = 255
DESCRIPTION_LENGTH = 1000
SLUG_LENGTH = 64

ExtensionId = Annotated[str, Meta(min_length=1, max_length=64)]
VersionId = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[
    str, Meta(min_length=1, max_length=NAME_LENGTH, description="Must be one line of 1 to 255 characters.")
]
Slug = Annotated[
    str,
    Meta(
        max_length=SLUG_LENGTH,
        pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$(?!\n)",
        description="Must be small letters and digits with single hyphens between, such as chat-confetti.",
    ),
]
Description = Annotated[str, Meta(max_length=DESCRIPTION_LENGTH)]
Category = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]
Visibility = Annotated[
    Literal["private", "unlisted", "public"], Meta(description="Must be private, unlisted or public.")
]
PriceType = Annotated[
    Literal["free", "one_time", "subscription"], Meta(description="Must be free, one_time or subscription.")
]
Currency = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="Must be three capital letters (ISO 4217), such as EUR.")
]
Interval = Annotated[Literal["month", "year"], Meta(description="Must be month or year.")]
VersionStatus = Literal["draft", "published", "superseded"]
ArtifactName = Literal["bundle", "source"]


class Pricing(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an extension costs: `amount` in whole units of the ISO 4217 `currency`, per `interval` if any."""

    type: PriceType
    amount: float | None = None
    currency: Currency | None = None
    interval: Interval | None = None


class CreateExtension(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: a name; a slug when the one made from the name is not wanted."""

    name: Name
    slug: Slug | None = None
    description: Description = ""
    category: Category | None = None


class ExtensionChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a change: what is left out stays."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    category: Category | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET
    pricing: Pricing | UnsetType | None = UNSET


class UpdateExtension(ExtensionChange, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Input: which extension, and what changes of it."""

    extension_id: ExtensionId


class ExtensionChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which extension."""

    extension_id: ExtensionId


class VersionChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which version of which extension."""

    extension_id: ExtensionId
    version_id: VersionId


class ArtifactChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which file of which version."""

    extension_id: ExtensionId
    version_id: VersionId
    name: Annotated[str, Meta(max_length=64)]


class DeployVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """Input: which extension gets a version, and the upload that is on its way."""

    extension_id: ExtensionId
    arrival: Arrival


class ExtensionItem(Struct, frozen=True, rename="camel"):
    """An extension as lists show it."""

    id: str
    slug: str
    name: str
    visibility: str
    status: str
    install_count: int
    current_version_id: str | None
    created_at: datetime
    updated_at: datetime


class ExtensionView(ExtensionItem, frozen=True, rename="camel"):
    """An extension by itself."""

    description: str
    category: str | None
    pricing: Pricing | None


class ArtifactView(Struct, frozen=True, rename="camel"):
    """A file of a version: `sha256` in hex, `size` in bytes."""

    name: str
    sha256: str
    size: int


class VersionView(Struct, frozen=True, rename="camel"):
    """A version; `deployed_by` is the label that the actor had then."""

    id: str
    version: str
    status: VersionStatus
    description: str
    breaking: bool
    artifacts: list[ArtifactView]
    deployed_by: str
    created_at: datetime
    published_at: datetime | None


class ExtensionList(Struct, frozen=True, rename="camel"):
    """All extensions of an account, the newest first."""

    extensions: list[ExtensionItem]


class VersionList(Struct, frozen=True, rename="camel"):
    """All versions of an extension, the newest first."""

    versions: list[VersionView]


class Gone(Struct, frozen=True, rename="camel"):
    """What was deleted, and when."""

    id: str
    deleted_at: datetime


class Download(Struct, frozen=True):
    """A kept file: where it lies, its length in bytes, its digest, and the name to save it under."""

    path: Path
    size: int
    sha256: str
    file_name: str


def slug_from(name: str) -> str:
    """Return letters, digits and single hyphens made from `name`; "extension" when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "extension"
