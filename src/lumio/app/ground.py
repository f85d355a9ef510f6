"""The ground: database, units, journal, authority, keys and pools, built from the settings."""

import os
from dataclasses import dataclass

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
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.journal import Journal
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


def lay(settings: Settings, password_cost: Cost, key_cost: Cost) -> Ground:
    """Build the ground; nothing is opened yet."""
    ring = roots.load(settings.root_secret_file)
    database = Database(settings.database_url)
    units = Units(database, settings.node)
    outside = Reconciliation(Ledger(LedgerFile(settings.journal_dir)), units)
    return Ground(
        settings=settings,
        ring=ring,
        database=database,
        units=units,
        journal=Journal(database, settings.node, settings.journal_timeout_seconds),
        outside=outside,
        authority=choose(database, place_of(settings), outside),
        peppers=Peppers(ring),
        access_tokens=AccessTokens(ring, settings.public_url),
        passwords=StretchPool(password_cost, threads=2),
        key_stretch=StretchPool(key_cost, threads=max(1, (os.cpu_count() or 2) - 1), queue=KEY_QUEUE),
        outbox=Outbox(database, Sealer(ring, "outbox")),
        notary=Notary(ring),
        failures=FailureLimiter(settings.rate_auth_failures),
    )


def place_of(settings: Settings) -> Place:
    """Return where a process with these settings stands in a fleet."""
    return Place(
        settings.node, settings.region, settings.lease_seconds, settings.pg_failover, settings.database_replica_url
    )
