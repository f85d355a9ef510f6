"""The journal of one worker among several on one SQLite file: batches go to the process that writes for all.

Promise: `write` returns when that process has said that all rows are on disk. When it dies first nobody knows, so
the answer is an error and nothing is sent again: a row too many is no harm, the same row twice would be.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lumio.kernel.errors import Unavailable
from lumio.storage.folding import Row, Tally
from lumio.storage.packing import ANSWER_SIZE, pack, text_length, to_bytes


class SharedSink:
    """One connection to the writer, made when it is needed and again when it broke."""

    def __init__(self, socket: Path) -> None:
        """Keep the path of the writer's socket."""
        self._socket = socket
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Open nothing: the first batch does."""

    async def write(self, rows: Sequence[Row], tallies: Sequence[Tally]) -> None:
        """Let the writer commit the batch."""
        batch = to_bytes(pack(rows, tallies))
        try:
            trouble = await self._send(batch)
        except (OSError, EOFError) as error:
            await self.close()
            raise Unavailable(f"journal writer: {type(error).__name__}: {error}") from error
        except BaseException:  # whoever stopped waiting leaves an answer behind that belongs to no later batch
            await self.close()
            raise
        if trouble:
            raise Unavailable(trouble)

    async def _send(self, batch: bytes) -> str:
        if self._streams is None:
            with short_path(self._socket) as path:
                self._streams = await asyncio.open_unix_connection(path)
        reader, writer = self._streams
        writer.write(batch)
        await writer.drain()
        length = text_length(await reader.readexactly(ANSWER_SIZE))
        return (await reader.readexactly(length)).decode("utf-8", "replace") if length else ""

    async def close(self) -> None:
        """Close the connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a path that fits into the 107 bytes that a socket's address has, however deep its folder lies."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
