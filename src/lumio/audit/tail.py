"""The live tail: new entries as server-sent events, for whoever has the page open.

Promise: it shows what its reader may read at that moment, ends when the credential ends, and ends by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lumio.audit.lines import json_line
from lumio.audit.model import Entry
from lumio.kernel import clock
from lumio.kernel.errors import Denied, Unauthenticated, Unavailable
from lumio.kernel.paging import Page
from lumio.surface.html import format as words

PAUSE = 1.0
LASTS = timedelta(minutes=10)
OVERLAP = timedelta(seconds=20)
"""How far each look goes back: a row can become durable some seconds after it happened."""
MOST = 100
READERS = 32
"""Tails of one process at once; each asks the database once a second."""

Read = Callable[[dict[str, Any]], Awaitable[Page[Any]]]


@dataclass(slots=True)
class Tails:
    """Counts the tails that run."""

    running: int = 0

    def enter(self) -> None:
        """Take a place. Raises Unavailable when there is none."""
        if self.running >= READERS:
            raise Unavailable("too many live tails")
        self.running += 1

    async def follow(
        self, read: Read, form: dict[str, Any], may_go_on: Callable[[], Awaitable[object]], ends: datetime | None
    ) -> AsyncIterator[bytes]:
        """Yield new entries until the reader's right or time is over; a place was taken before.

        Args:
            read: the page's own action.
            form: its filters.
            may_go_on: raises when the credential has ended.
            ends: when the credential ends by itself.
        """
        started = clock.now()
        over = min(started + LASTS, ends or started + LASTS)
        seen: dict[str, int] = {}
        try:
            yield b"retry: 3000\n: following\n\n"
            while (now := clock.now()) < over:
                await may_go_on()
                since = clock.rfc3339(max(now - OVERLAP, started))
                page = await read({**form, "since": since, "limit": MOST})
                fresh = [one for one in page.items if seen.get(one.id) != one.count]
                seen = {one.id: one.count for one in page.items}
                for one in reversed(fresh):
                    yield b"data: " + json_line(told(one)) + b"\n"
                await asyncio.sleep(PAUSE)
            yield b"event: over\ndata: time\n\n"
        except (Unauthenticated, Denied):
            yield b"event: over\ndata: right\n\n"
        except Unavailable:
            yield b"event: over\ndata: unavailable\n\n"
        finally:
            self.running -= 1


def told(entry: Entry) -> dict[str, Any]:
    """Return an entry as the page's script takes it: texts that are ready to be shown."""
    facts = {
        "Id": entry.id,
        "Target": f"{entry.target.type} {entry.target.id}" if entry.target else None,
        "Credential": entry.credential_id,
        "Account": getattr(entry, "account_id", None),
        "Request": entry.request_id,
        "User agent": entry.user_agent,
        **{name.replace("_", " "): value for name, value in sorted(entry.detail.items())},
        "Position": "not sealed yet" if entry.position is None else entry.position,
    }
    said = {name: value for name, value in facts.items() if value is not None and value != ""}
    return {
        "id": entry.id,
        "iso": words.iso(entry.timestamp),
        "time": words.utc(entry.timestamp)[:19],
        "event": words.visible(entry.event),
        "actor": words.visible(entry.actor),
        "kind": words.visible(entry.actor_type),
        "ip": words.visible(entry.ip) or "—",
        "result": entry.result,
        "count": entry.count,
        "facts": {words.visible(name): words.visible(value) for name, value in said.items()},
    }
