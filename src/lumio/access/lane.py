"""Who comes first when many ask at once: credentials that were good lately, before those not seen yet.

To judge a credential for the first time costs several times as much as to judge it again, and a guess is always a
first time. Promise: a credential in use waits for at most `PACE` others in a turn of the event loop, however many
come together; those others are put off, in their order, and never refused for it.
"""

import asyncio
from collections import deque

PACE = 4
"""First times in a turn of the event loop: about a millisecond."""
REMEMBERED_MAX = 16_384


class Lane:
    """Lets first times in, a few at a time."""

    def __init__(self) -> None:
        """Begin with no credential known."""
        self._lately: dict[int, None] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._room = PACE
        self._turning = False

    async def enter(self, text: str) -> None:
        """Return at once for a credential that was good lately, else when it is its turn."""
        if hash(text) in self._lately:
            return
        loop = asyncio.get_running_loop()
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turn)
        if self._room and not self._waiting:
            self._room -= 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def was_good(self, text: str) -> None:
        """Remember a credential, by a number that says nothing of it; another with the same number goes first too."""
        known = hash(text)
        if known not in self._lately:
            self._lately[known] = None
            if len(self._lately) > REMEMBERED_MAX:
                del self._lately[next(iter(self._lately))]

    def _turn(self) -> None:
        """Begin a turn: let the next ones in."""
        self._room = PACE
        while self._room and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # who stopped waiting takes nobody's place
                turn.set_result(None)
                self._room -= 1
        self._turning = self._room < PACE
        if self._turning:
            asyncio.get_running_loop().call_soon(self._turn)
