"""Signed heads of the chain outside the database: an append-only file beside the journal of revocations.

Promise: a head is on disk before the database notes that it left, so the file is never behind what the log says.
Whoever copies this file to another machine can prove later that nothing before its last line was changed or cut.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PRIVATE = 0o600


class HeadFile:
    """One JSON object a line, oldest first."""

    def __init__(self, path: Path) -> None:
        """Keep the path; the file is made with the first line."""
        self.path = path

    def move_from(self, former: Path) -> None:
        """Take over the file from where it was before; a file that is here already stays, and so does the other."""
        if self.path.exists() or not former.exists():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            former.rename(self.path)
        except FileNotFoundError:
            return  # another process was faster
        except OSError:  # another disk
            half = self.path.with_name(f"{self.path.name}.half")
            _copy(former, half)
            half.rename(self.path)
            former.unlink(missing_ok=True)
        _keep_names(self.path.parent)

    def append(self, statement: Mapping[str, Any]) -> None:
        """Write one line and wait until it is on disk. Raises OSError."""
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE)
        try:
            os.write(place, json.dumps(statement, sort_keys=True).encode() + b"\n")
            os.fsync(place)
        finally:
            os.close(place)
        if new:
            _keep_names(self.path.parent)

    def read(self) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
        """Yield each line's number and its statement, or None for a line that is none. Raises OSError.

        A last line without its line feed was cut off by a crash in the middle of its writing: it is left out.
        """
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    statement = json.loads(line)
                except ValueError:
                    statement = None
                yield number, statement if isinstance(statement, dict) else None


def _copy(source: Path, target: Path) -> None:
    made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with source.open("rb") as old, os.fdopen(made, "wb") as new:
        shutil.copyfileobj(old, new)
        new.flush()
        os.fsync(new.fileno())


def _keep_names(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
