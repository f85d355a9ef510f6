"""A flood of 30,000 keys that are no keys, in ten seconds: how good keys and memory bear it.

Once from one address, which is then refused without a read, and once from 200 addresses, none of which is.
"""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from bench import processes, rotation
from bench.background import beside
from bench.credentials import malformed, unknown, with_other_secret
from bench.figures import Row, Spread, at_most
from bench.ground import BACKENDS, BUSY_KEYS, Ground
from bench.installation import Contender, Installation
from bench.warm import warm_clients

PART, PATH = "flood", "/v1/auth/verify"
EACH, SECONDS, CONNECTIONS = 10_000, 10, 64
SOURCES = {"one address": 0, "200 addresses": 200}
QUIET_SECONDS = 5.0
FLOODS = 2
SLOWER, GROWN = at_most(2), at_most(1.1)
REFUSED = {401, 429}


def measure(ground: Ground) -> Iterator[Row]:
    """Yield how much slower good keys get, and what a second flood adds to the server's memory."""
    for backend in BACKENDS:
        installation = ground.installation(backend)
        keys = installation.minter.developer_keys(ground.some(EACH) + BUSY_KEYS)
        busy = installation.requests("busy", PATH, keys[:BUSY_KEYS])
        for source, addresses in SOURCES.items():
            with installation.serving() as contender:
                yield from _floods(contender, busy, keys[BUSY_KEYS:], source, addresses)
        yield installation.recorded(PART)


def _floods(contender: Contender, busy: Path, known: list[str], source: str, addresses: int) -> Iterator[Row]:
    """Yield the rows of one source."""
    windows, held, statuses = [], [], Counter[int]()
    with warm_clients(contender, busy) as clients:
        for _ in range(FLOODS):
            file = bad_keys(contender.installation, known)
            quiet = clients.rest(QUIET_SECONDS)
            begun = time.monotonic()
            order = {
                "connections": CONNECTIONS,
                "once": True,
                "rate": 3 * len(known) / SECONDS,
                "addresses": addresses,
            }
            with beside(contender.port, file, seconds=6 * SECONDS, **order) as load:
                run = load.result()
            windows.append((quiet, (begun, time.monotonic())))
            statuses.update(run.statuses)
            contender.settle()
            held.append(sum(processes.memory(pid) for pid in processes.tree(contender.served.root)))
    rounds = [(clients.p99(quiet), clients.p99(flooded)) for quiet, flooded in windows]
    assert set(statuses) <= REFUSED, statuses
    times = ", ".join(f"{quiet:.1f} → {flooded:.1f} ms" for quiet, flooded in rounds)
    said = ", ".join(f"{many:,} × {status}" for status, many in sorted(statuses.items()))
    name = f"{contender.installation.name}, {source}"
    slower = Spread.of(flooded / quiet for quiet, flooded in rounds)
    yield Row(PART, f"{name}: p99 of good keys in the flood, of their quiet p99", "ratio", slower, SLOWER, times)
    memory = f"{held[0] / 2**20:.0f} → {held[1] / 2**20:.0f} MiB; answers: {said}"
    yield Row(PART, f"{name}: memory after the second flood", "ratio", Spread.of([held[1] / held[0]]), GROWN, memory)


def bad_keys(installation: Installation, known: list[str]) -> Path:
    """Keep a file of malformed, unknown and wrong-secret keys in turn, all new."""
    fresh, spare = list(unknown(len(known))), list(unknown(len(known)))
    wrong = [with_other_secret(one, other) for one, other in zip(known, spare, strict=True)]
    keys = chain.from_iterable(zip(malformed(spare), fresh, wrong, strict=True))
    return rotation.keep(installation.folder / "flood", [rotation.request(PATH, key) for key in keys])
