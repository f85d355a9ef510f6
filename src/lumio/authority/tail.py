"""The tail: follows the numbered feed, and turns each answer into a lease.

Promise: a lease begins before its question was sent, and only after every row of the answer is applied; with a
database that was not seen before it begins only when that has been held against the journal outside.
"""

import secrets
from bisect import bisect_left
from contextlib import suppress
from datetime import datetime

import structlog

from lumio.authority.lease import Lease
from lumio.authority.memory import Gap, Memory
from lumio.authority.primary import Beat, Node, Primary, Tailed
from lumio.authority.reconciliation import Reconciliation
from lumio.kernel import ids
from lumio.kernel.errors import Unavailable

log = structlog.get_logger()

PAUSE_SECONDS = 0.25
PAUSE_VARIES = 0.25
"""P is 250 to 500 ms: nodes do not ask in step."""
UNKNOWN = -1
NOTHING_AFTER = 2**62
HISTORY_MAX = 10_000


class Tail:
    """Asks again and again; knows of which database its answers were."""

    def __init__(
        self, primary: Primary, node: Node, lease: Lease, memory: Memory, outside: Reconciliation | None = None
    ) -> None:
        """Ask `primary` as `node`; what comes is applied to `memory`, noted `outside`, and proven by `lease`."""
        self.node = node
        self.position: str | None = None
        """The primary's write-ahead log at the last proof."""
        self.trouble: str | None = None
        """Why the last question has no answer that counts."""
        self._primary = primary
        self._lease = lease
        self._memory = memory
        self._outside = outside
        self._epoch = UNKNOWN
        self._cluster = ""
        self.written_at: datetime | None = None
        """When the row was written up to which everything is applied: it tells this timeline from another."""
        self._noted = NOTHING_AFTER
        self._registered = False
        self._history: list[tuple[int, float]] = []
        self._patience = lease.seconds / 4.5  # T_q < L/4

    async def begin(self) -> None:
        """Register anew and ask for the first proof; without one nothing is fresh, and `follow` goes on asking."""
        self._lose()
        self._epoch, self.trouble = UNKNOWN, None
        await self._attempt()

    async def follow(self) -> None:
        """Ask until cancelled."""
        while True:
            more = await self._attempt()
            if not more:
                await self._primary.wait(PAUSE_SECONDS + secrets.randbelow(1000) / 1000 * PAUSE_VARIES)

    async def leave(self) -> None:
        """Tell the others that this node serves no more; when that cannot be told, they wait for its silence."""
        if self._registered:
            with suppress(Unavailable):
                await self._primary.leave(self.node.id)
        await self._primary.close()

    async def turn(self) -> bool:
        """Ask once; tell whether there was news, which is then worth telling back at once.

        Raises:
            Unavailable: no answer that counts; the lease runs on as it was, or is dropped.
        """
        if not self._registered:
            await self._register()
        if self._epoch == UNKNOWN and self._outside is not None:
            self._noted = (await self._outside.run()).seq
        asked = self._lease.read()
        answer = await self._ask()
        if not answer.registered:
            self._lose()
            raise Unavailable("this node's registration was removed: it was silent for too long")
        if self._epoch == UNKNOWN:
            self._begin_with(answer)
        elif self._foreign(answer):
            self._doubt(answer)
            raise Unavailable("the database is another one, or an older state of it, than before")
        self._apply(answer)
        self.position = answer.position
        self._lease.renew(asked)
        return bool(answer.rows)

    @property
    def applied(self) -> int:
        """The number up to which everything is applied."""
        return self._memory.cursor

    def now(self) -> float:
        """Return the boot-time clock, in seconds."""
        return self._lease.read().boot

    def known_since(self, seq: int) -> float | None:
        """Return when (boot-time seconds) this node knew a number at the latest; None when it does not know it."""
        place = bisect_left(self._history, seq, key=lambda one: one[0])
        return self._history[place][1] if place < len(self._history) else None

    async def _ask(self) -> Tailed:
        cursor = self._memory.cursor
        after = cursor if self._epoch != UNKNOWN else self._noted
        return await self._primary.tail(Beat(self.node.id, cursor), after, self._patience)

    async def _attempt(self) -> bool:
        """Ask once; note and log trouble when it begins and when it ends."""
        try:
            more = await self.turn()
        except Unavailable as error:
            if self.trouble is None:
                left = round(self._lease.left(), 1)
                log.warning("no proof of freshness", node=self.node.name, why=error.internal, seconds_left=left)
            self.trouble = error.internal
            return False
        if self.trouble is not None:
            log.warning("fresh again", node=self.node.name)
        self.trouble = None
        return more

    async def _register(self) -> None:
        await self._primary.register(self.node)
        self._registered = True

    def _lose(self) -> None:
        """Serve no more, and register anew under another id: the old one may be taken for gone by others."""
        self._lease.drop()
        self._registered = False
        self.node = Node(self.node.name, self.node.region, self.node.lease_seconds, ids.uuid7(), self.node.boot_id)

    def _foreign(self, answer: Tailed) -> bool:
        """Tell whether an answer is of another database, another epoch, or older than what is known (I3)."""
        same = answer.epoch == self._epoch and answer.cluster == self._cluster
        return not same or answer.seq < self._memory.cursor or answer.at_cursor != self.written_at

    def _doubt(self, answer: Tailed) -> None:
        """Drop the lease and everything known: what the database is now must be found out first."""
        log.error("the database is another one than before", node=self.node.name, seq=answer.seq)
        self._begin_with(answer)
        self._epoch = UNKNOWN

    def _begin_with(self, answer: Tailed) -> None:
        """Drop the lease and everything known, and begin where this database stands."""
        self._lease.drop()
        self._epoch, self._cluster = answer.epoch, answer.cluster
        self._memory.reset(answer.seq, answer.at_end)
        self._history = [(answer.seq, self.now())]

    def _apply(self, answer: Tailed) -> None:
        try:
            self._memory.apply(answer.rows)
            if self._memory.cursor != answer.seq:
                message = f"the feed ends with {self._memory.cursor}, and its counter says {answer.seq}"
                raise Gap(message)
        except Gap as gap:
            self._doubt(answer)
            raise Unavailable(str(gap)) from gap
        self.written_at = answer.at_end
        if self._outside is not None:
            self._outside.ledger.take(answer.rows)
        if answer.seq > self._history[-1][0]:
            self._history.append((answer.seq, self.now()))
            del self._history[:-HISTORY_MAX]
