"""A PostgreSQL of the wheel that serves a test network over TCP.

Promise: hosts reach it through their links and by no other way; the test itself looks in through the server's own
socket, which passes through namespaces and says nothing about the network.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.support.namespaces import NETS, Network
from tests.support.postgres import PostgresServer, programs

GUARDIAN = Path(__file__).with_name("network_postgres_guardian.py")
HOLD = """
BEGIN;
SELECT count(*) FROM (SELECT 1 FROM node WHERE region = :'region' FOR UPDATE) AS rows;
\\echo held
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

    @contextmanager
    def deaf(self, name: str, region: str) -> Iterator[None]:
        """Let the questions of one region's nodes to the feed hang while the block runs; all else goes on.

        A beat is part of the question, and it waits for its row, which is held.
        """
        command = [str(programs() / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-v", f"region={region}"]
        holder = subprocess.Popen(
            [*command, "-h", self._socket, "-U", "postgres", "-d", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            holder.stdin.write(HOLD)
            holder.stdin.flush()
            while (line := holder.stdout.readline().strip()) != "held":
                assert line, "PostgreSQL did not let the rows be held"
            yield
        finally:
            holder.communicate()
