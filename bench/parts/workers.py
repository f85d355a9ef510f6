"""Two workers against one: what a request costs each, and how much more they answer where a core is free."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import product

from bench.figures import Row, at_least, at_most, missing
from bench.ground import BACKENDS, Ground
from bench.installation import Contender
from bench.parts.verify import BUSY, MANY, loads_of
from bench.rounds import Rounds, Turn, cost_ratio, interleaved, plain_rows, rate_ratio
from bench.servers import takes_workers

PART = "workers"
CONNECTIONS = (32, 128)
DEARER = 1.15
FASTER = 1.3
OTHERS = 2
"""Cores that the load generator and the database take."""


def measure(ground: Ground) -> Iterator[Row]:
    """Yield both ratios for both databases, both loads and both counts of connections."""
    if not takes_workers():
        yield missing(PART, "two workers", "this build serves with one worker: `lumio-server serve` has no --workers")
        return
    with ExitStack() as stack:
        ours: dict[tuple[str, int], Contender] = {}
        for backend, workers in product(BACKENDS, (1, 2)):
            ours[backend, workers] = stack.enter_context(ground.installation(backend).serving(workers))
        files = {who: loads_of(contender) for who, contender in ours.items()}
        for connections, load in product(CONNECTIONS, (BUSY, MANY)):
            turns: dict[str, Turn] = {
                f"{backend}, {workers}": partial(contender.drive, files[backend, workers][load], connections)
                for (backend, workers), contender in ours.items()
            }
            driven = interleaved(turns, ground.seconds, ground.rounds)
            for backend in BACKENDS:
                yield from compared(backend, f"{load}, {connections} connections", driven)
        for contender in ours.values():
            yield contender.installation.recorded(PART)


def compared(backend: str, load: str, driven: Rounds) -> Iterator[Row]:
    """Yield the ratios of one database and load."""
    one, two = driven[f"{backend}, 1"], driven[f"{backend}, 2"]
    name = f"{backend}, {load}"
    yield Row(PART, f"{name}: processor time of two workers", "ratio", cost_ratio(two, one), at_most(DEARER))
    if backend == "PostgreSQL":
        free = (os.cpu_count() or 1) >= 2 + OTHERS
        if free:
            yield Row(PART, f"{name}: throughput of two workers", "ratio", rate_ratio(two, one), at_least(FASTER))
        else:
            why = f"no core is free: {os.cpu_count()} cores carry the generator, PostgreSQL and the workers"
            yield missing(PART, f"{name}: throughput of two workers", why)
    yield from plain_rows(PART, f"{name}, 1 worker", one)
    yield from plain_rows(PART, f"{name}, 2 workers", two)
