"""The file of revocations outside the database: one JSON object a line, in the order in which they were noted.

Promise: what `append` was given is on disk when it returns, once; a line that a crash cut off is taken away before
the next one is written, and is no harm to a reader.
"""

import fcntl
import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lumio.authority.subjects import Effect, Ending, Entry, Subject, SubjectKind
from lumio.kernel import clock

NAME = "revocations.ndjson"
FOLDER_MODE, FILE_MODE = 0o700, 0o600
LOCK_SECONDS, LOCK_PAUSE = 2.0, 0.005
PIECE = 1024 * 1024
RECENT = 10_000
"""How many of the last lines are known by heart: nobody notes an older row again."""


class Line(Struct, frozen=True):
    """A row of the feed as the file has it; `at` is RFC 3339 with microseconds. There is no secret in it."""

    epoch: int
    seq: int
    kind: SubjectKind
    id: str
    effect: Effect
    at: datetime
    actor: str
    reason: str


_decode = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode


class LedgerFile:
    """Shared by every process of a host; each call may block for a moment, and raises OSError."""

    def __init__(self, folder: Path) -> None:
        """Keep the path; folder and file are made with the first line."""
        self.path = folder / NAME
        self.newest: Entry | None = None
        """The row with the highest epoch, and in it with the highest number, of what was read so far."""
        self.damaged = 0
        """How many lines could not be read."""
        self._inode, self._offset = (0, 0), 0
        self._recent: OrderedDict[Any, None] = OrderedDict()

    def append(self, rows: Sequence[Entry]) -> None:
        """Write the rows that are not there yet, and wait until all of them are on disk."""
        with self._locked() as file:
            self._read_on(file)
            end = _mend(file)
            missing = {row.identity: row for row in rows if row.identity not in self._recent}
            try:
                _write_all(file, b"".join(map(_line, missing.values())))
                os.fsync(file)
            except OSError:
                os.ftruncate(file, end)  # what may not be on disk is written again, not taken for written
                raise

    def read_on(self) -> None:
        """Read what was written since the last time; `newest` is true then. A missing file has no lines."""
        if not self.path.exists():
            self.forget()
            return
        with self._locked() as file:
            self._read_on(file)

    def rows(self) -> Iterator[Entry]:
        """Yield every row, oldest first."""
        if self.path.exists():
            with self.path.open("rb") as file:
                yield from (row for row in map(_row, file) if row is not None)

    def forget(self) -> None:
        """Know nothing: what lies at the path now may be another file."""
        self.newest, self.damaged, self._inode, self._offset = None, 0, (0, 0), 0
        self._recent.clear()

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Open the file with nobody else writing in it. Raises TimeoutError when somebody sits on it."""
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            _lock(file)
            if new:
                _keep_name(self.path.parent)
            yield file
        finally:
            os.close(file)

    def _read_on(self, file: int) -> None:
        found = os.fstat(file)
        if (found.st_dev, found.st_ino) != self._inode or found.st_size < self._offset:
            self.forget()
            self._inode = (found.st_dev, found.st_ino)
        rest = b""
        while piece := os.pread(file, PIECE, self._offset + len(rest)):
            whole, line_feed, rest = (rest + piece).rpartition(b"\n")
            self._offset += len(whole) + len(line_feed)
            for line in whole.split(b"\n") if line_feed else ():
                self._take(_row(line + b"\n"))

    def _take(self, row: Entry | None) -> None:
        if row is None:
            self.damaged += 1
            return
        if self.newest is None or (row.epoch, row.seq) > (self.newest.epoch, self.newest.seq):
            self.newest = row
        self._recent[row.identity] = None
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)


def _line(row: Entry) -> bytes:
    ending, subject = row.ending, row.ending.subject
    line = Line(row.epoch, row.seq, subject.kind, subject.id, ending.effect, row.at, ending.actor, ending.reason)
    return _encode(line) + b"\n"


def _row(line: bytes) -> Entry | None:
    """Return the row of a line; None for one that is none, the one that a crash cut off among them."""
    if not line.endswith(b"\n"):
        return None
    try:
        found = _decode(line)
    except msgspec.DecodeError:
        return None
    ending = Ending(Subject(found.kind, found.id), found.effect, found.actor, found.reason)
    return Entry(found.seq, ending, found.at, found.epoch)


def _lock(file: int) -> None:
    until = clock.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock.monotonic() >= until:
                message = "another process keeps the journal of revocations locked"
                raise TimeoutError(message) from None
            clock.sleep(LOCK_PAUSE)
        else:
            return


def _mend(file: int) -> int:
    """Cut off what follows the last line feed; return where the file ends then."""
    end = size = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - PIECE)
        cut = os.pread(file, end - start, start).rfind(b"\n")
        if cut >= 0:
            end = start + cut + 1
            break
        end = start
    if end != size:
        os.ftruncate(file, end)
    return end


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _keep_name(folder: Path) -> None:
    """Wait until the name of a new file is on disk too."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
