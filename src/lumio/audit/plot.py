"""The plot of events per hour: bars as numbers, which the template draws.

Promise: every hour has its place, also one in which nothing happened, and the words say what the bars show.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lumio.audit.store.counting import HOUR, Hours
from lumio.kernel import clock

SPAN = 24
WIDTH, HEIGHT, GAP = 720, 96, 4
"""Units of the drawing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: where it stands, how high it is, how much of that is failures, in units of the drawing."""

    start: datetime
    total: int
    failed: int
    x: int
    width: int
    height: int
    failed_height: int


@dataclass(frozen=True, slots=True)
class Plot:
    """A day in bars."""

    bars: list[Bar]
    total: int
    failed: int
    busiest: Bar | None
    whole: bool


def first_hour(now: datetime) -> int:
    """Return the first hour of the plot, in hours since 1970."""
    return clock.to_micros(now) // HOUR - SPAN + 1


def drawn(hours: Hours, now: datetime) -> Plot:
    """Return the bars of the hours up to now."""
    first, step = first_hour(now), WIDTH // SPAN
    amounts = [hours.amounts.get(first + place, (0, 0)) for place in range(SPAN)]
    highest = max((total for total, _ in amounts), default=0) or 1
    bars = []
    for place, (total, failed) in enumerate(amounts):
        start = clock.from_micros(0) + timedelta(hours=first + place)
        height, failed_height = _scaled(total, highest), _scaled(failed, highest)
        bars.append(Bar(start, total, failed, place * step + GAP // 2, step - GAP, height, failed_height))
    busiest = max(bars, key=lambda bar: bar.total)
    total, failed = (sum(column) for column in zip(*amounts, strict=True))
    return Plot(bars, total, failed, busiest if busiest.total else None, hours.whole)


def _scaled(amount: int, highest: int) -> int:
    """Return a height: what happened at all is seen."""
    return 0 if not amount else max(2, round(amount * HEIGHT / highest))
