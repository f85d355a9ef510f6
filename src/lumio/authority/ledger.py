"""The journal of revocations outside the database, as the authorities use it (spec: revocation, "Restore").

Promise: a revocation that was acknowledged is in the file, and what the file could not take is tried again until
it can.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from lumio.authority.ledger_file import LedgerFile
from lumio.authority.subjects import Entry
from lumio.kernel.errors import Unavailable

log = structlog.get_logger()
RETRY_SECONDS = 1.0


class Ledger:
    """Hands rows to the file in a thread, as many at once as wait."""

    def __init__(self, file: LedgerFile) -> None:
        """Write into `file`."""
        self.file = file
        self._waiting: list[Entry] = []
        self._turn, self._news = asyncio.Lock(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    async def open(self) -> None:
        """Begin to write what is taken, on the event loop that runs now."""
        self.file.forget()
        self._waiting, self._failing = [], False
        self._turn, self._news = asyncio.Lock(), asyncio.Event()
        self._task = asyncio.create_task(self._write_on())

    async def close(self) -> None:
        """Write what waits, if that can be done, and stop."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        with suppress(Unavailable):
            await self._write()

    def take(self, rows: Sequence[Entry]) -> None:
        """Write rows soon; nobody waits for it."""
        self._waiting += rows
        if rows:
            self._news.set()

    async def keep(self, rows: Sequence[Entry]) -> None:
        """Return when rows are on disk.

        Raises:
            Unavailable: they are not, yet; they are written as soon as that can be done.
        """
        self._waiting += rows
        try:
            await self._write()
        except Unavailable:
            self._news.set()
            raise

    async def _write(self) -> None:
        async with self._turn:
            rows = list(self._waiting)
            if not rows:
                return
            try:
                await asyncio.to_thread(self.file.append, rows)
            except OSError as error:
                self._note(error)
                raise Unavailable(f"the journal of revocations cannot be written: {error}") from error
            self._note(None)
            del self._waiting[: len(rows)]

    async def _write_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._write()
            except Unavailable:
                self._news.set()
                await asyncio.sleep(RETRY_SECONDS)

    def _note(self, error: OSError | None) -> None:
        """Log when trouble begins and when it ends."""
        if error is not None and not self._failing:
            log.error("the journal of revocations cannot be written", path=str(self.file.path), why=str(error))
        if error is None and self._failing:
            log.warning("the journal of revocations is written again", path=str(self.file.path))
        self._failing = error is not None
