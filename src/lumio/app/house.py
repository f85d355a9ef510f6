"""The house: all of it put together, opened and closed in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Litestar

from lumio.access.limit import FailureLimiter
from lumio.access.perform import Perform
from lumio.access.rates import RateLimiter
from lumio.app.audit_tools import AuditTools, audit_chores, audit_tools
from lumio.app.gauges import scrape_of
from lumio.app.ground import Ground, lay
from lumio.app.services import Services, doorkeeper, employ, make_stores
from lumio.app.web import open_door
from lumio.audit.exports import Exports
from lumio.audit.sealer import Sealer
from lumio.authority.interface import Authority
from lumio.crypto.hashing import KEY_COST, PASSWORD_COST, Cost, StretchPool, Tags
from lumio.crypto.notary import Notary
from lumio.crypto.proofs import Proofs
from lumio.kernel import clock
from lumio.kernel.board import POST_SECONDS
from lumio.login.service import Login
from lumio.settings import Settings
from lumio.storage import idempotency
from lumio.storage.database import Database
from lumio.storage.journal import Journal
from lumio.storage.rates import RateWindows
from lumio.storage.unit import Units
from lumio.surface.http.housekeeping import Chore, Chores
from lumio.surface.mail.sender import Sender as MailSender
from lumio.surface.mail.sender import choose
from lumio.system_keys.service import SystemKeys


@dataclass(slots=True)
class House:
    """Everything that lives as long as the process."""

    settings: Settings
    database: Database
    units: Units
    journal: Journal
    authority: Authority
    perform: Perform
    login: Login
    system_keys: SystemKeys
    limiter: FailureLimiter
    rates: RateLimiter
    passwords: StretchPool
    key_stretch: StretchPool
    sealer: Sealer
    notary: Notary
    exports: Exports
    chores: Chores
    web: Litestar
    asgi: Callable[[Any, Any, Any], Awaitable[None]]

    @asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        """Open databases and start the background work; close in the opposite order."""
        self.limiter.forget()
        self.rates.open()
        await self.database.open()
        await self.authority.open()
        await self.journal.open()
        await self.chores.start()
        try:
            yield self
        finally:
            await self.chores.stop()
            await self.rates.close()
            await self.journal.close()
            await self.authority.close()
            await self.database.close()
            self.close_pools()

    def close_pools(self) -> None:
        """End the threads that stretch secrets."""
        self.passwords.close()
        self.key_stretch.close()


def build(
    settings: Settings, *, password_cost: Cost = PASSWORD_COST, key_cost: Cost = KEY_COST, sealing: bool = True
) -> House:
    """Build the whole application; nothing is opened yet.

    Args:
        settings: what was read at start.
        password_cost: Argon2id parameters for passwords.
        key_cost: the same for system keys.
        sealing: seal the audit log in this process; False where another one does.
    """
    ground = lay(settings, password_cost, key_cost)
    stores = make_stores()
    tags, proofs = Tags(ground.ring), Proofs(ground.peppers, ground.key_stretch)
    services = employ(ground, stores, tags, proofs)
    authenticator = doorkeeper(ground, stores, services, tags, proofs)
    perform = Perform(
        ground.units, ground.journal, ground.authority, [services.accounts, services.admin, services.system_keys]
    )
    tools = audit_tools(settings, ground.database)
    web = open_door(ground, services, perform, authenticator, scrape_of(ground, tools.sealer))
    return House(
        settings=settings,
        database=ground.database,
        units=ground.units,
        journal=ground.journal,
        authority=ground.authority,
        perform=perform,
        login=services.login,
        system_keys=services.system_keys,
        limiter=ground.failures,
        rates=web.rates,
        passwords=ground.passwords,
        key_stretch=ground.key_stretch,
        sealer=tools.sealer,
        notary=ground.notary,
        exports=services.exports,
        chores=_chores(ground, services, tools, sealing=sealing),
        web=web.framework,
        asgi=web.asgi,
    )


def _chores(ground: Ground, services: Services, tools: AuditTools, *, sealing: bool) -> Chores:
    """Return what runs again and again, with its pause in seconds."""
    settings, units = ground.settings, ground.units
    mailer = MailSender(ground.outbox, choose(settings.smtp_url, settings.mail_dir), settings.mail_from)
    windows = RateWindows(ground.database)
    tidying: Sequence[Chore] = (  # once per host: whoever replaces worker 1 gets its number
        (600, lambda: windows.forget(int(clock.now().timestamp()))),
        (3600, lambda: units.run(idempotency.forget_old)),
        (3600, services.guesses.sweep),
        (3600, lambda: services.codes.sweep(units)),
        (3600, services.versions.sweep),
    )
    return Chores([
        (0.5, mailer.run_once),
        (POST_SECONDS, lambda: asyncio.to_thread(ground.board.post, ground.metrics.figures())),
        (5, lambda: services.keys.flush(units)),
        (5, lambda: services.popouts.flush(units)),
        (5, lambda: services.system_keys.flush(units)),
        (5, lambda: services.sessions.flush(units)),
        (5, ground.authority.tidy),
        *(audit_chores(tools) if sealing else ()),
        *(tidying if settings.worker == 1 else ()),
    ])  # fmt: skip
