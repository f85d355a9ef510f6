"""Ending many system keys at once: those that a restore brought back, or all of them.

Promise: what ends here leaves no row, in the caller's unit, and each key that ends again has its event.
"""

from collections.abc import Sequence
from datetime import datetime

from lumio.authority.lots import lots
from lumio.authority.reconciliation import told
from lumio.authority.subjects import Entry
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.storage.unit import Unit
from lumio.system_keys import events
from lumio.system_keys.store import SystemKeyStore


class SystemKeyEndings:
    """Ends system keys for whoever writes the feed."""

    def __init__(self, store: SystemKeyStore) -> None:
        """Work on `store`."""
        self._store = store

    async def again(self, unit: Unit, rows: Sequence[Entry]) -> int:
        """Delete the keys that these lost rows ended; return how many there were."""
        count = 0
        for lot in lots(rows):
            for key in await self._store.remove_many(unit, list(lot)):
                unit.record(_ended(key.id, {"label": key.label, **told(lot[key.id])}))
                count += 1
        return count

    async def all(self, unit: Unit, until: datetime | None = None) -> int:
        """Delete every key, made until then when given; return how many."""
        return await self._store.remove_all(unit, until)


def _ended(key_id: str, detail: dict[str, str]) -> Event:
    return Event(
        events.REVOKED, "success", SYSTEM, NOWHERE, target_type=events.TARGET, target_id=key_id, detail=detail
    )
