"""A primary and its synchronous standby, on loopback, and the one name under which clients reach whichever serves.

Promise: what is killed is killed as a power cut would do it, and nothing is left running after the block.
"""

import asyncio
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.support.postgres import PostgresServer
from tests.support.serving import free_port
from tests.support.standby import NAME

GUARDIAN = Path(__file__).with_name("failover_guardian.py")
HOST = "127.0.0.1"
PATIENCE_SECONDS = 20.0
NAMED = f"ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 ({NAME})';\nSELECT pg_reload_conf();"
UNFOLLOWED = "ALTER SYSTEM SET primary_conninfo = '';\nSELECT pg_reload_conf();"
RECEIVING = "SELECT count(*) FROM pg_stat_wal_receiver;"
FOLLOWED = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum';"


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that tells nobody when it happens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class LoopbackPostgres(PostgresServer):
    """One server; a primary, or the standby of another one."""

    def __init__(self, follows: "LoopbackPostgres | None" = None) -> None:
        """Follow a server that runs, or none."""
        super().__init__()
        self.port = free_port()
        self._follows = 0 if follows is None else follows.port

    def start(self) -> None:
        """Start the server and wait until it answers. Raises RuntimeError; its own words stand above."""
        folder = tempfile.mkdtemp(prefix="lumio-pair-")
        command = [sys.executable, "-W", "ignore", str(GUARDIAN), folder, str(self.port), str(self._follows)]
        self._guardian = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._guardian.stdout is not None
        self._socket = self._guardian.stdout.readline().strip()
        if not self._socket:
            self.stop()
            message = "PostgreSQL did not start"
            raise RuntimeError(message)

    def kill(self) -> None:
        """End every process of the server at once."""
        postmaster = psutil.Process(int((Path(self._socket) / "postmaster.pid").read_text().splitlines()[0]))
        for process in [postmaster, *postmaster.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)

    def stop_following(self) -> None:
        """Receive nothing more: what the primary commits from now on is confirmed by nobody."""
        self.ask("postgres", UNFOLLOWED)
        until(lambda: self.ask("postgres", RECEIVING) == [["0"]], "the standby goes on receiving")

    def promote(self) -> None:
        """Let a standby be the primary, as a tool of failover does."""
        self.ask("postgres", "SELECT pg_promote(true, 20);")


class Door:
    """The address that clients know: it leads to one server, and can be moved to another."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def move(self, target: int) -> None:
        """Lead to another server, and end what leads to the old one."""
        asyncio.run_coroutine_threadsafe(self._moved(target), self._loop).result(PATIENCE_SECONDS)

    def start(self) -> None:
        """Let clients in."""
        self._thread.start()
        serving = asyncio.start_server(self._serve, HOST, self.port)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Let nobody in any more, and end what is open."""
        asyncio.run_coroutine_threadsafe(self._closed(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    async def _closed(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._moved(self._target)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others, timeout=PATIENCE_SECONDS) if others else None

    async def _moved(self, target: int) -> None:
        self._target = target
        for one in self._open:
            one.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            there, on = await asyncio.open_connection(HOST, self._target)
            self._open.add(on)
            await asyncio.gather(self._carry(reader, on), self._carry(there, writer))
            self._open.discard(on)
        except OSError:
            writer.transport.abort()
        finally:
            self._open.discard(writer)

    @staticmethod
    async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        writer.transport.abort()


@contextmanager
def pair(name: str) -> Iterator[tuple[LoopbackPostgres, LoopbackPostgres, Door]]:
    """Give a primary with an empty database `name`, its standby that every commit waits for, and the door."""
    with LoopbackPostgres() as primary:
        primary.create(name)
        with LoopbackPostgres(primary) as standby:
            for one in (primary, standby):
                one.ask("postgres", NAMED)
            until(lambda: primary.ask("postgres", FOLLOWED) == [["1"]], "no commit waits for the standby")
            door = Door(primary.port)
            door.start()
            try:
                yield primary, standby, door
            finally:
                door.stop()
