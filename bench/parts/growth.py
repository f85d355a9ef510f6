"""Growth: what a request costs with 1 thousand, 100 thousand and 1 million stored keys, and with a long audit log.

1,000 keys are active in all of them; the idle ones are poured in with one ready-made fingerprint.
`python -m bench growth --audit-rows 10000000` is the long version.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from bench.figures import Row, at_most
from bench.ground import ACTIVE_KEYS, BACKENDS, Ground
from bench.long_log import pour
from bench.rounds import Turn, cost_ratio, interleaved, plain_rows

PART, PATH = "growth", "/v1/auth/verify"
CONNECTIONS = 32
SIZES = (1_000, 100_000, 1_000_000)
MORE_ROUNDS = 2
"""The limit is tight: a few rounds more than elsewhere."""
DEARER = at_most(1.1)


def measure(ground: Ground) -> Iterator[Row]:
    """Yield the processor time of a request with more keys, and with more audit rows, against that with few."""
    sizes = [ACTIVE_KEYS + ground.some(size - ACTIVE_KEYS) for size in SIZES]
    few, most = sizes[0], sizes[-1]
    rows = ground.some(ground.audit_rows)
    for backend in BACKENDS:
        small, long = f"{backend}, {few:,} keys", f"{backend}, {few:,} keys, {rows:,} audit rows"
        stored = {f"{backend}, {size:,} keys": size for size in sizes} | {long: few}
        with ExitStack() as stack:
            turns: dict[str, Turn] = {}
            ours = []
            for name, size in stored.items():
                installation = ground.installation(backend)
                active = installation.minter.developer_keys(ACTIVE_KEYS)
                installation.minter.idle_keys(size - ACTIVE_KEYS)
                if name == long:
                    pour(installation.database, installation.minter.person.account_id, rows)
                file = installation.requests("many", PATH, active)
                ours.append(stack.enter_context(installation.serving()))
                turns[name] = partial(ours[-1].drive, file, CONNECTIONS)
            driven = interleaved(turns, ground.seconds, ground.rounds + MORE_ROUNDS)
        for name, runs in driven.items():
            if name != small:
                limit = DEARER if stored[name] == most else None
                ratio = cost_ratio(runs, driven[small])
                yield Row(PART, f"{name}: processor time, of that with {few:,} keys", "ratio", ratio, limit)
            yield from plain_rows(PART, name, runs)
        for name, contender in zip(stored, ours, strict=True):
            yield replace(contender.installation.recorded(PART), name=f"{name}: answers without an event on disk")
