"""The journal: where events become durable, inside a unit with their change or in a group commit alone.

Promise: when `append` returns, the event is on disk; when it raises, the caller must not answer success.
Group commit: whatever queued up while the previous commit ran is the next batch; nothing waits for a timer.
Events of one batch that agree are one row with an exact count (spec: audit log, section 2).
"""

import asyncio
from collections import deque
from collections.abc import Generator
from typing import Any

from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.kernel.event import Actor, Counted, Event, Origin
from lumio.storage import sinks
from lumio.storage.database import Database
from lumio.storage.folding import Fold, plain_stem, stem_of

BATCH_MAX = 512
"""Rows of one commit."""
QUEUE_MAX = 8192
"""Events that wait for one."""
SPREAD = 20
"""Events share a deadline when they began within this part of the time limit."""
LATE = "the journal did not commit in time"


class Pending:
    """Events that become durable together, and when (in the loop's time) the first of them will have taken too long.

    `problem` says why they did not, once `done`.
    """

    __slots__ = ("_loop", "_waiters", "closes", "deadline", "done", "events", "fold", "problem")

    def __init__(self, loop: asyncio.AbstractEventLoop, began: float, timeout: float) -> None:
        """Begin with none."""
        self._loop = loop
        self.fold = Fold()
        self.events = 0
        self.closes = began + timeout / SPREAD
        self.deadline = began + timeout
        self.done = False
        self.problem: str | None = None
        self._waiters: list[asyncio.Future[None]] = []

    def __await__(self) -> Generator[Any, None, None]:
        """Wait until they are durable; whoever stops waiting takes nobody along.

        Raises:
            Unavailable: they are not, within the time limit since the first was queued. They may still become so: a
                row too many is no harm.
        """
        if not self.done:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            yield from waiter
        if self.problem is not None:
            raise Unavailable(self.problem)

    def settle(self, problem: str | None) -> None:
        """Tell everybody that all are durable, or why none is known to be; what comes later says nothing new."""
        if self.done:
            return
        self.done, self.problem = True, problem
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()


class Journal:
    """Group commit for events that have no change beside them: authentications and refusals."""

    def __init__(self, database: Database, node: str, timeout: float, sink: sinks.Sink | None = None) -> None:
        """Write into `database`; an event that is not durable after `timeout` seconds is Unavailable."""
        self._sink = sink or sinks.choose(database)
        self._node = node
        self._timeout = timeout
        self._start()
        self._task: asyncio.Task[None] | None = None

    def _start(self) -> None:
        self._waiting: deque[Pending] = deque()
        self._queued = 0
        self._undecided: deque[Pending] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._work, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()

    async def open(self) -> None:
        """Start the writer, on the event loop that runs now."""
        self._start()
        self._loop = asyncio.get_running_loop()
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
        if self._alarm is not None:
            self._alarm.cancel()
        while self._undecided:
            self._undecided.popleft().settle("the journal is closed")
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
        row = event.row(self._node)
        pending = self._take()
        if counted is None:
            pending.fold.add(stem_of(row), row["ts"], row["request_id"], row["id"], row["count"])
        else:
            pending.fold.count(f"{self._node}/{counted.name}", counted.until, row)
        return pending

    def succeeded(self, event: str, actor: Actor, origin: Origin, account_id: str | None) -> Pending:
        """Queue a success without target or detail: the same as `begin`, for events that come by the thousand."""
        ip, source, agent, request_id = origin
        stem = plain_stem(self._node, event, actor, account_id, ip, source, agent)
        pending = self._take()
        pending.fold.add(stem, clock.micros(), request_id)
        return pending

    async def append(self, event: Event, counted: Counted | None = None) -> None:
        """Record one event and wait until it is durable. Raises Unavailable when it is not in time."""
        await self.begin(event, counted)

    def _take(self) -> Pending:
        """Return where the next event belongs."""
        if self._queued >= QUEUE_MAX:
            raise Unavailable("the journal's queue is full")
        now = self._loop.time()
        newest = self._waiting[-1] if self._waiting else None
        if newest is None or newest.done or now > newest.closes or len(newest.fold) >= BATCH_MAX:
            newest = self._add(Pending(self._loop, now, self._timeout))
        newest.events += 1
        self._queued += 1
        return newest

    def _add(self, pending: Pending) -> Pending:
        self._waiting.append(pending)
        while self._undecided and self._undecided[0].done:
            self._undecided.popleft()
        self._undecided.append(pending)
        if self._alarm is None or self._alarm.when() > pending.deadline:
            self._set_alarm(pending.deadline)
        self._idle.clear()
        self._work.set()
        return pending

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        """Give up on what has taken too long; one timer serves everybody who waits."""
        self._alarm = None
        now = self._loop.time()
        while self._undecided and (self._undecided[0].done or self._undecided[0].deadline <= now):
            self._undecided.popleft().settle(LATE)
        if self._undecided:
            self._set_alarm(self._undecided[0].deadline)

    async def _write_batches(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                pending = self._waiting.popleft()
                self._queued -= pending.events
                pending.settle(await self._written(pending.fold))
            self._idle.set()

    async def _written(self, fold: Fold) -> str | None:
        """Make a batch durable, or return what prevents it."""
        try:
            await self._sink.write(fold.rows(), fold.tallies())
        except Unavailable as error:
            return error.internal
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends these waiters and not the writer
            return f"journal: {type(error).__name__}: {error}"
        return None
