"""The entrance: from what a request carries to who asks, and the last look before its answer leaves.

Promise: every way in, the framework's and the direct one, passes through here; an answer leaves only when its
authentication is on disk and its credential is still good.
"""

from typing import Any

from lumio.access.authenticator import Authenticator
from lumio.access.kinds import Presented
from lumio.access.principal import Asker
from lumio.kernel.errors import LumioError, Unauthenticated
from lumio.storage.journal import Pending
from lumio.surface.http.carrier import Carried
from lumio.surface.http.origin import Networks, Origins
from lumio.surface.http.rating import Headers, Rating


class Visit:
    """One request whose sender is known; that its credential has ended is found and recorded once."""

    __slots__ = ("_authenticator", "_durable", "_found", "asker", "rates")

    def __init__(
        self, authenticator: Authenticator, durable: Pending | None, asker: Asker, found: list[Presented]
    ) -> None:
        """Keep what was found for the last look; `rates` are the headers that tell of the limit."""
        self._authenticator = authenticator
        self._durable = durable
        self._found = found
        self.asker = asker
        self.rates: Headers = []

    @property
    def presented(self) -> bool:
        """Whether there is a credential that could end."""
        return bool(self._found)

    async def check(self) -> None:
        """Raise Unauthenticated when the credential has ended by another's hand."""
        asker, outcome = self.asker, self.asker.outcome
        if not outcome.end_recorded and not outcome.ended_self:
            if self._authenticator.stands(asker.principal):
                return
            good = await self._authenticator.still_good(asker.principal, self._found, asker.origin)
            outcome.end_recorded = not good
        if outcome.end_recorded:
            raise Unauthenticated(internal="revoked_in_flight")

    async def on_disk(self) -> None:
        """Wait until the authentication is on disk. Raises Unavailable when it is not in time."""
        if self._durable is not None:
            await self._durable

    async def late_check(self) -> None:
        """Wait until the authentication is on disk, then check (I6)."""
        await self.on_disk()
        await self.check()


class Entrance:
    """Lets requests in."""

    def __init__(self, authenticator: Authenticator, rating: Rating, trusted: Networks) -> None:
        """Ask `authenticator`, count by `rating`; believe the proxies in `trusted` about addresses."""
        self._authenticator = authenticator
        self._rating = rating
        self._origins = Origins(trusted)

    async def admit(self, scope: Any, *, forwarded: bool = False, rate: str | None = None) -> Visit:
        """Return who asks; an answer that refuses them by count waits for their authentication like any other.

        Args:
            scope: the request (ASGI).
            forwarded: the address answers for another one, which a trusted proxy names.
            rate: the rule of this address, beside that of the kind of credential.

        Raises:
            LumioError: nobody may come in so, or it cannot be known.
        """
        client = scope.get("client")
        carried = Carried(scope["path"], scope["headers"], scope.get("query_string", b""))
        where = self._origins.of(client, carried.forwarded_for, carried.agent, scope["state"]["request_id"])
        found = carried.found
        if forwarded and self._origins.from_proxy(client):
            found += carried.forwarded()
        principal, durable = await self._authenticator.authenticate(found, where, carried.account)
        visit = Visit(self._authenticator, durable, Asker(principal, where), found)
        rates = self._rating.count_now(principal, where.ip, rate)
        if rates is not None:
            visit.rates = rates
            return visit
        try:
            visit.rates = await self._rating.count(principal, where.ip, rate)
        except LumioError:
            await visit.on_disk()
            raise
        return visit
