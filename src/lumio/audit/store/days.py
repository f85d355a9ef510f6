"""The days of the sealed log: which of them can hold the rows of a time (spec: audit log, sections 5 and 7).

Promise: whatever the clocks did, no row lies outside the days that are named for its time: the runs say of each day
the true first and last time of its events, and a verification finds where that is not so.
PostgreSQL keeps each day in a table of its own and needs time to think about each; it thinks about the named ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func, select, true

from lumio.storage.sealed import segment
from lumio.storage.unit import View

WIDENING = 4
"""How many times more days the next window has: a page that fits into the newest day asks for that day alone."""

END_OF_TIME = 2**62
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of sealing (days since 1970) and the first and last time (microseconds) of its events."""

    day: int
    first_ts: int
    last_ts: int


@dataclass(frozen=True, slots=True)
class Window:
    """Keys (microseconds, id) from `low` up to, not including, `high`, and the days that can hold such rows."""

    low: Key
    high: Key
    days: Sequence[int] | None


async def windows(view: View, low: Key, high: Key) -> list[Window]:
    """Return a range of keys in parts, the newest first: no row of one is newer than a row of the part before."""
    if not view.days_apart:
        return [Window(low, high, None)]
    return parted(await overlapping(view, low[0], high[0]), low, high)


async def overlapping(view: View, since: int, until: int) -> list[Day]:
    """Return the days that can hold events from one time up to another (microseconds, both included)."""
    times = (func.min(segment.c.first_ts), func.max(segment.c.last_ts))
    wanted = select(segment.c.day, *times).where(segment.c.last_ts >= since, segment.c.first_ts <= until)
    return [Day(*map(int, row)) for row in await view.execute(wanted.group_by(segment.c.day))]


def parted(days: Iterable[Day], low: Key, high: Key) -> list[Window]:
    """Part a range of keys so that each part needs few days: those with the newest events first.

    A part ends above the newest event of every day that is not named yet, so that no later part can have a newer
    one. A day that clocks which jumped have spread over a long time is named in each part that it reaches into.
    """
    newest_first = sorted(days, key=lambda one: one.last_ts, reverse=True)
    found: list[Window] = []
    taken, width = 0, 1
    while taken < len(newest_first):
        taken, width = taken + width, width * WIDENING
        bottom = max(low, (newest_first[taken].last_ts + 1, "")) if taken < len(newest_first) else low
        if bottom >= high:
            continue
        named = [one.day for one in newest_first if one.last_ts >= bottom[0] and (one.first_ts, "") < high]
        if named:
            found.append(Window(bottom, high, sorted(named)))
        high = bottom
    return found


async def run_after(view: View, position: int, since: int = 0, until: int = END_OF_TIME) -> Any | None:
    """Return the run of positions sealed on one day that holds the next position of a wanted time, or None."""
    behind = select(segment).where(segment.c.last > position, segment.c.last_ts >= since, segment.c.first_ts <= until)
    return (await view.execute(behind.order_by(segment.c.first).limit(1))).first()


def on(view: View, table: Table, days: Sequence[int] | None) -> ColumnElement[bool]:
    """Return the condition that names days, as numbers in the statement itself: a plan made for it knows them."""
    if days is None or not view.days_apart:
        return true()
    return table.c.day.in_(bindparam(None, list(days), expanding=True, literal_execute=True))
