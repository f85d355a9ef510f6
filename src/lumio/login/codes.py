"""One-time codes: set-up, mail verification, password reset. Each works once, and only until it expires."""

from datetime import timedelta
from typing import Any

from lumio.crypto import opaque
from lumio.crypto.hashing import Fingerprint, Peppers
from lumio.kernel import clock
from lumio.kernel.errors import NotFound
from lumio.login.model import Waiting
from lumio.login.store import LoginStore
from lumio.storage.unit import Unit, Units, View

LIFETIMES = {
    opaque.SET_UP: timedelta(days=7),
    opaque.MAIL_VERIFICATION: timedelta(days=1),
    opaque.PASSWORD_RESET: timedelta(minutes=15),
}


class Codes:
    """Issue and spend codes; the database keeps fingerprints."""

    def __init__(self, store: LoginStore, peppers: Peppers) -> None:
        """Work on `store`."""
        self._store = store
        self._peppers = peppers

    async def issue(self, unit: Unit, purpose: str, user_id: str | None) -> str:
        """Return a new code; every older one for the same person and purpose is dead."""
        await self._store.cancel(unit, purpose, user_id)
        return await self._add(unit, purpose, user_id)

    async def issue_for(self, unit: Unit, user_id: str, sign_up: Waiting) -> str:
        """Return a new code that confirms this sign-up; those of other sign-ups with the address stay as they are."""
        return await self._add(unit, opaque.MAIL_VERIFICATION, user_id, sign_up)

    async def _add(self, unit: Unit, purpose: str, user_id: str | None, sign_up: Waiting | None = None) -> str:
        code = opaque.mint(purpose)
        kept, expires = self._peppers.make(code.text), clock.now() + LIFETIMES[purpose]
        await self._store.add_code(unit, purpose, code.lookup_id, kept, user_id, expires, sign_up)
        return code.text

    async def look(self, view: View, purpose: str, text: str) -> Any:
        """Return a code's row without spending it.

        Raises:
            NotFound: unknown, used, or expired; all look the same.
        """
        code = opaque.parse(text, purpose)
        row = await self._store.code(view, purpose, code.lookup_id) if code else None
        if row is None or not self._peppers.matches(text, Fingerprint(row.pepper_v, row.digest)):
            raise NotFound("This link is not valid any more.", internal="one-time code refused")
        return row

    async def spend(self, unit: Unit, purpose: str, text: str) -> Any:
        """Use a code up; return its row: the person it was for, and the sign-up that it confirms."""
        row = await self.look(unit, purpose, text)
        if not await self._store.spend(unit, row.id):
            raise NotFound("This link is not valid any more.", internal="one-time code used twice")
        return row

    async def cancel(self, unit: Unit, purpose: str, user_id: str | None) -> None:
        """Make every open code of a person for one purpose useless."""
        await self._store.cancel(unit, purpose, user_id)

    async def sweep(self, units: Units) -> None:
        """Delete what has expired."""
        await units.run(lambda unit: self._store.forget_old_codes(unit, clock.now()))
