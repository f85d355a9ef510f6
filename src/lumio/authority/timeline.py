"""What the feed of a restored database lacks, and how it goes on above everything that was ever numbered.

Promise: a number of a lost timeline is never given again.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy import case, select, update

from lumio.authority.feed import append, columns, counter, entry_of, revocations
from lumio.authority.nodes import count_the_unknown, furthest
from lumio.authority.subjects import Ending, Entry
from lumio.storage.unit import Unit, View

BATCH = 500
LEAP = 1_000_000
"""How far the numbers leap after a restore: also above those that were given in the lost time and noted nowhere."""


class Stand(NamedTuple):
    """Where a database stands."""

    seq: int
    epoch: int


async def stand(view: View) -> Stand:
    """Return where the counter stands."""
    row = (await view.execute(select(counter.c.n, counter.c.epoch).where(counter.c.id == 1))).one()
    return Stand(row.n, row.epoch)


async def lacking(view: View, rows: Iterable[Entry]) -> list[Entry]:
    """Return those of the rows that are not in the feed: same number, same subject, effect and moment."""
    found: list[Entry] = []
    for some in _slices(rows):
        there = select(revocations).where(revocations.c.seq.in_([row.seq for row in some]))
        known = {entry_of(row).identity for row in await view.execute(there)}
        found += [row for row in some if row.identity not in known]
    return found


async def after(view: View, seq: int, epoch: int) -> AsyncIterator[list[Entry]]:
    """Yield the rows above a number in slices, in their order."""
    while True:
        above = select(revocations).where(revocations.c.seq > seq).order_by(revocations.c.seq).limit(BATCH)
        rows = [entry_of(row, epoch) for row in await view.execute(above)]
        if not rows:
            return
        yield rows
        seq = rows[-1].seq


async def go_on(unit: Unit, lost: Sequence[Entry], endings: Sequence[Ending], above: Stand) -> list[Entry]:
    """Seal the unit, put the lost rows back, and begin another epoch with `endings`; return their rows.

    Args:
        unit: the unit of the replay.
        lost: what the feed lacks; a number that another row has by now stays with that row.
        endings: what is ended or changed once more, under new numbers.
        above: the highest number and epoch that were ever noted.
    """
    highest = max(above.seq, await furthest(unit))
    if not unit.alone:
        await count_the_unknown(unit)
    await unit.seal()
    for some in _slices(lost):
        rows = [columns(row) for row in some]
        await unit.connection.execute(unit.upsert(revocations).on_conflict_do_nothing(), rows)
    begun = update(counter).where(counter.c.id == 1)
    leap = case((counter.c.n > highest, counter.c.n), else_=highest) + LEAP
    epoch = case((counter.c.epoch > above.epoch, counter.c.epoch), else_=above.epoch) + 1
    await unit.connection.execute(begun.values(n=leap, epoch=epoch))
    return await append(unit, endings)


def _slices(rows: Iterable[Entry]) -> Iterator[list[Entry]]:
    left = iter(rows)
    while some := list(islice(left, BATCH)):
        yield some
