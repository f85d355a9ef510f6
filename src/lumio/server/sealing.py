"""The sealer as a process of its own beside the web server, so that answers never wait for its arithmetic.

Promise: while the server runs, a sealer runs; one that dies is started again, and the last one seals what is left
when the server has stopped.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess

import structlog

from lumio.app.audit_tools import audit_tools
from lumio.kernel.errors import Unavailable
from lumio.server import logs
from lumio.settings import Settings
from lumio.storage.database import Database

log = structlog.get_logger()
TURN_SECONDS = 0.25
PAUSE_SECONDS = 1.0
LAST_SECONDS = 10.0


class SealingProcess:
    """Keeps one sealer running until it is stopped."""

    def __init__(self, settings: Settings) -> None:
        """Seal the log of an installation."""
        self._settings = settings
        self._over = threading.Event()
        self._process = self._begin()
        self._watch = threading.Thread(target=self._keep, name="sealer watch", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Let it seal what is left, and end it."""
        self._over.set()
        self._watch.join()
        self._process.terminate()
        self._process.join(LAST_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _begin(self) -> BaseProcess:
        # Forked: everything is imported already, and this process has no thread and no connection of its own yet.
        process = multiprocessing.get_context("fork").Process(target=_seal, args=(self._settings,), daemon=True)
        process.start()
        return process

    def _keep(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            if not self._process.is_alive():
                log.error("the sealer ended; starting it again", exit_code=self._process.exitcode)
                self._process = self._begin()


def _seal(settings: Settings) -> None:
    logs.set_up(settings.log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells everybody; the parent tells us when it is time
    asyncio.run(_seal_until_told(settings, os.getppid()))


async def _seal_until_told(settings: Settings, parent: int) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with audit_tools(settings, Database(settings.database_url)) as tools:
        while not told.is_set() and os.getppid() == parent:
            await _turn(tools.sealer.run)
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN_SECONDS):
                    await told.wait()
        await _turn(tools.sealer.run)


async def _turn(work: Callable[[], Awaitable[int]]) -> None:
    """Seal once; a database that is away is tried again at the next turn."""
    try:
        await work()
    except (Unavailable, OSError) as error:
        log.warning("sealing failed", error=str(error))
        await asyncio.sleep(PAUSE_SECONDS)
