"""A link to the database that is cut says nothing: whoever reads over it gets an answer in time all the same."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

import pytest
import pytest_asyncio
from sqlalchemy import text

from lumio.authority.barrier import Barrier
from lumio.authority.tail import Tail
from lumio.kernel.errors import Unavailable
from lumio.settings import Settings
from lumio.storage.database import Database
from lumio.storage.dialect import PostgresDialect
from lumio.storage.unit import PATIENCE_SECONDS, Units, View
from tests.support.postgres import PostgresServer
from tests.support.relay import Relay, relayed

pytestmark = pytest.mark.parametrize("template", ["postgresql"], indirect=True)

PATIENCE = 0.2
NEVER_SECONDS = 20.0
ONE = text("SELECT 1")


@dataclass(slots=True)
class Far:
    """A database at the other end of a link."""

    relay: Relay
    units: Units


@pytest_asyncio.fixture
async def far(
    settings: Settings, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Far]:
    assert PostgresDialect.patience == PATIENCE_SECONDS, "a reader waits as long as whoever changes something"
    monkeypatch.setattr(PostgresDialect, "patience", PATIENCE)
    async with relayed(postgres_server.socket) as relay:
        database = Database(relay.url(settings.database_url))
        try:
            yield Far(relay, Units(database, "node-t"))
        finally:
            relay.mend()
            await database.close()


async def one(view: View) -> int:
    return int((await view.execute(ONE)).scalar_one())


@pytest.mark.parametrize("known", [False, True], ids=["no connection yet", "a connection from before"])
async def test_a_read_over_a_cut_link_is_unavailable_in_time_and_the_next_one_works(far: Far, known: bool) -> None:
    if known:
        assert await far.units.read(one) == 1
    far.relay.cut()
    async with asyncio.timeout(NEVER_SECONDS):
        with pytest.raises(Unavailable, match="in time"):
            await far.units.read(one)
    far.relay.mend()
    async with asyncio.timeout(NEVER_SECONDS):
        assert await far.units.read(one) == 1


async def test_a_link_that_is_cut_after_the_last_statement_keeps_nobody_waiting(far: Far) -> None:
    async def then_cut(view: View) -> int:
        found = await one(view)
        far.relay.cut()
        return found

    async with asyncio.timeout(NEVER_SECONDS):
        with pytest.raises(Unavailable, match="in time"):
            await far.units.read(then_cut)


async def test_a_view_that_an_action_reads_through_keeps_nobody_waiting_either(far: Far) -> None:
    view = far.units.view()
    assert await one(view) == 1
    far.relay.cut()
    async with asyncio.timeout(NEVER_SECONDS):
        with pytest.raises(Unavailable, match="in time") as met:
            await one(view)
        await view.close(met.value)


async def test_whoever_waits_for_a_revocation_to_be_effective_is_told_that_it_cannot_be_known(far: Far) -> None:
    barrier = Barrier(far.units, cast("Tail", None))
    far.relay.cut()
    async with asyncio.timeout(NEVER_SECONDS):
        with pytest.raises(Unavailable, match="in time"):
            await barrier.reached(1, 600)
