"""Making developer keys over the network, each with its event in the same commit: alone and eight at a time."""

import asyncio
import json
from collections.abc import Iterator

from bench.figures import Row, Spread
from bench.ground import BACKENDS, Ground
from bench.load import Order, Run, drive
from bench.rotation import post
from bench.servers import sign_in

PART, PATH = "creation", "/v1/api-keys"
MANY = 100
CREATED = 201


def measure(ground: Ground) -> Iterator[Row]:
    """Yield milliseconds a key and keys a second, for both databases."""
    many = ground.some(MANY)
    for backend in BACKENDS:
        alone: list[Run] = []
        together: list[Run] = []
        with ground.installation(backend).serving() as contender:
            body = json.dumps({"label": "bench"}).encode()
            requests = [post(PATH, sign_in(contender.port), body)] * many
            for _ in range(ground.rounds):
                for connections in (1, 8):
                    run = asyncio.run(drive(contender.port, requests, Order(60, connections, once=True)))
                    assert set(run.statuses) == {CREATED}, run.statuses
                    (alone if connections == 1 else together).append(run)
        middles = Spread.of(run.quantile(0.5) for run in alone)
        yield Row(PART, f"{backend}: one key after the other", "ms", middles)
        yield Row(PART, f"{backend}: eight at a time", "keys/s", Spread.of(run.rate for run in together))
