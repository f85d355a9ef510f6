"""Guessing limits on passwords (spec: credentials, section 7).

Promise: a guess is counted before it is checked, so parallel guesses cannot slip past; nobody is locked out
by name alone, since the tight limit is per name *and* address and the wide one spares known addresses.
"""

from datetime import timedelta

from lumio.access.tallies import address_group
from lumio.accounts.model import mail_key
from lumio.crypto.hashing import Peppers
from lumio.kernel import clock
from lumio.kernel.errors import Limited
from lumio.login.store import LoginStore
from lumio.storage.unit import Unit, Units

NEAR_LIMIT, NEAR_WINDOW = 10, timedelta(minutes=15)
WIDE_LIMIT, WIDE_WINDOW = 100, timedelta(days=1)


class Guesses:
    """Counts tries of passwords, for known and unknown names alike."""

    def __init__(self, store: LoginStore, peppers: Peppers, units: Units) -> None:
        """Keep counts in `store`; names are kept as fingerprints."""
        self._store = store
        self._peppers = peppers
        self._units = units

    def name(self, email: str) -> str:
        """Return what stands for a typed address: never the address itself."""
        return self._peppers.make("guess/" + mail_key(email)).digest.hex()

    async def count(self, email: str, ip: str | None, *, known_address: bool) -> None:
        """Count one try.

        Raises:
            Limited: too many from here, or too many in all from addresses that the person never used.
        """
        who, address, moment = self.name(email), address_group(ip), clock.now()

        async def step(unit: Unit) -> None:
            await unit.lock(shared=(), exclusive=(f"guess:{who}",))
            near = await self._store.guesses_since(unit, who, moment - NEAR_WINDOW, address)
            if near >= NEAR_LIMIT:
                raise Limited(int(NEAR_WINDOW.total_seconds()), _NEAR, limit=NEAR_LIMIT, window=900)
            wide = await self._store.guesses_since(unit, who, moment - WIDE_WINDOW)
            if wide >= WIDE_LIMIT and not known_address:
                raise Limited(3600, _WIDE, limit=WIDE_LIMIT, window=86400)
            await self._store.add_guess(unit, who, address)

        await self._units.run(step)

    async def forgive(self, unit: Unit, email: str, ip: str | None = None) -> None:
        """Forget the tries from an address after the right password; all of them after a reset."""
        await self._store.forget_guesses(unit, self.name(email), address_group(ip) if ip else None)

    async def sweep(self) -> None:
        """Delete what no limit counts any more."""
        await self._units.run(lambda unit: self._store.forget_old_guesses(unit, clock.now() - WIDE_WINDOW))


_NEAR = "Too many tries from this address. Wait 15 minutes, or reset the password by mail."
_WIDE = "Too many tries today. Reset the password by mail to get in."
