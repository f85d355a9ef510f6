"""What a restore left in doubt: accounts, people and memberships that count for nothing until somebody confirms them.

A row has the words of the revocation feed: `role` with `<account>,<holder>`, `user`, `account`. It may name a
membership that is not there: whoever joins again on the way that a restore reopened is withheld too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    String,
    Table,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from lumio.accounts.store.tables import accounts, members, users
from lumio.authority.subjects import Subject
from lumio.storage.columns import Moment, metadata
from lumio.storage.unit import Unit, View

withheld = Table(
    "withheld",
    metadata,
    Column("subject_kind", String(16), primary_key=True),
    Column("subject_id", String(80), primary_key=True),
    Column("since", Moment, nullable=False),
    Column("lost_at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""`since`: when it was withheld; `lost_at`, `actor`, `reason`: of the lost change."""

_ROLE_ID = members.c.account_id.concat(",").concat(func.coalesce(members.c.user_id, members.c.id))


def _named(kind: str, subject_id: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(withheld.c.subject_kind == kind, withheld.c.subject_id == subject_id)


ROLE_WITHHELD = _named("role", _ROLE_ID)
"""Of a row of `members`: an Owner confirms it."""
PERSON_WITHHELD = _named("user", members.c.user_id)
ACCOUNT_WITHHELD = _named("account", members.c.account_id)
WITHHELD = or_(ROLE_WITHHELD, PERSON_WITHHELD, ACCOUNT_WITHHELD)
"""Of a row of `members`: it gives no right now."""
WITHHELD_FOR = case((or_(PERSON_WITHHELD, ACCOUNT_WITHHELD), literal("operator")), (ROLE_WITHHELD, literal("owner")))
"""Of a row of `members`: who has to confirm it; nothing when it counts."""
USER_WITHHELD = _named("user", users.c.id)
"""Of a row of `users`."""


class WithheldStore:
    """Reads and writes what is withheld."""

    async def add(self, unit: Unit, rows: Sequence[Mapping[str, Any]]) -> None:
        """Withhold subjects; what is withheld already stays as it is."""
        if rows:
            await unit.execute(unit.upsert(withheld).on_conflict_do_nothing(), rows)

    async def remove(self, unit: Unit, subject: Subject) -> bool:
        """Withhold a subject no more; False when it was not."""
        gone = delete(withheld).where(withheld.c.subject_kind == subject.kind, withheld.c.subject_id == subject.id)
        return (await unit.execute(gone)).rowcount == 1

    async def all(self, view: View) -> Sequence[Any]:
        """Return everything that is withheld, the oldest first."""
        ordered = select(withheld).order_by(withheld.c.since, withheld.c.subject_kind, withheld.c.subject_id)
        return (await view.execute(ordered)).all()

    async def affected(self, view: View) -> Sequence[Any]:
        """Return each membership that gives no right now, with what keeps it back: kind and id of the subject."""
        joined = (
            select(
                withheld.c.subject_kind, withheld.c.subject_id, members.c.id, members.c.role,
                func.coalesce(users.c.email, members.c.name).label("name"), accounts.c.name.label("account_name"),
            )
            .select_from(withheld)
            .join(members, _about())
            .join(accounts, accounts.c.id == members.c.account_id)
            .outerjoin(users, users.c.id == members.c.user_id)
            .order_by(accounts.c.name, members.c.created_at, members.c.id)
        )  # fmt: skip
        return (await view.execute(joined)).all()

    async def member_ids(self, view: View, subjects: Sequence[Subject]) -> dict[Subject, tuple[str, str]]:
        """Return (member id, account id) of the memberships that `role` subjects name, where there is one."""
        found: dict[Subject, tuple[str, str]] = {}
        wanted = [subject.id for subject in subjects if subject.kind == "role"]
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            named = select(_ROLE_ID.label("role_id"), members.c.id, members.c.account_id).where(_is_one_of(some))
            for row in await view.execute(named):
                found[Subject("role", row.role_id)] = (row.id, row.account_id)
        return found


def _about() -> ColumnElement[bool]:
    """Return when a row of `withheld` is about a row of `members`."""
    return or_(
        and_(withheld.c.subject_kind == "role", withheld.c.subject_id == _ROLE_ID),
        and_(withheld.c.subject_kind == "user", withheld.c.subject_id == members.c.user_id),
        and_(withheld.c.subject_kind == "account", withheld.c.subject_id == members.c.account_id),
    )


def _is_one_of(role_ids: Sequence[str]) -> ColumnElement[bool]:
    """Return when a row of `members` is one of these, in a form that an index can serve."""
    pairs = [tuple(one.split(",", 1)) for one in role_ids]
    person = tuple_(members.c.account_id, members.c.user_id).in_(pairs)
    other = tuple_(members.c.account_id, members.c.id).in_(pairs)
    return or_(person, and_(members.c.user_id.is_(None), other))
