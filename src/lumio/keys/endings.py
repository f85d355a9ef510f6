"""Ending many developer keys at once: those that a restore brought back, or all of them.

Promise: what ends here ends in the caller's unit, and each key that ends again has its event.
"""

from collections.abc import Sequence
from datetime import datetime

from lumio.authority.lots import lots
from lumio.authority.reconciliation import told
from lumio.authority.subjects import Entry
from lumio.kernel import clock
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.keys import events
from lumio.keys.store import KeyStore
from lumio.storage.unit import Unit


class KeyEndings:
    """Ends keys for whoever writes the feed."""

    def __init__(self, store: KeyStore) -> None:
        """Work on `store`."""
        self._store = store

    async def again(self, unit: Unit, rows: Sequence[Entry]) -> int:
        """End the keys that these lost rows ended; return how many lived."""
        count = 0
        for lot in lots(rows):
            for key in await self._store.end_many(unit, list(lot), clock.now()):
                detail = {"label": key.label, **told(lot[key.id])}
                unit.record(_ended(key.id, key.account_id, detail))
                count += 1
        return count

    async def all(self, unit: Unit, until: datetime | None = None) -> dict[str, int]:
        """End every key, issued until then when given; return how many by account."""
        return await self._store.end_all(unit, clock.now(), until)


def _ended(key_id: str, account_id: str, detail: dict[str, str]) -> Event:
    return Event(
        events.REVOKED, "success", SYSTEM, NOWHERE,
        account_id=account_id, target_type="api_key", target_id=key_id, detail=detail,
    )  # fmt: skip
