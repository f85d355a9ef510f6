"""The manifest of a version: what its project file says (spec: addresses, section 5).

Promise: it is kept as it was sent, and only when every field of it keeps its rule.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from lumio.access.validate import validate
from lumio.extensions import pricing_rules
from lumio.extensions.model import Category, Description, Name, Pricing, Visibility
from lumio.kernel.errors import FieldError, Invalid

# Semantic Versioning 2.0.0, items 2, 9 and 10: no leading zeroes in numbers.
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PART = rf"(?:{_NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
SEMVER = (
    rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$(?!\n)"
)
Version = Annotated[
    str, Meta(max_length=255, pattern=SEMVER, description="Must be a semantic version such as 1.2.0.")
]
Target = Literal["editor", "layer", "interactive"]
Targets = Annotated[
    list[Target], Meta(min_length=1, max_length=3, description="Must list editor, layer or interactive.")
]
Wanted = Annotated[str, Meta(min_length=1, max_length=100)]


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The fields of `lumio.config.json`; `permissions` are what the extension asks of its users."""

    name: Name
    version: Version
    extension_id: str | None = None
    description: Description = ""
    category: Category | None = None
    targets: Targets | None = None
    server: Annotated[str, Meta(max_length=255)] | None = None
    permissions: Annotated[list[Wanted], Meta(max_length=100)] | None = None
    visibility: Visibility | None = None
    pricing: Pricing | None = None


def read_manifest(raw: bytes, extension_id: str) -> Manifest:
    """Return the manifest in the bytes of its part.

    Raises:
        Invalid: no JSON object, or a field breaks a rule; fields are named `manifest.…`.
    """
    try:
        plain = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Invalid([FieldError("manifest", "json", "Must be JSON in UTF-8.")]) from None
    try:
        found = validate(Manifest, plain)
    except Invalid as error:
        raise Invalid([_inside(one) for one in error.fields]) from None
    problems = list(_mistakes(found, extension_id))
    if problems:
        raise Invalid(problems)
    return found


def _inside(one: FieldError) -> FieldError:
    return FieldError(f"manifest.{one.field}" if one.field else "manifest", one.rule, one.message)


def _mistakes(found: Manifest, extension_id: str) -> list[FieldError]:
    problems: list[FieldError] = []
    if found.extension_id is not None and found.extension_id != extension_id:
        problems.append(FieldError("manifest.extensionId", "other", "Names another extension than the address."))
    lists: dict[str, list[Any]] = {"targets": found.targets or [], "permissions": found.permissions or []}
    problems += [
        FieldError(f"manifest.{name}", "twice", "Must not name anything twice.")
        for name, values in lists.items()
        if len(set(values)) != len(values)
    ]
    if found.pricing is not None:
        problems += pricing_rules.mistakes(found.pricing, "manifest.pricing")
    return problems
