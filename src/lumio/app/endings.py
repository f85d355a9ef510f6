"""What ends or is withheld again after a restore, and what `revoke --all` ends: the domains' parts put together.

Promise: whatever a credential can be, it is named here; what is missing here stops a replay.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lumio.accounts.withholding import Withholding
from lumio.authority.interface import Authority
from lumio.authority.reconciliation import Replay
from lumio.authority.subjects import EVERYTHING, Ending, Entry, Receipt, SubjectKind
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.keys.endings import KeyEndings
from lumio.popouts.endings import PopoutEndings
from lumio.sessions.endings import SessionEndings
from lumio.storage.unit import Unit
from lumio.system_keys.endings import SystemKeyEndings

ALL_ENDED = "credentials.ended"
"""One for each account that lost something, and one for the platform."""
RESTORED = "database.restored"
"""Named here, where a worker reads it without loading what puts a copy back (and with it all of Alembic)."""
COUNTED = ("api_keys", "popout_tokens", "sessions")


@dataclass(frozen=True, slots=True)
class Ended:
    """How many things `revoke --all` ended, by what they were, and the number of its feed row."""

    counts: Mapping[str, int]
    accounts: int
    receipt: Receipt


class Endings:
    """Ends credentials of every kind for the operator, and after a restore."""

    def __init__(
        self,
        keys: KeyEndings,
        popouts: PopoutEndings,
        sessions: SessionEndings,
        system_keys: SystemKeyEndings,
        withholding: Withholding,
    ) -> None:
        """Stand on the domains whose rows end."""
        self._keys = keys
        self._popouts = popouts
        self._sessions = sessions
        self._system_keys = system_keys
        self._withholding = withholding

    def replays(self) -> dict[SubjectKind, Replay]:
        """Return who does lost rows again, by the kind of their subject."""
        withhold = self._withholding.again
        return {
            "key": self._keys_again,
            "popout": self._popouts.again,
            "session": self._sessions.again,
            "role": withhold,
            "user": withhold,
            "account": withhold,
            "all": self._everything_again,
        }

    async def everything(self, unit: Unit, authority: Authority, reason: str) -> Ended:
        """End everything that was issued before this unit's commit; what comes later works.

        No unit of anybody runs beside it: each holds the lock that this one takes alone.
        """
        await unit.lock(shared=(), exclusive=[str(EVERYTHING)])
        counts, accounts = await self._end(unit, None, reason)
        receipt = await authority.end(unit, [Ending(EVERYTHING, "all", SYSTEM.label, reason)])
        return Ended(counts, accounts, receipt)

    async def _keys_again(self, unit: Unit, rows: Sequence[Entry]) -> int:
        """End keys of both kinds: the feed does not tell them apart, and an id names one thing alone."""
        return await self._keys.again(unit, rows) + await self._system_keys.again(unit, rows)

    async def _everything_again(self, unit: Unit, rows: Sequence[Entry]) -> int:
        count = 0
        for row in rows:
            counts, _ = await self._end(unit, row.at, f"replayed: {row.ending.reason}")
            count += sum(counts.values())
        return count

    async def _end(self, unit: Unit, until: datetime | None, reason: str) -> tuple[dict[str, int], int]:
        """End everything, issued until then when given; record it; return the counts, and of how many accounts."""
        by_account = (
            await self._keys.all(unit, until),
            await self._popouts.all(unit, until),
            await self._sessions.all(unit, until),
        )
        totals: Counter[str] = Counter()
        touched = sorted({account for found in by_account for account in found})
        for account in touched:
            counts = {name: found.get(account, 0) for name, found in zip(COUNTED, by_account, strict=True)}
            totals.update(counts)
            unit.record(_told(reason, counts, account))
        counts = {name: totals[name] for name in COUNTED} | {"system_keys": await self._system_keys.all(unit, until)}
        unit.record(_told(reason, counts))
        return counts, len(touched)


def _told(reason: str, counts: Mapping[str, int], account_id: str | None = None) -> Event:
    detail = {"reason": reason, **counts}
    return Event(ALL_ENDED, "success", SYSTEM, NOWHERE, account_id=account_id, detail=detail)
