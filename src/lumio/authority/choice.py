"""Which authority a database gets: a file answers for itself, a fleet's node needs a lease."""

from dataclasses import dataclass, field

from lumio.authority.interface import Authority
from lumio.authority.lease import Lease
from lumio.authority.leased import LeasedAuthority
from lumio.authority.local import LocalAuthority
from lumio.authority.postgres import PostgresPrimary, PostgresReplica
from lumio.authority.primary import Node
from lumio.authority.reconciliation import Reconciliation
from lumio.storage.database import Database
from lumio.storage.dialect import PostgresDialect
from lumio.storage.dialect import choose as choose_dialect
from lumio.storage.hot import open_hot
from lumio.storage.unit import Units


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process stands in a fleet, and how long it may serve after a proof (seconds)."""

    node: str
    region: str = "local"
    lease_seconds: float = 9.5
    failover: str = "none"
    """`sync` when a synchronous standby may be promoted by itself; then there must be one."""
    replica_url: str | None = field(default=None, repr=False)
    """A read replica nearby, where statuses are read when it has come far enough."""


def choose(database: Database, place: Place, outside: Reconciliation | None = None) -> Authority:
    """Return the authority of a database; `outside` is the journal of revocations that must survive a restore.

    Raises:
        ValueError: a lease that the promise does not allow.
    """
    dialect = database.dialect
    if not isinstance(dialect, PostgresDialect):
        return LocalAuthority(database, place.node, place.region, outside)
    node = Node(place.node, place.region, place.lease_seconds)
    units = Units(database, place.node)
    primary = PostgresPrimary(dialect, needs_standby=place.failover == "sync")
    near = None if place.replica_url is None else _replica(place.replica_url)
    return LeasedAuthority(primary, database.hot, units, node, Lease(place.lease_seconds), near, outside)


def _replica(url: str) -> PostgresReplica:
    dialect = choose_dialect(url)
    if not isinstance(dialect, PostgresDialect):
        message = "LUMIO_DATABASE_REPLICA_URL must name a PostgreSQL server"
        raise ValueError(message)  # noqa: TRY004 - the value of a setting is wrong, not a type of ours
    return PostgresReplica(open_hot(dialect), dialect)


async def lacks_standby(database: Database, place: Place) -> bool:
    """Tell whether failover is said to be safe while no synchronous standby is configured."""
    dialect = database.dialect
    if place.failover != "sync" or not isinstance(dialect, PostgresDialect):
        return False
    primary = PostgresPrimary(dialect)
    try:
        return not await primary.standbys()
    finally:
        await primary.close()
