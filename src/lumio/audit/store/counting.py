"""How much happened in each of the last hours, for the plot on the page.

Promise: it looks at no more than `REACH` rows of each part of the log, and says when that was not all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, func, select

from lumio.audit.store.days import END_OF_TIME, on, overlapping
from lumio.audit.store.filters import Chosen, conditions
from lumio.storage.events import hot, tally
from lumio.storage.sealed import log
from lumio.storage.unit import View

HOUR = 3_600_000_000
REACH = 5000


@dataclass(frozen=True, slots=True)
class Hours:
    """By hour (hours since 1970): how much, and how much of it failed; whether that is all of it."""

    amounts: Mapping[int, tuple[int, int]]
    whole: bool


class CountStore:
    """Counts by hour."""

    async def per_hour(self, view: View, chosen: Chosen, since: int) -> Hours:
        """Return what happened from `since` (microseconds) on, counted rows by their counts."""
        found: dict[int, tuple[int, int]] = {}
        whole = True
        days = [one.day for one in await overlapping(view, since, END_OF_TIME)] if view.days_apart else None
        for table in (log, hot, tally):
            mine = conditions(table, chosen, frozenset({"account"})).values()
            newest = select(table.c.ts, table.c.result, table.c["count"]).where(*mine, table.c.ts >= since)
            if table is log:
                newest = newest.where(on(view, log, days))
            inner = newest.order_by(table.c.ts.desc(), table.c.id.desc()).limit(REACH).subquery()
            amount = inner.c["count"]
            hour = inner.c.ts // HOUR
            failed = func.sum(case((inner.c.result == "failure", amount), else_=0))
            columns = (hour.label("hour"), func.sum(amount).label("total"), failed.label("bad"))
            rows = (
                (await view.execute(select(*columns, func.count().label("rows")).group_by("hour"))).mappings().all()
            )
            for row in rows:
                total, bad = found.get(int(row["hour"]), (0, 0))
                found[int(row["hour"])] = (total + int(row["total"]), bad + int(row["bad"]))
            looked_at = sum(row["rows"] for row in rows)
            whole &= looked_at < REACH
        return Hours(found, whole)
