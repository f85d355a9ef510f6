"""Turns at one SQLite file: the writers of all processes of a host queue up, instead of asking again and again.

SQLite lets one write at a time and makes the others poll with growing pauses: on a busy host some waited for a
second and more, where a queue makes them wait for tens of milliseconds. Promise: this is courtesy and no lock.
Whoever waited for too long goes ahead, and SQLite's own lock keeps the file whole.

The journal comes first within its process, since every answer waits for it: it waits for one unit at most, and passes
one that still waits for another process. Nobody is starved: the unit that it passed is next.
"""

import asyncio
import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE_SECONDS = 2.0


class Turns:
    """An asynchronous context manager: one turn. The system gives back the turn of a process that dies."""

    def __init__(self, database: Path) -> None:
        """Queue beside the file `database`: closing a descriptor of the file itself would undo SQLite's locks."""
        self._path = _beside(database)
        self._file = -1
        self._others, self._mine = asyncio.Lock(), asyncio.Lock()
        self._asked = self._has = False
        self._waiter: asyncio.Future[None] | None = None
        self._guest: asyncio.Future[None] | None = None
        self.first = First(self)
        """The same for the journal."""

    async def __aenter__(self) -> None:
        """Take a turn: first among the tasks of this process, then among the processes."""
        await self._others.acquire()
        try:
            await self.enter()
        except BaseException:
            self._others.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Give the turn to whoever is next."""
        self.leave()
        self._others.release()

    async def enter(self) -> None:
        """Take a turn, behind at most one other of this process."""
        await self._mine.acquire()
        try:
            self._has = self._is_open() and (self._try() or await self._queue())
        except BaseException:
            self._mine.release()
            raise

    def leave(self) -> None:
        """Give the turn back."""
        if self._has:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._mine.release()

    @property
    def waits(self) -> bool:
        """Whether a task of this process waits for the turn of another process."""
        return self._waiter is not None

    async def borrow(self) -> bool:
        """Take the turn that the task that waits would get, but wait not for ever; tell whether it is one."""
        guest = self._guest = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait([guest], timeout=PATIENCE_SECONDS)
        except asyncio.CancelledError:
            if guest.done():
                self.give_back()
            raise
        finally:
            self._guest = None
        return guest.done()

    def give_back(self) -> None:
        """Hand a borrowed turn to the task that waited, or to another process when it waits no longer."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        elif self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the queue's file, unless a thread still waits with it."""
        file, self._file = self._file, -1
        if file >= 0 and not self._asked:
            os.close(file)

    def _is_open(self) -> bool:
        """Open the queue; where there can be none, such as on a full disk, there are no turns."""
        if self._file < 0:
            with suppress(OSError):
                self._file = _open(self._path)
        return self._file >= 0

    def _try(self) -> bool:
        """Take the turn if it is free."""
        if self._asked:
            return False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def _queue(self) -> bool:
        """Wait for the turn, but not for ever; a wait that was given up serves the next task that comes."""
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        if not self._asked:
            self._asked = True
            threading.Thread(target=_wait, args=(self._file, loop, self._arrived), daemon=True).start()
        try:
            await asyncio.wait([waiter], timeout=PATIENCE_SECONDS)
        except asyncio.CancelledError:
            if waiter.done():
                fcntl.flock(self._file, fcntl.LOCK_UN)
            raise
        finally:
            self._waiter = None
        return waiter.done()

    def _arrived(self) -> None:
        """Hand the turn to the task that waits, or back when none does."""
        self._asked = False
        if self._guest is not None:
            self._guest.set_result(None)
        else:
            self.give_back()


class First:
    """An asynchronous context manager: a turn for the journal, of which one batch is on its way at a time."""

    def __init__(self, turns: Turns) -> None:
        """Pass the others of `turns`."""
        self._turns = turns
        self._borrows = self._has = False

    async def __aenter__(self) -> None:
        """Take the turn of a unit that waits for it, or the next one."""
        self._borrows = self._turns.waits
        if self._borrows:
            self._has = await self._turns.borrow()
        else:
            await self._turns.enter()

    async def __aexit__(self, *_: object) -> None:
        """Give it back."""
        if not self._borrows:
            self._turns.leave()
        elif self._has:
            self._turns.give_back()


class BlockingTurns:
    """A context manager: one turn, for a process that has nothing else to do while it waits."""

    def __init__(self, database: Path) -> None:
        """Open the queue of the file `database`."""
        self._file = _open(_beside(database))

    def __enter__(self) -> None:
        """Take a turn, however long that takes."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        """Give the turn to whoever is next."""
        fcntl.flock(self._file, fcntl.LOCK_UN)


def _beside(database: Path) -> Path:
    return database.with_name(f"{database.name}-turns")


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _wait(file: int, loop: asyncio.AbstractEventLoop, arrived: Callable[[], None]) -> None:
    """Wait in a thread of its own, which ends with the process however long it would have to wait."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        loop.call_soon_threadsafe(arrived)
    except RuntimeError:  # the loop is closed: nobody waits any more
        fcntl.flock(file, fcntl.LOCK_UN)
