"""`lumio-server serve`: migrate, offer the set-up link, then run the web server and the processes beside it.

Promise: what is beside it is there before the first worker and ends after the last.
"""

import asyncio
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog

from lumio import settings as settings_module
from lumio.app import at_work, build
from lumio.app.ground import place_of
from lumio.audit.reserve import Reserve
from lumio.authority.choice import lacks_standby
from lumio.authority.ledger_file import LedgerFile
from lumio.kernel.errors import Unavailable
from lumio.server import logs
from lumio.server.companion import Companion
from lumio.server.run_folder import RunFolder
from lumio.server.sealing import seal
from lumio.server.web_server import serve
from lumio.server.writing import listen, write
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.dialect import SqliteDialect, choose
from lumio.storage.migrate import upgrade

log = structlog.get_logger()


def run(settings: Settings, host: str, port: int) -> int:
    """Serve until a signal; return the exit code."""
    logs.set_up(settings.log_level)
    try:
        link = _prepare(settings)
        if link is not None:
            sys.stdout.write(f"Nobody operates this installation yet. Open this link, once:\n{link}\n")
        sys.stdout.write(f"Lumio serves on {settings.public_url}\n")
        sys.stdout.flush()
        with RunFolder(settings.data_dir) as folder:
            settings_module.hand_to_workers(port=port, run_dir=folder.path)
            _serve(replace(settings, run_dir=folder.path), folder.path, host, port)
    except (OSError, ValueError, Unavailable) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _prepare(settings: Settings) -> str | None:
    """Bring the installation into shape; return the link that makes its first operator, where there is none."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(upgrade(settings.database_admin_url))
    if not Reserve(settings.audit_reserve).keep():
        log.warning("the disk has no room for the reserve that a purge needs when it is full")
    _make_journal(settings)
    link = asyncio.run(_offer_set_up(settings))
    if asyncio.run(lacks_standby(Database(settings.database_url), place_of(settings))):
        message = "LUMIO_PG_FAILOVER is sync, and synchronous_standby_names of the server is empty"
        raise ValueError(message)
    return link


def _serve(settings: Settings, folder: Path, host: str, port: int) -> None:
    if settings.workers > 1:  # every worker inherits what building teaches the libraries, and starts twice as fast
        build(settings, sealing=False).close_pools()
    beside = [*_writer(settings, folder), Companion("sealer", seal, settings)]
    try:
        serve(settings, host, port)
    finally:
        for companion in beside:  # the writer first: what it wrote last is sealed then
            companion.stop()


def _writer(settings: Settings, folder: Path) -> list[Companion]:
    """Start what several workers on one SQLite file need: one process that writes the journal for all of them."""
    dialect = choose(settings.database_url)
    if settings.workers == 1 or not isinstance(dialect, SqliteDialect):
        return []
    work = partial(write, listening=listen(folder), path=dialect.path)
    return [Companion("journal writer", work, settings)]


def _make_journal(settings: Settings) -> None:
    """See that the journal of revocations can be written, and mend what a crash left: without it none is answered."""
    try:
        LedgerFile(settings.journal_dir).append(())
    except OSError as error:
        message = f"{error}: the journal of revocations, in the folder LUMIO_JOURNAL_DIR, cannot be written"
        raise ValueError(message) from error


async def _offer_set_up(settings: Settings) -> str | None:
    """Return the one-time link that makes the first operator, on an installation without one.

    The staff comes to work when what a restored database lacks is made good, and so before any worker.
    """
    async with at_work(settings) as staff:
        code = await staff.units.run(staff.services.login.offer_set_up)
    return None if code is None else f"{settings.public_url}/setup/{code}"
