"""Reading the log of an account, or of all. Promise: nobody reads another account's rows, a Member only their own."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import structs

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.guard import Reach
from lumio.audit.model import (
    Entry,
    Filters,
    Head,
    HoursOfLog,
    HoursOfPlatformLog,
    PlatformEntry,
    ReadLog,
    ReadPlatformLog,
    Standing,
    Target,
)
from lumio.audit.plot import first_hour
from lumio.audit.signing import Signing
from lumio.audit.store.counting import HOUR, CountStore, Hours
from lumio.audit.store.filters import Chosen
from lumio.audit.store.reading import AuditStore, Slice
from lumio.kernel import clock, paging
from lumio.kernel.errors import Denied, FieldError, Invalid, Unauthenticated
from lumio.kernel.paging import Page
from lumio.surface.http.origin import normalise

Given = TypeVar("Given", bound=Filters)
Shown = TypeVar("Shown")


class AuditLog:
    """The log of an account."""

    def __init__(self, store: AuditStore, counts: CountStore, signing: Signing) -> None:
        """Read through `store` and `counts`; `signing` knows the chain's end."""
        self._store = store
        self._counts = counts
        self._signing = signing

    @action("audit.read", permission="audit-log:read")
    async def read(self, context: Context, form: ReadLog) -> Page[Entry]:
        """Return a page of entries, the newest first."""
        chosen = of_account(context, form)
        return _page(await self._store.page(context.view, chosen, form.limit, _after(form)), entry)

    @action("audit.head", permission="audit-log:read")
    async def head(self, context: Context, _form: None) -> Head:
        """Return the end of the chain, signed now."""
        return await self._signing.head(context.view)

    @action("audit.hours", permission="audit-log:read")
    async def hours(self, context: Context, form: HoursOfLog) -> Hours:
        """Return how much happened in each of the last hours."""
        plain = Filters(hide_authentications=form.hide_authentications)
        return await self._counts.per_hour(context.view, of_account(context, plain), _day_of_hours())

    @action("audit.go_on", permission="audit-log:read")
    async def go_on(self, context: Context, form: Standing) -> None:
        """Tell a reader of a long answer that they may go on. Raises what stops them."""
        await still_reads(context, form)


class PlatformLog:
    """The operator's log: every account's, and what belongs to none."""

    def __init__(self, store: AuditStore, counts: CountStore, signing: Signing) -> None:
        """Read through `store` and `counts`; `signing` knows the chain's end."""
        self._store = store
        self._counts = counts
        self._signing = signing

    @action("platform_audit.read", permission="platform-audit:read")
    async def read(self, context: Context, form: ReadPlatformLog) -> Page[PlatformEntry]:
        """Return a page of entries, the newest first."""
        chosen = Chosen(checked(form), form.account_id)
        return _page(await self._store.page(context.view, chosen, form.limit, _after(form)), platform_entry)

    @action("platform_audit.head", permission="platform-audit:read")
    async def head(self, context: Context, _form: None) -> Head:
        """Return the end of the chain, signed now."""
        return await self._signing.head(context.view)

    @action("platform_audit.hours", permission="platform-audit:read")
    async def hours(self, context: Context, form: HoursOfPlatformLog) -> Hours:
        """Return how much happened in each of the last hours."""
        plain = Filters(hide_authentications=form.hide_authentications)
        return await self._counts.per_hour(context.view, Chosen(plain, form.account_id), _day_of_hours())

    @action("platform_audit.go_on", permission="platform-audit:read")
    async def go_on(self, context: Context, form: Standing) -> None:
        """Tell a reader of a long answer that they may go on. Raises what stops them."""
        await still_reads(context, form)


async def still_reads(context: Context, form: Standing) -> None:
    """Look whether the credential of a long answer still stands, and reaches as far as it did.

    Raises:
        Unauthenticated: it was ended meanwhile.
        Denied: only the reader's own rows would be theirs to read now.
    """
    principal = context.principal
    if await context.authority.ended_within(context.view, principal.subjects, principal.seq):
        raise Unauthenticated(internal="ended while an answer ran")
    if context.reach.value != form.reach and form.reach == Reach.ALL.value:
        raise Denied("The right to read the whole log ended.")


def _day_of_hours() -> int:
    return first_hour(clock.now()) * HOUR


def of_account(context: Context, form: Filters) -> Chosen:
    """Return what the reader may see of the account that they act in. Raises Invalid."""
    person = context.user_id if context.reach is Reach.OWN else None
    return Chosen(checked(form), context.account_id, person)


def checked(form: Given) -> Given:
    """Return the filters with the address in its one form.

    Raises:
        Invalid: a time without its zone.
    """
    for name, moment in (("since", form.since), ("until", form.until)):
        if moment is not None and moment.tzinfo is None:
            raise Invalid([FieldError(name, "time", "Must name its zone, such as 2026-11-21T23:38:54Z.")])
    return structs.replace(form, ip=form.ip and (normalise(form.ip) or form.ip))


def entry(row: Mapping[str, Any]) -> Entry:
    """Return a row as the log shows it."""
    return Entry(**_shown(row))


def platform_entry(row: Mapping[str, Any]) -> PlatformEntry:
    """Return a row as the operator's log shows it."""
    return PlatformEntry(**_shown(row), account_id=row["account_id"])


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    same = ("event", "ip", "result", "id", "actor_type", "credential_id", "count", "request_id", "position",
            "user_agent", "erased")  # fmt: skip
    return {name: row[name] for name in same} | {
        "timestamp": clock.from_micros(row["ts"]),
        "actor": row["actor_label"] or "",
        "target": Target(row["target_type"], row["target_id"]) if row["target_type"] else None,
        "detail": json.loads(row["detail"]) if row["detail"] else {},
        "last_timestamp": None if row["last_ts"] is None else clock.from_micros(row["last_ts"]),
    }


def _after(form: ReadLog) -> tuple[int, str] | None:
    return None if form.cursor is None else paging.decode_moment(form.cursor)


def _page(found: Slice, shown: Callable[[Mapping[str, Any]], Shown]) -> Page[Shown]:
    return Page([shown(row) for row in found.rows], None if found.after is None else paging.encode(*found.after))
