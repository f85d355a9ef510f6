"""Legal holds: accounts whose events a purge keeps.

Promise: placing and ending a hold is an event of that account.
"""

from collections.abc import Sequence
from typing import Any

from lumio.audit.store.retention import RetentionStore
from lumio.kernel.errors import Conflict, NotFound
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.storage.unit import Unit, Units

PLACED, RELEASED = "audit_log.held", "audit_log.released"


class Holds:
    """Places and ends holds, by the operator's word."""

    def __init__(self, units: Units, store: RetentionStore) -> None:
        """Work through `units`."""
        self._units = units
        self._store = store

    async def place(self, account_id: str, reason: str) -> None:
        """Put an account on hold. Raises Conflict when it is."""

        async def step(unit: Unit) -> None:
            if not await self._store.place_hold(unit, account_id, reason):
                raise Conflict("This account is on hold already.")
            unit.record(Event(PLACED, "success", SYSTEM, NOWHERE, account_id=account_id, detail={"why": reason}))

        await self._units.run(step)

    async def release(self, account_id: str) -> None:
        """End a hold; what only the hold kept is gone. Raises NotFound when there is none."""

        async def step(unit: Unit) -> None:
            if not await self._store.release_hold(unit, account_id):
                raise NotFound("This account is not on hold.")
            unit.record(Event(RELEASED, "success", SYSTEM, NOWHERE, account_id=account_id))

        await self._units.run(step)

    async def all(self) -> Sequence[Any]:
        """Return every hold: `account_id`, `reason`, `since`."""
        return await self._units.read(self._store.holds)
