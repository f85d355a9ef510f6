"""Counting: failures per address (spec: credentials, section 3).

Promise: only a token that is unknown or fails its secret counts, so a neighbour behind the same address can
never lock a good key out.
"""

from lumio.access.counts import Counts, OwnCounts
from lumio.access.tallies import Tallies, address_group
from lumio.kernel import clock
from lumio.kernel.errors import Limited
from lumio.kernel.event import SYSTEM, Event, Origin

WINDOW_SECONDS = 60


class FailureLimiter:
    """Counts refusals per address group and minute; more than the limit answers 429."""

    def __init__(self, limit: int, counts: Counts | None = None, workers: int = 1) -> None:
        """Refuse past `limit` a minute by `counts`, this process's own by default; so many workers share the host."""
        self.tallies = Tallies(workers)
        self._limit = limit
        self._counts = counts or OwnCounts()

    def failed(self, address: str | None) -> None:
        """Count one failure.

        Raises:
            Limited: it is one too many in this minute; its notes hold the event, counted in one row per window.
        """
        group, window = address_group(address), int(clock.monotonic() // WINDOW_SECONDS)
        if self._counts.add(group, window) > self._limit:
            wait = WINDOW_SECONDS - int(clock.monotonic() % WINDOW_SECONDS)
            # Without a name here: an error that the frame holds, which the error holds, is garbage for the collector.
            raise Limited(wait, limit=self._limit, window=WINDOW_SECONDS).noted(
                event=Event("auth.throttled", "failure", SYSTEM, Origin(ip=group, ip_source="peer")),
                counted=self.tallies.of_throttled(address, window, wait),
            )

    def forget(self) -> None:
        """Begin anew, as a process does that starts."""
        self._counts.forget()
