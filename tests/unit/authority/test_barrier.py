"""The barrier: `effective: true` when no node accepts any more what ended (I10), and who is gone when (I11)."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from lumio.authority.barrier import Barrier
from lumio.authority.lease import Lease, silence
from lumio.authority.memory import Memory
from lumio.authority.nodes import Watch
from lumio.authority.primary import Node
from lumio.authority.tail import Tail
from lumio.kernel import clock
from lumio.storage.unit import Units
from tests.support.on_paper import LEASE, Clocks, Feed, Paper, entry

SEQ = 7
W = silence(LEASE)
EPSILON = 1e-6


class Asker:
    """A node named `me` that asks about number 7, and the table of nodes that it reads."""

    def __init__(self) -> None:
        self.clocks = Clocks()
        self.paper = Paper()
        self.feed = Feed([entry(seq) for seq in range(1, SEQ)])
        node = Node("me", "here", LEASE, "me", "boot")
        self.tail = Tail(self.feed, node, Lease(LEASE, self.clocks), Memory())
        self.barrier = Barrier(cast("Units", self.paper), self.tail)
        for seq in range(1, SEQ + 1):
            self.paper.ended(seq)
        self.paper.node("me", SEQ - 1)

    async def effective(self) -> bool:
        return await self.barrier.reached(SEQ, 0)

    async def learn(self) -> None:
        """Let the feed bring the number."""
        self.feed.rows.append(entry(SEQ))
        await self.tail.turn()

    def commit(self, longest: float = W) -> None:
        """Commit the number itself; `longest` is W as the revoking unit saw it."""
        self.barrier.committed(SEQ, longest)


@pytest.fixture
async def asker() -> Asker:
    made = Asker()
    await made.tail.turn()
    return made


async def test_i10_barrier_a_node_that_has_not_said_that_it_knows_is_waited_for(asker: Asker) -> None:
    asker.commit()
    asker.paper.node("silent", SEQ - 1)
    assert not await asker.effective()
    asker.paper.node("silent", SEQ)
    assert await asker.effective()


async def test_i10_barrier_silent_nodes_are_not_skipped_before_their_lease_is_surely_over(asker: Asker) -> None:
    asker.commit()
    asker.paper.node("silent", SEQ - 1)
    for after, effective in ((W - EPSILON, False), (2 * EPSILON, True)):
        asker.clocks.move(after)
        assert await asker.effective() is effective


async def test_i10_barrier_of_another_node_s_revocation_the_time_counts_from_when_it_was_known(asker: Asker) -> None:
    asker.paper.node("silent", SEQ - 1)
    asker.clocks.move(W)
    assert not await asker.effective(), "it is not known here: nothing is known of its commit"
    await asker.learn()
    assert not await asker.effective()
    asker.clocks.move(W - EPSILON)
    assert not await asker.effective()
    asker.clocks.move(2 * EPSILON)
    assert await asker.effective()


async def test_a_node_knows_what_it_committed_itself_and_what_the_feed_brought(asker: Asker) -> None:
    assert not await asker.effective(), "its own row says 6"
    await asker.learn()
    assert await asker.effective()
    other = Asker()
    await other.tail.turn()
    other.commit()
    assert await other.effective()


async def test_whoever_has_left_is_not_waited_for(asker: Asker) -> None:
    asker.commit()
    asker.paper.node("left", 0, lease=0.0)
    assert await asker.effective()


async def test_i10_barrier_a_node_that_registers_meanwhile_is_waited_for_until_it_has_beaten(asker: Asker) -> None:
    asker.commit()
    asker.paper.node("new", 0)
    assert not await asker.effective()
    asker.paper.node("new", SEQ + 1)
    assert await asker.effective()


@pytest.mark.parametrize(("now", "then"), [(25.0, LEASE), (2.0, 25.0)], ids=["a node of today", "one of then"])
async def test_i10_barrier_the_longest_lease_counts_of_today_s_nodes_and_of_those_in_the_unit(
    asker: Asker, now: float, then: float
) -> None:
    asker.commit(silence(then))
    asker.paper.node("silent", 0, lease=now)
    asker.clocks.move(silence(25.0) - EPSILON)
    assert not await asker.effective()
    asker.clocks.move(2 * EPSILON)
    assert await asker.effective()


async def test_i10_barrier_a_server_that_does_not_know_the_number_is_not_asked_who_does(asker: Asker) -> None:
    asker.commit()
    del asker.paper.rows["revocation"][SEQ]  # an old primary: it knows no node that has registered since, either
    assert not await asker.effective()
    asker.clocks.move(W)
    assert not await asker.effective()
    asker.paper.ended(SEQ)
    assert await asker.effective()


async def test_progress_shows_every_node_and_says_the_same(asker: Asker) -> None:
    asker.commit()
    asker.paper.node("silent", SEQ - 2)
    asker.paper.node("left", 0, lease=0.0)
    told = await asker.barrier.progress(cast("Any", asker.paper), SEQ)
    assert told is not None
    assert not told.effective
    assert [(one.node_id, one.applied_seq) for one in told.nodes] == [("me", 6), ("silent", 5), ("left", 0)]
    assert [one.lease_until is None for one in told.nodes] == [False, False, True]
    asker.clocks.move(W)
    told = await asker.barrier.progress(cast("Any", asker.paper), SEQ)
    assert told is not None
    assert told.effective
    assert await asker.barrier.progress(cast("Any", asker.paper), SEQ + 1) is None


async def test_it_waits_as_long_as_it_is_asked_to_and_no_longer(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        asker.clocks.move(seconds)
        if sum(waited) > 2.5:
            asker.paper.node("silent", SEQ)

    monkeypatch.setattr("asyncio.sleep", sleep)
    monkeypatch.setattr(clock, "monotonic", lambda: asker.clocks.boot)
    asker.commit()
    asker.paper.node("silent", SEQ - 1)
    assert not await asker.barrier.reached(SEQ, 2)
    assert sum(waited) == pytest.approx(2)
    assert await asker.barrier.reached(SEQ, 2)
    assert max(waited) <= 0.2, "it looks at least five times a second"


class Sweeper:
    """A process that looks at the nodes again and again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clocks, self.paper, self.watch = Clocks(), Paper(), Watch()
        monkeypatch.setattr(clock, "boottime", lambda: self.clocks.boot)

    def sweep(self) -> Awaitable[list[str]]:
        return self.watch.sweep(cast("Any", self.paper))


@pytest.fixture
def sweeper(monkeypatch: pytest.MonkeyPatch) -> Sweeper:
    return Sweeper(monkeypatch)


async def test_i11_membership_nobody_is_taken_out_before_it_was_silent_for_longer_than_its_lease(
    sweeper: Sweeper,
) -> None:
    sweeper.paper.node("silent", 0)
    gone: list[list[str]] = []
    for after in (0.0, W - EPSILON, 2 * EPSILON):
        sweeper.clocks.move(after)
        gone.append(await sweeper.sweep())
    assert gone == [[], [], ["silent"]]
    assert sweeper.paper.rows["node"] == {}


async def test_i11_membership_silence_counts_from_the_last_beat_that_was_seen(sweeper: Sweeper) -> None:
    sweeper.paper.node("slow", 0)
    for beat in range(2, 6):
        await sweeper.sweep()
        sweeper.clocks.move(W - EPSILON)
        sweeper.paper.node("slow", 0, beat=beat)
    assert await sweeper.sweep() == []
    sweeper.clocks.move(W + EPSILON)
    assert await sweeper.sweep() == ["slow"]


async def test_i11_membership_silence_does_not_count_from_before_a_slow_question_was_answered(
    sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeper.paper.node("back again", 0)
    prompt = sweeper.paper.execute

    async def slow(statement: Any, values: Any = None) -> Any:
        sweeper.clocks.move(W)
        sweeper.paper.node("back again", 0, beat=2)
        return await prompt(statement, values)

    monkeypatch.setattr(sweeper.paper, "execute", slow)
    await sweeper.sweep()
    monkeypatch.setattr(sweeper.paper, "execute", prompt)
    sweeper.clocks.move(2 * EPSILON)
    assert await sweeper.sweep() == [], "its beat came a moment ago"


async def test_i11_membership_a_node_that_beats_while_it_is_taken_out_stays(
    sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeper.paper.node("late", 0)
    await sweeper.sweep()
    sweeper.clocks.move(W + EPSILON)
    monkeypatch.setattr(sweeper.paper, "execute", _beating(sweeper.paper, sweeper.paper.execute))
    assert await sweeper.sweep() == [], "it was not taken out, and nobody may say so"
    assert list(sweeper.paper.rows["node"]) == ["late"]


def _beating(paper: Paper, execute: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Let the node beat between the look and the removal."""

    async def run(statement: Any, values: Any = None) -> Any:
        if statement.is_delete:
            paper.node("late", 0, beat=2)
        return await execute(statement, values)

    return run
