"""The ground: database, units, journal, authority, keys and pools, built from the settings."""

import os
from dataclasses import dataclass

from lumio.access.counts import Counts, OwnCounts, SharedCounts
from lumio.access.limit import FailureLimiter
from lumio.authority.choice import Place, choose
from lumio.authority.interface import Authority
from lumio.authority.ledger import Ledger
from lumio.authority.ledger_file import LedgerFile
from lumio.authority.reconciliation import Reconciliation
from lumio.crypto import roots
from lumio.crypto.hashing import Cost, Peppers, StretchPool
from lumio.crypto.notary import Notary
from lumio.crypto.sealing import Sealer
from lumio.crypto.signing import AccessTokens
from lumio.kernel.board import Board
from lumio.kernel.metrics import Metrics
from lumio.settings import Settings
from lumio.storage import sinks
from lumio.storage.database import Database
from lumio.storage.journal import Journal
from lumio.storage.metered import MeteredSink
from lumio.storage.outbox import Outbox
from lumio.storage.unit import Units

KEY_QUEUE = 16
"""How many system keys may wait for Argon2id: a third of a second's work, then 503."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every domain stands on."""

    settings: Settings
    ring: roots.RootRing
    database: Database
    units: Units
    journal: Journal
    outside: Reconciliation
    authority: Authority
    peppers: Peppers
    access_tokens: AccessTokens
    passwords: StretchPool
    key_stretch: StretchPool
    outbox: Outbox
    notary: Notary
    failures: FailureLimiter
    metrics: Metrics
    board: Board


def lay(settings: Settings, password_cost: Cost, key_cost: Cost) -> Ground:
    """Build the ground; nothing is opened yet."""
    ring = roots.load(settings.root_secret_file)
    database = Database(settings.database_url)
    metrics, board = Metrics(), Board(settings.run_dir, f"worker-{settings.worker}")
    before = board.mine()
    if before is not None:
        metrics.go_on_from(before)
    sink = MeteredSink(sinks.choose(database, settings.journal_socket), metrics)
    units = Units(database, settings.node)
    outside = Reconciliation(Ledger(LedgerFile(settings.journal_dir)), units)
    return Ground(
        settings=settings,
        ring=ring,
        database=database,
        units=units,
        journal=Journal(database, settings.node, settings.journal_timeout_seconds, sink),
        outside=outside,
        authority=choose(database, place_of(settings), outside),
        peppers=Peppers(ring),
        access_tokens=AccessTokens(ring, settings.public_url),
        passwords=StretchPool(password_cost, threads=_share(2, settings.workers)),
        key_stretch=StretchPool(
            key_cost, threads=_share((os.cpu_count() or 2) - 1, settings.workers), queue=KEY_QUEUE
        ),
        outbox=Outbox(database, Sealer(ring, "outbox")),
        notary=Notary(ring),
        failures=FailureLimiter(settings.rate_auth_failures, _failure_counts(settings), settings.workers),
        metrics=metrics,
        board=board,
    )


def place_of(settings: Settings) -> Place:
    """Return where a process with these settings stands in a fleet."""
    return Place(
        settings.node, settings.region, settings.lease_seconds, settings.pg_failover, settings.database_replica_url
    )


def _failure_counts(settings: Settings) -> Counts:
    """Return where failures are counted: with the other workers of this host, or alone."""
    folder, alone = settings.run_dir, settings.workers == 1
    if alone or folder is None:
        return OwnCounts()
    others = {*range(1, settings.workers + 1)} - {settings.worker}
    return SharedCounts(folder / f"{settings.worker}.failures", [folder / f"{other}.failures" for other in others])


def _share(threads: int, workers: int) -> int:
    """Return how many of a host's threads each of its workers may keep busy."""
    return max(1, threads // workers)
