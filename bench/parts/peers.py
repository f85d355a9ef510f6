"""Ours against better-auth, djangorestframework-api-key and fastapi-users, all on this machine in this run.

Ours is durable and on a database in every row; peers are measured in their best configuration, in memory too.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median

from bench import rotation
from bench.driving import Driven
from bench.driving import measure as driven_once
from bench.figures import Limit, Row, at_least, missing
from bench.ground import ACTIVE_KEYS, BACKENDS, BUSY_KEYS, Ground
from bench.peers.fetch import NotToBeHad
from bench.peers.field import PEERS
from bench.rounds import Rounds, Turn, interleaved, plain_rows, rate_ratio

PART, PATH = "peers", "/v1/auth/verify"
CONNECTIONS = 32
"""Where ours does worst against its own yardstick; more connections make peers no quicker."""
ANY, STORED = at_least(5), at_least(10)


def measure(ground: Ground) -> Iterator[Row]:
    """Yield every peer's rate with 1,000 keys stored and 20 of them in turn, then ours against the best."""
    with ExitStack() as stack:
        turns: dict[str, Turn] = {}
        ours = [stack.enter_context(ground.installation(backend).serving()) for backend in BACKENDS]
        for contender in ours:
            keys = contender.installation.minter.developer_keys(ACTIVE_KEYS)[:BUSY_KEYS]
            file = contender.installation.requests("busy", PATH, keys)
            turns[f"ours, {contender.installation.name}"] = partial(contender.drive, file, CONNECTIONS)
        for peer in PEERS:
            try:
                served, every = stack.enter_context(peer.running(ground.scratch, ground.cache, ACTIVE_KEYS))
            except (NotToBeHad, RuntimeError) as error:
                yield missing(PART, peer.name, str(error))
                continue
            file = rotation.keep(every.with_name("busy"), rotation.read(every)[:BUSY_KEYS])
            turns[peer.name] = partial(driven_once, served.port, file, CONNECTIONS, {"server": served.root})
        driven = interleaved(turns, ground.seconds, ground.rounds)
        for name, runs in driven.items():
            yield from plain_rows(PART, name, runs)
        for backend in BACKENDS:
            yield from against_the_best(backend, driven)
        for contender in ours:
            yield contender.installation.recorded(PART)


def against_the_best(backend: str, driven: Rounds) -> Iterator[Row]:
    """Yield ours on one database against the quickest peer of all and the quickest one with a database."""
    ours = driven[f"ours, {backend}"]
    groups: Mapping[str, tuple[Limit, Sequence[str]]] = {
        "best peer in its best configuration": (ANY, [peer.name for peer in PEERS]),
        "best peer with a database": (STORED, [peer.name for peer in PEERS if peer.database]),
    }
    for group, (limit, names) in groups.items():
        there = {name: driven[name] for name in names if name in driven}
        name = f"ours on {backend}: of the {group}"
        if not there:
            yield missing(PART, name, "no such peer could be measured")
            continue
        best = max(there, key=lambda one: _middle(there[one]))
        yield Row(PART, name, "ratio", rate_ratio(ours, there[best]), limit, best)


def _middle(runs: Sequence[Driven]) -> float:
    return median(run.rate for run in runs)
