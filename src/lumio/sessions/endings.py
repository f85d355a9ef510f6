"""Ending many sessions at once: those that a restore brought back, or all of them.

Promise: what ends here ends in the caller's unit, with its access and refresh tokens, and each session that ends
again has its event.
"""

from collections.abc import Sequence
from datetime import datetime

from lumio.authority.lots import lots
from lumio.authority.reconciliation import told
from lumio.authority.subjects import Entry
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.sessions.store import SessionStore
from lumio.storage.unit import Unit

ENDED = "session.ended"


class SessionEndings:
    """Ends sessions for whoever writes the feed."""

    def __init__(self, store: SessionStore) -> None:
        """Work on `store`."""
        self._store = store

    async def again(self, unit: Unit, rows: Sequence[Entry]) -> int:
        """End the sessions that these lost rows ended or changed; return how many lived.

        A changed one had its secret replaced, or acted in another account since: the old state of it ends.
        """
        count = 0
        for lot in lots(rows):
            for session in await self._store.end_many(unit, list(lot)):
                unit.record(_ended(session.id, session.account_id, told(lot[session.id])))
                count += 1
        return count

    async def all(self, unit: Unit, until: datetime | None = None) -> dict[str, int]:
        """End every session, opened until then when given; return how many by the account that they acted in."""
        return await self._store.end_all(unit, until)


def _ended(session_id: str, account_id: str, detail: dict[str, str]) -> Event:
    return Event(
        ENDED, "success", SYSTEM, NOWHERE,
        account_id=account_id, target_type="session", target_id=session_id, detail=detail,
    )  # fmt: skip
