"""Whose word counts: a status is read from a server that has the newest row which this node knows of (I1, I4)."""

from typing import cast

import pytest

from lumio.authority.interface import Loaded, Status
from lumio.authority.lease import Lease
from lumio.authority.leased import LeasedAuthority
from lumio.authority.primary import Node, Replica
from lumio.authority.subjects import Mark, Subject
from lumio.kernel.errors import Unavailable
from lumio.storage.hot import HotReader
from lumio.storage.unit import Units
from tests.support.on_paper import KEY, LEASE, MOMENT, Clocks, Feed, Hot, Paper, entry, loaded, mark

SESSION = Subject("session", "s")


class Near:
    """A replica that says it has come as far as it is told to say."""

    def __init__(self, newest: Mark) -> None:
        self.reader: HotReader = Hot(newest)
        self.replayed = True

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def has_replayed(self, position: str) -> bool:
        assert position == "0/3"
        return self.replayed


class Fleetling:
    """A node that has applied three rows, the server it reads from, and who was read."""

    def __init__(self, near: Near | None = None) -> None:
        self.hot, self.near = Hot(mark(3)), near
        self.feed = Feed(entry(seq, SESSION) for seq in (1, 2, 3))
        node = Node("node-t", "here", LEASE, "first", "boot")
        self.clocks = Clocks()
        lease = Lease(LEASE, self.clocks)
        units = cast("Units", Paper())
        self.authority = LeasedAuthority(self.feed, self.hot, units, node, lease, cast("Replica | None", near))
        self.read: list[object] = []
        self.found: Loaded[str] | None = loaded()

    async def load(self, hot: HotReader) -> Loaded[str] | None:
        self.read.append(hot)
        return self.found

    async def status(self) -> Status[str] | None:
        return await self.authority.status("k", self.load)


async def begun(near: Near | None = None) -> Fleetling:
    made = Fleetling(near)
    await made.authority.tail.turn()
    return made


async def test_a_status_includes_the_newest_row_that_is_known_and_is_kept() -> None:
    node = await begun()
    assert await node.status() == ("facts", 3)
    assert await node.status() == ("facts", 3)
    assert len(node.read) == 1


@pytest.mark.parametrize("newest", [mark(2), Mark(3, MOMENT)], ids=["an old primary", "a number of another timeline"])
async def test_i4_no_resurrection_a_server_without_the_newest_known_row_is_not_believed(newest: Mark) -> None:
    node = await begun()
    node.hot.newest = newest
    with pytest.raises(Unavailable, match="does not know number 3"):
        await node.status()
    assert node.read == []
    assert node.hot.closed == 1, "the next connection may lead elsewhere"
    node.hot.newest = mark(3)
    assert await node.status() == ("facts", 3)


async def test_i4_no_resurrection_what_this_node_committed_itself_must_be_there_too() -> None:
    node = await begun()
    node.authority.memory.learn([entry(4)])
    with pytest.raises(Unavailable, match="does not know number 4"):
        await node.status()
    node.hot.newest = mark(4)
    assert await node.status() == ("facts", 4)


async def test_a_feed_without_a_row_asks_for_none() -> None:
    node = Fleetling()
    node.feed.rows.clear()
    node.hot.newest = Mark(0, None)
    await node.authority.tail.turn()
    assert await node.status() == ("facts", 0)


async def test_a_replica_that_has_come_far_enough_is_read_and_the_primary_is_not() -> None:
    near = Near(mark(3))
    node = await begun(near)
    assert await node.status() == ("facts", 3)
    assert node.read == [near.reader]


@pytest.mark.parametrize(
    ("replayed", "newest"),
    [(False, mark(3)), (True, mark(2)), (True, Mark(3, MOMENT))],
    ids=["lags", "lacks the newest row", "followed another timeline"],
)
async def test_a_replica_that_has_not_is_passed_over(replayed: bool, newest: Mark) -> None:
    near = Near(newest)
    near.replayed = replayed
    node = await begun(near)
    assert await node.status() == ("facts", 3)
    assert node.read == [node.hot]


async def test_what_a_replica_does_not_know_is_asked_of_the_primary() -> None:
    near = Near(mark(3))
    node = await begun(near)
    node.found = None
    assert await node.status() is None
    assert node.read == [near.reader, node.hot]


async def test_i1_freshness_a_read_that_outlasts_the_lease_is_no_answer() -> None:
    node = await begun()

    async def slow(hot: HotReader) -> Loaded[str] | None:
        node.clocks.move(LEASE)
        return await node.load(hot)

    with pytest.raises(Unavailable, match="no lease"):
        await node.authority.status("k", slow)


async def test_i4_no_resurrection_what_ends_while_it_is_read_is_read_again() -> None:
    node = await begun()

    async def overtaken(hot: HotReader) -> Loaded[str] | None:
        if not node.read:
            node.feed.rows.append(entry(4, KEY))
            await node.authority.tail.turn()
            node.hot.newest = mark(4)
        return await node.load(hot)

    assert await node.authority.status("k", overtaken) == ("facts", 4)
    assert len(node.read) == 2


async def test_a_status_that_ends_again_and_again_is_unavailable_and_no_endless_reading() -> None:
    node = await begun()

    async def overtaken(hot: HotReader) -> Loaded[str] | None:
        seq = node.hot.newest.seq + 1
        node.feed.rows.append(entry(seq, KEY))
        await node.authority.tail.turn()
        node.hot.newest = mark(seq)
        return await node.load(hot)

    with pytest.raises(Unavailable, match="changes faster"):
        await node.authority.status("k", overtaken)
    assert len(node.read) == 4


async def test_i1_freshness_without_a_lease_no_question_has_an_answer() -> None:
    node = await begun()
    await node.status()
    node.clocks.move(LEASE)
    assert not node.authority.fresh()
    with pytest.raises(Unavailable):
        await node.status()
    with pytest.raises(Unavailable):
        await node.authority.unchanged(3, [KEY])
    with pytest.raises(Unavailable):
        await node.authority.stamp()


async def test_i6_late_check_what_ended_since_the_decision_is_told() -> None:
    node = await begun()
    node.feed.rows.append(entry(4, KEY))
    await node.authority.tail.turn()
    assert not await node.authority.unchanged(3, [KEY])
    assert await node.authority.unchanged(3, [SESSION])
    assert await node.authority.unchanged(4, [KEY])


async def test_whoever_closes_serves_nothing_and_says_so() -> None:
    node = await begun()
    await node.authority.close()
    assert not node.authority.fresh()
    assert node.feed.left == ["first"]
