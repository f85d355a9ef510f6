"""A sealed log to be judged: events of two accounts, heads outside, and a hand that reaches behind the house."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lumio.audit.heads import HeadFile
from lumio.audit.retention import Retention
from lumio.audit.sealer import Sealer
from lumio.audit.store.retention import RetentionStore
from lumio.audit.store.sealing import SealStore
from lumio.audit.store.verifying import VerifyStore
from lumio.audit.verdict import Verdict
from lumio.audit.verification import Verification
from lumio.crypto.notary import Notary
from lumio.kernel import clock
from lumio.storage.sealed import chain, log, seal
from tests.support.ground import Ground, fact

ACCOUNTS = ("account-a", "account-b")


class Log:
    """A sealed log of forty events of two accounts, with heads outside."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.notary = Notary(ground.ring)
        self.heads = HeadFile(ground.settings.audit_heads)
        self.sealer = Sealer(SealStore(ground.database.dialect), ground.units, self.notary, self.heads)
        self.minutes = 0
        self.last = 0

    async def fill(self, monkeypatch: pytest.MonkeyPatch, many: int = 40) -> None:
        """Record, seal, and let a head leave."""
        for number in range(many):
            event = fact(label=f"thing {number}")
            object.__setattr__(event, "account_id", ACCOUNTS[number % 2])
            self.ground.journal.begin(event)
        await self.ground.journal.append(fact("thing.last"))
        self.minutes += 2
        later = clock.now() + timedelta(minutes=self.minutes)
        with monkeypatch.context() as patched:
            patched.setattr(clock, "now", lambda: later)
            await self.seal()

    async def seal(self) -> None:
        """Seal everything and remember the last position."""
        await self.sealer.run(everything=True)
        (place,) = await self.ground.rows(select(chain.c.position))
        self.last = int(place[0])

    async def verify(self, heads: HeadFile | None = None) -> Verdict:
        units = self.ground.units
        return await Verification(units, VerifyStore(), self.notary.public_keys).everything(heads or self.heads)

    @property
    def retention(self) -> Retention:
        """The purge of this log."""
        units, keys = self.ground.units, self.notary.public_keys
        return Retention(units, RetentionStore(), Verification(units, VerifyStore(), keys), self.notary, self.heads)

    async def verify_account(self, account: str) -> Verdict:
        return await Verification(self.ground.units, VerifyStore(), self.notary.public_keys).account(account)

    async def hold(self, account_id: str) -> None:
        """Put an account on hold."""
        await self.ground.units.run(lambda unit: RetentionStore().place_hold(unit, account_id, "a lawsuit"))

    async def do(self, *statements: Any) -> None:
        """Change the database behind everybody's back."""

        async def step(unit: Any) -> None:
            for statement in statements:
                await unit.execute(statement)

        await self.ground.units.run(step)

    async def row(self, position: int) -> dict[str, Any]:
        (row,) = await self.ground.rows(select(log).where(log.c.position == position))
        return dict(row._mapping)

    async def place(self, position: int) -> dict[str, Any]:
        (row,) = await self.ground.rows(select(seal).where(seal.c.position == position))
        return dict(row._mapping)


class Clocks:
    """Every clock of the house, moved by hand; `boot` is a machine that was just started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = clock.now()
        self.uptime = 86_400.0
        self.boot_id = "boot-1"
        monkeypatch.setattr(clock, "now", lambda: self.wall)
        monkeypatch.setattr(clock, "boottime", lambda: self.uptime)
        monkeypatch.setattr(clock, "boot", lambda: self.boot_id)

    def passes(self, **span: float) -> None:
        """Let time go by."""
        step = timedelta(**span)
        self.wall += step
        self.uptime += step.total_seconds()

    def jump(self, **span: float) -> None:
        """Set the wall clock wrong."""
        self.wall += timedelta(**span)

    def reboot(self, name: str) -> None:
        """Start the machine again."""
        self.boot_id, self.uptime = name, 60.0
