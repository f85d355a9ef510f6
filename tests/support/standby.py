"""A synchronous standby for the test suite's PostgreSQL: whoever keeps its write-ahead log is one.

Promise: a commit waits for it while it is told to, and the server waits for nobody when the block is over.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.postgres import PostgresServer, programs

NAME = "lumio_standby"
PATIENCE_SECONDS = 20.0
_WAITED_FOR = """
SELECT count(*) FROM pg_stat_replication WHERE application_name = :'standby' AND sync_state IN ('sync', 'quorum');
"""
_NAMED = "SELECT count(*) FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting = :'standby';"
_NAME = "ALTER SYSTEM SET synchronous_standby_names = :'standby';\nSELECT pg_reload_conf();"
_FORGET = "ALTER SYSTEM RESET synchronous_standby_names;\nSELECT pg_reload_conf();"


class Standby:
    """The wheel's `pg_receivewal`: it flushes what comes, says so, and can be gone at once."""

    def __init__(self, server: PostgresServer) -> None:
        """Stand by for `server`; nothing runs yet."""
        self._server = server
        self._folder = tempfile.TemporaryDirectory(prefix="lumio-standby-")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to keep the log, and wait until commits wait for it."""
        command = [str(programs() / "pg_receivewal"), "--synchronous", "--no-loop", "-D", self._folder.name]
        self._process = subprocess.Popen(
            [*command, "-h", self._server.socket, "-p", str(self._server.port), "-U", "postgres"],
            env={**os.environ, "PGAPPNAME": NAME},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _until(lambda: _counted(self._server, _WAITED_FOR), "nobody waits for the standby")

    @property
    def runs(self) -> bool:
        """Whether it keeps the log."""
        return self._process is not None and self._process.poll() is None

    def vanish(self) -> None:
        """Be gone without a word; commits that nobody confirms wait from now on."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            _until(lambda: not _counted(self._server, _WAITED_FOR), "the server still counts on the standby")

    def close(self) -> None:
        """Remove what was kept."""
        self.vanish()
        self._folder.cleanup()


@contextmanager
def synchronous(server: PostgresServer) -> Iterator[Standby]:
    """Let commits of `server` that ask for it wait for a standby; give it, running."""
    server.ask("postgres", _NAME, standby=NAME)
    standby = Standby(server)
    try:
        _until(lambda: _counted(server, _NAMED), "the server does not read its configuration")
        standby.start()
        yield standby
    finally:
        forget(server)
        standby.close()


def forget(server: PostgresServer) -> None:
    """Let the server wait for nobody any more."""
    server.ask("postgres", _FORGET)
    _until(lambda: not _counted(server, _NAMED), "the server does not read its configuration")


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def _counted(server: PostgresServer, query: str) -> bool:
    return server.ask("postgres", query, standby=NAME) == [["1"]]
