"""A load of keep-alive connections, in plain asyncio: what wrk cannot do, and all of it where there is no wrk.

`python -m bench.load` runs it as a process of its own and prints one line of JSON. Three ways of asking: as soon
as the last answer is there (for some seconds), so many a second (answers are then timed from the moment the
request was due, so that a server that stalls cannot hide what it did not answer meanwhile), and each request once.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import quantile
from bench.rotation import Turns, read, request

CONNECTIONS = 32
GOOD = 200
BUSY = 503
PATIENCE_SECONDS = 0.1
GIVE_UP_SECONDS = 30.0


@dataclass(slots=True)
class Run:
    """What came of one load: seconds, how long each answer took (seconds), when each was due, statuses."""

    seconds: float
    took: list[float] = field(default_factory=list)
    due: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    again: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    def quantile(self, part: float) -> float:
        """Return the milliseconds within which this part of the answers came."""
        return quantile(self.took, part) * 1000


@dataclass(frozen=True, slots=True)
class Order:
    """How to ask: on how many connections, for how long, how often, from how many addresses of loopback.

    `rate` is requests a second over all connections; `once` sends each request one time; `patient` asks again
    where a server says 503.
    """

    seconds: float = 1.0
    connections: int = CONNECTIONS
    rate: float | None = None
    once: bool = False
    patient: bool = False
    addresses: int = 0


async def drive(port: int, requests: Sequence[bytes], order: Order) -> Run:
    """Send requests to a port of loopback as ordered.

    Raises:
        OSError: the server closed a connection instead of answering.
        TimeoutError: some answer did not come.
    """
    load = _Load(requests, order)
    loop = asyncio.get_running_loop()
    started = loop.time()
    opened = [
        loop.create_connection(lambda: _Connection(load), "127.0.0.1", port, local_addr=_from(place, order))
        for place in range(order.connections)
    ]
    pairs = await asyncio.gather(*opened)
    loop.add_signal_handler(signal.SIGTERM, load.finish)
    load.begin([connection for _, connection in pairs])
    try:
        async with asyncio.timeout(order.seconds + GIVE_UP_SECONDS):
            await load.over
    finally:
        for transport, _ in pairs:
            transport.close()
    load.run.seconds = loop.time() - started
    return load.run


async def load(port: int, path: str, credential: str, seconds: float, connections: int = CONNECTIONS) -> Run:
    """Ask for `path` with one credential, for so many seconds.

    Raises:
        AssertionError: an answer was not 200: a figure for wrong answers is none.
    """
    run = await drive(port, [request(path, credential)], Order(seconds, connections))
    assert set(run.statuses) <= {GOOD}, run.statuses
    return run


def _from(place: int, order: Order) -> tuple[str, int] | None:
    return (f"127.0.1.{1 + place % order.addresses}", 0) if order.addresses else None


class _Load:
    """Decides what each connection asks next, and keeps what came."""

    def __init__(self, requests: Sequence[bytes], order: Order) -> None:
        self.run = Run(order.seconds)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._order = order
        self._next = Turns(requests)
        self._left = len(requests) if order.once else None
        self._busy = 0
        self._until = 0.0

    def begin(self, connections: Sequence["_Connection"]) -> None:
        """Let every connection ask; paced ones share the first interval among them."""
        now = time.monotonic()
        self._until = now + self._order.seconds
        self._busy = len(connections)
        for place, connection in enumerate(connections):
            self._ask(connection, now if self._order.rate is None else now + place / self._order.rate)

    def answered(self, connection: "_Connection", status: int) -> None:
        """Keep an answer and ask again."""
        if status == BUSY and self._order.patient:
            self.run.again += 1
            asyncio.get_running_loop().call_later(PATIENCE_SECONDS, connection.again)
            return
        now = time.monotonic()
        self.run.statuses[status] += 1
        self.run.took.append(now - connection.due)
        self.run.due.append(connection.due)
        rate = self._order.rate
        self._ask(connection, now if rate is None else connection.due + self._order.connections / rate)

    def finish(self) -> None:
        """Ask nothing more; what was asked is still waited for."""
        self._until, self._left = 0.0, 0 if self._left is not None else None

    def broken(self, error: Exception) -> None:
        """End everything: a connection broke off in the middle."""
        if not self.over.done():
            self.over.set_exception(error)

    def _ask(self, connection: "_Connection", due: float) -> None:
        if self._exhausted(due):
            self._busy -= 1
            if not self._busy and not self.over.done():
                self.over.set_result(None)
            return
        connection.ask(self._next(), due)

    def _exhausted(self, due: float) -> bool:
        if self._left is None:
            return due >= self._until
        self._left -= 1
        return self._left < 0


class _Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self, load: _Load) -> None:
        self.due = 0.0
        self._load = load
        self._request = b""
        self._received = b""
        self._waiting = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes, due: float) -> None:
        """Send a request when it is due."""
        self._request, self.due, self._waiting = request, due, True
        wait = due - time.monotonic()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self.again)  # timers are late by up to a millisecond
        else:
            self.again()

    def again(self) -> None:
        """Send it now."""
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        length = whole(self._received)
        if length is None or len(self._received) < length:
            return
        status, self._received, self._waiting = int(self._received[9:12]), self._received[length:], False
        self._load.answered(self, status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._load.broken(exc or ConnectionResetError("the server closed a connection instead of answering"))


def whole(received: bytes) -> int | None:
    """Return how many bytes an answer has, head and body, as soon as its head is there."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = received[:end].lower().split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
    assert length is not None, f"an answer without a length: {received[:end]!r}"
    return end + 4 + length


def main() -> None:
    """Run one load; print when each answer was due and what it took (seconds), its statuses and repeats, as JSON."""
    parser = argparse.ArgumentParser(description="Send the requests of a file to a port of loopback.")
    parser.add_argument("port", type=int)
    parser.add_argument("requests", type=Path)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--addresses", type=int, default=0)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--patient", action="store_true")
    words = vars(parser.parse_args())
    port, requests = words.pop("port"), read(words.pop("requests"))
    run = asyncio.run(drive(port, requests, Order(**words)))
    told = {"seconds": run.seconds, "took": run.took, "due": run.due, "statuses": run.statuses, "again": run.again}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
