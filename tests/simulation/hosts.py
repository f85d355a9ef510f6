"""Machines with clocks of their own, and the house's one clock module made to ask them.

Promise: two clocks of one machine differ as real ones do: the wall clock is set by people, the monotonic one stands
still while the machine sleeps, the boot-time one goes on; each runs up to one per cent fast or slow.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from typing import Any
from unittest.mock import patch

from lumio.kernel import clock
from tests.simulation.loop import HOST, Parking

EPOCH = datetime(2031, 5, 1, tzinfo=UTC)


class Host(Parking):
    """One machine, or one process on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, rate: float = 1.0, wall: float = 0.0) -> None:
        """Run `rate` seconds in each true one; the wall clock is off by `wall` seconds."""
        super().__init__()
        self.name = name
        self.dead = False
        self._loop = loop
        self._rate = rate
        self._wall = wall
        self._slept = 0.0
        self._asleep_since: float | None = None
        self._context = contextvars.Context()
        self._context.run(HOST.set, self)

    def boot(self) -> float:
        return 1000.0 + self._loop.time() * self._rate

    def monotonic(self) -> float:
        now = self.boot() if self._asleep_since is None else self._asleep_since
        return now - self._slept

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self._loop.time() * self._rate + self._wall)

    def set_wall(self, seconds: float) -> None:
        """Move the wall clock by so many seconds."""
        self._wall += seconds

    def stop(self, *, asleep: bool = False) -> None:
        """Stop as SIGSTOP does, or as a lid that is closed: then the monotonic clock stands still too."""
        self.stopped = True
        if asleep and self._asleep_since is None:
            self._asleep_since = self.boot()

    def go_on(self) -> None:
        if self.dead:
            return
        if self._asleep_since is not None:
            self._slept += self.boot() - self._asleep_since
            self._asleep_since = None
        self.resume(self._loop)

    def kill(self) -> None:
        """Never run again."""
        self.stopped = self.dead = True

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Begin `work` on this machine."""
        return self._loop.create_task(work, context=self._context)


def _host() -> Host | None:
    host = HOST.get()
    return host if isinstance(host, Host) else None


@contextmanager
def clocks_of_hosts(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let the house read the clocks of the machine that its code runs on."""
    nobody = Host(loop, "nobody")

    def asked(name: str) -> Callable[[], Any]:
        read = methodcaller(name)
        return lambda: read(_host() or nobody)

    with (
        patch.object(clock, "boottime", asked("boot")),
        patch.object(clock, "monotonic", asked("monotonic")),
        patch.object(clock, "now", asked("wall")),
    ):
        yield
