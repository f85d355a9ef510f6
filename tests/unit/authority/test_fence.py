"""The write fence (threat 2 in small): no unit authorised by a key commits after the key's revocation."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from lumio.access.action import action
from lumio.access.context import Context
from lumio.access.kinds import Kind
from lumio.access.perform import Perform
from lumio.access.principal import Asker, Principal
from lumio.authority.subjects import Ending, Subject
from lumio.kernel.errors import Unauthenticated
from lumio.kernel.event import Actor, Origin
from lumio.storage.database import Database
from lumio.storage.events import events
from lumio.storage.unit import Unit
from tests.support.ground import Ground

KEY = Subject("key", "k-1")
POOL = 8
"""Connections for writers that a process has."""


class Work:
    """A service whose action can be held in the middle of its unit."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.inside, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self.made = 0

    @action("work.make", event="thing.made", signed_in=True)
    async def make(self, context: Context, _form: None) -> str:
        self.made += 1
        name = f"thing-{self.made}"
        await self.ground.make(context.unit, name)
        context.record("thing.made")
        self.inside.set()
        await self.go_on.wait()
        return name


def asker(seq: int, *subjects: Subject) -> Asker:
    actor = Actor("api_key", "k-1", "ci")
    return Asker(Principal(Kind.API_KEY, actor, subjects=subjects or (KEY,), seq=seq, account_id="a-1"), Origin())


def performing(ground: Ground) -> Perform:
    return Perform(ground.units, ground.journal, ground.authority, [])


def ending(ground: Ground, subject: Subject, *, declared: bool) -> Callable[[Unit], Awaitable[None]]:
    """End a subject the way an action does: its lock taken first when it is known, or only at the end."""

    async def step(unit: Unit) -> None:
        if declared:
            await unit.lock(shared=(), exclusive=(str(subject),))
        await ground.make(unit, f"revoked {subject.id}")
        await ground.authority.end(unit, [end_of(subject)])

    return step


def end_of(subject: Subject) -> Ending:
    return Ending(subject, "ended", "robin", "revoked")


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("subject", [KEY, Subject("account", "a-1"), Subject("role", "a-1,u-1")], ids=str)
async def test_a_unit_that_began_before_commits_before_the_revocation(
    ground: Ground, declared: bool, subject: Subject
) -> None:
    work = Work(ground)
    work.go_on.clear()
    seq = await ground.authority.stamp()
    making = asyncio.create_task(performing(ground)(work.make, asker(seq, KEY, subject)))
    await work.inside.wait()
    revoking = asyncio.create_task(ground.units.run(ending(ground, subject, declared=declared)))
    await asyncio.sleep(0.1)
    assert not revoking.done()
    assert await ground.authority.stamp() == seq
    work.go_on.set()
    await making
    await revoking
    assert await ground.names() == [f"revoked {subject.id}", "thing-1"]


async def test_a_unit_that_comes_after_is_refused_and_changes_nothing(ground: Ground) -> None:
    work = Work(ground)
    seq = await ground.authority.stamp()
    await ground.units.run(ending(ground, KEY, declared=True))
    with pytest.raises(Unauthenticated):
        await performing(ground)(work.make, asker(seq))
    assert await ground.names() == ["revoked k-1"]
    (row,) = await ground.rows(select(events).where(events.c.event == "auth.failed", events.c.actor_id == "k-1"))
    assert (row.result, row.account_id) == ("failure", "a-1")
    assert "revoked_in_flight" in row.detail


async def test_a_unit_that_waits_for_the_revocation_is_refused(ground: Ground) -> None:
    work = Work(ground)
    seq = await ground.authority.stamp()
    holding, go_on = asyncio.Event(), asyncio.Event()

    async def slow(unit: Unit) -> None:
        await unit.lock(shared=(), exclusive=(str(KEY),))
        holding.set()
        await go_on.wait()
        await ground.authority.end(unit, [end_of(KEY)])

    revoking = asyncio.create_task(ground.units.run(slow))
    await holding.wait()
    making = asyncio.create_task(performing(ground)(work.make, asker(seq)))
    await asyncio.sleep(0.1)
    assert work.made == 0
    go_on.set()
    await revoking
    with pytest.raises(Unauthenticated):
        await making
    assert await ground.names() == []


async def test_in_a_storm_of_writers_no_row_commits_after_the_revocation(ground: Ground) -> None:
    work, perform = Work(ground), performing(ground)
    seq = await ground.authority.stamp()
    after: list[str] = []
    revoked = asyncio.Event()

    async def writer() -> None:
        for _ in range(5):
            late = revoked.is_set()
            try:
                name = await perform(work.make, asker(seq))
            except Unauthenticated:
                continue
            if late:
                after.append(name)

    async def revoke() -> list[str]:
        await asyncio.sleep(0.05)

        async def step(unit: Unit) -> None:
            await unit.lock(shared=(), exclusive=(str(KEY),))
            await ground.authority.end(unit, [end_of(KEY)])

        await ground.units.run(step)
        revoked.set()
        return await ground.names()

    names, *_ = await asyncio.gather(revoke(), *[writer() for _ in range(12)])
    assert after == []
    assert await ground.names() == names


async def test_the_writers_of_a_key_that_wait_for_its_revocation_leave_connections_for_other_keys(
    ground: Ground,
) -> None:
    if ground.database.dialect.single_writer:
        pytest.skip("one file has one writer at a time")
    work, perform = Work(ground), performing(ground)
    seq = await ground.authority.stamp()
    other = Database(ground.settings.database_url)
    try:
        async with other.writing() as revoking:
            await other.dialect.lock(revoking, shared=(), exclusive=(str(KEY),))
            stuck = [asyncio.create_task(perform(work.make, asker(seq))) for _ in range(3 * POOL)]
            await asyncio.sleep(0.1)
            assert await perform(work.make, asker(seq, Subject("key", "k-2"))) == "thing-1"
            assert not any(one.done() for one in stuck)
        assert len(set(await asyncio.gather(*stuck))) == 3 * POOL
    finally:
        await other.close()
