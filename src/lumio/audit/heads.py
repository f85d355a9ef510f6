"""Signed heads of the chain outside the database: an append-only file beside the journal.

Promise: a head is on disk before the database notes that it left, so the file is never behind what the log says.
Whoever copies this file to another machine can prove later that nothing before its last line was changed or cut.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PRIVATE = 0o600


class HeadFile:
    """One JSON object a line, oldest first."""

    def __init__(self, path: Path) -> None:
        """Keep the path; the file is made with the first line."""
        self.path = path

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
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

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
