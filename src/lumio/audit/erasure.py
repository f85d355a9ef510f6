"""Erasing what the log says of a person, so that the chain stays provable (spec: audit log, section 6).

Promise: label, address, user agent and detail of every event that names the person are gone, with the salt that
could test a guess at them; what the leaf holds of them stays, and so does the verdict about the chain.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lumio.audit.sealer import Sealer
from lumio.audit.store.retention import RetentionStore
from lumio.crypto.chain import commitments, pack
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.storage.unit import Unit, Units

SLICE = 500
ERASED = "audit_log.erased"


class Erasure:
    """Erases, by the operator's word."""

    def __init__(self, units: Units, store: RetentionStore, sealer: Sealer) -> None:
        """Work through `units` with the rights of the role that may change events."""
        self._units = units
        self._store = store
        self._sealer = sealer

    async def of_person(self, user_id: str) -> int:
        """Erase what names a person so far; return how many events that were."""
        await self._sealer.run(everything=True)
        count = after = 0
        while rows := await self._sealed(user_id, after):
            count, after = count + len(rows), rows[-1]["position"]
            await self._erase(rows, on_hold=False)
        while rows := await self._units.read(lambda view: self._store.held_of_person(view, user_id, SLICE)):
            count += len(rows)
            await self._erase(rows, on_hold=True)
        detail = {"events": count}
        told = Event(ERASED, "success", SYSTEM, NOWHERE, target_type="user", target_id=user_id, detail=detail)

        async def tell(unit: Unit) -> None:
            unit.record(told)

        await self._units.run(tell)
        return count

    async def _sealed(self, user_id: str, after: int) -> Sequence[Mapping[str, Any]]:
        return await self._units.read(lambda view: self._store.of_person(view, user_id, after, SLICE))

    async def _erase(self, rows: Sequence[Mapping[str, Any]], *, on_hold: bool) -> None:
        packed = {row["position"]: pack(commitments(row, row["salt"])) for row in rows}
        await self._units.run(lambda unit: self._store.erase(unit, packed, on_hold=on_hold))
