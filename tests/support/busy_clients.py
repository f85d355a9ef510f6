"""Many clients that ask one address again and again over kept connections, and remember what they were answered.

Raw sockets: the load generator shares the machine with the server, so it must cost little.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class BusyClients:
    """`asked` and `answered` count requests and answers with 200, by key; `others` counts other statuses."""

    port: int
    keys: Sequence[str]
    many: int
    path: str = "/v1/users/me"
    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    others: Counter[int] = field(default_factory=Counter)
    stopped: bool = False

    async def run(self, seconds: float) -> None:
        """Ask for a while."""
        tasks = [asyncio.create_task(self._client(self.keys[number % len(self.keys)])) for number in range(self.many)]
        await asyncio.sleep(seconds)
        self.stopped = True
        _, late = await asyncio.wait(tasks, timeout=10)
        for task in late:
            task.cancel()

    async def _client(self, key: str) -> None:
        while not self.stopped:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._connection(key)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _connection(self, key: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"GET {self.path} HTTP/1.1\r\nHost: localhost:{self.port}\r\nAuthorization: Bearer {key}\r\n\r\n"
        try:
            while not self.stopped:
                self.asked[key] += 1
                writer.write(head.encode())
                status = await _answer(reader)
                if status == 200:
                    self.answered[key] += 1
                else:
                    self.others[status] += 1
        finally:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])
