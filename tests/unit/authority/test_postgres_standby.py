"""What a synchronous standby is worth to promise R: a commit that did not wait for it proves nothing.

Promise: seen on a real server, whose commits wait for a keeper of its log that a test can let vanish.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
import pytest_asyncio

from lumio.authority import nodes
from lumio.authority.choice import Place, lacks_standby
from lumio.authority.subjects import Subject
from lumio.kernel.errors import Unavailable
from lumio.kernel.event import Actor, Event, Origin
from lumio.settings import Settings
from lumio.storage.journal import Journal
from tests.support.follower import LEASE, PATIENCE_SECONDS, Follower
from tests.support.postgres import PostgresServer
from tests.support.standby import Standby, forget, synchronous

pytestmark = pytest.mark.parametrize("template", ["postgresql"], indirect=True)

KEY = Subject("key", "k")
CANCEL = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep';"


@pytest_asyncio.fixture
async def careful(settings: Settings) -> AsyncIterator[Follower]:
    """Give a node that trusts no primary without a synchronous standby: `LUMIO_PG_FAILOVER=sync`."""
    made = Follower(settings, needs_standby=True)
    yield made
    await made.close()


@pytest.fixture
def standby(postgres_server: PostgresServer) -> Iterator[Standby]:
    with synchronous(postgres_server) as one:
        yield one


async def test_sync_refuses_a_server_that_names_no_synchronous_standby(careful: Follower) -> None:
    assert "synchronous_standby_names is empty" in await careful.refused()
    assert await lacks_standby(careful.database, Place("node-t", failover="sync"))
    assert not await lacks_standby(careful.database, Place("node-t", failover="none"))
    assert "node-t" not in await registered(careful)


async def test_sync_a_standby_that_is_away_costs_the_lease_and_one_that_is_back_brings_another(
    careful: Follower, standby: Standby
) -> None:
    assert not await lacks_standby(careful.database, Place("node-t", failover="sync"))
    await careful.tail.turn()
    assert careful.lease.fresh()
    standby.vanish()
    careful.clocks.move(1)
    assert "TimeoutError" in await careful.refused()
    assert careful.lease.left() == LEASE - 1
    with pytest.raises(Unavailable, match="did not commit in time"):
        await careful.end(KEY, patience=0.2)
    careful.clocks.move(1)
    assert not careful.lease.fresh()
    standby.start()
    await careful.tail.turn()
    assert careful.lease.left() == LEASE


async def test_sync_believes_no_server_that_has_come_to_wait_for_nobody(
    careful: Follower, standby: Standby, postgres_server: PostgresServer
) -> None:
    await careful.tail.turn()
    careful.clocks.move(1)
    forget(postgres_server)
    await careful.primary.close()
    assert "synchronous_standby_names is empty" in await careful.refused()
    assert careful.lease.left() == LEASE - 1
    assert standby.runs, "it is there, and commits do not wait for it"


async def test_a_unit_whose_commit_did_not_wait_for_its_standby_is_not_acknowledged(
    careful: Follower, standby: Standby, postgres_server: PostgresServer
) -> None:
    await careful.tail.turn()
    before, after = careful.memory.cursor, [KEY, Subject("key", "next")]
    standby.vanish()
    async with impatient(postgres_server):
        with pytest.raises(Unavailable, match="did not wait for its standby"):
            await careful.end(after[0])
    standby.start()
    await careful.end(after[1])
    await careful.tail.turn()
    assert careful.memory.cursor == before + 2, "it was committed all the same: the feed brings what nobody was told"
    assert careful.memory.changed([KEY], before)


async def test_an_authentication_whose_commit_did_not_wait_for_its_standby_is_not_durable(
    careful: Follower, standby: Standby, postgres_server: PostgresServer
) -> None:
    journal = Journal(careful.database, "node-t", timeout=5)
    await journal.open()
    event = Event("auth.succeeded", "success", Actor("api_key", "k"), Origin("198.51.100.7"))
    await journal.append(event)
    standby.vanish()
    async with impatient(postgres_server):
        with pytest.raises(Unavailable, match="did not wait for its standby"):
            await journal.append(event)
    standby.start()
    await journal.append(event)
    await journal.close()


async def test_a_proof_whose_commit_did_not_wait_for_its_standby_is_none(
    careful: Follower, standby: Standby, postgres_server: PostgresServer
) -> None:
    await careful.tail.turn()
    standby.vanish()
    careful.clocks.move(1)
    careful.tail._patience = PATIENCE_SECONDS
    async with impatient(postgres_server):
        assert "did not wait for its standby" in await careful.refused()
    assert careful.lease.left() == LEASE - 1


class impatient:  # noqa: N801 - reads as a word in a with statement
    """Cancel each commit that waits for its standby, as somebody who tidies up does: it then says that it is done."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._cancel())

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _cancel(self) -> None:
        while True:
            await asyncio.to_thread(self._server.ask, "postgres", CANCEL)


async def registered(follower: Follower) -> list[str]:
    """Return the names of the nodes that are registered."""
    async with follower.database.reading() as connection:
        return [row.name for row in await connection.execute(nodes.nodes.select())]
