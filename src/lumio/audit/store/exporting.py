"""The log in the order of its chain, slice by slice, each on a snapshot of its own.

Promise: a slice looks at no more than `SLICE` entries of an index, in one day, and leaves no transaction open behind
it; no row is missing between two of them, and none stands in both. Days without the wanted time are passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, null, select

from lumio.audit.store.days import END_OF_TIME, on, run_after
from lumio.audit.store.filters import Chosen, conditions, time_range
from lumio.crypto.chain import GENESIS
from lumio.kernel import clock
from lumio.storage.events import NAMES, hot, tally
from lumio.storage.sealed import account_chain, chain, checkpoint, held, log, seal
from lumio.storage.unit import View

SLICE = 500
WAITING_MAX = 5000
_PROOF = ("salt", "commitments", "position", "leaf", "account_prev", "chain")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows in order; `last` is the position that the next part begins after, None behind the newest sealed row."""

    rows: Sequence[Row]
    last: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that are not sealed yet, the oldest first, and how many more there are than one answer holds."""

    rows: Sequence[Row]
    left_out: int


@dataclass(frozen=True, slots=True)
class State:
    """What stood at the end of an export: the chain's end, the account's end, the newest checkpoint (0: none)."""

    position: int
    chain: bytes
    account_end: bytes
    checkpoint: int


class ExportStore:
    """Reads the log forwards."""

    async def held(self, view: View, chosen: Chosen, after: int) -> Part:
        """Return rows that a legal hold kept when their day was purged, of one account or of all."""
        columns = select(*(held.c[name] for name in NAMES), *(_proof(name, held, None) for name in _PROOF))
        found = conditions(held, chosen, frozenset({"account"}))
        mine = [found["account"]] if "account" in found else []
        entries = select(held.c.position).where(*mine, held.c.position > after)
        last = (await view.execute(entries.order_by(held.c.position).offset(SLICE - 1).limit(1))).scalar()
        wanted = columns.where(held.c.position > after, *found.values(), *time_range(held, chosen.filters))
        if last is not None:
            wanted = wanted.where(held.c.position <= last)
        return Part(await _rows(view, wanted.order_by(held.c.position)), last)

    async def sealed(self, view: View, chosen: Chosen, after: int) -> Part:
        """Return what is wanted of the next `SLICE` sealed rows of one run of positions."""
        run = await run_after(view, after, *_times(chosen))
        if run is None:
            return Part([], None)
        found = conditions(log, chosen, frozenset({"account"}))
        mine = [found["account"]] if "account" in found else []
        places = [log.c.position > after, log.c.position <= run.last, on(view, log, [run.day])]
        entries = select(log.c.position).where(*places, *mine).order_by(log.c.position)
        last = (await view.execute(entries.offset(SLICE - 1).limit(1))).scalar() or run.last
        columns = select(*(log.c[name] for name in NAMES), *(_proof(name, log, seal) for name in _PROOF))
        both = columns.join_from(log, seal, (seal.c.position == log.c.position) & (seal.c.day == log.c.day))
        wanted = both.where(*places, log.c.position <= last, on(view, seal, [run.day]))
        wanted = wanted.where(*found.values(), *time_range(log, chosen.filters))
        return Part(await _rows(view, wanted.order_by(log.c.position)), last)

    async def waiting(self, view: View, chosen: Chosen, until: int) -> Waiting:
        """Return rows that are not sealed yet and happened before a time (microseconds); they have no proof."""
        rows: list[Row] = []
        left_out = 0
        for table in (hot, tally):
            mine = [*conditions(table, chosen).values(), *time_range(table, chosen.filters), table.c.ts < until]
            columns = select(*(table.c[name] for name in NAMES), *(null().label(name) for name in _PROOF))
            first = await _rows(view, columns.where(*mine).order_by(table.c.ts, table.c.id).limit(WAITING_MAX))
            if len(first) == WAITING_MAX:
                all_of_them = select(func.count()).select_from(table).where(*mine)
                left_out += (await view.execute(all_of_them)).scalar_one() - WAITING_MAX
            rows += first
        return Waiting(sorted(rows, key=lambda row: (row["ts"], row["id"])), left_out)

    async def state(self, view: View, account_id: str | None) -> State:
        """Return the ends of the chains as the view sees them."""
        end = (await view.execute(select(chain.c.position, chain.c.chain))).one()
        own = select(account_chain.c.chain).where(account_chain.c.account_id == account_id)
        account_end = (await view.execute(own)).scalar() if account_id is not None else None
        newest = (await view.execute(select(func.max(checkpoint.c.position)))).scalar()
        return State(end.position, bytes(end.chain), bytes(account_end or GENESIS), int(newest or 0))


def _times(chosen: Chosen) -> tuple[int, int]:
    """Return the first and last time (microseconds) that is wanted."""
    since, until = chosen.filters.since, chosen.filters.until
    return 0 if since is None else clock.to_micros(since), END_OF_TIME if until is None else clock.to_micros(until)


def _proof(name: str, table: Table, places: Table | None) -> ColumnElement[Any]:
    if name in table.c:
        return table.c[name]
    return null().label(name) if places is None else places.c[name]


async def _rows(view: View, wanted: Select[Any]) -> list[Row]:
    return [dict(row) for row in (await view.execute(wanted)).mappings()]
