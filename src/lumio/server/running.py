"""`lumio-server serve`: migrate, offer the set-up link, then run the web server and bring it back when it dies.

The web server replaces a worker that dies, but takes two deaths within seconds for a crash loop and ends;
this parent starts it again with a growing pause.
"""

import asyncio
import sys
from contextlib import suppress

import structlog
from granian import Granian
from granian.constants import Interfaces

from lumio.app import at_work
from lumio.app.ground import place_of
from lumio.audit.reserve import Reserve
from lumio.authority.choice import lacks_standby
from lumio.authority.ledger_file import LedgerFile
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.server import logs
from lumio.server.sealing import SealingProcess
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.migrate import upgrade

log = structlog.get_logger()
PAUSE_FIRST, PAUSE_LONGEST, STEADY = 0.5, 30.0, 60.0


def run(settings: Settings, host: str, port: int) -> int:
    """Serve until a signal; return the exit code."""
    logs.set_up(settings.log_level)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        asyncio.run(upgrade(settings.database_admin_url))
        if not Reserve(settings.audit_reserve).keep():
            log.warning("the disk has no room for the reserve that a purge needs when it is full")
        _make_journal(settings)
        link = asyncio.run(_offer_set_up(settings))
        if asyncio.run(lacks_standby(Database(settings.database_url), place_of(settings))):
            message = "LUMIO_PG_FAILOVER is sync, and synchronous_standby_names of the server is empty"
            raise ValueError(message)
    except (OSError, ValueError, Unavailable) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if link is not None:
        sys.stdout.write(f"Nobody operates this installation yet. Open this link, once:\n{link}\n")
    sys.stdout.write(f"Lumio serves on {settings.public_url}\n")
    sys.stdout.flush()
    sealing = SealingProcess(settings)
    try:
        _serve(host, port)
    finally:
        sealing.stop()
    return 0


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


def _serve(host: str, port: int) -> None:
    pause = PAUSE_FIRST
    while True:
        started = clock.monotonic()
        server = Granian(
            "lumio.server.serving:application",
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            workers=1,
            factory=True,
            respawn_failed_workers=True,
            log_enabled=False,
            websockets=False,
            workers_kill_timeout=10,
        )
        with suppress(SystemExit):  # how the web server reports that a worker ended badly
            server.serve()
        if server.interrupt_signal:
            return
        pause = PAUSE_FIRST if clock.monotonic() - started > STEADY else min(PAUSE_LONGEST, pause * 2)
        log.error("the web server ended; starting it again", pause=pause)
        clock.sleep(pause)
