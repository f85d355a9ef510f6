"""Shows how far an upload is: a bar on a terminal, lines with a time in front everywhere else.

Promise: what is shown counts bytes handed to the connection, and showing it never changes the upload.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from lumio.cli.output import Output

_STEP = 25  # per cent between two lines in a log

Advance = Callable[[int], None]


class CountedFile:
    """A file that reports how much of it was read; a rewind is reported too."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file = file
        self._advance = advance
        self._reported = 0

    def read(self, size: int = -1) -> bytes:
        """Read and report."""
        chunk = self._file.read(size)
        self._report(self._reported + len(chunk))
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; a move to the start is a new attempt and takes back what was reported."""
        if offset == 0 and whence == 0:
            self._report(0)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def _report(self, position: int) -> None:
        if position != self._reported:
            self._advance(position - self._reported)
            self._reported = position


def size_text(size: int) -> str:
    """Return a size in bytes as words with a binary unit."""
    if size < 1024:  # noqa: PLR2004 - one KiB
        return f"{size} B"
    if size < 1024**2:
        return f"{size / 1024:.1f} KiB"
    return f"{size / 1024**2:.1f} MiB"


class Meter:
    """Counts what was sent; `complete` tells whether everything was."""

    def __init__(self, total: int, show: Advance) -> None:
        self.total = total
        self.sent = 0
        self._show = show

    def advance(self, count: int) -> None:
        """Take note of `count` more bytes (fewer, when negative)."""
        self.sent += count
        self._show(count)

    @property
    def complete(self) -> bool:
        """Tell whether every byte was handed over."""
        return self.sent >= self.total


def _lines(out: Output, total: int) -> Advance:
    sent, spoken = 0, 0

    def show(count: int) -> None:
        nonlocal sent, spoken
        sent += count
        step = (100 * sent // total if total else 100) // _STEP * _STEP
        if step > spoken:
            out.stamped(f"Sent {step} % of {size_text(total)}")
        spoken = step

    return show


@contextmanager
def metered(out: Output, total: int) -> Iterator[Meter]:
    """Show the progress of sending `total` bytes while the block runs."""
    if not out.draws:
        yield Meter(total, _lines(out, total))
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("Uploading"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=out.stderr), transient=True) as bar:
        task = bar.add_task("upload", total=total)
        yield Meter(total, lambda count: bar.advance(task, count))
