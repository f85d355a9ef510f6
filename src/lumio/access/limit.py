"""Counting: failures per address (spec: credentials, section 3).

Promise: only a token that is unknown or fails its secret counts, so a neighbour behind the same address can
never lock a good key out.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
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
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Throttled:
    """One window of one address in which requests were refused, with the exact count."""

    address: str
    count: int


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

    def __init__(self, limit: int, report: Callable[[Throttled], Awaitable[None]]) -> None:
        """Refuse past `limit` a minute; `report` gets each closed window in which that happened."""
        self._limit = limit
        self._report = report
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._closed: list[Throttled] = []

    def failed(self, address: str | None) -> None:
        """Count one failure.

        Raises:
            Limited: it is one too many in this minute.
        """
        group = address_group(address)
        seconds = clock.monotonic()
        window = self._current(group, int(seconds // WINDOW_SECONDS))
        window.failures += 1
        if window.failures > self._limit:
            window.refused += 1
            wait = WINDOW_SECONDS - int(seconds % WINDOW_SECONDS)
            raise Limited(wait, limit=self._limit, window=WINDOW_SECONDS).noted(counted=True)

    def _current(self, group: str, number: int) -> _Window:
        window = self._windows.pop(group, None)
        if window is None or window.number != number:
            self._close(group, window)
            window = _Window(number)
        self._windows[group] = window
        if len(self._windows) > ADDRESSES_MAX:
            self._close(*self._windows.popitem(last=False))
        return window

    def _close(self, group: str, window: _Window | None) -> None:
        if window is not None and window.refused:
            self._closed.append(Throttled(group, window.refused))

    async def sweep(self, *, everything: bool = False) -> None:
        """Report the windows that are over; `everything` also those that are not, for a shutdown."""
        number = int(clock.monotonic() // WINDOW_SECONDS)
        for group, window in list(self._windows.items()):
            if everything or window.number != number:
                del self._windows[group]
                self._close(group, window)
        while self._closed:
            await self._report(self._closed[0])  # a failure leaves it for the next turn: no count is lost
            del self._closed[0]
