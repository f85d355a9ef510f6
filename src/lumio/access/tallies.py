"""Which refusals share a counted row, so that a stranger cannot buy a write per request (spec: audit log, section 2).

Promise: one row per known key and minute, one per address group and minute, and at most `NAMES_MAX` of them in a
minute and host: whatever comes after shares one last row. No count is lost by sharing.
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from lumio.kernel import clock
from lumio.kernel.event import Counted

MINUTE = 60_000_000
NAMES_MAX = 1000
REMEMBERED_MAX = 4096


@lru_cache(REMEMBERED_MAX)
def address_group(address: str | None) -> str:
    """Return what one client can freely change its address within: IPv4 itself, IPv6 its /64."""
    if address is None:
        return "unknown"
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    return f"{parsed.exploded[:19]}::/64" if isinstance(parsed, IPv6Address) else str(parsed)


class Tallies:
    """Names the counted rows of this process."""

    def __init__(self, workers: int = 1) -> None:
        """Begin with no names; each worker of a host has its part of the bound."""
        self._workers = workers
        self._minute = -1
        self._names: set[str] = set()

    def of_key(self, credential_id: str) -> Counted:
        """Return the row for wrong secrets of a key that exists."""
        return self._of(f"key/{credential_id}")

    def of_address(self, address: str | None) -> Counted:
        """Return the row for garbage and unknown ids from an address, IPv6 by its /64."""
        return self._of(f"address/{address_group(address)}")

    def of_refresh(self, address: str | None) -> Counted:
        """Return the row for refresh tokens that nobody knows, from an address."""
        return self._of(f"refresh/{address_group(address)}")

    def of_throttled(self, address: str | None, window: int, seconds_left: int) -> Counted:
        """Return the row for what was turned away unlooked at, in one window of the limiter."""
        named = self._of(f"throttled/{address_group(address)}")
        until = clock.to_micros(clock.now()) + seconds_left * 1_000_000
        return Counted(f"{named.name.rpartition('/')[0]}/w{window}", until)

    def _of(self, name: str) -> Counted:
        minute = clock.to_micros(clock.now()) // MINUTE
        if minute != self._minute:
            self._minute, self._names = minute, set()
        if name not in self._names and len(self._names) >= NAMES_MAX // self._workers:
            name = "other"
        self._names.add(name)
        return Counted(f"{name}/{minute}", (minute + 1) * MINUTE)
