"""Rate limits per kind of credential and per group of addresses (product C5).

Promise: however many workers and nodes serve a credential, it gets at most its limit in a window, and of a limit of
100 or more one request beyond it for each of them.
Each worker draws leases of a twentieth of the limit from the database, so most requests touch memory only;
what a worker drew and did not use is lost to the others, which is at most that twentieth each. The first request of
a window is lent and does not wait: of ten thousand keys that come at once, most ask for nothing else in that minute.
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
LENT_FROM = 100
"""The least limit of which one request is lent."""
LOAN_SECONDS = 0.1
"""Until what was lent is drawn, if nobody needs more of that window before; what comes together is drawn together."""


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
    lent: int = 0


class Windows(Protocol):
    """Where leases are drawn from."""

    async def draw(self, name: str, starts: int, ends: int, portion: int, limit: int) -> tuple[int, int]:
        """Return how many were granted and how many are taken in all."""
        ...


class RateLimiter:
    """Counts requests per credential, and anonymous ones per address group."""

    def __init__(self, windows: Windows, limits: Mapping[Kind, int], *, alone: bool = False) -> None:
        """Draw from `windows`; a kind without a limit is not counted.

        Args:
            windows: what all workers and nodes share.
            limits: the limit of each kind, in a minute.
            alone: no other worker counts, so that a minute is counted in memory and begins anew with the process.
        """
        self._windows = windows
        self._alone = alone
        self._rules = {kind: Rule(kind.value, limit) for kind, limit in limits.items()}
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._drawing: dict[str, asyncio.Task[None]] = {}
        self._loans: dict[str, tuple[Rule, _Lease]] = {}
        self._settling: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Begin anew, as a process does that starts."""
        self._leases.clear()
        self._loans.clear()

    async def close(self) -> None:
        """Let draws under way end; what was lent a moment ago stays uncounted."""
        self._loans.clear()
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        await asyncio.gather(*self._drawing.values(), return_exceptions=True)

    def rule_of(self, kind: Kind) -> Rule | None:
        """Return the rule of a kind of credential, or None where there is no limit."""
        return self._rules.get(kind)

    def spend_now(self, rule: Rule, subject: str) -> Standing | None:
        """Count one use of `rule` by `subject` out of what was drawn or can be lent; None when more must be drawn."""
        seconds = clock.micros() // 1_000_000
        into = seconds % rule.seconds
        name = f"{rule.name}/{subject}"
        lease = self._current(rule, name, seconds - into)
        if lease.left == 0:
            if lease.lent or lease.taken or rule.limit < LENT_FROM:
                return None
            self._lend(rule, name, lease)
            return Standing(rule, rule.limit - 1, rule.seconds - into)
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
        lease = self._current(rule, name, starts)
        if lease.left == 0:
            await self._draw(rule, name, lease)
        resets_in = starts + rule.seconds - seconds
        if lease.left == 0:
            raise Limited(resets_in, limit=rule.limit, window=rule.seconds, policy=rule.name)
        lease.left -= 1
        return Standing(rule, max(0, rule.limit - lease.taken) + lease.left, resets_in)

    def _current(self, rule: Rule, name: str, starts: int) -> _Lease:
        lease = self._leases.get(name)
        if lease is None or lease.starts != starts:
            drawn = rule.limit if self._alone and rule.seconds <= MINUTE else 0
            lease = self._leases[name] = _Lease(starts, drawn, drawn)
            if len(self._leases) > REMEMBERED_MAX:
                self._leases.popitem(last=False)
        self._leases.move_to_end(name)
        return lease

    def _lend(self, rule: Rule, name: str, lease: _Lease) -> None:
        lease.lent = 1
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(LOAN_SECONDS, self._settle)
        self._loans[name] = rule, lease

    def _settle(self) -> None:
        """Draw for everything that was lent."""
        self._settling = None
        loans, self._loans = self._loans, {}
        for name, (rule, lease) in loans.items():
            if lease.lent and name not in self._drawing:
                self._start(rule, name, lease)

    def _start(self, rule: Rule, name: str, lease: _Lease) -> "asyncio.Task[None]":
        drawing = self._drawing[name] = asyncio.create_task(self._fetch(rule, name, lease))
        drawing.add_done_callback(_looked_at)
        return drawing

    async def _draw(self, rule: Rule, name: str, lease: _Lease) -> None:
        """Draw the next lease; requests that come meanwhile share the draw, and its failure when it fails."""
        while not lease.left and lease.taken < rule.limit:
            await asyncio.shield(self._drawing.get(name) or self._start(rule, name, lease))

    async def _fetch(self, rule: Rule, name: str, lease: _Lease) -> None:
        try:
            portion = max(1, rule.limit // LEASES)
            ends = lease.starts + rule.seconds
            granted, lease.taken = await self._windows.draw(name, lease.starts, ends, portion, rule.limit)
            paid = min(granted, lease.lent)
            lease.left += granted - paid
            lease.lent = 0
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
