"""Clients with warm keys at a steady pace, while something else happens to the server.

Promise: an answer is timed from the moment its request was due, so a server that stalls cannot hide it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.background import Background, beside
from bench.figures import quantile
from bench.installation import Contender
from bench.load import GOOD

RATE, CONNECTIONS = 200, 8
WARM_UP_SECONDS = 1.5
LONGEST_SECONDS = 600.0
Window = tuple[float, float]


@dataclass(slots=True)
class WarmClients:
    """A load under way, and what came of it when it is over."""

    load: Background
    due: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def rest(self, seconds: float) -> Window:
        """Let them ask alone for a while; return that window."""
        begun = time.monotonic()
        time.sleep(seconds)
        return begun, time.monotonic()

    def p99(self, window: Window) -> float:
        """Return the milliseconds within which 99 of 100 requests were answered that were due in a window."""
        begun, ended = window
        inside = [took for due, took in zip(self.due, self.took, strict=True) if begun <= due < ended]
        return quantile(inside, 0.99) * 1000


@contextmanager
def warm_clients(contender: Contender, requests: Path) -> Iterator[WarmClients]:
    """Ask 200 times a second on 8 connections until the block ends.

    Raises:
        AssertionError: an answer was not 200.
    """
    order = {"rate": RATE, "connections": CONNECTIONS, "seconds": LONGEST_SECONDS}
    with beside(contender.port, requests, **order) as load:
        clients = WarmClients(load)
        time.sleep(WARM_UP_SECONDS)
        yield clients
        run = load.finish()
    assert set(run.statuses) == {GOOD}, run.statuses
    clients.due, clients.took = run.due, run.took
    contender.installation.answers += len(run.took)
