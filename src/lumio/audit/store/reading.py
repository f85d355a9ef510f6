"""Pages of the log, the newest first: sealed rows by an index, unsealed ones beside them, on one snapshot.

Promise: a page looks at no more than `REACH` entries of an index. Where fewer rows fit than were asked for, it
says how far it came, and the next page goes on from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, false, func, null, select, tuple_

from lumio.audit.store.days import END_OF_TIME, Key, Window, on, windows
from lumio.audit.store.filters import Chosen, Condition, Way, conditions, ways
from lumio.kernel import clock
from lumio.storage.events import NAMES, hot, tally
from lumio.storage.sealed import NOT_A_GOOD_AUTHENTICATION, log
from lumio.storage.unit import View

REACH = 2000
"""Entries of each index that one page looks at. Each may cost a row at another place of the disk: some 20 ms."""

END = (END_OF_TIME, "")
"""A key behind every other."""

Row = Mapping[str, Any]
_COLUMNS = select(log.c.position, *(log.c[name] for name in NAMES), log.c.commitments.is_not(null()).label("erased"))


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows, and the key (microseconds, id) after which the next ones follow; None at the end."""

    rows: Sequence[Row]
    after: Key | None


class AuditStore:
    """Reads events wherever they lie at this moment."""

    async def page(self, view: View, chosen: Chosen, limit: int, after: Key | None) -> Slice:
        """Return at most `limit` rows after a key, the newest first."""
        edge, sealed = await self._sealed(view, chosen, limit, after)
        waiting = await self._waiting(view, chosen, limit, after, edge)
        both = sorted([*sealed, *waiting], key=_key, reverse=True)
        if len(both) > limit:
            return Slice(both[:limit], _key(both[limit - 1]))
        return Slice(both, edge)

    async def _sealed(
        self, view: View, chosen: Chosen, limit: int, after: Key | None
    ) -> tuple[Key | None, list[Row]]:
        """Return how far the log was looked through (None: to its end), and one row more than asked for."""
        found: list[Row] = []
        search = _Search(chosen)
        for window in await windows(view, *_span(chosen, after, None)):
            look = await search.through(view, window)
            if look.any:
                span = max(window.low, look.edge or window.low), window.high
                wanted = _along(_COLUMNS, look.way, span).where(
                    *_others(chosen, look.way), on(view, log, window.days)
                )
                found += await _rows(view, wanted.limit(limit + 1 - len(found)))
            if look.edge is not None or len(found) > limit:
                return look.edge, found
        return None, found

    async def _waiting(
        self, view: View, chosen: Chosen, limit: int, after: Key | None, edge: Key | None
    ) -> list[Row]:
        """Return rows that are not sealed yet; they have no index, and are few."""
        found: list[Row] = []
        low, high = _span(chosen, after, edge)
        for table in (hot, tally):
            columns = select(null().label("position"), *(table.c[name] for name in NAMES), false().label("erased"))
            key = tuple_(table.c.ts, table.c.id)
            mine = columns.where(*conditions(table, chosen).values(), key >= tuple_(*low), key < tuple_(*high))
            found += await _rows(view, mine.order_by(table.c.ts.desc(), table.c.id.desc()).limit(limit + 1))
        return found


@dataclass(frozen=True, slots=True)
class _Look:
    """The index that answers a window, how far its reach goes there (None: to the end), whether it has any entry."""

    way: Way
    edge: Key | None = None
    any: bool = True


class _Search:
    """Chooses the indexes of one page, and counts what is looked at in each."""

    def __init__(self, chosen: Chosen) -> None:
        """Look for what is chosen."""
        offered = ways(chosen)
        self._bounded = len(offered) > 1 or bool(conditions(log, chosen).keys() - offered[0].serves)
        self._left = dict.fromkeys(offered, REACH)

    async def through(self, view: View, window: Window) -> _Look:
        """Return the index that comes through a window, else the one that comes farthest into the past in it."""
        if not self._bounded:  # every entry is a row of the page
            return _Look(next(iter(self._left)))
        best: _Look | None = None
        for way, left in list(self._left.items()):
            entries = _along(select(log.c.ts, log.c.id), way, (window.low, window.high))
            entries = entries.where(on(view, log, window.days))
            if "quiet" in way.serves:
                entries = entries.where(NOT_A_GOOD_AUTHENTICATION)
            count = select(func.count()).select_from(entries.limit(left).subquery())
            seen = (await view.execute(count)).scalar_one()
            if seen < left:
                self._left[way] -= seen
                return _Look(way, any=seen > 0)
            del self._left[way]  # looked at as far as a page may
            last = (await view.execute(entries.offset(left - 1).limit(1))).one()
            edge = (int(last.ts), str(last.id))
            if best is None or best.edge is None or edge < best.edge:
                best = _Look(way, edge)
        assert best is not None  # noqa: S101 - there is always one way
        return best


def _others(chosen: Chosen, way: Way) -> list[Condition]:
    """Return the conditions that are left when an index has answered its own."""
    found = conditions(log, chosen, way.serves)
    return [part for name, part in found.items() if name == "quiet" or name not in way.serves]


def _span(chosen: Chosen, after: Key | None, edge: Key | None) -> tuple[Key, Key]:
    """Return the first key of what is wanted, and the one behind the last."""
    since, until = chosen.filters.since, chosen.filters.until
    low = max((0, "") if since is None else (clock.to_micros(since), ""), edge or (0, ""))
    high = min(END if until is None else (clock.to_micros(until), ""), after or END)
    return low, high


def _along(wanted: Select[Any], way: Way, span: tuple[Key, Key]) -> Select[Any]:
    """Read an index backwards between two keys.

    The column before the time stands in the keys and in the order, instead of beside them as `column = value`:
    so no other index can serve the order, and a planner that guesses wrongly cannot read a long way for nothing.
    """
    low, high = span
    columns = [log.c.ts, log.c.id] if way.column is None else [log.c[way.column], log.c.ts, log.c.id]
    before = () if way.column is None else (way.value,)
    key = tuple_(*columns)
    bounded = wanted.where(key >= tuple_(*before, *low), key < tuple_(*before, *high))
    return bounded.order_by(*(column.desc() for column in columns))


async def _rows(view: View, wanted: Select[Any]) -> list[Row]:
    return [dict(row) for row in (await view.execute(wanted)).mappings()]


def _key(row: Row) -> Key:
    return int(row["ts"]), str(row["id"])
