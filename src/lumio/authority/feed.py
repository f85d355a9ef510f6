"""The numbered feed of revocations.

Promise: commit order is number order. The counter row is written last in a unit, so its lock lives for
microseconds; a sequence would hand out numbers before the commit, and a reader that passed 2 would never see
a late 1.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, bindparam, select, tuple_, update

from lumio.authority.subjects import EVERYTHING, Ending, Entry, Mark, Subject
from lumio.kernel import clock
from lumio.storage.columns import Moment, metadata
from lumio.storage.hot import HotQuery, HotReader
from lumio.storage.unit import Unit, View

counter = Table(
    "revocation_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

revocations = Table(
    "revocation",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", String(80), nullable=False),
    Column("effect", String(8), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

NEWEST = HotQuery(select(counter.c.n).where(counter.c.id == 1))
WRITTEN = HotQuery(select(revocations.c.at).where(revocations.c.seq == bindparam("seq")))


async def append(unit: Unit, endings: Sequence[Ending]) -> list[Entry]:
    """Seal the unit, then number and write the feed rows; return them.

    Nothing else may happen in the unit afterwards but its commit.
    """
    await unit.seal()
    step = update(counter).where(counter.c.id == 1).values(n=counter.c.n + len(endings))
    last, epoch = (await unit.connection.execute(step.returning(counter.c.n, counter.c.epoch))).one()
    moment, first = clock.now(), last - len(endings) + 1
    entries = [Entry(seq, ending, moment, epoch) for seq, ending in enumerate(endings, start=first)]
    await unit.connection.execute(revocations.insert(), [columns(entry) for entry in entries])
    await unit.wake()
    return entries


async def holds(hot: HotReader, mark: Mark) -> bool:
    """Tell whether a server has the very row of a mark: then it has every row before it."""
    row = await hot.row(WRITTEN, seq=mark.seq)
    return (None if row is None else clock.from_micros(row[0])) == mark.at


async def find(view: View, seq: int) -> Entry | None:
    """Return the row with a number."""
    row = (await view.execute(select(revocations).where(revocations.c.seq == seq))).first()
    return None if row is None else entry_of(row)


async def ended_since(view: View, subjects: Iterable[Subject], seq: int) -> bool:
    """Tell whether one of the subjects, or everything, was ended after number `seq`, as the view sees it."""
    pairs = [(subject.kind, subject.id) for subject in (*subjects, EVERYTHING)]
    found = await view.execute(
        select(revocations.c.seq)
        .where(
            revocations.c.seq > bindparam("seq", seq),
            revocations.c.effect.in_(("ended", "all")),
            tuple_(revocations.c.subject_kind, revocations.c.subject_id).in_(pairs),
        )
        .limit(1)
    )
    return found.first() is not None


def columns(entry: Entry) -> dict[str, Any]:
    """Return an entry as the table keeps it."""
    ending = entry.ending
    return {
        "seq": entry.seq,
        "subject_kind": ending.subject.kind,
        "subject_id": ending.subject.id,
        "effect": ending.effect,
        "at": entry.at,
        "actor": ending.actor,
        "reason": ending.reason,
    }


def entry_of(row: Any, epoch: int = 0) -> Entry:
    """Return the entry of a row of the table; the table does not say in which epoch it was written."""
    ending = Ending(Subject(row.subject_kind, row.subject_id), row.effect, row.actor, row.reason)
    return Entry(row.seq, ending, row.at, epoch)
