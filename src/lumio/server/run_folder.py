"""The folder that the processes of one `serve` share while they run: their numbers, the journal's socket, figures.

Promise: it is empty when a server starts, whatever the last one left behind, and no two living processes of a
server have one number. Both rest on locks that the system takes away from whoever dies.
"""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

NUMBERS_MAX = 1024
_LOCK = "lock"


class RunFolder:
    """`run/<process id>/` of the data folder; there from the block's start to its end."""

    def __init__(self, data_dir: Path) -> None:
        """Keep the path; nothing is made yet."""
        self._all = data_dir / "run"
        self.path = self._all / str(os.getpid())
        self._lock = -1

    def __enter__(self) -> Self:
        """Remove what dead servers left, and make the folder."""
        self._all.mkdir(mode=0o700, parents=True, exist_ok=True)
        door = os.open(self._all, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(door, fcntl.LOCK_EX)  # one server at a time: a folder without a lock yet looks left behind
            for left in self._all.iterdir():
                if not _is_in_use(left):
                    shutil.rmtree(left, ignore_errors=True)
            self.path.mkdir(mode=0o700)
            self._lock = _try_lock(self.path / _LOCK)
        finally:
            os.close(door)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def take_number(folder: Path) -> int:
    """Return the lowest number from 1 that no living process has, and keep it until this process ends.

    Raises:
        OSError: the folder is gone, or all numbers are taken.
    """
    for number in range(1, NUMBERS_MAX + 1):
        if _try_lock(folder / f"{number}.number") >= 0:
            return number
    raise OSError(f"{folder}: every number is taken")


def _try_lock(path: Path) -> int:
    """Return an open file with its lock, which ends with the process; -1 when another process has it."""
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return -1
    return opened


def _is_in_use(folder: Path) -> bool:
    with suppress(OSError):
        opened = _try_lock(folder / _LOCK)
        if opened < 0:
            return True
        os.close(opened)
    return False
