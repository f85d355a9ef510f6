"""The sealer as a process of its own beside the web server, so that answers never wait for its arithmetic.

With it go the chores that a host must do once, however many workers it has: the watch on the backlog, and the purge.
Promise: the last turn seals what is left when the web server has stopped.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from lumio.app.audit_tools import audit_chores, audit_tools
from lumio.kernel.board import POST_SECONDS, Board, resident_bytes
from lumio.kernel.metrics import MEMORY, Metrics
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.surface.http.housekeeping import Chores

TURN_SECONDS = 0.25


def seal(settings: Settings, parent: int) -> None:
    """Seal until SIGTERM, or until the parent is gone."""
    asyncio.run(_seal_until_told(settings, parent))


async def _seal_until_told(settings: Settings, parent: int) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with audit_tools(settings, Database(settings.database_url)) as tools:
        chores = Chores([*audit_chores(tools), (POST_SECONDS, _poster(settings))])
        await chores.start()
        while not told.is_set() and os.getppid() == parent:
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN_SECONDS):
                    await told.wait()
        await chores.stop()


def _poster(settings: Settings) -> Callable[[], Awaitable[None]]:
    """Return what puts this process's figures on the board."""
    metrics, board = Metrics(), Board(settings.run_dir, "sealer")
    metrics.gauge(MEMORY, resident_bytes)
    return lambda: asyncio.to_thread(board.post, metrics.figures())
