"""Rate limits at the door: which rules a request falls under, and the headers that tell the client.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import Mapping
from functools import cache

from lumio.access.kinds import Kind
from lumio.access.principal import Principal
from lumio.access.rates import RateLimiter, Rule, Standing, who

Headers = list[tuple[bytes, bytes]]
POLICY, LEFT = b"ratelimit-policy", b"ratelimit"
RATE = "rate"
"""The `opt` of a route that has a limit of its own: the rule's name."""


class Rating:
    """Counts each request under its kind's rule, and under its route's when it has one."""

    def __init__(self, limiter: RateLimiter, rules: Mapping[str, Rule]) -> None:
        """Count with `limiter`; `rules` are those that routes name."""
        self._limiter = limiter
        self._rules = rules

    def count_now(self, principal: Principal, address: str | None, name: str | None) -> Headers | None:
        """Count a request, also under the rule `name` of its route; return its headers, none without a limit.

        Returns:
            None when nothing is counted yet, since more must be drawn first.
        """
        if name is not None:
            return None
        rule = self._limiter.rule_of(principal.kind)
        if rule is None:
            return []
        found = self._limiter.spend_now(rule, who(principal, address))
        return None if found is None else [(POLICY, _policy(rule)), (LEFT, _left(found).encode())]

    async def count(self, principal: Principal, address: str | None, name: str | None) -> Headers:
        """Count a request and draw what it needs; return its headers.

        Raises:
            Limited: a window is used up.
        """
        rules = [self._limiter.rule_of(principal.kind)]
        if name is not None and principal.kind not in {Kind.SYSTEM_KEY, Kind.ANONYMOUS}:
            rules.append(self._rules[name])
        subject = who(principal, address)
        found = [await self._limiter.spend(rule, subject) for rule in rules if rule is not None]
        if not found:
            return []
        policies, left = b", ".join([_policy(one.rule) for one in found]), ", ".join(map(_left, found))
        return [(POLICY, policies), (LEFT, left.encode())]


def _left(standing: Standing) -> str:
    return f'"{standing.rule.name}";r={standing.left};t={standing.resets_in}'


@cache
def _policy(rule: Rule) -> bytes:
    return f'"{rule.name}";q={rule.limit};w={rule.seconds}'.encode()
