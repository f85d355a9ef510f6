"""An event loop that never sleeps: when nothing is ready, its clock jumps to the next timer.

Promise: what runs next depends on nothing but the calls made before, so one seed is one course of events. What a
stopped machine would have run waits, in the loop, until the machine goes on.
"""

import asyncio
import contextvars
import selectors
from collections.abc import Callable
from typing import Any, TypeVarTuple

Args = TypeVarTuple("Args")
Callback = Callable[..., Any]
HOST: contextvars.ContextVar["Parking | None"] = contextvars.ContextVar("host", default=None)
"""The machine that the running code belongs to; None for servers, clients and the wires between."""
NOWHERE = contextvars.Context()
"""The context of what belongs to no machine that can be stopped."""


class Parking:
    """A machine as the loop knows it: while it is stopped, what it would run is kept."""

    def __init__(self) -> None:
        self.stopped = False
        self._arrived: list[tuple[Callback, tuple[Any, ...], contextvars.Context]] = []
        self._rung: list[tuple[list[asyncio.TimerHandle], Callback, tuple[Any, ...], contextvars.Context]] = []

    def run(self, callback: Callback, args: tuple[Any, ...], context: contextvars.Context) -> None:
        if self.stopped:
            self._arrived.append((callback, args, context))
        else:
            callback(*args)

    def ring(
        self,
        timer: list[asyncio.TimerHandle],
        callback: Callback,
        args: tuple[Any, ...],
        context: contextvars.Context,
    ) -> None:
        if self.stopped:
            self._rung.append((timer, callback, args, context))
        else:
            callback(*args)

    def resume(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run what waited: first what had arrived, then the timers that nobody has cancelled, as a real loop does."""
        self.stopped = False
        arrived, self._arrived = self._arrived, []
        rung, self._rung = self._rung, []
        for callback, args, context in arrived:
            loop.call_soon(callback, *args, context=context)
        for timer, callback, args, context in rung:
            loop.call_soon(_unless_cancelled, timer, callback, args, context=context)


def _unless_cancelled(timer: list[asyncio.TimerHandle], callback: Callback, args: tuple[Any, ...]) -> None:
    if not timer[0].cancelled():
        callback(*args)


class _Jump(selectors.SelectSelector):
    """Nothing outside ever happens: to wait is to move the clock."""

    def __init__(self, loop: "VirtualLoop") -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            message = "everything waits, and no timer is set"
            raise RuntimeError(message)
        self._loop.moment += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time begins at 0 seconds."""

    def __init__(self) -> None:
        self.moment = 0.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        return self.moment

    def call_soon(
        self, callback: Callable[[*Args], object], *args: *Args, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        host = HOST.get() if context is None else context.get(HOST)
        if host is None:
            return super().call_soon(callback, *args, context=context)
        context = contextvars.copy_context() if context is None else context
        return super().call_soon(host.run, callback, args, context, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        host = HOST.get() if context is None else context.get(HOST)
        if host is None:
            return super().call_at(when, callback, *args, context=context)
        context = contextvars.copy_context() if context is None else context
        timer: list[asyncio.TimerHandle] = []
        handle = super().call_at(when, host.ring, timer, callback, args, context, context=context)
        timer.append(handle)
        return handle
