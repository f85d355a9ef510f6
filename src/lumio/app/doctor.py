"""What an operator should know about an installation before its users do.

Promise: it only looks; a finding says what is wrong and what to do.
"""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, NamedTuple

from lumio.accounts.store.withheld import WithheldStore
from lumio.accounts.withholding import Withholding
from lumio.audit.heads import HeadFile
from lumio.audit.reserve import BYTES
from lumio.authority.ledger_file import LedgerFile
from lumio.crypto import roots
from lumio.kernel.errors import Unavailable
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.dialect import SqliteDialect, choose
from lumio.storage.migrate import is_newest
from lumio.storage.unit import Units

Level = Literal["ok", "warning", "error"]


class Finding(NamedTuple):
    """One line of the doctor's."""

    level: Level
    about: str
    sentence: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what is found, one thing after the other."""
    yield _root(settings)
    yield _disk(settings)
    yield _heads(settings)
    yield _journal(settings)
    yield _volumes(settings)
    database = Database(settings.database_url)
    try:
        yield await _schema(database)
        yield await _rights(database)
        yield await _withheld(database)
    except Unavailable as error:
        yield Finding("error", "database", str(error.internal or error.public))
    finally:
        await database.close()


def _root(settings: Settings) -> Finding:
    try:
        if not settings.root_secret_file.exists():
            return Finding("warning", "root secret", "There is none yet; the first start makes it.")
        ring = roots.load(settings.root_secret_file)
    except (OSError, ValueError) as error:
        return Finding("error", "root secret", str(error))
    return Finding("ok", "root secret", f"readable by its owner alone; newest root: {ring.newest}")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_nearest(settings.data_dir)).free
    if free < 16 * BYTES:
        return Finding("warning", "disk", f"{free // 2**20} MiB are free; on a full disk every answer is 503.")
    return Finding("ok", "disk", f"{free // 2**30} GiB are free")


def _heads(settings: Settings) -> Finding:
    heads = HeadFile(settings.audit_heads)
    try:
        if not heads.path.exists():
            return Finding("warning", "audit heads", "No head has left the database yet: a cut tail would go unseen.")
        count = sum(1 for _ in heads.read())
    except OSError as error:
        return Finding("error", "audit heads", f"They cannot be read: {error}; see LUMIO_JOURNAL_DIR")
    return Finding("ok", "audit heads", f"{count} statements; copy {heads.path.name} to another machine now and then")


def _journal(settings: Settings) -> Finding:
    """Look at the journal of revocations without writing a line."""
    file = LedgerFile(settings.journal_dir)
    if not _takes_lines(file.path):
        sentence = f"{_nearest(file.path)} cannot be written, so revocations answer 503; see LUMIO_JOURNAL_DIR"
        return Finding("error", "journal", sentence)
    try:
        file.read_on()
    except OSError as error:
        return Finding("error", "journal", f"It cannot be read: {error}; see LUMIO_JOURNAL_DIR")
    if file.damaged:
        return Finding("error", "journal", f"{file.damaged} line(s) of {file.path} cannot be read")
    newest = "no revocation yet" if file.newest is None else f"newest revocation: {file.newest.seq}"
    return Finding("ok", "journal", f"{newest}; it must never be restored together with the database")


def _takes_lines(path: Path) -> bool:
    """Tell whether a line can be added to a file, or the file be made with its folders."""
    nearest = _nearest(path)
    fits = nearest.is_file() if nearest == path else nearest.is_dir()
    return fits and _may(nearest, os.W_OK)


def _nearest(path: Path) -> Path:
    """Return the path, or the nearest one above it that is there and can be seen."""
    return next(one for one in (path, *path.parents) if _may(one, os.F_OK))


def _may(path: Path, use: int) -> bool:
    """Ask as whom files are opened."""
    return os.access(path, use, effective_ids=os.access in os.supports_effective_ids)


def _volumes(settings: Settings) -> Finding:
    dialect = choose(settings.database_url)
    place = dialect.path if isinstance(dialect, SqliteDialect) else settings.data_dir
    if _volume(place) == _volume(settings.journal_dir):
        sentence = "Database and journal of revocations are on one: an accident takes both; see LUMIO_JOURNAL_DIR"
        return Finding("warning", "volumes", sentence)
    return Finding("ok", "volumes", "the journal of revocations is on another one than the database")


def _volume(path: Path) -> int:
    return _nearest(path).stat().st_dev


async def _withheld(database: Database) -> Finding:
    found = await Units(database, "").read(Withholding(WithheldStore()).all)
    if not found:
        return Finding("ok", "restore", "nothing is withheld")
    sentence = f"{len(found)} account(s), people or memberships are withheld since a restore; see: revocations list"
    return Finding("warning", "restore", sentence)


async def _schema(database: Database) -> Finding:
    if await is_newest(database):
        return Finding("ok", "schema", "the newest")
    return Finding("error", "schema", "The database lacks migrations; run: lumio-server migrate")


async def _rights(database: Database) -> Finding:
    if database.dialect.single_writer:
        return Finding("ok", "roles", "a file has no roles; keep copies of the audit heads on another machine")
    async with database.reading() as connection:
        may_change = await database.dialect.may_change_log(connection)
    if may_change:
        sentence = "One role does everything, changing sealed events included; see deploy/postgres/roles.sql"
        return Finding("warning", "roles", sentence)
    return Finding("ok", "roles", "the serving role only adds to the log; run purges with LUMIO_DATABASE_ADMIN_URL")
