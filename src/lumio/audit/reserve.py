"""The reserve: room on the disk that is given back when a purge needs it (spec: audit log, section 2).

Promise: on a full disk there is still enough room to purge.
"""

import os
from contextlib import suppress
from pathlib import Path

BYTES = 64 * 1024 * 1024


class Reserve:
    """A file of 64 MiB that holds nothing."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self._path = path

    def keep(self) -> bool:
        """Fill the reserve if it is not full; return False when the disk has no room for it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(place, 0, BYTES)
            finally:
                os.close(place)
        except OSError:
            self.give_back()
            return False
        return True

    def give_back(self) -> None:
        """Let the disk have the room."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
