"""The services alone, without the web before them: for the operator's verbs.

Promise: what a verb does at the machine goes through the same services as what is asked over the network, and on a
database that lacks nothing of what was revoked.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lumio.app.ground import lay
from lumio.app.services import Services, employ, make_stores
from lumio.authority.interface import Authority
from lumio.authority.reconciliation import Reconciled
from lumio.crypto.hashing import KEY_COST, PASSWORD_COST, Tags
from lumio.crypto.proofs import Proofs
from lumio.settings import Settings
from lumio.storage.unit import Units


@dataclass(frozen=True, slots=True)
class Staff:
    """The services, the units in which they work, and what their database lacked when it was opened."""

    units: Units
    services: Services
    authority: Authority
    reconciled: Reconciled


@asynccontextmanager
async def at_work(settings: Settings) -> AsyncIterator[Staff]:
    """Open the database for the services until the block ends.

    Raises:
        Unavailable: the database does not answer, or it is not known what it lacks.
    """
    ground = lay(settings, PASSWORD_COST, KEY_COST)
    tags, proofs = Tags(ground.ring), Proofs(ground.peppers, ground.key_stretch)
    services = employ(ground, make_stores(), tags, proofs)
    await ground.database.open()
    await ground.outside.ledger.open()
    try:
        reconciled = await ground.outside.run()
        yield Staff(ground.units, services, ground.authority, reconciled)
    finally:
        await ground.outside.ledger.close()
        await ground.database.close()
        ground.passwords.close()
        ground.key_stretch.close()
