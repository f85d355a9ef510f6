"""Rate limits per kind of credential and per group of addresses (product C5).

Promise: a credential never gets more than its limit in a window, however many workers and nodes serve it.
Each worker draws leases of a twentieth of the limit from the database, so most requests touch memory only;
what a worker drew and did not use is lost to the others, which is at most that twentieth each.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lumio.access.kinds import Kind
from lumio.access.principal import Principal
from lumio.access.tallies import address_group
from lumio.kernel import clock
from lumio.kernel.errors import Limited

MINUTE, HOUR = 60, 3600
LEASES = 20
REMEMBERED_MAX = 50_000


class Rule(NamedTuple):
    """At most `limit` requests in a window of `seconds`; `name` appears in the headers."""

    name: str
    limit: int
    seconds: int = MINUTE


class Standing(NamedTuple):
    """What is left of a window: for the `RateLimit` headers (draft-ietf-httpapi-ratelimit-headers-10)."""

    rule: Rule
    left: int
    resets_in: int


@dataclass(slots=True)
class _Lease:
    starts: int
    left: int
    taken: int


class Windows(Protocol):
    """Where leases are drawn from."""

    async def draw(self, name: str, starts: int, ends: int, portion: int, limit: int) -> tuple[int, int]:
        """Return how many were granted and how many are taken in all."""
        ...


class RateLimiter:
    """Counts requests per credential, and anonymous ones per address group."""

    def __init__(self, windows: Windows, limits: Mapping[Kind, int]) -> None:
        """Draw from `windows`; a kind without a limit is not counted."""
        self._windows = windows
        self._rules = {kind: Rule(kind.value, limit) for kind, limit in limits.items()}
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._drawing: dict[str, asyncio.Task[None]] = {}

    def rule_of(self, kind: Kind) -> Rule | None:
        """Return the rule of a kind of credential, or None where there is no limit."""
        return self._rules.get(kind)

    def spend_now(self, rule: Rule, subject: str) -> Standing | None:
        """Count one use of `rule` by `subject` out of what was drawn already; None when more must be drawn first."""
        seconds = clock.micros() // 1_000_000
        into = seconds % rule.seconds
        lease = self._current(f"{rule.name}/{subject}", seconds - into)
        if lease.left == 0:
            return None
        lease.left -= 1
        return Standing(rule, max(0, rule.limit - lease.taken) + lease.left, rule.seconds - into)

    async def spend(self, rule: Rule, subject: str) -> Standing:
        """Count one use of `rule` by `subject`. Raises Limited when nothing is left in this window."""
        found = self.spend_now(rule, subject)
        if found is not None:
            return found
        seconds = int(clock.now().timestamp())
        starts = seconds - seconds % rule.seconds
        name = f"{rule.name}/{subject}"
        lease = self._current(name, starts)
        if lease.left == 0:
            await self._draw(rule, name, lease)
        resets_in = starts + rule.seconds - seconds
        if lease.left == 0:
            raise Limited(resets_in, limit=rule.limit, window=rule.seconds, policy=rule.name)
        lease.left -= 1
        return Standing(rule, max(0, rule.limit - lease.taken) + lease.left, resets_in)

    def _current(self, name: str, starts: int) -> _Lease:
        lease = self._leases.get(name)
        if lease is None or lease.starts != starts:
            lease = self._leases[name] = _Lease(starts, 0, 0)
            if len(self._leases) > REMEMBERED_MAX:
                self._leases.popitem(last=False)
        self._leases.move_to_end(name)
        return lease

    async def _draw(self, rule: Rule, name: str, lease: _Lease) -> None:
        """Draw the next lease; requests that come meanwhile share the draw, and its failure when it fails."""
        while not lease.left and lease.taken < rule.limit:
            drawing = self._drawing.get(name)
            if drawing is None:
                drawing = self._drawing[name] = asyncio.create_task(self._fetch(rule, name, lease))
                drawing.add_done_callback(_looked_at)
            await asyncio.shield(drawing)

    async def _fetch(self, rule: Rule, name: str, lease: _Lease) -> None:
        try:
            portion = max(1, rule.limit // LEASES)
            ends = lease.starts + rule.seconds
            granted, lease.taken = await self._windows.draw(name, lease.starts, ends, portion, rule.limit)
            lease.left += granted
        finally:
            del self._drawing[name]


def _looked_at(drawing: "asyncio.Task[None]") -> None:
    """Take note of a failure, so that one nobody waited for is no warning."""
    if not drawing.cancelled():
        drawing.exception()


def who(principal: Principal, address: str | None) -> str:
    """Return whom a limit counts for: the credential, or the address group of somebody without one."""
    if principal.kind is Kind.ANONYMOUS:
        return address_group(address)
    return principal.actor.credential_id or principal.actor.id or "nobody"
