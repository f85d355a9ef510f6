"""`GET /v1/users/me` against a handler of the same framework that does nothing: what the full path costs."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from bench import rotation
from bench.bare import bare, turn
from bench.figures import Row, at_least
from bench.ground import BACKENDS, BUSY_KEYS, Ground
from bench.rounds import Turn, interleaved, plain_rows, rate_ratio

PART, PATH = "me", "/v1/users/me"
BARE = "bare handler of the framework"
CONNECTIONS = (32, 128)
FLOOR = 0.60


def measure(ground: Ground) -> Iterator[Row]:
    """Yield the ratios with 20 busy keys, for both databases and both counts of connections."""
    with ExitStack() as stack:
        served = stack.enter_context(bare(ground.scratch, "framework"))
        plain = rotation.keep(ground.scratch / "framework", [rotation.request(PATH, "0" * 64)])
        ours = [stack.enter_context(ground.installation(backend).serving()) for backend in BACKENDS]
        files = [
            one.installation.requests("me", PATH, one.installation.minter.developer_keys(BUSY_KEYS)) for one in ours
        ]
        for connections in CONNECTIONS:
            turns: dict[str, Turn] = {BARE: turn(served, plain, connections)}
            for contender, file in zip(ours, files, strict=True):
                turns[contender.installation.name] = partial(contender.drive, file, connections)
            driven = interleaved(turns, ground.seconds, ground.rounds)
            bares = driven.pop(BARE)
            yield from plain_rows(PART, f"{BARE}, {connections} connections", bares)
            for backend, runs in driven.items():
                name = f"{backend}, {BUSY_KEYS} busy keys, {connections} connections"
                yield Row(PART, f"{name}: of bare", "ratio", rate_ratio(runs, bares), at_least(FLOOR))
                yield from plain_rows(PART, name, runs)
        for contender in ours:
            yield contender.installation.recorded(PART)
