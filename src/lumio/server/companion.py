"""A process beside the web server that must be there as long as it is: started, watched, replaced, ended.

Promise: while the server runs its companion runs; one that dies is started again at once, or after a pause when it
died young, and at the end it is told in time to finish what it has.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import structlog

from lumio.kernel import clock
from lumio.server import logs
from lumio.settings import Settings

log = structlog.get_logger()
YOUNG_SECONDS = 5.0
PAUSE_SECONDS = 1.0
LAST_SECONDS = 10.0

Work = Callable[[Settings, int], None]
"""What the process does until SIGTERM; the number is its parent's id, to be looked at now and then."""


class Companion:
    """Keeps one process running until it is stopped."""

    def __init__(self, name: str, work: Work, settings: Settings) -> None:
        """Start the process; `name` is for the log."""
        self._name = name
        self._work = work
        self._settings = settings
        self._over = threading.Event()
        self._told, self._tell = multiprocessing.Pipe(duplex=False)
        self._process = self._begin()
        self._watch = threading.Thread(target=self._keep, name=f"{name} watch", daemon=True)
        self._watch.start()

    @property
    def pid(self) -> int | None:
        """The id of the process that runs now."""
        return self._process.pid

    def stop(self) -> None:
        """Let it finish what it has, and end it."""
        self._over.set()
        self._tell.send_bytes(b".")  # not closed: every process forked since has this end too
        self._watch.join()
        self._process.terminate()
        self._process.join(LAST_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _begin(self) -> BaseProcess:
        # Forked: everything is imported already, and this process holds no connection to a database.
        process = multiprocessing.get_context("fork").Process(
            target=_live, args=(self._work, self._settings, os.getpid()), name=self._name, daemon=True
        )
        process.start()
        return process

    def _keep(self) -> None:
        while not self._over.is_set():
            started = clock.monotonic()
            wait([self._process.sentinel, self._told])
            if self._over.is_set():
                return
            log.error("a companion ended; starting it again", name=self._name, exit_code=self._process.exitcode)
            if clock.monotonic() - started < YOUNG_SECONDS and self._over.wait(PAUSE_SECONDS):
                return
            self._process = self._begin()


def _live(work: Work, settings: Settings, parent: int) -> None:
    logs.set_up(settings.log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells everybody; the parent tells us when it is time
    work(settings, parent)
