"""The services alone, without the web before them: for the operator's verbs.

Promise: what a verb does at the machine goes through the same services as what is asked over the network.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lumio.app.ground import lay
from lumio.app.services import Services, employ, make_stores
from lumio.crypto.hashing import KEY_COST, PASSWORD_COST, Tags
from lumio.crypto.proofs import Proofs
from lumio.settings import Settings
from lumio.storage.unit import Units


@dataclass(frozen=True, slots=True)
class Staff:
    """The services, and the units in which they work."""

    units: Units
    services: Services


@asynccontextmanager
async def at_work(settings: Settings) -> AsyncIterator[Staff]:
    """Open the database for the services until the block ends."""
    ground = lay(settings, PASSWORD_COST, KEY_COST)
    tags, proofs = Tags(ground.ring), Proofs(ground.peppers, ground.key_stretch)
    await ground.database.open()
    try:
        yield Staff(ground.units, employ(ground, make_stores(), tags, proofs))
    finally:
        await ground.database.close()
        ground.passwords.close()
        ground.key_stretch.close()
