"""Counting: failures per address (spec: credentials, section 3).

Promise: only a token that is unknown or fails its secret counts, so a neighbour behind the same address can
never lock a good key out.
"""

from collections import OrderedDict
from dataclasses import dataclass

from lumio.access.tallies import Tallies, address_group
from lumio.kernel import clock
from lumio.kernel.errors import Limited
from lumio.kernel.event import SYSTEM, Event, Origin

WINDOW_SECONDS = 60
ADDRESSES_MAX = 100_000


@dataclass(slots=True)
class _Window:
    number: int
    failures: int = 0


class FailureLimiter:
    """Counts refusals per address group and minute; more than the limit answers 429."""

    def __init__(self, limit: int) -> None:
        """Refuse past `limit` a minute."""
        self.tallies = Tallies()
        self._limit = limit
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def failed(self, address: str | None) -> None:
        """Count one failure.

        Raises:
            Limited: it is one too many in this minute; its notes hold the event, counted in one row per window.
        """
        window = self._current(address_group(address), int(clock.monotonic() // WINDOW_SECONDS))
        window.failures += 1
        if window.failures > self._limit:
            wait = WINDOW_SECONDS - int(clock.monotonic() % WINDOW_SECONDS)
            limited = Limited(wait, limit=self._limit, window=WINDOW_SECONDS)
            place = Origin(ip=address_group(address), ip_source="peer")
            told = Event("auth.throttled", "failure", SYSTEM, place)
            raise limited.noted(event=told, counted=self.tallies.of_throttled(address, window.number, wait))

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
