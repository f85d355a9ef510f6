"""Making, changing, listing and deleting extensions.

Promise: an extension is reached through its own account only; what becomes visible to others needs the right
to publish.
"""

from typing import Any

from msgspec import UNSET

from lumio.access import guard
from lumio.access.action import action
from lumio.access.context import Context
from lumio.accounts.model import clean_name
from lumio.extensions import events, pricing_rules
from lumio.extensions.model import (
    CreateExtension,
    ExtensionChange,
    ExtensionChoice,
    ExtensionList,
    ExtensionView,
    Gone,
    Pricing,
    UpdateExtension,
    slug_from,
)
from lumio.extensions.store import ExtensionStore
from lumio.kernel import clock, ids
from lumio.kernel.errors import Conflict, FieldError, Invalid, NotFound
from lumio.storage import idempotency

PUBLISHING = ("visibility", "pricing")


class Extensions:
    """Extensions of an account."""

    def __init__(self, store: ExtensionStore) -> None:
        """Work on `store`."""
        self._store = store

    @action("extensions.list", permission="extensions:read")
    async def list(self, context: Context, _form: None) -> ExtensionList:
        """Return the account's extensions, the newest first."""
        return ExtensionList(await self._store.all(context.view, context.account_id))

    @action("extensions.show", permission="extensions:read")
    async def show(self, context: Context, form: ExtensionChoice) -> ExtensionView:
        """Return one extension."""
        return await self._find(context, form.extension_id)

    @action("extensions.create", permission="extensions:deploy", event=events.CREATED, creates=True)
    async def create(self, context: Context, form: CreateExtension) -> ExtensionView:
        """Make an extension, private and without a version."""
        name = clean_name("name", form.name)
        extension_id = await self._store.add(context.unit, {
            "account_id": context.account_id, "name": name, "slug": await self._slug(context, form.slug, name),
            "description": form.description.strip(), "category": _category(form.category),
        })  # fmt: skip
        made = await self._find(context, extension_id)
        context.record(events.CREATED, (events.EXTENSION, made.id), detail={"name": made.name, "slug": made.slug})
        return made

    @action("extensions.update", permission="extensions:deploy", event=events.UPDATED)
    async def update(self, context: Context, form: UpdateExtension) -> ExtensionView:
        """Change what people read of an extension, and, with the right to publish, who sees it and its price."""
        given = {
            name: getattr(form, name)
            for name in ExtensionChange.__struct_fields__
            if getattr(form, name) is not UNSET
        }
        if not given:
            raise Invalid([FieldError("", "required", "Name at least one field to change.")])
        if not given.keys().isdisjoint(PUBLISHING):
            guard.admit(context.principal, "extensions:publish", step_up=False, signed_in=True)
            guard.allow("extensions:publish", context.held)
        before = await self._store.lock(context.unit, context.account_id, form.extension_id)
        if before is None:
            raise _missing(form.extension_id)
        await self._store.change(context.unit, context.account_id, before.id, **_cleaned(given))
        after = await self._find(context, before.id)
        changed = [name for name in given if getattr(before, name) != getattr(after, name)]
        detail: dict[str, Any] = {"fields": changed}
        if "visibility" in changed:
            detail |= {"visibility": after.visibility, "visibility_before": before.visibility}
        context.record(events.UPDATED, (events.EXTENSION, before.id), detail=detail)
        return after

    @action("extensions.delete", permission="extensions:delete", event=events.DELETED)
    async def delete(self, context: Context, form: ExtensionChoice) -> Gone:
        """Delete an extension with all its versions, for good."""
        found = await self._store.lock(context.unit, context.account_id, form.extension_id)
        if found is None:
            raise _missing(form.extension_id)
        version_ids = await self._store.drop(context.unit, context.account_id, found.id)
        await idempotency.forget_target(context.unit, [found.id, *version_ids])
        detail = {"name": found.name, "slug": found.slug, "versions": len(version_ids)}
        context.record(events.DELETED, (events.EXTENSION, found.id), detail=detail)
        return Gone(found.id, clock.now())

    async def _find(self, context: Context, extension_id: str) -> ExtensionView:
        found = await self._store.one(context.view, context.account_id, extension_id)
        if found is None:
            raise _missing(extension_id)
        return found

    async def _slug(self, context: Context, wanted: str | None, name: str) -> str:
        """Return a slug that is free in the account: the one that was asked for, or one made from the name."""
        slug = wanted or slug_from(name)
        if not await self._store.slug_taken(context.view, context.account_id, slug):
            return slug
        if wanted is not None:
            raise Conflict(f"An extension of this account has the slug {wanted} already.")
        return f"{slug}-{ids.uuid7()[-6:]}"


def _missing(extension_id: str) -> NotFound:
    return NotFound().noted(target_type=events.EXTENSION, target_id=extension_id)


def _category(text: str | None) -> str | None:
    return None if text is None else clean_name("category", text)


def _cleaned(given: dict[str, Any]) -> dict[str, Any]:
    """Return the given fields in the form in which they are kept."""
    cleaned = dict(given)
    if "name" in given:
        cleaned["name"] = clean_name("name", given["name"])
    if "description" in given:
        cleaned["description"] = given["description"].strip()
    if "category" in given:
        cleaned["category"] = _category(given["category"])
    if isinstance(given.get("pricing"), Pricing):
        problems = list(pricing_rules.mistakes(given["pricing"], "pricing"))
        if problems:
            raise Invalid(problems)
    return cleaned
