"""A wall clock that a test can move under one process: libfaketime, where Debian's package is installed.

Promise: the machine's own clock stays as it is, and so do the clocks that only count.
"""

import os
from pathlib import Path

PLACES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
LIBRARY = "libfaketimeMT.so.1"


def faketime_path() -> Path | None:
    """Give the library's path, or None."""
    named = os.environ.get("LUMIO_FAKETIME")
    if named:
        return Path(named)
    return next((found for place in PLACES for found in Path(place).glob(f"**/faketime/{LIBRARY}")), None)


class WallClock:
    """The wall clock of whoever is started with its variables."""

    def __init__(self, library: Path, folder: Path) -> None:
        """Begin with the true time; the file in `folder` says how far away the clock is."""
        self._file = folder / "wall-clock"
        self._library = library
        self.move(0)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the process."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def move(self, seconds: int) -> None:
        """Let the clock stand so far from the true time, from now on."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n", "ascii")
        draft.replace(self._file)
