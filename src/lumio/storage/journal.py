"""The journal: where events become durable, inside a unit with their change or in a group commit alone.

Promise: when `append` returns, the event is on disk; when it raises, the caller must not answer success.
Group commit: whatever queued up while the previous commit ran is the next batch; nothing waits for a timer.
Events of one batch that agree are one row with an exact count (spec: audit log, section 2).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from lumio.kernel.errors import Unavailable
from lumio.kernel.event import Counted, Event
from lumio.storage import sinks
from lumio.storage.database import Database
from lumio.storage.folding import Row, Tally, fold, fold_tallies

BATCH_MAX = 512
QUEUE_MAX = 8192


@dataclass(frozen=True, slots=True)
class Pending:
    """An event on its way to the disk, and when (in the loop's time) it will have taken too long."""

    written: asyncio.Future[None]
    deadline: float


class Journal:
    """Group commit for events that have no change beside them: authentications and refusals."""

    def __init__(self, database: Database, node: str, timeout: float, sink: sinks.Sink | None = None) -> None:
        """Write into `database`; an event that is not durable after `timeout` seconds is Unavailable."""
        self._sink = sink or sinks.choose(database)
        self._node = node
        self._timeout = timeout
        self._waiting: list[tuple[Row | Tally, asyncio.Future[None]]] = []
        self._work, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the writer, on the event loop that runs now."""
        self._work, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        await self._sink.open()
        self._task = asyncio.create_task(self._write_batches())

    async def close(self) -> None:
        """Write what waits, then stop; a disk that hangs is not waited for longer than anybody waits for it."""
        if self._task is not None:
            idle = asyncio.ensure_future(self._idle.wait())
            await asyncio.wait({self._task, idle}, timeout=self._timeout, return_when="FIRST_COMPLETED")
            idle.cancel()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._sink.close()

    @property
    def waiting(self) -> int:
        """How many events wait for the next batch."""
        return len(self._waiting)

    def begin(self, event: Event, counted: Counted | None = None) -> Pending:
        """Queue an event and start its clock; `counted` ones only raise the count of a row that others share.

        Raises:
            Unavailable: too many are waiting.
        """
        if len(self._waiting) >= QUEUE_MAX:
            raise Unavailable("the journal's queue is full")
        loop = asyncio.get_running_loop()
        pending = Pending(loop.create_future(), loop.time() + self._timeout)
        row = event.row(self._node)
        told = row if counted is None else Tally(f"{self._node}/{counted.name}", counted.until, row)
        self._waiting.append((told, pending.written))
        self._idle.clear()
        self._work.set()
        return pending

    async def settled(self, pending: Pending) -> None:
        """Wait until a queued event is durable.

        Raises:
            Unavailable: it is not, within the time limit since it was queued. It may still become so: a row too
                many is no harm.
        """
        try:
            async with asyncio.timeout_at(pending.deadline):
                await asyncio.shield(pending.written)
        except TimeoutError:
            raise Unavailable("the journal did not commit in time") from None

    async def append(self, event: Event, counted: Counted | None = None) -> None:
        """Record one event and wait until it is durable."""
        await self.settled(self.begin(event, counted))

    async def _write_batches(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                await self._write_batch(batch)
            self._idle.set()

    async def _write_batch(self, batch: Sequence[tuple[Row | Tally, asyncio.Future[None]]]) -> None:
        problem: Unavailable | None = None
        rows = fold(one for one, _ in batch if not isinstance(one, Tally))
        tallies = fold_tallies(one for one, _ in batch if isinstance(one, Tally))
        try:
            await self._sink.write(rows, tallies)
        except Unavailable as error:
            problem = error
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends these waiters and not the writer
            problem = Unavailable(f"journal: {type(error).__name__}: {error}")
        for _, future in batch:
            if future.done():
                continue
            if problem is None:
                future.set_result(None)
            else:
                future.set_exception(problem)
                future.exception()  # somebody may have stopped waiting: that is no warning
