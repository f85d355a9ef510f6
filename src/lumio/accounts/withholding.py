"""Withholding what a restore left in doubt, and confirming it.

Promise: what is withheld gives nobody a right, on any surface, until the one who may confirms it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from lumio.accounts.memberships import TARGET
from lumio.accounts.store.withheld import WithheldStore
from lumio.authority.interface import Authority
from lumio.authority.reconciliation import told
from lumio.authority.subjects import Ending, Entry, Receipt, Subject
from lumio.kernel import clock
from lumio.kernel.errors import NotFound
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.storage.unit import Unit, View

WITHHELD, CONFIRMED = "member.withheld", "member.confirmed"
REASON = "confirmed"


class Affected(Struct, frozen=True):
    """A membership that gives no right now."""

    member_id: str
    name: str
    account_name: str
    role: str


class Withheld(Struct, frozen=True):
    """A subject that is withheld, the lost change that it is for, and the memberships that it keeps back."""

    subject: Subject
    since: datetime
    lost_at: datetime
    actor: str
    reason: str
    members: list[Affected]


class Withholding:
    """What is withheld, for all domains above."""

    def __init__(self, store: WithheldStore) -> None:
        """Work on `store`."""
        self._store = store

    async def again(self, unit: Unit, rows: Sequence[Entry]) -> int:
        """Withhold the subjects of lost changes, with an event for each; return how many."""
        moment = clock.now()
        await self._store.add(unit, [
            {
                "subject_kind": row.ending.subject.kind, "subject_id": row.ending.subject.id, "since": moment,
                "lost_at": row.at, "actor": row.ending.actor, "reason": row.ending.reason,
            }
            for row in rows
        ])  # fmt: skip
        places = await self._store.member_ids(unit, [row.ending.subject for row in rows])
        for row in rows:
            target, account_id = _target(row.ending.subject, places)
            unit.record(_event(WITHHELD, target, account_id, told(row)))
        return len(rows)

    async def all(self, view: View) -> list[Withheld]:
        """Return everything that is withheld, the oldest first."""
        kept_back: dict[Subject, list[Affected]] = {}
        for row in await self._store.affected(view):
            subject = Subject(row.subject_kind, row.subject_id)
            kept_back.setdefault(subject, []).append(Affected(row.id, row.name, row.account_name, row.role))
        return [_withheld(row, kept_back) for row in await self._store.all(view)]

    async def confirm(self, unit: Unit, subject: Subject) -> None:
        """Let a subject count again; the caller records it and writes the feed. Raises NotFound."""
        if not await self._store.remove(unit, subject):
            raise NotFound("Nothing of this is withheld.")

    async def confirm_as_operator(self, unit: Unit, authority: Authority, subject: Subject) -> Receipt:
        """Do all of it for whoever operates the machine; they own the database, so no right is asked."""
        await unit.lock(shared=(), exclusive=[str(subject)])
        await self.confirm(unit, subject)
        target, account_id = _target(subject, await self._store.member_ids(unit, [subject]))
        unit.record(_event(CONFIRMED, target, account_id, {"by": "operator"}))
        return await authority.end(unit, [Ending(subject, "changed", SYSTEM.label, REASON)])


def _withheld(row: Any, kept_back: dict[Subject, list[Affected]]) -> Withheld:
    subject = Subject(row.subject_kind, row.subject_id)
    return Withheld(subject, row.since, row.lost_at, row.actor, row.reason, kept_back.get(subject, []))


def _target(subject: Subject, places: dict[Subject, tuple[str, str]]) -> tuple[tuple[str, str], str | None]:
    """Return what an event is about, and in whose log it stands."""
    if subject.kind == "user":
        return ("user", subject.id), None
    account_id, _, holder = subject.id.partition(",")
    if subject.kind == "account":
        return ("account", account_id), account_id
    return (TARGET, places[subject][0] if subject in places else holder), account_id


def _event(name: str, target: tuple[str, str], account_id: str | None, detail: dict[str, str]) -> Event:
    kind, target_id = target
    return Event(
        name, "success", SYSTEM, NOWHERE, account_id=account_id, target_type=kind, target_id=target_id, detail=detail
    )
