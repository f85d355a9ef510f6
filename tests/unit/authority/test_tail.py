"""The tail: which answers are a proof, and what happens when one is of another database (I2, I3, I11)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from lumio.authority.lease import Lease
from lumio.authority.memory import Memory
from lumio.authority.primary import Beat, Node, Tailed
from lumio.authority.subjects import Entry, Subject
from lumio.authority.tail import Tail
from lumio.kernel.errors import Unavailable
from tests.support.on_paper import KEY, LEASE, MOMENT, Clocks, Feed, entry, loaded, mark

SOMETHING = Subject("session", "s")
Change = Callable[[Feed], None]


class Follower:
    """A tail, what it asks and what it writes to."""

    def __init__(self, *numbers: int) -> None:
        self.clocks = Clocks()
        self.feed = Feed(entry(number, SOMETHING) for number in numbers)
        self.lease = Lease(LEASE, self.clocks)
        self.memory = Memory()
        self.tail = Tail(self.feed, Node("node-t", "here", LEASE, "first", "boot"), self.lease, self.memory)

    async def refused(self) -> str:
        with pytest.raises(Unavailable) as refusal:
            await self.tail.turn()
        return str(refusal.value)


@pytest.fixture
async def follower() -> Follower:
    """A node that follows a feed of three rows, has a lease, and knows a status."""
    made = Follower(1, 2, 3)
    await made.tail.turn()
    assert made.memory.keep("k", loaded(), 3)
    return made


def away() -> None:
    raise Unavailable("away")


async def test_i11_membership_it_registers_before_it_asks_and_has_no_lease_before_the_answer() -> None:
    node = Follower(1)
    node.feed.meanwhile = away
    await node.refused()
    assert (node.feed.registered, node.feed.beats) == ([], [])
    node.feed.meanwhile = lambda: None
    assert not node.lease.fresh()
    await node.tail.turn()
    assert [one.id for one in node.feed.registered] == ["first"]
    assert node.lease.fresh()


async def test_i1_freshness_a_lease_counts_from_before_the_question(follower: Follower) -> None:
    follower.feed.meanwhile = lambda: follower.clocks.move(1.5)
    await follower.tail.turn()
    assert follower.lease.left() == LEASE - 1.5


async def test_an_answer_that_comes_after_the_lease_renews_nothing(follower: Follower) -> None:
    follower.feed.meanwhile = lambda: follower.clocks.move(LEASE)
    await follower.tail.turn()
    assert not follower.lease.fresh()


async def test_without_an_answer_the_lease_runs_on_as_it_was(follower: Follower) -> None:
    follower.clocks.move(1)
    follower.feed.meanwhile = away
    await follower.refused()
    assert follower.lease.left() == LEASE - 1
    assert follower.memory.get("k") is not None


async def test_i2_completeness_a_lease_is_renewed_only_after_every_row_is_applied(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, float]] = []
    apply = follower.memory.apply

    def watched(rows: Sequence[Entry]) -> None:
        apply(rows)
        seen.append((follower.memory.cursor, follower.lease.left()))

    monkeypatch.setattr(follower.memory, "apply", watched)
    follower.clocks.move(1)
    follower.feed.rows += [entry(4), entry(5, SOMETHING)]
    assert await follower.tail.turn(), "there was news: worth telling back at once"
    assert seen == [(5, LEASE - 1)]
    assert follower.lease.left() == LEASE
    assert follower.memory.get("k") is None
    assert not await follower.tail.turn()


async def test_a_beat_says_what_was_applied_before_it(follower: Follower) -> None:
    follower.feed.rows.append(entry(4))
    await follower.tail.turn()
    await follower.tail.turn()
    assert [beat.applied_seq for beat in follower.feed.beats] == [0, 3, 4]


async def test_a_feed_with_a_hole_gives_no_lease_and_is_begun_anew(follower: Follower) -> None:
    follower.feed.rows.append(entry(5, SOMETHING))
    assert "goes on with 5 after 3" in await follower.refused()
    assert not follower.lease.fresh()
    assert follower.memory.get("k") is None
    await follower.tail.turn()
    assert follower.lease.fresh()
    assert follower.memory.cursor == 5


async def test_a_counter_that_the_rows_do_not_reach_gives_no_lease(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = follower.feed.tail

    async def torn(beat: Beat, after: int, seconds: float) -> Tailed:
        return replace(await tail(beat, after, seconds), rows=[])

    follower.feed.rows.append(entry(4))
    monkeypatch.setattr(follower.feed, "tail", torn)
    assert "its counter says 4" in await follower.refused()
    assert not follower.lease.fresh()


def _older(feed: Feed) -> None:
    feed.rows.pop()


def _lower_epoch(feed: Feed) -> None:
    feed.epoch = 0


def _higher_epoch(feed: Feed) -> None:
    feed.epoch = 2


def _foreign(feed: Feed) -> None:
    feed.cluster = "two"


def _another_timeline(feed: Feed) -> None:
    feed.rows[-1:] = [entry(3, SOMETHING, moment=MOMENT + timedelta(days=1)), entry(4, SOMETHING)]


@pytest.mark.parametrize("change", [_older, _lower_epoch, _higher_epoch, _foreign, _another_timeline])
async def test_i3_monotonic_another_database_drops_the_lease_and_everything_known(
    follower: Follower, change: Change
) -> None:
    change(follower.feed)
    newest = follower.feed.rows[-1]
    assert "another one" in await follower.refused()
    assert not follower.lease.fresh()
    assert follower.memory.get("k") is None
    assert follower.memory.newest == (newest.seq, newest.at)
    assert follower.memory.changed([KEY], newest.seq - 1)
    await follower.tail.turn()
    assert follower.lease.fresh()
    assert follower.memory.cursor == newest.seq


async def test_what_ended_before_the_first_question_is_no_row_that_is_needed() -> None:
    node = Follower(*range(1, 1000))
    await node.tail.turn()
    assert (node.memory.cursor, node.memory.newest) == (999, (999, entry(999).at))


async def test_i11_membership_a_removed_registration_means_another_id_and_no_lease_before_it_is_registered(
    follower: Follower,
) -> None:
    follower.feed.registered.clear()
    assert "registration was removed" in await follower.refused()
    assert not follower.lease.fresh()
    again = follower.tail.node.id
    assert again != "first"
    follower.feed.meanwhile = away
    await follower.refused()
    assert not follower.lease.fresh()
    follower.feed.meanwhile = lambda: None
    await follower.tail.turn()
    assert [node.id for node in follower.feed.registered] == [again]
    assert follower.lease.fresh()


async def test_a_process_that_begins_again_is_another_node(follower: Follower) -> None:
    await follower.tail.begin()
    assert follower.tail.node.id != "first"
    assert follower.lease.fresh()
    assert follower.memory.get("k") is None


async def test_whoever_leaves_says_so_once_registered() -> None:
    node = Follower(1)
    await node.tail.leave()
    assert node.feed.left == []
    await node.tail.turn()
    await node.tail.leave()
    assert node.feed.left == ["first"]


async def test_it_knows_since_when_it_knows_a_number(follower: Follower) -> None:
    since = follower.clocks.boot
    follower.clocks.move(1)
    follower.feed.rows += [entry(4), entry(5)]
    await follower.tail.turn()
    assert [follower.tail.known_since(seq) for seq in (2, 3, 4, 5, 6)] == [since, since, since + 1, since + 1, None]
    assert follower.memory.newest == mark(5)
