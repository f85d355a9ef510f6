"""Rate limits at the door: which rules a request falls under, and the headers that tell the client.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import Mapping
from functools import cache

from lumio.access.kinds import Kind
from lumio.access.principal import Principal
from lumio.access.rates import RateLimiter, Rule, Standing, who

RATE = "rate"
"""The `opt` of a route that has a limit of its own: the rule's name."""


class Rating:
    """Counts each request under its kind's rule, and under its route's when it has one."""

    def __init__(self, limiter: RateLimiter, rules: Mapping[str, Rule]) -> None:
        """Count with `limiter`; `rules` are those that routes name."""
        self._limiter = limiter
        self._rules = rules

    async def count(self, principal: Principal, address: str | None, name: str | None) -> list[tuple[bytes, bytes]]:
        """Count a request, also under the rule `name` of its route, and return its headers; none without a limit.

        Raises:
            Limited: a window is used up.
        """
        first = await self._limiter.count(principal, address)
        if name is None or principal.kind in {Kind.SYSTEM_KEY, Kind.ANONYMOUS}:
            return [] if first is None else _headers(first)
        second = await self._limiter.spend(self._rules[name], who(principal, address))
        return _headers(second) if first is None else _headers(first, second)


def _headers(*standings: Standing) -> list[tuple[bytes, bytes]]:
    policies = b", ".join([_policy(one.rule) for one in standings])
    left = ", ".join([f'"{one.rule.name}";r={one.left};t={one.resets_in}' for one in standings])
    return [(b"ratelimit-policy", policies), (b"ratelimit", left.encode())]


@cache
def _policy(rule: Rule) -> bytes:
    return f'"{rule.name}";q={rule.limit};w={rule.seconds}'.encode()
