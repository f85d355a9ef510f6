"""Background work that no answer waits for: each chore runs again and again until the server stops.

Promise: a chore that fails is tried again at its next turn, and is never the end of the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from lumio.kernel.errors import Unavailable

log = structlog.get_logger()

RARE_SECONDS = 600
GRACE_SECONDS = 5

Chore = tuple[float, Callable[[], Awaitable[Any]]]


class Chores:
    """Runs each chore every so many seconds."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        """Keep the list of (seconds, work)."""
        self._chores = chores
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Start all of them, on the event loop that runs now."""
        self._over = asyncio.Event()
        self._tasks = [asyncio.create_task(self._repeat(*chore)) for chore in self._chores]

    async def stop(self) -> None:
        """Let each finish what it does, then run it a last time so that nothing collected in memory is lost.

        The rare ones only tidy up: they have nothing to lose, and wait for the next start. Work that takes too long
        is cancelled; a library may swallow that (aiosmtplib does before Python 3.12), so each turn also looks
        whether it was the last.
        """
        self._over.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for seconds, work in self._chores:
            if seconds < RARE_SECONDS:
                await self._once(work)

    async def _repeat(self, seconds: float, work: Callable[[], Awaitable[Any]]) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._over.wait()
            if not self._over.is_set():
                await self._once(work)

    async def _once(self, work: Callable[[], Awaitable[Any]]) -> None:
        try:
            async with asyncio.timeout(60):  # not `wait_for`: before 3.12 it can swallow the cancellation of `stop`
                await work()
        except (Unavailable, TimeoutError) as error:
            log.warning("chore failed", chore=getattr(work, "__qualname__", "?"), error=str(error))
        except Exception:
            log.exception("chore broke", chore=getattr(work, "__qualname__", "?"))
