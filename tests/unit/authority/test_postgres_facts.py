"""What PostgreSQL itself does, as promise R stands on it (spec: revocation, section 3; section 6 "real database").

Promise: each fact is seen on a real server, with the house's own statements. Those of a synchronous standby are in
`test_postgres_standby.py`.
"""

import asyncio

import pytest
from sqlalchemy import delete, text

from lumio.authority import feed, nodes
from lumio.authority.lease import Lease
from lumio.authority.memory import Memory
from lumio.authority.primary import Node
from lumio.authority.subjects import Subject
from lumio.authority.tail import Tail
from lumio.kernel.errors import Unauthenticated, Unavailable
from lumio.storage.database import Database
from lumio.storage.unit import Unit, Units
from tests.support.follower import LEASE, PATIENCE_SECONDS, Follower, ended, follower
from tests.support.ground import Ground
from tests.support.postgres import PostgresServer
from tests.support.world import HOME

__all__ = ["follower"]
pytestmark = pytest.mark.parametrize("template", ["postgresql"], indirect=True)

KEY = Subject("key", "k")
WRITERS = 8
HELD_SECONDS = 0.04
ROUNDS = 40
BESIDE = 500
"""What each of two units ends beside the other's key: both are at their locks for a while, at the same time."""
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


async def waiting(database: Database, many: int = 1) -> None:
    """Wait until so many transactions wait for locks."""
    async with asyncio.timeout(PATIENCE_SECONDS), database.reads.connect() as connection:
        while (await connection.execute(WAITING)).scalar_one() < many:
            await connection.rollback()
            await asyncio.sleep(0.002)


async def authorised(unit: Unit, subject: Subject) -> None:
    """Ask inside the locks, as an action does."""
    if await feed.ended_since(unit, [subject], 0):
        raise Unauthenticated


async def test_i7_write_fence_eight_busy_writers_delay_a_revocation_by_no_unit_that_begins_after_it(
    ground: Ground, follower: Follower
) -> None:
    asked = asyncio.Event()
    made, overtook = [0] * WRITERS, []

    async def writer(number: int) -> None:
        await asyncio.sleep(HELD_SECONDS * number / WRITERS)  # there is a holder of the lock at every moment
        while True:
            late, name = asked.is_set(), f"{number}-{made[number]}"
            await ground.units.run(lambda unit, name=name: step(unit, name))  # type: ignore[misc]
            made[number] += 1
            if late:
                overtook.append(name)

    async def step(unit: Unit, name: str) -> None:
        await unit.lock(shared=(str(KEY),), exclusive=())
        await authorised(unit, KEY)
        await asyncio.sleep(HELD_SECONDS)
        await ground.make(unit, name)

    writers = [asyncio.create_task(writer(number)) for number in range(WRITERS)]
    while min(made) < 2:  # noqa: ASYNC110
        await asyncio.sleep(HELD_SECONDS)
    revoking = asyncio.create_task(follower.units.run(lambda unit: ground.authority.end(unit, [ended(KEY)])))
    await waiting(follower.database)
    asked.set()
    await revoking
    names = await ground.names()
    told = await asyncio.gather(*writers, return_exceptions=True)
    assert [type(one) for one in told] == [Unauthenticated] * WRITERS
    assert overtook == []
    assert await ground.names() == names, "a unit of the key committed after its end"


async def test_two_keys_that_revoke_each_other_at_once_never_deadlock_and_one_of_them_succeeds(
    ground: Ground, follower: Follower
) -> None:
    tries: list[str] = []

    async def revoke(units: Units, by: Subject, other: Subject, both: asyncio.Barrier) -> None:
        async def step(unit: Unit) -> None:
            tries.append(str(by))
            if tries.count(str(by)) == 1:
                await both.wait()
            await unit.lock(
                shared=(str(by),), exclusive=(str(other), *(f"{by}/{number}" for number in range(BESIDE)))
            )
            await authorised(unit, by)
            await ground.authority.end(unit, [ended(other)])

        await units.run(step)

    for turn in range(ROUNDS):
        a, b, both = Subject("key", f"a-{turn}"), Subject("key", f"b-{turn}"), asyncio.Barrier(2)
        there, here = revoke(follower.units, a, b, both), revoke(ground.units, b, a, both)
        told = await asyncio.gather(there, here, return_exceptions=True)
        assert {type(one) for one in told} == {type(None), Unauthenticated}, told
    assert len(tries) == 2 * ROUNDS, "a unit that met a deadlock is run again"


async def test_i2_completeness_a_serial_column_loses_a_late_number_and_the_counter_row_does_not(
    ground: Ground, follower: Follower
) -> None:
    assert await read_by_serial(ground.database) == ([2], []), "number 1 was committed, and nobody will ever read it"

    await follower.tail.turn()
    before, go_on, holding = follower.memory.cursor, asyncio.Event(), asyncio.Event()

    async def late(unit: Unit) -> None:
        await feed.append(unit, [ended(KEY)])
        holding.set()
        await go_on.wait()

    first = asyncio.create_task(ground.units.run(late))
    await holding.wait()
    second = asyncio.create_task(follower.end(Subject("key", "second")))
    await waiting(ground.database)
    await follower.tail.turn()
    assert (follower.memory.cursor, second.done()) == (before, False)
    go_on.set()
    await asyncio.gather(first, second)
    await follower.tail.turn()
    assert follower.memory.cursor == before + 2
    assert follower.memory.changed([KEY], before)


async def read_by_serial(database: Database) -> tuple[list[int], list[int]]:
    """Let a number be committed before a smaller one; return what a reader with a cursor finds, before and after."""
    async with database.writing() as hand:
        await hand.execute(text("CREATE TABLE by_serial (seq bigserial PRIMARY KEY)"))
        await hand.commit()

    async def above(seq: int) -> list[int]:
        async with database.reading() as reader:
            found = await reader.execute(text("SELECT seq FROM by_serial WHERE seq > :seq"), {"seq": seq})
            return [row.seq for row in found]

    insert = text("INSERT INTO by_serial DEFAULT VALUES")
    async with database.writing() as slow, database.writing() as quick:
        await slow.execute(insert)
        await quick.execute(insert)
        await quick.commit()
        first = await above(0)
        await slow.commit()
    return first, await above(max(first))


async def test_a_notification_wakes_a_tail_that_waits(follower: Follower) -> None:
    await follower.tail.turn()
    asleep = asyncio.create_task(follower.primary.wait(600))
    await asyncio.sleep(0)
    await follower.end(KEY)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asleep
    await follower.tail.turn()
    assert follower.memory.changed([KEY], follower.memory.cursor - 1)


async def test_i1_freshness_a_server_that_only_reads_gives_no_lease(
    follower: Follower, postgres_server: PostgresServer
) -> None:
    await follower.tail.turn()
    follower.clocks.move(1)
    postgres_server.ask("postgres", f"ALTER DATABASE {HOME} SET default_transaction_read_only = on;")
    try:
        await follower.primary.close()
        assert "ReadOnlySQLTransaction" in await follower.refused()
        other = Tail(follower.primary, Node("new", "here", LEASE), Lease(LEASE), Memory())
        with pytest.raises(Unavailable, match="ReadOnlySQLTransaction"):
            await other.turn()
    finally:
        postgres_server.ask("postgres", f"ALTER DATABASE {HOME} RESET default_transaction_read_only;")
    assert follower.lease.left() == LEASE - 1


async def test_i11_membership_a_node_whose_row_was_removed_has_no_lease_until_it_is_registered_anew(
    follower: Follower,
) -> None:
    await follower.tail.turn()
    removed = follower.tail.node.id
    await follower.units.run(lambda unit: unit.execute(delete(nodes.nodes).where(nodes.nodes.c.node_id == removed)))
    assert "registration was removed" in await follower.refused()
    assert not follower.lease.fresh()
    await follower.tail.turn()
    assert follower.lease.fresh()
    assert follower.tail.node.id != removed
