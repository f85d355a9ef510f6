"""Counting: failures per address (spec: credentials, section 3).

Promise: only a token that is unknown or fails its secret counts, so a neighbour behind the same address can
never lock a good key out.
"""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from lumio.kernel import clock
from lumio.kernel.errors import Limited

WINDOW_SECONDS = 60
ADDRESSES_MAX = 100_000


@dataclass(slots=True)
class _Window:
    number: int
    failures: int = 0


def address_group(address: str | None) -> str:
    """Return what one client can freely change its address within: IPv4 itself, IPv6 its /64."""
    if address is None:
        return "unknown"
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    return f"{parsed.exploded[:19]}::/64" if isinstance(parsed, IPv6Address) else str(parsed)


class FailureLimiter:
    """Counts refusals per address group and minute; more than the limit answers 429."""

    def __init__(self, limit: int) -> None:
        """Refuse past `limit` a minute."""
        self._limit = limit
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    @staticmethod
    def window() -> int:
        """Return the number of the minute that runs."""
        return int(clock.monotonic() // WINDOW_SECONDS)

    def failed(self, address: str | None) -> None:
        """Count one failure.

        Raises:
            Limited: it is one too many in this minute.
        """
        window = self._current(address_group(address), self.window())
        window.failures += 1
        if window.failures > self._limit:
            wait = WINDOW_SECONDS - int(clock.monotonic() % WINDOW_SECONDS)
            raise Limited(wait, limit=self._limit, window=WINDOW_SECONDS)

    def forget(self) -> None:
        """Begin anew, as a process does that starts."""
        self._windows.clear()

    def _current(self, group: str, number: int) -> _Window:
        window = self._windows.pop(group, None)
        if window is None or window.number != number:
            window = _Window(number)
        self._windows[group] = window
        if len(self._windows) > ADDRESSES_MAX:
            self._windows.popitem(last=False)
        return window
