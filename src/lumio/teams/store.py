"""Table of invitations; read here and nowhere else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, String, Table, func, insert, select, update

from lumio.kernel import clock, ids
from lumio.storage.columns import Moment, fingerprint_columns, id_column, metadata
from lumio.storage.unit import Unit, View

invitations = Table(
    "invitation",
    metadata,
    id_column(primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("email", String(254), nullable=False),
    Column("email_key", String(254), nullable=False),
    Column("role", String(16), nullable=False),
    id_column("inviter_id", nullable=False),
    Column("inviter_name", String(254), nullable=False),
    *fingerprint_columns(),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("accepted_at", Moment),
    Column("withdrawn_at", Moment),
    Index(None, "account_id", "created_at", "id"),
)


def _open() -> Any:
    return invitations.c.accepted_at.is_(None), invitations.c.withdrawn_at.is_(None)


class InvitationStore:
    """Reads and writes invitations."""

    async def add(self, unit: Unit, values: Mapping[str, Any]) -> Any:
        """Insert an invitation; return its row."""
        row = {"id": ids.uuid7(), "created_at": clock.now(), **values}
        return (await unit.execute(insert(invitations).returning(invitations), row)).one()

    async def live(self, view: View, account_id: str) -> Sequence[Any]:
        """Return the open invitations of an account, the newest first."""
        found = select(invitations).where(
            invitations.c.account_id == account_id, invitations.c.expires_at > clock.now(), *_open()
        )
        return (await view.execute(found.order_by(invitations.c.created_at.desc(), invitations.c.id.desc()))).all()

    async def one(self, view: View, account_id: str, invitation_id: str) -> Any | None:
        """Return an open invitation of this account."""
        found = select(invitations).where(
            invitations.c.account_id == account_id, invitations.c.id == invitation_id, *_open()
        )
        return (await view.execute(found)).first()

    async def by_lookup(self, view: View, lookup_id: str) -> Any | None:
        """Return an invitation that is open and not outlived, by its public lookup id."""
        found = select(invitations).where(
            invitations.c.lookup_id == lookup_id, invitations.c.expires_at > clock.now(), *_open()
        )
        return (await view.execute(found)).first()

    async def sent_since(self, view: View, account_id: str, since: datetime, email_key: str | None = None) -> int:
        """Count the invitations that an account sent since then, to one address when given."""
        counted = select(func.count()).select_from(invitations)
        counted = counted.where(invitations.c.account_id == account_id, invitations.c.created_at > since)
        if email_key is not None:
            counted = counted.where(invitations.c.email_key == email_key)
        return int((await view.execute(counted)).scalar_one())

    async def withdraw(self, unit: Unit, account_id: str, **match: str) -> int:
        """Close open invitations of an account by id or address; return how many."""
        mine = update(invitations).where(invitations.c.account_id == account_id, *_open())
        for name, value in match.items():
            mine = mine.where(invitations.c[name] == value)
        return (await unit.execute(mine.values(withdrawn_at=clock.now()))).rowcount

    async def accept(self, unit: Unit, invitation_id: str) -> bool:
        """Use an invitation up; return False when it was used or withdrawn before, also at the same moment."""
        fresh = update(invitations).where(invitations.c.id == invitation_id, *_open())
        return (await unit.execute(fresh.values(accepted_at=clock.now()))).rowcount == 1
