"""Windows of rate limits, shared by the workers of a host and the nodes of a fleet.

Promise: all workers together are granted at most the limit of a window. Draws that come while others are made are the
next ones, in one transaction: when a minute begins, a thousand busy keys draw at once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, func

from lumio.storage.columns import metadata
from lumio.storage.database import Database
from lumio.storage.unit import Unit, Units

windows = Table(
    "rate_window",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("starts", BigInteger, primary_key=True, autoincrement=False),
    Column("used", Integer, nullable=False),
    Column("ends", BigInteger, nullable=False),
)
BATCH_MAX = 500
"""Draws of one transaction."""
Window = tuple[str, int]
"""Its name, and when it begins (Unix seconds)."""


class _Draw(NamedTuple):
    name: str
    starts: int
    ends: int
    portion: int
    limit: int
    used: "asyncio.Future[int]"


class RateWindows:
    """Draws portions of a window's limit from the database."""

    def __init__(self, database: Database) -> None:
        """Count in `database`."""
        self._database = database
        self._units = Units(database, "")  # records nothing; a request that is counted waits no longer than others
        self._waiting: list[_Draw] = []
        self._drawing: asyncio.Task[None] | None = None

    async def draw(self, name: str, starts: int, ends: int, portion: int, limit: int) -> tuple[int, int]:
        """Take up to `portion` of what is left of the window `name` that begins at `starts` (Unix seconds).

        Returns:
            How many were granted (0 when the limit is reached), and how many are taken in all.
        """
        asked = asyncio.get_running_loop().create_future()
        self._waiting.append(_Draw(name, starts, ends, portion, limit, asked))
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.create_task(self._draw_all())
        used = await asked
        return max(0, min(portion, limit - (used - portion))), min(used, limit)

    async def forget(self, before: int) -> None:
        """Delete windows that ended before then (Unix seconds)."""
        await self._units.run(lambda unit: unit.execute(delete(windows).where(windows.c.ends < before)))

    async def _draw_all(self) -> None:
        while self._waiting:
            batch = self._take()
            try:
                used = await self._units.run(lambda unit, batch=batch: self._drawn(unit, batch))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait and not for this task
                for one in batch:
                    if not one.used.done():
                        one.used.set_exception(error)
            else:
                for one in batch:
                    if not one.used.done():
                        one.used.set_result(used[one.name, one.starts])

    def _take(self) -> Sequence[_Draw]:
        """Take the next draws out of the queue: no window twice, since one statement changes a row once."""
        batch: dict[Window, _Draw] = {}
        later: list[_Draw] = []
        for one in self._waiting:
            window = one.name, one.starts
            if window in batch or len(batch) == BATCH_MAX:
                later.append(one)
            else:
                batch[window] = one
        self._waiting = later
        return [batch[window] for window in sorted(batch)]  # everywhere in one order: two nodes never wait crosswise

    async def _drawn(self, unit: Unit, batch: Sequence[_Draw]) -> Mapping[Window, int]:
        """Return what is taken of each window."""
        rules = defaultdict(list)
        for one in batch:
            row = {"name": one.name, "starts": one.starts, "used": one.portion, "ends": one.ends}
            rules[one.limit, one.portion].append(row)
        used: dict[Window, int] = {}
        for (limit, portion), rows in sorted(rules.items(), key=lambda rule: rule[0]):
            # Taken stays within one portion above the limit, however long somebody goes on asking.
            more = func.min if self._database.dialect.single_writer else func.least
            statement = self._database.dialect.upsert(windows).on_conflict_do_update(
                index_elements=[windows.c.name, windows.c.starts],
                set_={"used": more(windows.c.used + portion, limit + portion)},
            )
            found = await unit.execute(statement.returning(windows.c.name, windows.c.starts, windows.c.used), rows)
            used.update({(row.name, row.starts): int(row.used) for row in found})
        return used
