"""Rate limits at the door: which rules a request falls under, and the headers that tell the client.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import Mapping
from typing import Any

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

    async def count(self, scope: Any, principal: Principal, address: str | None) -> dict[str, str]:
        """Count a request and return its headers; empty where nothing is limited.

        Raises:
            Limited: a window is used up.
        """
        found = [await self._limiter.count(principal, address)]
        name = scope["route_handler"].opt.get(RATE)
        if name is not None and principal.kind not in {Kind.SYSTEM_KEY, Kind.ANONYMOUS}:
            found.append(await self._limiter.spend(self._rules[name], who(principal, address)))
        return _headers([one for one in found if one is not None])


def _headers(standings: list[Standing]) -> dict[str, str]:
    if not standings:
        return {}
    return {
        "ratelimit-policy": ", ".join(
            f'"{one.rule.name}";q={one.rule.limit};w={one.rule.seconds}' for one in standings
        ),
        "ratelimit": ", ".join(f'"{one.rule.name}";r={one.left};t={one.resets_in}' for one in standings),
    }
