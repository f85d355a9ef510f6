"""Clients of a fleet that ask every node the same questions again and again, and note each answer's two moments.

Promise: all moments come from the one monotonic clock of this process. `sent` is read before the first byte leaves
and `received` after the last one came, so the truth lies between them.

The questions are asked at a steady pace, whether or not earlier ones were answered: a node that lets its clients
wait is asked on, as by a crowd.
"""

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from tests.support.fleet import CLIENTS, PORT, Fleet

EVERY_SECONDS = 0.1
PATIENCE_SECONDS = 20.0
OUTSTANDING = 100
"""How many questions of one kind wait at one node before no more are asked."""
NO_ANSWER = 0
"""In place of a status: the connection was refused or broke, or nothing came in time."""


class Door(Protocol):
    """Where questions go: a node, or what stands before them."""

    @property
    def name(self) -> str:
        """How answers name it."""
        ...

    @property
    def address(self) -> str:
        """Where the clients' host reaches it."""
        ...

    @property
    def port(self) -> int:
        """The port that it listens on."""
        ...


@dataclass(frozen=True, slots=True)
class Proxy:
    """A door that is no node."""

    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Question:
    """One request, asked of every node; `name` says whose credential it carries, `category` marks what it writes."""

    name: str
    credential: str
    path: str = "/v1/users/me"
    method: str = "GET"
    body: Callable[[], str] | None = None
    headers: Sequence[str] = ()
    category: str = ""

    def encoded(self) -> bytes:
        """Return the request as it goes over the wire."""
        content = b"" if self.body is None else self.body().encode()
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: localhost:{PORT}", *self.headers]
        if self.credential:
            lines.append(f"Authorization: Bearer {self.credential}")
        if content:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True, slots=True)
class Seen:
    """One question and its answer; moments are seconds of the monotonic clock."""

    question: str
    node: str
    sent: float
    received: float
    status: int
    retry_after: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the credential was believed."""
        return 200 <= self.status < 300


class Observer:
    """Asks while the block runs; `seen` grows, in the order in which answers came."""

    def __init__(
        self,
        fleet: Fleet,
        questions: Iterable[Question],
        every: float = EVERY_SECONDS,
        doors: Sequence[Door] | None = None,
    ) -> None:
        """Ask each question once in `every` seconds at each door; the nodes are the doors when none are named."""
        self._doors = fleet.nodes if doors is None else doors
        self._fleet = fleet
        self._questions = list(questions)
        self._every = every
        self._stopped = threading.Event()
        self._idle: defaultdict[str, list[_Line]] = defaultdict(list)
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._failure: BaseException | None = None
        self.seen: list[Seen] = []

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def since(self, moment: float, *, question: str | None = None, node: str | None = None) -> list[Seen]:
        """Return what was sent at a moment or later."""
        return [
            one
            for one in list(self.seen)
            if one.sent >= moment and question in {None, one.question} and node in {None, one.node}
        ]

    def wait_for(self, question: str, node: str, statuses: set[int], after: float, patience: float) -> Seen:
        """Wait for an answer with one of these statuses to a question sent after a moment.

        Raises:
            TimeoutError: none came; the error says what did.
        """
        deadline = time.monotonic() + patience
        while True:
            found = self.since(after, question=question, node=node)
            good = [one for one in found if one.status in statuses]
            if good:
                return min(good, key=lambda one: one.sent)
            if time.monotonic() > deadline:
                came = dict(Counter(one.status for one in found))
                message = f"{question} at {node}: waited {patience} s for {statuses}, came {came}"
                raise TimeoutError(message)
            time.sleep(0.02)

    def wait_everywhere(self, question: str, statuses: set[int], after: float, patience: float) -> list[Seen]:
        """Wait for the same at every node; return the first such answer of each."""
        return [self.wait_for(question, door.name, statuses, after, patience) for door in self._doors]

    def _run(self) -> None:
        try:
            asyncio.run(self._ask_all())
        except BaseException as error:  # noqa: BLE001 - raised again where the block ends
            self._failure = error

    async def _ask_all(self) -> None:
        tickers = [
            asyncio.create_task(self._tick(question, node, place))
            for place, question in enumerate(self._questions)
            for node in self._doors
        ]
        try:
            await asyncio.gather(*tickers)
        finally:
            for lines in self._idle.values():
                for line in lines:
                    line.close()

    async def _tick(self, question: Question, node: Door, place: int) -> None:
        """Ask at a steady pace until it is over, then wait for what is still under way."""
        who = (question.name, node.name)
        asking: set[asyncio.Task[None]] = set()
        await asyncio.sleep(self._every * place / len(self._questions))
        while not self._stopped.is_set():
            if self._waiting[who] < OUTSTANDING:
                self._waiting[who] += 1
                task = asyncio.create_task(self._ask(question, node))
                asking.add(task)
                task.add_done_callback(asking.discard)
            await asyncio.sleep(self._every)
        if asking:
            _, late = await asyncio.wait(asking, timeout=2)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _ask(self, question: Question, node: Door) -> None:
        sent, status, retry_after = time.monotonic(), NO_ANSWER, False
        line: _Line | None = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                line = self._idle[node.name].pop() if self._idle[node.name] else await self._open(node)
                sent = time.monotonic()
                status, retry_after = await line.ask(question.encoded())
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            self._waiting[question.name, node.name] -= 1
            if line is not None and line.reusable and not self._stopped.is_set():
                self._idle[node.name].append(line)
            elif line is not None:
                line.close()
        self.seen.append(Seen(question.name, node.name, sent, time.monotonic(), status, retry_after))

    async def _open(self, node: Door) -> "_Line":
        made = self._fleet.network.socket(CLIENTS)
        try:
            await asyncio.get_running_loop().sock_connect(made, (node.address, node.port))
        except BaseException:
            made.close()
            raise
        return _Line(*await asyncio.open_connection(sock=made))


@dataclass(slots=True)
class _Line:
    """One kept connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    reusable: bool = field(default=False)

    async def ask(self, request: bytes) -> tuple[int, bool]:
        """Send one request; return the status of its answer and whether it says when to come again."""
        self.reusable = False
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        fields = dict(line.split(b":", 1) for line in lines[1:] if b":" in line)
        await self.reader.readexactly(int(fields.get(b"content-length", b"0")))
        self.reusable = b"close" not in fields.get(b"connection", b"")
        return int(lines[0].split(b" ", 2)[1]), b"retry-after" in fields

    def close(self) -> None:
        """Give the connection up at once."""
        self.writer.transport.abort()
