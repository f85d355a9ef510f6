"""Copies of an SQLite database: taken while a server writes, put back while none does.

Promise: a copy is one whole state, in a file that only its owner can read; a database that somebody has open is never
replaced, and the replaced one is kept.
"""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lumio.kernel import clock
from lumio.kernel.errors import Unavailable

PRIVATE = 0o600
LOCK_BYTE, LOCK_BYTES = 0x40000000, 512
"""Where SQLite has its locks in every database file (its file format, section 1.2.5): who has it open holds some."""
NEEDED = {"alembic_version", "revocation_counter"}


class NotACopy(ValueError):
    """The file is no database of ours, or not a whole one; the text says why."""


class InUse(RuntimeError):
    """Somebody has the database open."""


def take(database: Path, target: Path) -> None:
    """Copy the present state of a database into a new file.

    Raises:
        FileExistsError: there is something at `target`.
        OSError, Unavailable: it cannot be read or written; nothing is left at `target`.
    """
    if not database.exists():
        raise FileNotFoundError(f"{database}: there is no database")
    if target.exists():
        raise FileExistsError(f"{target}: there is a file already")
    half = target.with_name(f"{target.name}.half")
    os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE))
    half.chmod(PRIVATE)
    try:
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(half)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
        _settle(half, target)
    except sqlite3.Error as error:
        raise Unavailable(f"{database}: {error}") from error
    finally:
        half.unlink(missing_ok=True)


def check(copy: Path) -> None:
    """Look whether a file is a whole copy of a database of ours.

    Raises:
        NotACopy: it is not.
        OSError: it cannot be read.
    """
    beside = copy.with_name(f"{copy.name}-wal")
    if beside.exists() and beside.stat().st_size:
        raise NotACopy(f"{copy}: half of it is in {beside.name}, so it was copied from a server that ran")
    with copy.open("rb"):
        pass
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            names = {str(row[0]) for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            verdict = opened.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise NotACopy(f"{copy}: {error}") from error
    if not names >= NEEDED:
        raise NotACopy(f"{copy}: not a database of this program")
    if verdict != "ok":
        raise NotACopy(f"{copy}: damaged: {verdict}")


def put_back(copy: Path, database: Path) -> Path | None:
    """Put a copy in the place of a database; return where the replaced one is kept, None when there was none.

    Raises:
        InUse: somebody has the database open.
        OSError: it cannot be read or written; the database is the one that it was.
    """
    fresh = database.with_name(f"{database.name}.half")
    try:
        with _alone(database):
            _copy(copy, fresh)
            kept = _set_aside(database)
            _settle(fresh, database)
            return kept
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Keep everybody else out of a database, whatever state it is in. Raises InUse."""
    if not database.exists():
        yield
        return
    opened = os.open(database, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_BYTES, LOCK_BYTE)
        yield
    except BlockingIOError:
        raise InUse(f"{database}: a server, or another program, has it open; stop it first") from None
    finally:
        os.close(opened)


def _set_aside(database: Path) -> Path | None:
    """Give the database, with what is beside it, a name of its own as well."""
    if not database.exists():
        return None
    kept = database.with_name(f"{database.name}.replaced-{clock.now():%Y%m%dT%H%M%SZ}")
    os.link(database, kept)
    beside = database.with_name(f"{database.name}-wal")
    if beside.exists():
        beside.rename(kept.with_name(f"{kept.name}-wal"))
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    return kept


def _copy(source: Path, target: Path) -> None:
    made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with source.open("rb") as old, os.fdopen(made, "wb") as new:
        shutil.copyfileobj(old, new, 1024 * 1024)


def _settle(half: Path, target: Path) -> None:
    """Make a file durable, and then its name."""
    _sync(half)
    half.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
