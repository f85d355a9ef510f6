"""The web server and its workers: a dead worker is replaced, however many die, and the others go on serving.

Granian replaces a worker, but takes two deaths of one within seconds for a crash loop and ends with all the others.
Promise: here it goes on, with a growing pause for a worker that dies young; should the whole of it end all the same,
it is started again until somebody asks for the end.
"""

from contextlib import suppress
from typing import Any

import structlog
from granian import Granian
from granian.constants import Interfaces
from granian.server.common import AbstractServer

from lumio.kernel import clock
from lumio.settings import Settings

Server = AbstractServer[Any]
log = structlog.get_logger()
PAUSE_FIRST, PAUSE_LONGEST, STEADY = 0.5, 30.0, 60.0
YOUNG_SECONDS, YOUNG_PAUSE_LONGEST, STEP_SECONDS = 5.0, 4.0, 0.1


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal."""
    pause = PAUSE_FIRST
    while True:
        started = clock.monotonic()
        server = _server(settings, host, port)
        with suppress(SystemExit):  # how the web server reports that a worker ended badly
            server.serve()
        if _is_told_to_stop(server):
            return
        pause = PAUSE_FIRST if clock.monotonic() - started > STEADY else min(PAUSE_LONGEST, pause * 2)
        log.error("the web server ended; starting it again", pause=pause)
        _pause(server, pause)
        if _is_told_to_stop(server):
            return


class Deaths(dict[int, float]):
    """What Granian notes of the workers that it replaced: worker → when. It never reads of a crash loop here."""

    def __init__(self, server: Server) -> None:
        """Note for one server."""
        super().__init__()
        self._server = server
        self._born: dict[int, float] = {}
        self._pauses: dict[int, float] = {}

    def __setitem__(self, worker: int, moment: float) -> None:
        """Hold the replacement up for a while when the last one died young."""
        young = moment - self._born.get(worker, -YOUNG_SECONDS) < YOUNG_SECONDS
        pause = self._pauses[worker] = _longer(self._pauses.get(worker, 0.0)) if young else 0.0
        log.error("a worker ended; starting another", worker=worker + 1, pause=pause)
        _pause(self._server, pause)
        self._born[worker] = clock.monotonic()

    def get(self, worker: int, default: object = None) -> float:  # noqa: ARG002
        """Tell of no replacement that was lately."""
        return -float("inf")


def _server(settings: Settings, host: str, port: int) -> Server:
    server = Granian(
        "lumio.server.serving:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        factory=True,
        respawn_failed_workers=True,
        log_enabled=False,
        websockets=False,
        workers_kill_timeout=10,
    )
    server.respawned_wrks = Deaths(server)
    return server


def _longer(pause: float) -> float:
    return PAUSE_FIRST if pause == 0 else min(YOUNG_PAUSE_LONGEST, pause * 2)


def _pause(server: Server, seconds: float) -> None:
    """Wait; the signal handlers of a server live on until the next one sets its own."""
    until = clock.monotonic() + seconds
    while clock.monotonic() < until and not _is_told_to_stop(server):
        clock.sleep(STEP_SECONDS)


def _is_told_to_stop(server: Server) -> bool:
    return bool(server.interrupt_signal)
