"""A body that is still arriving when its credential ends (spec: revocation, "three checks").

Promise: the credential is asked about at least every half second while a body arrives, so an upload that takes
minutes is refused as soon as a short one would be.
"""

import asyncio
from collections.abc import Awaitable, Callable

from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.surface.http.frame import Message, Receive

PAUSE_SECONDS = 0.5
DRAIN_SECONDS = 2.0
GONE: Message = {"type": "http.disconnect"}


class BodyWatch:
    """Hands the pieces of a body on, and asks between them whether the credential still stands."""

    def __init__(self, receive: Receive, check: Callable[[], Awaitable[None]]) -> None:
        """Take from `receive`; `check` raises what the reader gets instead of the next piece."""
        self._receive = receive
        self._check = check
        self._due = clock.monotonic() + PAUSE_SECONDS
        self._next: asyncio.Future[Message] | None = None
        self._over = False
        self.began = False
        self.arrived = False

    async def __call__(self) -> Message:
        """Return the next piece. Raises what `check` raises; the reader learns of no further piece then."""
        if self._over:
            return GONE
        if self.arrived:
            return await self._receive()
        coming = self._coming()
        while not coming.done():
            await asyncio.wait({coming}, timeout=max(0.0, self._due - clock.monotonic()))
            await self._ask()
        return self._take(coming)

    async def drain(self) -> None:
        """Take what still comes, for two seconds at most, so that the sender gets to read the answer."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.arrived:
                    coming = self._coming()
                    await asyncio.wait({coming})
                    self._take(coming)
        except TimeoutError:
            return

    def close(self) -> None:
        """Wait for nothing any more."""
        if self._next is not None:
            self._next.cancel()

    def _coming(self) -> asyncio.Future[Message]:
        """Return the piece under way; a reader that was interrupted finds it here again."""
        self.began = True
        if self._next is None:
            self._next = asyncio.ensure_future(self._receive())
        return self._next

    def _take(self, coming: asyncio.Future[Message]) -> Message:
        self._next = None
        message = coming.result()
        self.arrived = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def _ask(self) -> None:
        if clock.monotonic() < self._due:
            return
        try:
            await self._check()
        except Unavailable:
            pass  # nothing is decided yet: the unit and the start of the answer ask again, and cannot be passed over
        except BaseException:
            self._over = True
            raise
        self._due = clock.monotonic() + PAUSE_SECONDS
