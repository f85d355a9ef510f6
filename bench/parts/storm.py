"""After a restart 10,000 developer keys and 200 system keys come at once: how keys in use bear it."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.background import beside
from bench.figures import Row, Spread, at_most
from bench.ground import BACKENDS, BUSY_KEYS, Ground
from bench.installation import Contender
from bench.load import GOOD
from bench.warm import warm_clients

PART, PATH = "storm", "/v1/auth/verify"
DEVELOPER, SYSTEM = 10_000, 200
CROWD = 200
QUIET_SECONDS, SHORTEST_SECONDS = 5.0, 1.0
SLOWER = at_most(3)


def measure(ground: Ground) -> Iterator[Row]:
    """Yield how much slower the slowest hundredth of the warm requests gets; the server is new in every round."""
    for backend in BACKENDS:
        installation = ground.installation(backend)
        keys = installation.minter.developer_keys(ground.some(DEVELOPER) + BUSY_KEYS)
        busy = installation.requests("busy", PATH, keys[:BUSY_KEYS])
        files = [
            installation.requests("developer", PATH, keys[BUSY_KEYS:]),
            installation.requests("system", PATH, installation.system_keys(ground.some(SYSTEM))),
        ]
        rounds, seconds, again = [], [], Counter[str]()
        for _ in range(ground.rounds):
            with installation.serving() as contender:
                quiet, stormy, took = _round(contender, busy, files, again)
                rounds.append((quiet, stormy))
                seconds.append(took)
        slower = Spread.of(stormy / quiet for quiet, stormy in rounds)
        quiet, stormy = (Spread.of(column).middle for column in zip(*rounds, strict=True))
        note = f"quiet {quiet:.1f}, storm {stormy:.1f} ms; 503 and asked again: {again['again']} times"
        yield Row(
            PART, f"{backend}: p99 of warm keys in the storm, of their quiet p99", "ratio", slower, SLOWER, note
        )
        yield Row(PART, f"{backend}: until every cold key was answered", "s", Spread.of(seconds))
        yield installation.recorded(PART)


def _round(contender: Contender, busy: Path, files: list[Path], again: Counter[str]) -> tuple[float, float, float]:
    """Return both p99 in milliseconds, and how long the storm lasted in seconds."""
    with warm_clients(contender, busy) as clients:
        quiet = clients.rest(QUIET_SECONDS)
        begun = time.monotonic()
        with ExitStack() as stack:
            order = {"connections": CROWD, "once": True, "patient": True, "seconds": 300}
            loads = [stack.enter_context(beside(contender.port, file, **order)) for file in files]
            runs = [load.result() for load in loads]
        ended = time.monotonic()
        clients.rest(max(0.0, SHORTEST_SECONDS - (ended - begun)))  # a short one has an aftermath
    for run in runs:
        assert set(run.statuses) == {GOOD}, run.statuses
        contender.installation.answers += len(run.took)
        again["again"] += run.again
    contender.settle()
    window = begun, max(ended, begun + SHORTEST_SECONDS)
    return clients.p99(quiet), clients.p99(window), ended - begun
