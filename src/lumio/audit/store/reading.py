"""Queries on the journal's table; the only reader of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, or_, select, tuple_

from lumio.audit.model import ReadLog
from lumio.kernel import clock
from lumio.storage.events import events
from lumio.storage.unit import View

AUTHENTICATED = "auth.succeeded"


class AuditStore:
    """Reads events of one account."""

    async def page(
        self, view: View, account_id: str, form: ReadLog, person_id: str | None, after: tuple[int, str] | None
    ) -> Sequence[Any]:
        """Return one row more than asked for, the newest first; only a person's own when given."""
        found = _filtered(select(events).where(events.c.account_id == account_id), form)
        if person_id is not None:
            found = found.where(or_(events.c.actor_id == person_id, events.c.on_behalf_of == person_id))
        if after is not None:
            found = found.where(tuple_(events.c.ts, events.c.id) < tuple_(*after))
        ordered = found.order_by(events.c.ts.desc(), events.c.id.desc()).limit(form.limit + 1)
        return (await view.execute(ordered)).all()


def _filtered(found: Select[Any], form: ReadLog) -> Select[Any]:
    column = events.c
    if form.event is not None:
        noun, star, _ = form.event.partition("*")
        found = found.where(column.event.startswith(noun, autoescape=True) if star else column.event == form.event)
    if form.hide_authentications and form.event is None:
        found = found.where(column.event != AUTHENTICATED)
    exact = {
        column.actor_label: form.actor,
        column.result: form.result,
        column.ip: form.ip,
        column.credential_id: form.credential_id,
    }
    for place, value in exact.items():
        if value is not None:
            found = found.where(place == value)
    if form.since is not None:
        found = found.where(column.ts >= clock.to_micros(form.since))
    if form.until is not None:
        found = found.where(column.ts < clock.to_micros(form.until))
    return found
