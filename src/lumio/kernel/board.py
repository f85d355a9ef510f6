"""The board: figures of the processes of one host, side by side in a folder, so that any of them can tell of all.

Promise: what a process posted is read whole or not at all, and nobody waits for a process that hangs: its counts
stay, and how things stood with it is left out once it has not been heard of for a while.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lumio.kernel import clock
from lumio.kernel.metrics import Figures

POST_SECONDS = 1.0
SILENT_SECONDS = 5.0
_ENDING = ".figures"


@dataclass(frozen=True, slots=True)
class Post:
    """What one process posted last; `recent` says that it was a moment ago."""

    process: str
    pid: int
    figures: Figures
    recent: bool


class Board:
    """A process's place on the board; without a folder it stands alone."""

    def __init__(self, folder: Path | None, process: str) -> None:
        """Post as `process`: `worker-1`, `sealer`."""
        self._folder = folder
        self.process = process

    def post(self, figures: Figures) -> None:
        """Put figures up in place of the last ones; blocking, so not on an event loop."""
        if self._folder is None:
            return
        place, draft = self._folder / (self.process + _ENDING), self._folder / f"{self.process}.draft"
        content = json.dumps({"pid": os.getpid(), "at": clock.boottime(), **figures.plain()})
        with suppress(OSError):  # a full disk, or a folder that is gone already: then this process falls silent
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(content)
            draft.replace(place)

    def mine(self) -> Figures | None:
        """Return what a process of this name posted before, if one did."""
        posted = None if self._folder is None else _read(self._folder / (self.process + _ENDING))
        return None if posted is None else posted.figures

    def others(self) -> Iterator[Post]:
        """Yield what the others posted last."""
        if self._folder is None:
            return
        for place in sorted(self._folder.glob("*" + _ENDING)):
            if place.stem != self.process and (posted := _read(place)) is not None:
                yield posted


def _read(place: Path) -> Post | None:
    with suppress(OSError, ValueError, TypeError, LookupError):
        plain = json.loads(place.read_bytes())
        recent = clock.boottime() - float(plain["at"]) < SILENT_SECONDS
        return Post(place.stem, int(plain["pid"]), Figures.of(plain), recent)
    return None


def resident_bytes() -> float:
    """Return how much of this process is in memory."""
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return float(int(pages) * os.sysconf("SC_PAGE_SIZE"))
