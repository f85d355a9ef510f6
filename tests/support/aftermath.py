"""What a database and a bundle folder hold after an accident, and whether the two and the journal agree."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from lumio.extensions.bundles import BundleStore
from lumio.extensions.store import VersionStore, artifacts, versions
from lumio.kernel import clock
from lumio.keys.store import keys
from lumio.settings import Settings
from lumio.storage import idempotency
from lumio.storage.events import events as events_table
from tests.support.world import World, opened


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of versions and keys by row and by event, versions whose answer is kept, digests named and stored."""

    rows: dict[str, set[str]]
    events: dict[str, set[str]]
    repeatable: set[str]
    named: set[str]
    stored: set[str]

    def must_agree(self, words: str) -> None:
        """Assert that no change lacks its event, no event its change, no version a file."""
        assert self.rows == self.events, words
        assert self.rows["version"] == self.repeatable, words
        assert self.named == self.stored, words


async def inspect(settings: Settings) -> Found:
    """Return what is there once the sweep has passed, on a house that nobody else has open."""
    async with opened(settings) as world:
        return await world.house.units.read(lambda view: _read(world, view))


async def _read(world: World, view: Any) -> Found:
    async def column(query: Any) -> set[str]:
        return {row[0] for row in await view.execute(query)}

    def events(name: str) -> Any:
        told = events_table.c
        return select(told.target_id).where(told.event == name, told.result == "success")

    return Found(
        rows={"version": await column(select(versions.c.id)), "key": await column(select(keys.c.id))},
        events={
            "version": await column(events("extension.deployed")),
            "key": await column(events("api_key.created")),
        },
        repeatable=await column(
            select(idempotency.answers.c.target_id).where(idempotency.answers.c.target_id.like("ver%"))
        ),
        named=await column(select(artifacts.c.sha256)),
        stored=await _swept(world),
    )


async def _swept(world: World) -> set[str]:
    folder = world.house.settings.bundle_store
    bundles, later = BundleStore(folder), clock.now() + timedelta(minutes=1)

    async def wanted(digests: Sequence[str]) -> set[str]:
        return await world.house.units.read(lambda view: VersionStore().used(view, digests))

    await bundles.sweep(later)
    await bundles.sweep_orphans(later, wanted)
    return _digests(folder)


def _digests(folder: Path) -> set[str]:
    """Return the digests of all files, which their names must be."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}
    assert list(found) == list(found.values())
    return set(found)
