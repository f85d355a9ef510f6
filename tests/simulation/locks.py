"""Locks of a simulated server, granted in the order in which they were asked for.

Promise: as PostgreSQL's heavy locks: a sharer that comes later does not overtake one who waits to have it alone.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import NamedTuple


class _Waiter(NamedTuple):
    owner: object
    alone: bool
    granted: "asyncio.Future[None]"


class Locks:
    """Held by owners (transactions), shared or alone, until the owner lets go of everything."""

    def __init__(self) -> None:
        self._held: dict[Hashable, dict[object, bool]] = {}
        self._queues: dict[Hashable, deque[_Waiter]] = {}
        self._owned: dict[object, list[Hashable]] = {}

    async def take(self, owner: object, name: Hashable, *, alone: bool) -> None:
        held = self._held.setdefault(name, {})
        if owner in held and (held[owner] or not alone):
            return
        if not self._queues.get(name) and self._fits(held, owner, alone):
            self._grant(owner, name, alone)
            return
        waiter = _Waiter(owner, alone, asyncio.get_running_loop().create_future())
        queue = self._queues.setdefault(name, deque())
        queue.append(waiter)
        try:
            await waiter.granted
        except BaseException:
            if waiter in queue:
                queue.remove(waiter)
            self._advance(name)
            raise

    def release(self, owner: object) -> None:
        """Let go of everything that `owner` holds."""
        for name in self._owned.pop(owner, ()):
            del self._held[name][owner]
            self._advance(name)

    def shared(self, name: Hashable) -> int:
        """Count the owners of a lock."""
        return len(self._held.get(name, ()))

    def _grant(self, owner: object, name: Hashable, alone: bool) -> None:
        held = self._held.setdefault(name, {})
        if owner not in held:
            self._owned.setdefault(owner, []).append(name)
        held[owner] = alone or held.get(owner, False)

    def _advance(self, name: Hashable) -> None:
        queue, held = self._queues.get(name), self._held.setdefault(name, {})
        while queue:
            waiter = queue[0]
            if not self._fits(held, waiter.owner, waiter.alone):
                return
            queue.popleft()
            self._grant(waiter.owner, name, waiter.alone)
            if not waiter.granted.done():
                waiter.granted.set_result(None)

    @staticmethod
    def _fits(held: dict[object, bool], owner: object, alone: bool) -> bool:
        others = [mode for one, mode in held.items() if one is not owner]
        return not others if alone else not any(others)
