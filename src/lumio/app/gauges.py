"""How things stand, for the metrics: what each process knows of itself, and what the database knows of all."""

from functools import partial

from lumio.app.ground import Ground
from lumio.audit.sealer import Sealer
from lumio.authority import feed
from lumio.authority.leased import LeasedAuthority
from lumio.kernel.board import resident_bytes
from lumio.kernel.errors import Unavailable
from lumio.kernel.metrics import BACKLOG, FRESH, LAG, LEASE, MEMORY, OUTBOX, QUEUE, SEQ
from lumio.surface.http.scrape import Ask, Scrape


def scrape_of(ground: Ground, sealer: Sealer) -> Scrape:
    """Return what tells the figures of this host; this process's own gauges are told of from here on."""
    metrics, authority = ground.metrics, ground.authority
    metrics.gauge(MEMORY, resident_bytes)
    metrics.gauge(QUEUE, lambda: ground.journal.waiting)
    metrics.gauge(FRESH, authority.fresh)
    asks: dict[str, Ask] = {BACKLOG: sealer.backlog, OUTBOX: ground.outbox.waiting}
    if isinstance(authority, LeasedAuthority):
        metrics.gauge(LEASE, lambda: max(0.0, authority.lease.left()))
        metrics.gauge(SEQ, lambda: authority.memory.cursor)
        asks[LAG] = partial(_newest, ground)
    return Scrape(metrics, ground.board, asks)


async def _newest(ground: Ground) -> float:
    row = await ground.database.hot.row(feed.NEWEST)
    if row is None:
        raise Unavailable("the revocation counter is missing")
    return float(row[0])
