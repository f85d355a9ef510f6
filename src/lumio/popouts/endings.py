"""Ending many popout tokens at once: those that a restore brought back, or all of them.

Promise: what ends here ends in the caller's unit, and each popout token that ends again has its event.
"""

from collections.abc import Sequence
from datetime import datetime

from lumio.authority.lots import lots
from lumio.authority.reconciliation import told
from lumio.authority.subjects import Entry
from lumio.kernel import clock
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.popouts import events
from lumio.popouts.store import PopoutStore
from lumio.storage.unit import Unit


class PopoutEndings:
    """Ends popout tokens for whoever writes the feed."""

    def __init__(self, store: PopoutStore) -> None:
        """Work on `store`."""
        self._store = store

    async def again(self, unit: Unit, rows: Sequence[Entry]) -> int:
        """End the popout tokens that these lost rows ended or changed; return how many lived.

        What was changed is lost, so that one that had its rights narrowed would have them back: it ends instead.
        """
        count = 0
        for lot in lots(rows):
            for popout in await self._store.end_many(unit, list(lot), clock.now()):
                detail = {"label": popout.label, **told(lot[popout.id])}
                unit.record(_ended(popout.id, popout.account_id, detail))
                count += 1
        return count

    async def all(self, unit: Unit, until: datetime | None = None) -> dict[str, int]:
        """End every popout token, issued until then when given; return how many by account."""
        return await self._store.end_all(unit, clock.now(), until)


def _ended(popout_id: str, account_id: str, detail: dict[str, str]) -> Event:
    return Event(
        events.REVOKED, "success", SYSTEM, NOWHERE,
        account_id=account_id, target_type="popout_token", target_id=popout_id, detail=detail,
    )  # fmt: skip
