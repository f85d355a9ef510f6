"""Waiting until what was ended is refused everywhere, for as long as the asker wants to know it and is still there.

Promise: nobody is waited for who has left, a request never waits longer than it asked for however much it ends, and
nothing of the database is held between two looks.
"""

import asyncio

from lumio.access.principal import Asker
from lumio.authority.interface import Authority
from lumio.kernel import clock

GLANCE_SECONDS = 1.0
"""How long it may take until it is noticed that a client has left."""


async def reached(authority: Authority, seq: int, asker: Asker) -> bool:
    """Tell whether no node accepts any more what `seq` ended; wait for it as `asker.patience` allows.

    Raises:
        Unavailable: it cannot be known now.
    """
    began, outcome = clock.monotonic(), asker.outcome
    patience = max(0.0, asker.patience - (outcome.waited or 0.0))
    leaving = asyncio.ensure_future(asker.left()) if asker.left is not None and patience else None
    try:
        while True:
            rest = patience - (clock.monotonic() - began)
            if await authority.effective(seq, max(0.0, min(GLANCE_SECONDS, rest))):
                return True
            if rest <= GLANCE_SECONDS or (leaving is not None and leaving.done()):
                return False
    finally:
        outcome.waited = (outcome.waited or 0.0) + clock.monotonic() - began
        if leaving is not None:
            leaving.cancel()
