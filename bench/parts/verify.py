"""`GET /v1/auth/verify` against a constant answer of the same web server: what checking and recording cost."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench import rotation
from bench.bare import bare, interface, turn
from bench.driving import Driven
from bench.figures import Row, at_least, at_most
from bench.ground import ACTIVE_KEYS, BACKENDS, BUSY_KEYS, Ground
from bench.installation import Contender
from bench.rounds import Turn, interleaved, p99_ratio, plain_rows, rate_ratio, sealing_row

PART, PATH = "verify", "/v1/auth/verify"
BUSY, MANY = f"{BUSY_KEYS} busy keys", f"{ACTIVE_KEYS:,} keys in turn"
BARE = "bare answer"
CONNECTIONS = (32, 128)
SLOWER = 3.0
FLOORS: Mapping[tuple[str, str, int], float] = {
    ("SQLite", BUSY, 128): 0.60,
    ("SQLite", BUSY, 32): 0.45,
    ("SQLite", MANY, 128): 0.35,
    ("SQLite", MANY, 32): 0.30,
    ("PostgreSQL", BUSY, 128): 0.60,
    ("PostgreSQL", BUSY, 32): 0.45,
    ("PostgreSQL", MANY, 128): 0.45,
    ("PostgreSQL", MANY, 32): 0.35,
}


def measure(ground: Ground) -> Iterator[Row]:
    """Yield the rates, the ratios and their limits for both databases, both loads and both counts of connections."""
    with ExitStack() as stack:
        kind = interface()
        yardsticks = {kind: BARE} | {
            other: f"{BARE} over {other.upper()}" for other in ("asgi", "rsgi") if other != kind
        }
        plain = rotation.keep(ground.scratch / "bare", [rotation.request(PATH, "0" * 64)])
        bares = {name: stack.enter_context(bare(ground.scratch, what)) for what, name in yardsticks.items()}
        ours = [stack.enter_context(ground.installation(backend).serving()) for backend in BACKENDS]
        loads = {(one.installation.name, load): file for one in ours for load, file in loads_of(one).items()}
        for connections in CONNECTIONS:
            turns: dict[str, Turn] = {name: turn(served, plain, connections) for name, served in bares.items()}
            for contender in ours:
                for load in (BUSY, MANY):
                    file = loads[contender.installation.name, load]
                    turns[f"{contender.installation.name}, {load}"] = partial(contender.drive, file, connections)
            driven = interleaved(turns, ground.seconds, ground.rounds)
            for name in yardsticks.values():
                yield from plain_rows(PART, f"{name}, {connections} connections", driven[name])
            for backend, load in loads:
                yield from compared(backend, load, connections, driven[f"{backend}, {load}"], driven[BARE])
        for contender in ours:
            yield contender.installation.recorded(PART)


def loads_of(contender: Contender) -> Mapping[str, Path]:
    """Mint a contender's keys; return the files of both loads."""
    installation = contender.installation
    keys = installation.minter.developer_keys(ACTIVE_KEYS)
    return {
        BUSY: installation.requests("busy", PATH, keys[:BUSY_KEYS]),
        MANY: installation.requests("many", PATH, keys),
    }


def compared(
    backend: str, load: str, connections: int, ours: Sequence[Driven], bares: Sequence[Driven]
) -> Iterator[Row]:
    """Yield what is said of one database, load and count of connections."""
    name = f"{backend}, {load}, {connections} connections"
    floor = FLOORS[backend, load, connections]
    yield Row(PART, f"{name}: of bare", "ratio", rate_ratio(ours, bares), at_least(floor))
    yield Row(PART, f"{name}: p99 against bare", "ratio", p99_ratio(ours, bares), at_most(SLOWER))
    yield from plain_rows(PART, name, ours)
    yield sealing_row(PART, name, ours)
