"""The nodes of a fleet, and whether all of them know a revocation: the barrier (spec: revocation, section 3).

Promise: a node that is registered and may hold a lease is waited for or outlasted; silent ones are not skipped (I10).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Float, String, Table, delete, func, insert, select

from lumio.authority.lease import silence
from lumio.authority.subjects import NodeProgress
from lumio.kernel import clock, ids
from lumio.settings import LEASE_LONGEST
from lumio.storage.columns import Moment, id_column, metadata
from lumio.storage.unit import Unit, View

nodes = Table(
    "node",
    metadata,
    id_column("node_id", primary_key=True),
    Column("name", String(64), nullable=False),
    Column("boot_id", String(64), nullable=False),
    Column("region", String(64), nullable=False),
    Column("registered_at", Moment, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("beat_at", Moment, nullable=False),
    Column("applied_seq", BigInteger, nullable=False),
    Column("applied_at", Moment, nullable=False),
    Column("lease_seconds", Float, nullable=False),
)
"""One row a process. `beat` counts; the times are of the node's own clock, for people alone.

`lease_seconds` is 0 when the node has said that it holds no lease any more.
"""


UNKNOWN = "before the restore"


async def longest_silence(unit: Unit) -> float:
    """Return W: the longest that any registered node may serve without being heard of, in seconds.

    A unit that ends things twice is sealed by the first time; what is only read then stands past its seal.
    """
    longest = (await unit.connection.execute(select(func.max(nodes.c.lease_seconds)))).scalar()
    return silence(float(longest or 0.0))


async def furthest(view: View) -> int:
    """Return the highest number that any registered node has applied."""
    return int((await view.execute(select(func.max(nodes.c.applied_seq)))).scalar() or 0)


async def count_the_unknown(unit: Unit) -> None:
    """Count one silent node with the longest lease for those whose registration a restore has lost (I10).

    It is waited for like any other that says nothing, and goes when it was silent for long enough.
    """
    moment = clock.now()
    row = {
        "node_id": ids.uuid7(), "name": UNKNOWN, "boot_id": UNKNOWN, "region": UNKNOWN, "registered_at": moment,
        "beat": 0, "beat_at": moment, "applied_seq": 0, "applied_at": moment, "lease_seconds": LEASE_LONGEST,
    }  # fmt: skip
    await unit.execute(insert(nodes), row)


async def all_nodes(view: View) -> Sequence[Any]:
    """Return every registered node."""
    return (await view.execute(select(nodes).order_by(nodes.c.region, nodes.c.registered_at))).all()


def shown(row: Any) -> NodeProgress:
    """Return a node as people see it."""
    holds = row.lease_seconds > 0
    until = row.beat_at + timedelta(seconds=row.lease_seconds) if holds else None
    return NodeProgress(row.node_id, row.region, row.applied_seq, row.applied_at, until)


class Watch:
    """Takes out the rows of nodes that were silent for W, as this process measures it."""

    def __init__(self) -> None:
        """Have seen nobody."""
        self._seen: dict[str, tuple[int, float]] = {}

    async def sweep(self, unit: Unit) -> list[str]:
        """Look at every beat; remove the rows whose beat has not moved for W; return their ids.

        A beat is dated when the answer with it is here: a question that was under way for long may have met a beat of
        its last moment, and silence counted from its sending would end before that node's lease does.
        """
        rows = await all_nodes(unit)
        moment, found, gone = clock.boottime(), {}, []
        for row in rows:
            beat, since = self._seen.get(row.node_id, (row.beat, moment))
            if beat != row.beat:
                since = moment
            found[row.node_id] = (row.beat, since)
            if moment - since > silence(row.lease_seconds):
                still = delete(nodes).where(nodes.c.node_id == row.node_id, nodes.c.beat == row.beat)
                removed = await unit.execute(still.returning(nodes.c.node_id))
                gone += [one.node_id for one in removed.all()]
        self._seen = found
        return gone
