"""A load of keep-alive connections, each asking again as soon as it is answered, for some seconds."""

import asyncio
from dataclasses import dataclass, field

CONNECTIONS = 32
REQUESTS_MAX = 100_000


@dataclass(slots=True)
class Run:
    """What came of one load: answers, seconds, and how long each answer took."""

    seconds: float
    took: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    def quantile(self, part: float) -> float:
        """Return the milliseconds within which this part of the answers came."""
        ordered = sorted(self.took)
        return ordered[int(part * (len(ordered) - 1))] * 1000


async def load(port: int, path: str, credential: str, seconds: float, connections: int = CONNECTIONS) -> Run:
    """Ask for `path` on loopback for so many seconds.

    Raises:
        AssertionError: an answer was not 200: a figure for wrong answers is none.
    """
    head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {credential}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    started = loop.time()
    run = Run(seconds)
    await asyncio.gather(*[_ask(port, head, run, started + seconds) for _ in range(connections)])
    run.seconds = loop.time() - started
    return run


async def _ask(port: int, head: bytes, run: Run, until: float) -> None:
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while (now := loop.time()) < until and len(run.took) < REQUESTS_MAX:
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(answer))
            assert answer.startswith(b"HTTP/1.1 200"), answer
            run.took.append(loop.time() - now)
    finally:
        writer.close()


def _length(head: bytes) -> int:
    name = b"content-length:"
    return next(int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(name))
