"""Table of billing details; read here and nowhere else. One sealed value for each account."""

from typing import Any

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, insert, select, update

from lumio.kernel import clock
from lumio.storage.columns import Moment, metadata
from lumio.storage.unit import Unit, View

billing = Table(
    "billing",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("updated_at", Moment, nullable=False),
)


class BillingStore:
    """Reads and writes sealed billing details."""

    async def of(self, view: View, account_id: str) -> Any | None:
        """Return the row of an account."""
        return (await view.execute(select(billing).where(billing.c.account_id == account_id))).first()

    async def keep(self, unit: Unit, account_id: str, sealed: bytes) -> None:
        """Insert or replace the details of an account; the caller holds its lock."""
        values = {"sealed": sealed, "updated_at": clock.now()}
        changed = await unit.execute(update(billing).where(billing.c.account_id == account_id).values(**values))
        if changed.rowcount == 0:
            await unit.execute(insert(billing), {"account_id": account_id, **values})
