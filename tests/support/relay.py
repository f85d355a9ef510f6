"""A link to a PostgreSQL's socket that can be cut: what is sent then is neither answered nor refused.

Promise: whoever stands at a cut link notices nothing but silence; what comes after `mend` is a new connection.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote

SOCKET = ".s.PGSQL.5432"


class Relay:
    """Carries bytes both ways while it is not cut."""

    def __init__(self, target: str, folder: Path) -> None:
        """Lead from a socket in `folder` to the socket in the folder `target`."""
        self._target, self.folder = Path(target) / SOCKET, folder
        self._whole = asyncio.Event()
        self._whole.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Carry nothing from now on, and say nothing about it."""
        self._whole.clear()

    def mend(self) -> None:
        """Carry again, what waited first."""
        self._whole.set()

    def url(self, url: str) -> str:
        """Return the address of a database with this link in it."""
        return f"{url.partition('?')[0]}?host={quote(str(self.folder))}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        there, on = await asyncio.open_unix_connection(self._target)
        self._ends |= {writer, on}
        ways = {asyncio.create_task(self._carry(*way)) for way in ((reader, on), (there, writer))}
        self._carrying |= ways

    async def close(self) -> None:
        """End every connection."""
        for one in self._ends:
            one.transport.abort()
        self.mend()
        if self._carrying:
            await asyncio.wait(self._carrying)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                await self._whole.wait()
                writer.write(part)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def relayed(target: str) -> AsyncIterator[Relay]:
    """Give a link to the server whose socket lies in the folder `target`."""
    with tempfile.TemporaryDirectory(prefix="lumio-relay-") as folder:
        relay = Relay(target, Path(folder))
        server = await asyncio.start_unix_server(relay.serve, relay.folder / SOCKET)
        try:
            yield relay
        finally:
            server.close()
            await relay.close()
