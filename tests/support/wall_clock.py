"""A wall clock that a test can move under one server, where a C compiler is at hand (see `wall_clock.c`).

Promise: the machine's own clock stays as it is, and so do the clocks that only count.
"""

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
COMPILERS = ("cc", "gcc", "clang")


def why_no_wall_clock() -> str | None:
    """Say why no wall clock can be moved here, or None where it can."""
    return None if any(map(shutil.which, COMPILERS)) else "no C compiler: the wall clock of a server cannot be moved"


class WallClock:
    """The wall clock of whoever is started with its variables."""

    def __init__(self, folder: Path) -> None:
        """Begin with the true time; library and file are made in `folder`."""
        self._file = folder / "wall-clock"
        self._library = folder / "wall-clock.so"
        compiler = next(found for name in COMPILERS if (found := shutil.which(name)))
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", self._library, SOURCE], check=True)
        self._file.write_bytes(struct.pack("l", 0))

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the process."""
        return {"LD_PRELOAD": str(self._library), "WALL_CLOCK_FILE": str(self._file)}

    def move(self, seconds: int) -> None:
        """Let the clock stand so far from the true time, from now on."""
        with self._file.open("r+b") as mapped:
            mapped.write(struct.pack("l", seconds))
