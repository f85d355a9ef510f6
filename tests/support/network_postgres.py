"""A PostgreSQL of the wheel that serves a test network over TCP.

Promise: hosts reach it through their links and by no other way; the test itself looks in through the server's own
socket, which passes through namespaces and says nothing about the network.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from tests.support.namespaces import NETS, Network
from tests.support.postgres import PostgresServer

GUARDIAN = Path(__file__).with_name("network_postgres_guardian.py")
FREEZE_EVERY_SECONDS = 0.1
NOW = "SELECT clock_timestamp();"
BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE client_addr = CAST(:'address' AS inet)
  AND (query ILIKE '%' || :'word' || '%' AND state = 'idle' OR backend_start >= CAST(:'began' AS timestamptz));
"""


class NetworkPostgres(PostgresServer):
    """One server on one host of a network."""

    def __init__(self, network: Network, host: str, *, durable: bool = False) -> None:
        """Serve on `host`; `durable` waits for the disk at each commit, as in production."""
        super().__init__()
        self._network = network
        self._host = host
        self._mode = "durable" if durable else "fast"

    def start(self) -> None:
        """Start the server and wait until it answers. Raises RuntimeError; its own words stand above."""
        folder = tempfile.mkdtemp(prefix="lumio-net-pg-")
        address = self._network.address(self._host, "back")
        allowed = f"{NETS['back']}.0/24"
        self._guardian = subprocess.Popen(
            self._network.command(
                self._host, sys.executable, "-W", "ignore", str(GUARDIAN), folder, address, allowed, self._mode
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._guardian.stdout is not None
        self._socket = self._guardian.stdout.readline().strip()
        if not self._socket:
            self.stop()
            message = "PostgreSQL did not start"
            raise RuntimeError(message)

    def address(self, name: str, role: str = "postgres") -> str:
        """Give the URL of a database as the hosts of the network reach it."""
        return f"postgresql+asyncpg://{role}@{self._network.address(self._host, 'back')}:5432/{quote(name)}"

    def ask(self, name: str, query: str, **given: str) -> list[list[str]]:
        """Run a query through the server's own socket; `:'name'` in it stands for what is given so."""
        answer = self._ask(query, name, **given)
        return [line.split("|") for line in answer.splitlines()]

    @contextmanager
    def frozen(self, name: str, address: str, word: str) -> Iterator[set[int]]:
        """Freeze, while the block runs, the backends of one client that ran a query with a word in it.

        A connection that the client opens in their place is frozen as well. Their other connections go on.
        """
        began = self.ask(name, NOW)[0][0]
        stopped: set[int] = set()
        over = threading.Event()

        def freeze() -> None:
            while not over.is_set():
                for (pid,) in self.ask(name, BACKENDS, address=address, word=word, began=began):
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGSTOP)
                        stopped.add(int(pid))
                over.wait(FREEZE_EVERY_SECONDS)

        freezer = threading.Thread(target=freeze, name="freezer")
        freezer.start()
        try:
            yield stopped
        finally:
            over.set()
            freezer.join()
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
