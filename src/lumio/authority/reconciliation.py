"""Holding the database against the journal of revocations (spec: revocation, "Restore"; I9).

Promise: before anything is served, whatever was ended and noted is ended in this database too; a change that the
database does not know is withheld until somebody who may confirms it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from lumio.authority.ledger import Ledger
from lumio.authority.subjects import EVERYTHING, Effect, Ending, Entry, SubjectKind
from lumio.authority.timeline import Stand, after, go_on, lacking, stand
from lumio.kernel import clock
from lumio.kernel.errors import Conflict, Unavailable
from lumio.kernel.event import NOWHERE, SYSTEM, Event
from lumio.storage.unit import Unit, Units, View

log = structlog.get_logger()
REPLAYED = "revocations.replayed"
"""The event of a replay; each credential that ended again has its own beside it."""
PATIENCE_SECONDS = 60.0
OVERLAP = 1000
"""How many numbers below the newest noted one are looked at again: a crash may have left some out."""
AGAIN: Mapping[SubjectKind, Effect] = {
    "key": "ended", "session": "ended", "popout": "ended", "client": "ended", "grant": "ended", "all": "all",
    "role": "changed", "user": "changed", "account": "changed",
}  # fmt: skip
"""What a lost row does to its subject: a credential ends, a standing is withheld."""

Replay = Callable[[Unit, Sequence[Entry]], Awaitable[int]]
"""Does lost rows of one kind of subject again, with events of its own; returns how many things that changed."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a look found: up to which number all is noted, how many rows were lost, and what they did again."""

    seq: int
    lost: int = 0
    epoch: int = 0
    changed: Mapping[str, int] = field(default_factory=dict)


class Reconciliation:
    """Compares, replays, and notes what the journal lacks."""

    def __init__(self, ledger: Ledger, units: Units) -> None:
        """Hold what `units` reach against `ledger`."""
        self.ledger = ledger
        self._units = units
        self._replays: Mapping[SubjectKind, Replay] = {}

    def entrust(self, replays: Mapping[SubjectKind, Replay]) -> None:
        """Learn who ends what: the domains that own the rows."""
        self._replays = replays

    async def run(self) -> Reconciled:
        """Hold the database against the journal, make good what it lacks, and note what the journal lacks.

        Raises:
            Unavailable: it is not known that nothing is missing, or the journal cannot be written.
        """
        newest = await self._newest()
        replayed = Reconciled(0)
        if newest is not None and not await self._has(newest):
            try:
                replayed = await self._make_good(newest)
            except Conflict as error:
                raise Unavailable(f"the lost revocations could not be done again: {error}") from error
        return replace(replayed, seq=await self._note(newest))

    async def _newest(self) -> Entry | None:
        file = self.ledger.file
        try:
            await asyncio.to_thread(file.read_on)
        except OSError as error:
            raise Unavailable(f"the journal of revocations cannot be read: {error}") from error
        if file.damaged:
            log.error("lines of the journal of revocations cannot be read", lines=file.damaged, path=str(file.path))
        return file.newest

    async def _has(self, row: Entry) -> bool:
        """Tell whether the feed has a row, and so all that were committed before it: number order is their order."""
        return not await self._units.read(lambda view: lacking(view, [row]))

    async def _make_good(self, newest: Entry) -> Reconciled:
        try:
            noted = await asyncio.to_thread(lambda: list(self.ledger.file.rows()))
        except OSError as error:
            raise Unavailable(f"the journal of revocations cannot be read: {error}") from error
        lost = await self._units.read(lambda view: lacking(view, noted))
        above = Stand(max(row.seq for row in noted), newest.epoch)
        return await self._units.run(lambda unit: self._replay(unit, lost, above), PATIENCE_SECONDS)

    async def _replay(self, unit: Unit, lost: Sequence[Entry], above: Stand) -> Reconciled:
        """Do the lost rows again, unless another process was faster."""
        await unit.lock(shared=(), exclusive=[str(EVERYTHING)])
        lost = await lacking(unit, lost)
        if not lost:
            return Reconciled(0)
        changed: dict[str, int] = {}
        latest = {row.ending.subject: row for row in lost}
        kinds = list(dict.fromkeys(subject.kind for subject in latest))
        if strange := [kind for kind in kinds if kind not in self._replays]:
            raise Unavailable(f"nobody here can end a {strange[0]} again: this program is older than the journal")
        for kind in kinds:
            rows = [row for subject, row in latest.items() if subject.kind == kind]
            changed[kind] = await self._replays[kind](unit, rows)
        before = await stand(unit)
        epoch = max(before.epoch, above.epoch) + 1
        detail = {"rows": len(lost), "from": before.seq, "to": above.seq, "epoch": epoch, **changed}
        unit.record(Event(REPLAYED, "success", SYSTEM, NOWHERE, detail=detail))
        await go_on(unit, lost, [_again(row) for row in latest.values()], above)
        unit.after_commit.append(lambda: _say(detail))
        return Reconciled(0, len(lost), epoch, changed)

    async def _note(self, newest: Entry | None) -> int:
        """Note the rows that the journal lacks; return the number up to which they are noted."""

        async def note(view: View) -> int:
            now = await stand(view)
            async for rows in after(view, 0 if newest is None else newest.seq - OVERLAP, now.epoch):
                await self.ledger.keep(rows)
            return now.seq

        return await self._units.read(note)


async def _say(detail: Mapping[str, int]) -> None:
    log.error("this database is older than its journal of revocations: what it lacked was done again", **detail)


def told(row: Entry) -> dict[str, str]:
    """Return what the event of something that ended again says beside its label."""
    return {"reason": "replayed", "ended_at": clock.rfc3339(row.at), "was": row.ending.reason}


def _again(row: Entry) -> Ending:
    ending = row.ending
    effect = AGAIN[ending.subject.kind]
    return Ending(ending.subject, effect, ending.actor, f"replayed: {ending.reason.removeprefix('replayed: ')}")
