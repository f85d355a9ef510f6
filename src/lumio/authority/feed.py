"""The numbered feed of revocations.

Promise: commit order is number order. The counter row is written last in a unit, so its lock lives for
microseconds; a sequence would hand out numbers before the commit, and a reader that passed 2 would never see
a late 1.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, bindparam, select, tuple_, update

from lumio.authority.subjects import Ending, Subject
from lumio.kernel import clock
from lumio.storage.columns import Moment, metadata
from lumio.storage.hot import HotQuery
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


async def append(unit: Unit, endings: Sequence[Ending]) -> int:
    """Seal the unit, then number and write the feed rows; return the last number.

    Nothing else may happen in the unit afterwards but its commit.
    """
    await unit.seal()
    step = update(counter).where(counter.c.id == 1).values(n=counter.c.n + len(endings)).returning(counter.c.n)
    last = int((await unit.connection.execute(step)).scalar_one())
    moment = clock.now()
    rows = [
        {
            "seq": last - len(endings) + place,
            "subject_kind": ending.subject.kind,
            "subject_id": ending.subject.id,
            "effect": ending.effect,
            "at": moment,
            "actor": ending.actor,
            "reason": ending.reason,
        }
        for place, ending in enumerate(endings, start=1)
    ]
    await unit.connection.execute(revocations.insert(), rows)
    return last


async def ended_since(view: View, subjects: Iterable[Subject], seq: int) -> bool:
    """Tell whether one of the subjects was ended after number `seq`, as the view sees it."""
    pairs = [(subject.kind, subject.id) for subject in subjects]
    if not pairs:
        return False
    found = await view.connection.execute(
        select(revocations.c.seq)
        .where(
            revocations.c.seq > bindparam("seq", seq),
            revocations.c.effect == "ended",
            tuple_(revocations.c.subject_kind, revocations.c.subject_id).in_(pairs),
        )
        .limit(1)
    )
    return found.first() is not None
