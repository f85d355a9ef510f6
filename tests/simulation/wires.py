"""Wires between machines and servers: slow, cut, cut in one direction, with packets that arrive after all.

Promise: a question is carried out once or never, and its answer arrives once or never; nothing tells the asker which.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

from tests.simulation.loop import NOWHERE
from tests.simulation.server import LIMIT_SECONDS, Gone, Server

Work = Callable[[], Any]


@dataclass(eq=False)
class Wire:
    """The way from one machine to one server and back."""

    rng: random.Random
    slowness: float = 1.0
    cut_out: bool = False
    """What is asked does not arrive."""
    cut_back: bool = False
    """What is answered does not arrive, though it has happened."""
    held: list[Callable[[], None]] = field(default_factory=list)
    lost: list[Callable[[], None]] = field(default_factory=list)
    """Kept, so that whoever waits for them goes on waiting."""
    running: set["asyncio.Future[None]"] = field(default_factory=set)

    def delay(self) -> float:
        """Draw the seconds of one way: mostly about a millisecond."""
        draw = self.rng.random()
        seconds = 0.0003 + 0.002 * draw if draw < 0.97 else 0.3 * self.rng.random()
        return seconds * self.slowness

    async def call(self, work: Work, limit: float | None = None) -> Any:
        """Have `work` done over there; waits for ever when the wire is cut, or raises TimeoutError at the limit."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        loop.call_later(self.delay(), self._arrive, work, answer, context=NOWHERE)
        if limit is None:
            return await answer
        patience = loop.call_later(limit, _give_up, answer)
        try:
            return await answer
        finally:
            patience.cancel()

    def heal(self) -> None:
        """Mend the wire: what was on its way arrives late, or not at all."""
        self.cut_out = self.cut_back = False
        held, self.held = self.held, []
        for one in held:
            if self.rng.random() < 0.5:
                asyncio.get_running_loop().call_later(self.delay(), one, context=NOWHERE)
            else:
                self.lost.append(one)

    def _arrive(self, work: Work, answer: "asyncio.Future[Any]") -> None:
        if self.cut_out:
            self.held.append(lambda: self._arrive(work, answer))
            return
        try:
            found = work()
        except (Gone, TimeoutError) as error:
            self._answer(answer, error)
            return
        if isawaitable(found):
            following = asyncio.ensure_future(self._follow(found, answer))
            self.running.add(following)
            following.add_done_callback(self.running.discard)
        else:
            self._answer(answer, found)

    async def _follow(self, found: Awaitable[Any], answer: "asyncio.Future[Any]") -> None:
        try:
            self._answer(answer, await found)
        except (Gone, TimeoutError) as error:
            self._answer(answer, error)

    def _answer(self, answer: "asyncio.Future[Any]", found: Any) -> None:
        asyncio.get_running_loop().call_later(self.delay(), self._deliver, answer, found, context=NOWHERE)

    def _deliver(self, answer: "asyncio.Future[Any]", found: Any) -> None:
        if self.cut_back:
            self.held.append(lambda: self._deliver(answer, found))
        elif not answer.done():
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)


class Connection:
    """One connection of a machine; it stays with the server that it was made to."""

    def __init__(self, wire: Wire, server: Server) -> None:
        self.wire, self.server = wire, server
        self.broken = False
        self._life = server.life

    async def call(self, work: Work, limit: float | None = None) -> Any:
        """Ask; whatever goes wrong, also that the asker gives up, breaks the connection."""
        try:
            return await self.wire.call(lambda: self._carried(work), limit)
        except BaseException:
            self.broken = True
            raise

    def forget(self, work: Callable[[], None]) -> None:
        """Say something that needs no answer."""
        asyncio.get_running_loop().call_later(self.wire.delay(), self._said, work, context=NOWHERE)

    def _said(self, work: Callable[[], None]) -> None:
        if not self.wire.cut_out:
            work()

    def _carried(self, work: Work) -> Any:
        self.server.demand(self._life)
        return work()


class Pool:
    """The connections of one kind that a process keeps; each leads where the address led when it was made."""

    def __init__(self, route: Callable[[], tuple[Wire, Server]], rng: random.Random) -> None:
        self._route = route
        self._rng = rng
        self._idle: list[Connection] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; one that broke is not lent again."""
        idle = self._idle
        connection = idle.pop(self._rng.randrange(len(idle))) if idle else await connect(*self._route())
        try:
            yield connection
        finally:
            if not connection.broken:
                idle.append(connection)


async def connect(wire: Wire, server: Server) -> Connection:
    """Open a connection. Raises TimeoutError or Gone."""
    connection = Connection(wire, server)
    await connection.call(lambda: None, LIMIT_SECONDS)
    return connection


def _give_up(answer: "asyncio.Future[Any]") -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
