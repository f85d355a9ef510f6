"""Reading the log of an account. Promise: nobody reads another account's rows, and a Member only their own."""

import json
from typing import Any

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.guard import Reach
from lumio.audit.model import Entry, ReadLog, Target
from lumio.audit.store.reading import AuditStore
from lumio.kernel import clock, paging
from lumio.kernel.errors import FieldError, Invalid
from lumio.kernel.paging import Page


class AuditLog:
    """The log of an account."""

    def __init__(self, store: AuditStore) -> None:
        """Read through `store`."""
        self._store = store

    @action("audit.read", permission="audit-log:read")
    async def read(self, context: Context, form: ReadLog) -> Page[Entry]:
        """Return a page of entries, the newest first."""
        for name, moment in (("since", form.since), ("until", form.until)):
            if moment is not None and moment.tzinfo is None:
                raise Invalid([FieldError(name, "time", "Must name its zone, such as 2026-11-21T23:38:54Z.")])
        after = None if form.cursor is None else paging.decode_moment(form.cursor)
        person = context.user_id if context.reach is Reach.OWN else None
        rows = await self._store.page(context.view, context.account_id, form, person, after)
        entries = [_entry(row) for row in rows[: form.limit]]
        if len(rows) <= form.limit:
            return Page(entries)
        last = rows[form.limit - 1]
        return Page(entries, paging.encode(last.ts, last.id))


def _entry(row: Any) -> Entry:
    return Entry(
        timestamp=clock.from_micros(row.ts),
        event=row.event,
        actor=row.actor_label,
        ip=row.ip,
        result=row.result,
        id=row.id,
        actor_type=row.actor_type,
        credential_id=row.credential_id,
        target=Target(row.target_type, row.target_id) if row.target_type else None,
        count=row.count,
        request_id=row.request_id,
        position=None,
        user_agent=row.user_agent,
        detail=json.loads(row.detail) if row.detail else {},
    )
