"""Pages of the log, the newest first: sealed rows by an index, unsealed ones beside them, on one snapshot.

Promise: a page looks at no more than `REACH` entries of an index. Where fewer rows fit than were asked for, it
says how far it came, and the next page goes on from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, false, null, select, tuple_

from lumio.audit.store.filters import Chosen, Condition, Way, conditions, time_range, ways
from lumio.storage.events import NAMES, hot, tally
from lumio.storage.sealed import log
from lumio.storage.unit import View

REACH = 5000
"""Entries of an index that one page looks at. Each may cost a row at another place of the disk."""

Row = Mapping[str, Any]
Key = tuple[int, str]


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
        """Return how far the index was looked through (None: to its end), and one row more than asked for."""
        found = conditions(log, chosen)
        offered = ways(chosen, found)
        way, edge = offered[0], None
        if len(offered) > 1 or found.keys() - way.serves:
            way, edge = await self._farthest(view, chosen, offered, after)
        columns = select(
            log.c.position, *(log.c[name] for name in NAMES), log.c.commitments.is_not(null()).label("erased")
        )
        wanted = _between(_by(columns, way), log, chosen, after, edge).where(*found.values())
        return edge, await _rows(view, _newest(wanted, log).limit(limit + 1))

    async def _farthest(
        self, view: View, chosen: Chosen, offered: Sequence[Way], after: Key | None
    ) -> tuple[Way, Key | None]:
        """Return the index that comes farthest into the past with `REACH` entries, and where those end."""
        best: tuple[Way, Key] | None = None
        for way in offered:
            entries = _between(_by(select(log.c.ts, log.c.id), way), log, chosen, after, None)
            served = [part for name, part in conditions(log, chosen).items() if name in way.serves]
            last = (await view.execute(_newest(entries.where(*served), log).offset(REACH - 1).limit(1))).first()
            if last is None:
                return way, None
            edge = (int(last.ts), str(last.id))
            if best is None or edge < best[1]:
                best = (way, edge)
        assert best is not None  # noqa: S101 - there is always one way
        return best

    async def _waiting(
        self, view: View, chosen: Chosen, limit: int, after: Key | None, edge: Key | None
    ) -> list[Row]:
        """Return rows that are not sealed yet; they have no index, and are few."""
        found: list[Row] = []
        for table in (hot, tally):
            columns = select(null().label("position"), *(table.c[name] for name in NAMES), false().label("erased"))
            wanted = _between(columns, table, chosen, after, edge).where(*conditions(table, chosen).values())
            found += await _rows(view, _newest(wanted, table).limit(limit + 1))
        return found


def _by(wanted: Select[Any], way: Way) -> Select[Any]:
    """Name the index to SQLite, which keeps no figures about its tables; PostgreSQL has them and finds it."""
    return wanted.with_hint(log, f"INDEXED BY {way.index}", "sqlite")


def _between(wanted: Select[Any], table: Table, chosen: Chosen, after: Key | None, edge: Key | None) -> Select[Any]:
    key: ColumnElement[Any] = tuple_(table.c.ts, table.c.id)
    bounds: list[Condition] = [*time_range(table, chosen.filters)]
    if after is not None:
        bounds.append(key < tuple_(*after))
    if edge is not None:
        bounds.append(key >= tuple_(*edge))
    return wanted.where(*bounds)


def _newest(wanted: Select[Any], table: Table) -> Select[Any]:
    return wanted.order_by(table.c.ts.desc(), table.c.id.desc())


async def _rows(view: View, wanted: Select[Any]) -> list[Row]:
    return [dict(row) for row in (await view.execute(wanted)).mappings()]


def _key(row: Row) -> Key:
    return int(row["ts"]), str(row["id"])
